"""The terminal report: fits 80 columns, reads the same in a pipe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING

from forensics.case.document import Case, CaseSubject, Finding
from forensics.case.evidence import Evidence
from forensics.report import view
from forensics.report.exhibits import (
    EXHIBITS_ARE,
    SIDE_TITLES,
    SIDES,
    ShownExhibit,
    balance_words,
    caption,
    shown_exhibits,
)
from forensics.report.likelihood import error_rate, likelihood_words, likelihoods, plain
from forensics.report.terminal_screen import render_screen
from forensics.report.tiers import tier_summaries
from forensics.support.ci_commands import harmless
from forensics.support.numbers import DASH, number
from forensics.support.sanitise import clip, encodable, excerpt, one_line, visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

_PLOT_WIDTH = 16
_EXHIBITS_PER_SIDE = 2
_EXCERPT = 300
_WIDEST = 100
_TEXT_WIDTH = 80


@dataclass(frozen=True)
class TextReport:
    """The terminal report as plain text of 80 columns."""

    name: str = "text"

    def render(self, case: Case) -> str:
        """Return the text, without styles whatever the environment asks for."""
        from rich.console import Console

        page = StringIO()
        console = Console(
            file=page,
            width=_TEXT_WIDTH,
            force_terminal=False,
            color_system=None,
            legacy_windows=False,
        )
        render_terminal(case, console)
        return page.getvalue()


def render_terminal(case: Case, console: Console) -> None:
    """Print the report of `case` on `console`.

    Text from the case is only ever printed as `Text`, never parsed as markup; what the console's
    encoding cannot express is printed as a visible escape.
    """
    render_screen(case, console)
    page = _CasePage(case, console)
    page.why()
    page.claims()
    page.subjects()
    page.evidence()
    page.findings()
    page.exhibits()
    page.controls()
    page.limits()


class _CasePage:
    def __init__(self, case: Case, console: Console) -> None:
        self.case = case
        self.console = console
        self.width = min(console.width, _WIDEST)
        self.plain = not console.encoding.lower().startswith("utf")

    def text(self, content: str, style: str = "") -> Text:
        from rich.text import Text

        safe = harmless(encodable(visible(content), self.console.encoding))
        return Text(safe, style=style, overflow="fold")

    def print(self, renderable: RenderableType) -> None:
        self.console.print(renderable, width=self.width, highlight=False)

    def heading(self, content: str) -> None:
        self.print(self.text(""))
        self.print(self.text(content, "bold"))

    def listing(self, mark: str, lines: Iterable[str], style: str = "") -> None:
        from rich.table import Table

        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=len(mark), no_wrap=True)
        grid.add_column(overflow="fold")
        for line in lines:
            grid.add_row(self.text(mark, style), self.text(clip(line, 1000)))
        self.print(grid)

    def why(self) -> None:
        verdict = self.case.verdict
        self.heading(verdict.headline)
        status = view.status_line(self.case)
        if not all(part.lower() in verdict.headline.lower() for part in status.split(" · ")):
            self.print(self.text(status, "cyan"))
        self.print(self.text(verdict.reading))
        for likelihood in likelihoods(self.case):
            self.print(self.text(plain(likelihood)))
            self.print(self.text(likelihood_words(likelihood)))
        if verdict.log10_lr:
            self.print(self.text(f"Error rate at this score: {error_rate(self.case)}."))
        # What is said of one kind of evidence stands in its row below.
        titles = tuple(f"{entry.title}: " for entry in self.case.evidence)
        for reason in verdict.reasons:
            if verdict.status != "screening" or not reason.startswith(titles):
                self.print(self.text(reason, "yellow"))

    def table(self, *columns: str) -> Table:
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False, pad_edge=False)
        for column in columns:
            table.add_column(self.text(column), overflow="fold")
        return table

    def claims(self) -> None:
        plan = self.case.plan
        if plan and plan.claims:
            self.heading("What is claimed")
            self.listing("-", [one_line(view.claim_words(claim), 600) for claim in plan.claims])

    def subjects(self) -> None:
        case = self.case
        table = self.table("", "A, the known model", "B, the questioned model")
        for label, a, b in zip(
            _SUBJECT_ROWS, _subject_cells(case.a), _subject_cells(case.b), strict=True
        ):
            table.add_row(self.text(label, "dim"), self.text(a), self.text(b))
        self.heading("Subjects")
        self.print(table)
        if case.masked:
            self.print(self.text(view.MASKED, "yellow"))
        overlap = case.overlap
        self.print(
            self.text(f"Prompts answered by both: {overlap.both} (A {overlap.a}, B {overlap.b})")
        )
        for letter, subject in (("A", case.a), ("B", case.b)):
            self.listing("!", [f"{letter}: {one_line(w, 400)}" for w in subject.warnings], "yellow")

    def evidence(self) -> None:
        measured = [e for e in self.case.evidence if e.status == "ok" and e.score is not None]
        self.heading("Evidence (higher score: more alike; every row has its own scale)")
        if measured:
            self.print(self._evidence_table(measured))
            self.print(self.text(self._legend(measured), "dim"))
            self._explained(measured)
            self._among_unrelated(measured)
        for entry in self.case.evidence:
            if entry in measured:
                continue
            status = view.EVIDENCE_STATUS[entry.status]
            reason = f": {one_line(entry.reason, 300)}" if entry.reason else ""
            self.listing("-", [f"{entry.title}: {status}{reason} (n {entry.n})"])
        if not self.case.evidence:
            self.print(self.text("No comparator was run."))
            return
        self.heading("Tiers of evidence")
        for tier in tier_summaries(self.case):
            said = f"{tier.title}: {tier.asks} {one_line(tier.outcome, 300)}"
            self.listing("-", [f"{said} {one_line(tier.reading, 400)}".rstrip()])

    def _evidence_table(self, measured: list[Evidence]) -> Table:
        table = self.table("evidence", "score", "95 % interval", "floor A / B", "n", "")
        for index in (1, 2, 3, 4):
            table.columns[index].justify = "right"
            table.columns[index].no_wrap = True
        table.columns[5].no_wrap = True
        for entry in measured:
            interval, floor = entry.interval, entry.noise_floor
            title = f"{one_line(entry.title, 60)}{' (weak)' if entry.weight == 'low' else ''}"
            table.add_row(
                self.text(title),
                self.text(number(entry.score), "bold"),
                self.text(_pair(interval.low, interval.high, " to ") if interval else DASH),
                self.text(_pair(floor.a, floor.b, " / ") if floor else DASH),
                self.text(str(entry.n)),
                self.text(range_plot(entry, _PLOT_WIDTH, self.plain)),
            )
        return table

    def _legend(self, measured: list[Evidence]) -> str:
        score, line, floor = _GLYPHS[self.plain]
        kinds = dict.fromkeys(view.floor_words(e) for e in measured if e.noise_floor)
        where = f" ({'; '.join(kinds)})" if kinds else ""
        return f"{score} score  {line * 3} interval  {floor} noise floor{where}"

    def _explained(self, measured: list[Evidence]) -> None:
        shares = [
            f"{one_line(entry.title, 60)} {view.explained(entry)}"
            for entry in measured
            if entry.explained_by_length_and_formatting
        ]
        if shares:
            said = "Of the differences between prompts, length and formatting explain"
            self.print(self.text(f"{said}: {', '.join(shares)}", "dim"))

    def _among_unrelated(self, measured: list[Evidence]) -> None:
        """Say of each kind where the pair lies among unrelated pairs, where these were scored."""
        placed = [
            f"{one_line(entry.title, 60)}: {said}"
            for entry in measured
            if (said := view.among_unrelated(entry))
        ]
        if placed:
            self.print(self.text("Where this pair lies among unrelated pairs:", "dim"))
            self.listing("-", placed, "dim")

    def findings(self) -> None:
        named = view.titles(self.case)
        sides = view.sides(self.case)
        for title, mark, style, findings in (
            ("For kinship", "+", "cyan", sides.speak_for),
            *((title, "=", "dim", findings) for title, findings in sides.grey),
            ("Against kinship", "-", "magenta", sides.against),
        ):
            self.heading(title)
            lines = [_finding(finding, named) for finding in findings]
            self.listing(mark, lines or ["nothing found"], style)

    def exhibits(self) -> None:
        shown = shown_exhibits(self.case, _EXHIBITS_PER_SIDE)
        said = [text for text in (balance_words(self.case, shown), EXHIBITS_ARE) if text]
        for side in SIDES:
            if not shown.of(side):
                continue
            self.heading(SIDE_TITLES[side])
            while said:
                self.print(self.text(said.pop(), "dim"))
            for exhibit in shown.of(side):
                self._exhibit(exhibit)

    def _exhibit(self, shown: ShownExhibit) -> None:
        from rich.table import Table

        entry = shown.exhibit
        title = one_line(shown.evidence.title, 60)
        where = one_line(shown.prompt.prompt_id, 60)
        self.print(self.text(f"{title} {number(entry.score)} · prompt {where}", "cyan"))
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=2, no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(self.text("Q", "dim"), self.text(one_line(shown.prompt.prompt, 150), "dim"))
        grid.add_row(self.text("A", "bold"), self._excerpt(shown.a.text, entry.spans_a))
        grid.add_row(self.text("B", "bold"), self._excerpt(shown.b.text, entry.spans_b))
        if said := caption(shown) or one_line(entry.note, 300):
            grid.add_row(self.text(""), self.text(said, "italic"))
        self.print(grid)

    def _excerpt(self, answer: str, spans: tuple[tuple[int, int], ...]) -> Text:
        text = self.text("")
        for piece, shared in excerpt(answer, spans, _EXCERPT):
            # Styles do not survive a pipe, so shared wording gets marks of its own there.
            marked = f"«{piece}»" if shared and not self.console.is_terminal else piece
            text.append_text(self.text(marked, "bold underline" if shared else ""))
        return text

    def controls(self) -> None:
        self.heading("Controls")
        wire = self.case.copy_tripwire
        lines = [f"Copy tripwire: {view.tripwire_words(self.case)}"]
        self.listing("!" if wire.tripped else "-", lines, "yellow" if wire.tripped else "")
        warnings = [one_line(warning, 400) for warning in self.case.comparability]
        self.listing("!", warnings, "yellow")
        if not warnings:
            self.listing("-", ["Comparability: no difference in settings was found."])
        plan = self.case.plan
        otherwise = [
            f"Deviation from the case file: {x}" for x in (plan.deviations if plan else ())
        ]
        self.listing("!", [one_line(deviation, 400) for deviation in otherwise], "yellow")

    def limits(self) -> None:
        self.heading("What this result is, and is not")
        verdict = self.case.verdict
        self.listing("-", [view.holds_for(self.case), *view.is_not(self.case)])
        self.listing("-", [one_line(limit, 600) for limit in verdict.limits])


_GLYPHS = {False: ("●", "─", "│"), True: ("o", "-", "|")}
_SUBJECT_ROWS = ("name", "subject", "answers", "empty", "errors", "cut / filtered", "provenance")


def _subject_cells(subject: CaseSubject) -> tuple[str, ...]:
    samples = f" ({subject.samples} samples per prompt)" if subject.samples > 1 else ""
    return (
        one_line(subject.name, 120),
        one_line(subject.spec, 240),
        f"{subject.answers}{samples}",
        str(subject.empty),
        str(subject.errors),
        f"{subject.truncated} / {subject.filtered}",
        subject.provenance,
    )


def _pair(first: float, second: float, between: str) -> str:
    return f"{number(first, 2)}{between}{number(second, 2)}"


def _finding(finding: Finding, named: object) -> str:
    title = named.get(finding.comparator) if isinstance(named, dict) else None
    return f"{one_line(title or finding.comparator, 60)}: {one_line(finding.text, 400)}"


def range_plot(evidence: Evidence, width: int, plain: bool) -> str:
    """Return score, interval and noise floor on one line of `width` characters.

    The line runs from the lowest to the highest of these values, zero included. A score without
    interval and noise floor has nothing to be set against: no line.
    """
    interval, floor = evidence.interval, evidence.noise_floor
    if evidence.score is None or (interval is None and floor is None):
        return ""
    dot, line, bar = _GLYPHS[plain]
    ends = (interval.low, interval.high) if interval else (evidence.score, evidence.score)
    floors = (floor.a, floor.b) if floor else ()
    values = [0.0, evidence.score, *ends, *floors]
    low, high = min(values), max(values)
    step = (high - low) / (width - 1) or 1.0
    cells = [" "] * width
    first, last = (round((end - low) / step) for end in ends)
    cells[first : last + 1] = line * (last + 1 - first)
    for value in floors:
        cells[round((value - low) / step)] = bar
    cells[round((evidence.score - low) / step)] = dot
    return "".join(cells)
