"""A row for each model of a panel while it is asked: on a terminal, or as lines in a log."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from forensics.cli.progress import SECONDS_A_LINE, note, stderr_console
from forensics.support.sanitise import one_line
from forensics.support.secrets import redacted

if TYPE_CHECKING:
    from forensics.workflows.panels.collecting import CollectedModel, MemberPlan

_WIDTH = 30
_OTHER_LINES = 4  # what else stands on a terminal


def outcome(model: CollectedModel) -> str:
    """Return what became of a model, for people."""
    if model.state == "complete":
        return "complete"
    return f"left out: {one_line(redacted(model.reason), 300)}"


class PanelScreen:
    """Shows how far each model is; see `PanelWatch`. A context manager."""

    def __init__(self, plans: Sequence[MemberPlan]) -> None:
        console = stderr_console()
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            console=console,
            transient=True,
            disable=console.quiet or not console.is_terminal,
        )
        self._is_log = not console.is_terminal
        # More rows than the terminal has lines: only models that are being asked are shown.
        self._all_rows = len(plans) <= console.height - _OTHER_LINES
        self._lock = threading.Lock()
        self._models = len(plans)
        self._ended = 0
        self._done = sum(entry.calls.answered for entry in plans)
        self._total = sum(entry.total for entry in plans)
        self._next_line = time.monotonic() + SECONDS_A_LINE
        self._whole = self._progress.add_task(
            "all models", total=self._total, completed=self._done, state=""
        )
        self._rows: dict[str, TaskID] = {
            entry.member.name: self._progress.add_task(
                one_line(entry.member.name, _WIDTH),
                total=entry.total,
                completed=entry.calls.answered,
                state="waits",
                visible=self._all_rows,
            )
            for entry in plans
        }

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        _: type[BaseException] | None,
        __: BaseException | None,
        ___: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begin(self, name: str, total: int, answered: int) -> None:
        """Show that a model is asked."""
        self._progress.update(self._rows[name], state="is asked", visible=True)

    def advance(self, name: str) -> None:
        """Count an answer."""
        self._progress.advance(self._rows[name])
        self._progress.advance(self._whole)
        with self._lock:
            self._done += 1
            if not self._is_log or time.monotonic() < self._next_line:
                return
            self._next_line = time.monotonic() + SECONDS_A_LINE
        note(f"{self._done} of {self._total} answers, {self._ended} of {self._models} models done")

    def end(self, model: CollectedModel) -> None:
        """Show what became of a model."""
        with self._lock:
            self._ended += 1
        state = outcome(model)
        failed = model.state != "complete"
        self._progress.update(
            self._rows[model.name], state=one_line(state, 60), visible=self._all_rows or failed
        )
        self._progress.update(self._whole, state=f"{self._ended} of {self._models} models done")
