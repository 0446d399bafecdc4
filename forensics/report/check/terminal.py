"""The result of a check for people: what was violated, by how much, by which exhibit, what next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from forensics.policy.outcomes import CheckResult, Outcome, Status
from forensics.report.check import view
from forensics.report.four_answers import claim_line
from forensics.support.ci_commands import harmless
from forensics.support.sanitise import encodable, one_line

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

_WIDEST = 100
_STYLES: Mapping[Status, str] = {
    "violated": "bold red",
    "error": "bold red",
    "review": "yellow",
    "inconclusive": "yellow",
    "not_measured": "dim",
    "pass": "green",
}


def render_check(result: CheckResult, console: Console) -> None:
    """Print the result on `console`; text of models is never parsed as markup."""
    page = _CheckPage(result, console)
    page.answer()
    for outcome in view.ordered(result):
        page.outcome(outcome)
    page.listing("Declared", view.declared_lines(result.declared))
    page.listing(
        "False alarms to expect per 100 checked models",
        [view.alarm_line(alarms) for alarms in result.false_alarms],
    )
    page.listing("Notes", result.notes)
    if result.status == "error":
        page.listing("Kept", result.kept)


class _CheckPage:
    def __init__(self, result: CheckResult, console: Console) -> None:
        self.result = result
        self.console = console
        self.width = min(console.width, _WIDEST)

    def text(self, content: str, style: str = "") -> Text:
        from rich.text import Text

        safe = harmless(encodable(one_line(content, 1_500), self.console.encoding))
        return Text(safe, style=style, overflow="fold")

    def print(self, renderable: RenderableType) -> None:
        self.console.print(renderable, width=self.width, highlight=False)

    def answer(self) -> None:
        from rich.console import Group
        from rich.panel import Panel

        lines = [
            self.text(view.headline(self.result), "bold"),
            self.text(f"{self.result.subject} against {self.result.policy}"),
            self.text(view.exit_words(self.result), "dim"),
            *(self.text(claim_line(claim)) for claim in self.result.declared_claims),
        ]
        self.print(Panel(Group(*lines), padding=(0, 1)))

    def outcome(self, outcome: Outcome) -> None:
        from rich.table import Table

        self.print(self.text(""))
        status = self.text(view.status_of(outcome), _STYLES[outcome.status])
        status.append("  ")
        self.print(status.append_text(self.text(f"{outcome.rule} · {outcome.reference}", "bold")))
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=8, no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row("", self.text(view.message_of(outcome)))
        if outcome.exhibit is not None:
            where = f"prompt {outcome.exhibit.prompt_id} ({outcome.exhibit.comparator})"
            grid.add_row(self.text("exhibit", "dim"), self.text(where))
            if outcome.exhibit.shared:
                shared = f"«{one_line(outcome.exhibit.shared, 240)}»"
                grid.add_row("", self.text(shared, "italic"))
        if outcome.next_step:
            grid.add_row(self.text("next", "dim"), self.text(outcome.next_step))
        rule = f"{self.result.policy}, line {outcome.line}"
        grid.add_row(self.text("rule", "dim"), self.text(rule, "dim"))
        self.print(grid)

    def listing(self, title: str, lines: object) -> None:
        from rich.table import Table

        shown = list(lines) if isinstance(lines, list | tuple) else []
        if not shown:
            return
        self.print(self.text(""))
        self.print(self.text(title, "bold"))
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=1, no_wrap=True)
        grid.add_column(overflow="fold")
        for line in shown:
            grid.add_row("-", self.text(line))
        self.print(grid)
