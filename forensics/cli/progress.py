"""Progress on stderr: bars for people, a line a minute for logs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from forensics.support.numbers import number
from forensics.support.sanitise import one_line
from forensics.support.secrets import redacted

if TYPE_CHECKING:
    from forensics.case.evidence import Evidence
    from forensics.workflows.callbacks import Retitle, Tick


SECONDS_A_LINE = 60.0  # between two lines of progress where no terminal is attached
_silent: ContextVar[bool] = ContextVar("silent", default=False)


@contextmanager
def silenced() -> Iterator[None]:
    """Show neither progress nor notes for a while; errors are not told through here."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def stderr_console() -> Console:
    """Return the console that progress and notes go to."""
    return Console(stderr=True, soft_wrap=True, highlight=False, quiet=_silent.get())


def note(message: str) -> None:
    """Print one line for the user to stderr; whatever is in it shows as text."""
    stderr_console().print(Text(one_line(redacted(message), 2_000)))


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f}/s" if speed else "-/s", style="progress.data.speed")


class _Below(Progress):
    """Progress below what is known already."""

    def __init__(
        self, *columns: ProgressColumn, above: RenderableType | None = None, **options: Any
    ) -> None:
        self.above = above
        super().__init__(*columns, **options)

    def get_renderables(self) -> Iterator[RenderableType]:
        """Yield what is known, then the bar."""
        if self.above is not None:
            yield self.above
        yield from super().get_renderables()


@contextmanager
def answer_bar(
    label: str, total: int, answered: int, above: RenderableType | None = None
) -> Iterator[Tick]:
    """Show a bar with rate and time left while answers arrive; yield what to call for each.

    `above` is shown as long as the bar is.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeRemainingColumn(),
    )
    console = stderr_console()
    if not console.is_terminal:
        yield _line_a_minute(label, total, answered)
        return
    with _Below(
        *columns, above=above, console=console, transient=True, disable=console.quiet
    ) as progress:
        task = progress.add_task(one_line(label, 30), total=total, completed=answered)
        yield lambda _: progress.advance(task)


def _line_a_minute(label: str, total: int, answered: int) -> Tick:
    """Return what prints how far it is, no oftener than every minute: a log shows it is alive."""
    done, last_told = answered, time.monotonic()

    def tick(_: object) -> None:
        nonlocal done, last_told
        done += 1
        if time.monotonic() - last_told >= SECONDS_A_LINE:
            last_told = time.monotonic()
            note(f"{label}: {done} of {total}")

    return tick


@contextmanager
def step_spinner() -> Iterator[_Below]:
    """Show what is being done, for work without a count."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    console = stderr_console()
    with _Below(
        *columns, console=console, transient=True, disable=console.quiet or not console.is_terminal
    ) as progress:
        yield progress


class OnStderr:
    """What workflows tell (`workflows.callbacks.Progress`), shown on stderr."""

    def __init__(self) -> None:
        self._spinner: _Below | None = None
        self._known: RenderableType | None = None

    def note(self, message: str) -> None:
        """Print one line for the user."""
        note(message)

    @contextmanager
    def answers(self, label: str, total: int, answered: int) -> Iterator[Tick]:
        """Show a bar while answers arrive, in the place of what spins and below what is known."""
        spinner = self._spinner
        if spinner is not None:
            spinner.stop()
        with answer_bar(label, total, answered, self._known) as tick:
            yield tick
        if spinner is not None:
            spinner.start()

    def evidence(self, measured: Sequence[Evidence]) -> None:
        """Show what was measured while the rest is: on a terminal, until the report is printed."""
        self._known = _table(measured)
        if self._spinner is not None:
            self._spinner.above = self._known

    @contextmanager
    def step(self, label: str) -> Iterator[Retitle]:
        """Show what is being done."""
        with step_spinner() as spinner:
            task = spinner.add_task(label, total=None)
            self._spinner = spinner
            try:
                yield lambda title: spinner.update(task, description=title)
            finally:
                self._spinner = None


def _table(measured: Sequence[Evidence]) -> RenderableType:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for entry in measured:
        if entry.score is None:
            continue
        interval = entry.interval
        between = f"{number(interval.low)} to {number(interval.high)}" if interval else ""
        table.add_row(Text(one_line(entry.title, 60)), Text(number(entry.score)), Text(between))
    return table
