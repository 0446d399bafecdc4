"""What of a file could not be read: one bad record costs itself, and is counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from forensics.errors import InputFileError
from forensics.support.sanitise import one_line

# How many reasons are told; the rest is a number.
_TOLD = 3


@dataclass(frozen=True)
class Skipped:
    """Records that are left out, and records that are odd but read; `reasons` tell the first."""

    records: int = 0
    reasons: tuple[str, ...] = ()
    odd: int = 0
    oddities: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.records or self.odd)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a manifest says of it."""
        left_out = f"{self.records} records of the source could not be read and are left out"
        odd = f"{self.odd} records of the source hold a key twice; the last value counts"
        return (*([left_out] if self.records else []), *([odd] if self.odd else []))

    @property
    def lines(self) -> tuple[str, ...]:
        """What a user is told: how many records are concerned, and the first reasons."""
        lines: list[str] = []
        if self.records:
            lines += [f"{self.records} records could not be read and are left out:"]
            lines += [f"  {one_line(reason, 300)}" for reason in self.reasons]
        if self.odd:
            lines += [f"{self.odd} records hold a key twice; the last value counts:"]
            lines += [f"  {one_line(oddity, 300)}" for oddity in self.oddities]
        return tuple(lines)


NOTHING_SKIPPED = Skipped()


@dataclass
class Problems:
    """Collects what cannot be read while a file is."""

    _reasons: list[str] = field(default_factory=list)
    _oddities: list[str] = field(default_factory=list)
    _skipped: int = 0
    _odd: int = 0

    def skip(self, error: InputFileError) -> None:
        """Count a record that is left out."""
        self._skipped += 1
        if len(self._reasons) < _TOLD:
            self._reasons.append(str(error))

    def remark(self, where: str, key: str) -> None:
        """Count a record in which a key stands twice."""
        self._odd += 1
        if len(self._oddities) < _TOLD:
            self._oddities.append(f"{where}: the key {key[:40]!r} stands there twice")

    def found(self) -> Skipped:
        """Return what has been collected."""
        return Skipped(self._skipped, tuple(self._reasons), self._odd, tuple(self._oddities))

    def refuse(self) -> None:
        """Refuse a file none of whose records could be read.

        Raises:
            InputFileError: the first reason; nothing is raised where there is no reason.
        """
        if self._skipped:
            raise InputFileError(self._reasons[0])
