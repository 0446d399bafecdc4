"""What a run tells while it works: to whoever started it, never to a terminal itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from forensics.support.numbers import number

if TYPE_CHECKING:
    from forensics.case.evidence import Evidence

Tick = Callable[[object], None]
Retitle = Callable[[str], None]


class Progress(Protocol):
    """Whoever wants to know: the command line draws bars, a notebook is called back."""

    def note(self, message: str) -> None:
        """Take one sentence that the user should read."""
        ...

    def answers(self, label: str, total: int, answered: int) -> AbstractContextManager[Tick]:
        """Begin a count of answers; what it yields is called once for each that arrives."""
        ...

    def evidence(self, measured: Sequence[Evidence]) -> None:
        """Take what was measured so far, before what takes long."""
        ...

    def step(self, label: str) -> AbstractContextManager[Retitle]:
        """Begin work without a count; what it yields is called with what is done next."""
        ...


class Silent:
    """Tells nobody."""

    def note(self, message: str) -> None:
        """Drop it."""

    def answers(self, label: str, total: int, answered: int) -> AbstractContextManager[Tick]:
        """Count nothing."""
        return nullcontext(lambda _: None)

    def evidence(self, measured: Sequence[Evidence]) -> None:
        """Drop it."""

    def step(self, label: str) -> AbstractContextManager[Retitle]:
        """Show nothing."""
        return nullcontext(lambda _: None)


@dataclass(frozen=True)
class ProgressEvent:
    """One thing that a run tells: `str(event)` reads as a line.

    `done` of `total` answers have arrived; None both where nothing is counted.
    """

    what: str
    done: int | None = None
    total: int | None = None

    def __str__(self) -> str:
        """Return the event as a line."""
        return self.what if self.done is None else f"{self.what}: {self.done} of {self.total}"


@dataclass(frozen=True)
class CallingBack:
    """Hands everything to one function."""

    callback: Callable[[ProgressEvent], object]

    def note(self, message: str) -> None:
        """Hand the sentence on."""
        self.callback(ProgressEvent(message))

    @contextmanager
    def answers(self, label: str, total: int, answered: int) -> Iterator[Tick]:
        """Hand on how many answers there are, each time one arrives."""
        done = answered

        def tick(_: object) -> None:
            nonlocal done
            done += 1
            self.callback(ProgressEvent(label, done, total))

        yield tick

    def evidence(self, measured: Sequence[Evidence]) -> None:
        """Hand on every score."""
        for entry in measured:
            if entry.score is not None:
                self.note(f"{entry.title}: {number(entry.score)}")

    @contextmanager
    def step(self, label: str) -> Iterator[Retitle]:
        """Hand on what is done, each time it changes."""
        self.note(label)
        yield self.note
