"""What `cohort collect` does: a panel resolved once, counted, and asked within its budget."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from forensics.errors import InputFileError
from forensics.suites.suite import Suite
from forensics.workflows.callbacks import Progress
from forensics.workflows.panels.collecting import (
    CollectedModel,
    MemberPlan,
    PanelWatch,
    asked_suite,
    charged,
    collect_members,
    plan_members,
)
from forensics.workflows.panels.members import panel_members, panel_prompts, say_addresses
from forensics.workflows.panels.panel_file import CohortPanel, read_panel
from forensics.workflows.panels.spending_ledger import (
    SpendingLedger,
    SpendingLimits,
    Spent,
    priced,
    spent_so_far,
    sum_of,
)
from forensics.workflows.resolving import SuiteChoice
from forensics.workflows.settings import Price


@dataclass(frozen=True)
class CollectSettings:
    """How a panel is collected.

    `output` is the cohort's file, `folder` holds transcripts, tables and the ledger of spending.
    Limits and `price` win over the panel's; `endpoints` is a file of named endpoints, and `without`
    are models to leave out.
    """

    panel: Path
    output: Path
    folder: Path
    endpoints: Path | None = None
    without: tuple[str, ...] = ()
    max_calls: int | None = None
    max_output_tokens: int | None = None
    max_cost: float | None = None
    price: Price | None = None


@dataclass(frozen=True)
class PanelRun:
    """A panel that was resolved: who is asked what, and within which budget."""

    panel: CohortPanel
    suite: Suite
    plans: tuple[MemberPlan, ...]
    limits: SpendingLimits
    ledger_file: Path

    @property
    def open_calls(self) -> Spent:
        """What the calls that are still open are charged at most, of endpoints only."""
        return sum_of(tuple(open_charge(entry) for entry in self.plans if not _is_free(entry)))

    @property
    def at_once(self) -> int:
        """How many endpoints are asked at once, so that no more calls are under way than may be."""
        limits = self.panel.table.limits
        return max(1, limits.in_all // min(limits.each, limits.in_all))

    def spent(self) -> Spent:
        """Return what earlier runs spent.

        Raises:
            InputFileError: the ledger is damaged.
        """
        return spent_so_far(self.ledger_file)

    def fits(self) -> bool:
        """Tell whether the budget allows all that is still open, however long answers are."""
        return self.limits.hold(self.spent().plus(self.open_calls))


def open_charge(entry: MemberPlan) -> Spent:
    """Return what a model's open calls are charged at most."""
    return priced(charged(entry.calls), entry.member.price)


def _is_free(entry: MemberPlan) -> bool:
    return not entry.member.is_endpoint


def prepare_panel(settings: CollectSettings, progress: Progress) -> PanelRun:
    """Resolve a panel and count what it asks; nobody is asked.

    Raises:
        InputFileError: the panel cannot be used.
        UsageError: a subject, suite or model that it names is not known.
    """
    panel = read_panel(settings.panel)
    members = panel_members(panel, settings.endpoints, settings.without, settings.price)
    table = panel.table
    texts = Path(table.suite_text) if table.suite_text else None
    suite = asked_suite(SuiteChoice(panel_prompts(panel)).suite, texts)
    limits = _limits(panel, settings)
    unpriced = [entry.name for entry in members if entry.is_endpoint and entry.price is None]
    if limits.max_cost is not None and unpriced:
        raise InputFileError(
            f"{panel.path}: a limit of cost needs a price for each endpoint, and {unpriced[0]!r} "
            'has none; add price = "IN/OUT" to it or to the panel'
        )
    ledger_file = settings.folder / f"{settings.output.stem}.spending.log"
    plans = plan_members(members, suite, settings.folder)
    say_addresses(panel, settings.endpoints, members, progress)
    return PanelRun(panel, suite, plans, limits, ledger_file)


def _limits(panel: CohortPanel, settings: CollectSettings) -> SpendingLimits:
    budget = panel.table.budget
    cost = budget.max_cost if settings.max_cost is None else settings.max_cost
    return SpendingLimits(
        budget.max_calls if settings.max_calls is None else settings.max_calls,
        budget.max_output_tokens
        if settings.max_output_tokens is None
        else settings.max_output_tokens,
        None if cost is None else Decimal(str(cost)),
    )


def collect_panel(run: PanelRun, watch: PanelWatch) -> tuple[CollectedModel, ...]:
    """Ask what is still open; return what became of each model.

    Raises:
        UsageError: another run collects the same cohort.
        InputFileError: the ledger is damaged.
        OutputError: it cannot be written.
    """
    with SpendingLedger(run.ledger_file, run.limits) as ledger:
        return collect_members(run.plans, run.suite, ledger, run.at_once, watch)
