"""What `cohort collect` says: of calls and money before, of models and missing relatives after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from forensics.support.numbers import counted

if TYPE_CHECKING:
    from forensics.workflows.panels.collecting import MemberPlan
    from forensics.workflows.panels.panel_cohort import MissingKin, TwinOffer
    from forensics.workflows.panels.panel_run import PanelRun
    from forensics.workflows.panels.spending_ledger import SpendingLimits, Spent


def planned(run: PanelRun) -> Iterator[str]:
    """Yield what would be asked: a line for each model, then sums and the budget."""
    for entry in run.plans:
        yield f"{entry.member.name}: {_asked(entry)}"
    yield sums(run)
    read = sum(entry.calls.max_input_tokens for entry in run.plans)
    yield f"at most {read:,} prompt tokens (one token per byte; most tokens have four)"
    yield from spending(run)


def _asked(entry: MemberPlan) -> str:
    from forensics.workflows.panels.panel_run import open_charge

    if entry.failure:
        return f"left out: {entry.failure}"
    todo = entry.calls
    says = f"{counted(len(todo.requests), 'call')} ({todo.answered:,} of {entry.total:,} on file)"
    if not todo.requests:
        return says
    says += f", at most {todo.max_output_tokens:,} answer tokens"
    if entry.member.price is None:
        return says
    return f"{says}, at most {open_charge(entry).cost:.2f} at {entry.member.price}"


def sums(run: PanelRun) -> str:
    """Return in one line what will be asked in all."""
    asked = [entry for entry in run.plans if entry.calls.requests]
    remote = [entry for entry in asked if not entry.member.is_local]
    local = [entry for entry in asked if entry.member.is_local]
    shares = [
        f"{counted(sum(len(entry.calls.requests) for entry in some), 'call')} to "
        f"{counted(len(some), what)}"
        for some, what in ((remote, "endpoint"), (local, "local model"))
        if some
    ]
    if not shares:
        return "0 calls: all answers are on file"
    written = sum(entry.calls.max_output_tokens for entry in asked)
    says = f"{' and '.join(shares)}, at most {written:,} answer tokens"
    cost = run.open_calls.cost
    return f"{says}, at most {cost:.2f}" if cost else says


def spending(run: PanelRun) -> Iterator[str]:
    """Yield what was spent, the budget, and whether it may be reached before all is asked."""
    before = run.spent()
    if before.charge.calls:
        yield f"spent by earlier runs: {_amount(before)}"
    limits = _limits(run.limits)
    if limits:
        yield f"budget of all runs together: {limits}"
    if not run.fits():
        yield (
            "the budget may be reached before all is asked, if answers are as long as they may be; "
            "asking then stops, and a run with a larger budget goes on"
        )


def _amount(spent: Spent) -> str:
    says = f"{counted(spent.charge.calls, 'call')}, {spent.charge.output_tokens:,} answer tokens"
    return f"{says}, {spent.cost:.2f}" if spent.cost else says


def _limits(limits: SpendingLimits) -> str:
    parts = []
    if limits.max_calls is not None:
        parts.append(counted(limits.max_calls, "call"))
    if limits.max_output_tokens is not None:
        parts.append(counted(limits.max_output_tokens, "answer token"))
    if limits.max_cost is not None:
        parts.append(f"a cost of {limits.max_cost}")
    return ", ".join(parts)


def what_is_missing(missing: MissingKin) -> Iterator[str]:
    """Yield how many clusters of relatives are missing, and which twins would add some."""
    lacking = missing.needed - missing.clusters
    yield (
        f"{counted(missing.clusters, 'lineage cluster')} with close relatives of the "
        f"{missing.needed} that a calibration needs: {lacking} missing"
    )
    if missing.offers:
        offers = "; ".join(_offered(offer) for offer in missing.offers)
        yield f"each of these twins would add one, the cheapest first: {offers}"


def _offered(offer: TwinOffer) -> str:
    cost = "" if offer.cost is None else f", at most {offer.cost:.2f}"
    return f"{offer.model} ({offer.how}: {counted(offer.calls, 'call')}{cost})"
