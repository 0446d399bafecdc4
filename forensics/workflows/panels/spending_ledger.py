"""A budget that many endpoints share, kept in a file so that it holds over runs that are killed.

Before a call is made the most it can cost is written; once its reply is there, what it came to. A
call that was under way when a run was killed counts as the most it could cost.
"""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Self

import anyio

from forensics.errors import BackendError, InputFileError, OutputError, UsageError
from forensics.subjects.backends.metering import NOTHING, BudgetReachedError, Charge
from forensics.support.chained_file import append, lock, mend
from forensics.workflows.settings import Price

_DAMAGED = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError)
_LOOK_AGAIN = 0.05  # seconds, where calls under way may still make room


class StoppedError(BackendError):
    """Collecting was interrupted, so no further call is made."""


@dataclass(frozen=True)
class SpendingLimits:
    """What may be spent in all; None is no limit."""

    max_calls: int | None = None
    max_output_tokens: int | None = None
    max_cost: Decimal | None = None

    def hold(self, spent: Spent) -> bool:
        """Tell whether so much may be spent."""
        amounts: tuple[tuple[int | Decimal, int | Decimal | None], ...] = (
            (spent.charge.calls, self.max_calls),
            (spent.charge.output_tokens, self.max_output_tokens),
            (spent.cost, self.max_cost),
        )
        return all(most is None or amount <= most for amount, most in amounts)


@dataclass(frozen=True)
class Spent:
    """What was charged, and what that costs; exact, so that sums are."""

    charge: Charge = NOTHING
    cost: Decimal = Decimal(0)

    def plus(self, other: Spent) -> Spent:
        """Return the sum."""
        return Spent(self.charge.plus(other.charge), self.cost + other.cost)


def priced(charge: Charge, price: Price | None) -> Spent:
    """Return what calls cost; nothing without a price."""
    if price is None:
        return Spent(charge)
    read = Decimal(str(price.read)) * charge.input_tokens
    written = Decimal(str(price.written)) * charge.output_tokens
    return Spent(charge, (read + written) / 1_000_000)


class SpendingLedger:
    """Counts what a collection spends, in a file; a context manager that locks it.

    Several threads may reserve and settle at once.
    """

    def __init__(self, path: Path, limits: SpendingLimits) -> None:
        self.path = path
        self._limits = limits
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()
        self._spent = Spent()
        self._open: dict[int, Spent] = {}
        self._next = 0
        self._stopped = False

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab+", buffering=0)
            if not lock(self._file):
                raise UsageError(
                    f"{self.path} is being written by another run that collects the same cohort; "
                    "wait for it to end"
                )
            entries = read_entries(mend(self._file, self.path), self.path)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}") from error
        self._spent = total_of(entries)
        self._next = max(entries, default=-1) + 1
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def spent(self) -> Spent:
        """What was spent in all, calls under way at the most they can cost."""
        with self._lock:
            return sum_of((self._spent, *self._open.values()))

    def stop(self) -> None:
        """Let no further call be made."""
        self._stopped = True

    def meter(self, model: str, price: Price | None) -> MemberMeter:
        """Return the meter that a model's endpoint is given."""
        return MemberMeter(self, model, price)

    def try_to_reserve(self, model: str, most: Spent) -> int | None:
        """Reserve what a call may cost, and return its ticket; None while others may make room.

        Raises:
            BudgetReachedError: it does not fit, and nothing is under way.
            StoppedError: see `stop`.
            OutputError: the file cannot be written.
        """
        with self._lock:
            if self._stopped:
                raise StoppedError("collecting was interrupted; answers so far are kept")
            under_way = sum_of((self._spent, *self._open.values()))
            if not self._limits.hold(under_way.plus(most)):
                if self._open:
                    return None
                raise BudgetReachedError("the next call might exceed the budget")
            ticket = self._next
            self._write({"ticket": ticket, "model": model, "most": _to_json(most)})
            self._open[ticket] = most
            self._next += 1
            return ticket

    def settle(self, ticket: int, spent: Spent) -> None:
        """Take what a call came to.

        Raises:
            OutputError: the file cannot be written; the call then counts as the most it can cost.
        """
        with self._lock:
            most = self._open.pop(ticket)
            try:
                self._write({"ticket": ticket, "spent": _to_json(spent)})
            except OutputError:
                self._spent = self._spent.plus(most)
                raise
            self._spent = self._spent.plus(spent)

    def _write(self, entry: dict[str, Any]) -> None:
        if self._file is None:
            raise ValueError("the ledger is not open")
        line = json.dumps(entry, ensure_ascii=True).encode("ascii") + b"\n"
        try:
            append(self._file, line)
        except OSError as error:
            raise OutputError(
                f"cannot write {self.path}: {error.strerror}; answers so far are kept, run the "
                "same command again to go on"
            ) from error


@dataclass(frozen=True)
class MemberMeter:
    """One model's share in a ledger; see `Meter`."""

    ledger: SpendingLedger
    model: str
    price: Price | None

    async def reserve(self, most: Charge) -> int:
        """See `Meter`."""
        amount = priced(most, self.price)
        while True:
            ticket = self.ledger.try_to_reserve(self.model, amount)
            if ticket is not None:
                return ticket
            await anyio.sleep(_LOOK_AGAIN)

    def settle(self, ticket: int, spent: Charge) -> None:
        """See `Meter`."""
        self.ledger.settle(ticket, priced(spent, self.price))


def sum_of(amounts: tuple[Spent, ...]) -> Spent:
    """Return a sum."""
    total = Spent()
    for amount in amounts:
        total = total.plus(amount)
    return total


def spent_so_far(path: Path) -> Spent:
    """Return what a ledger's file says was spent; nothing where there is none.

    Raises:
        InputFileError: it is damaged.
    """
    return total_of(read_entries(path.read_bytes(), path)) if path.is_file() else Spent()


def total_of(entries: dict[int, Spent]) -> Spent:
    """Return what all calls came to, those never settled at the most they could cost."""
    return sum_of(tuple(entries.values()))


def read_entries(raw: bytes, path: Path) -> dict[int, Spent]:
    """Return ticket → what was spent, from the lines of a ledger.

    Raises:
        InputFileError: a line is not an entry.
    """
    entries: dict[int, Spent] = {}
    for number, line in enumerate(raw.split(b"\n")[:-1], 1):
        try:
            entry = json.loads(line)
            entries[int(entry["ticket"])] = _from_json(entry.get("spent") or entry["most"])
        except _DAMAGED as error:
            raise InputFileError(
                f"{path}, line {number}: not an entry of a ledger of spending; go back to the "
                "unchanged file"
            ) from error
    return entries


def _to_json(spent: Spent) -> dict[str, Any]:
    return {**asdict(spent.charge), "cost": str(spent.cost)}


def _from_json(entry: dict[str, Any]) -> Spent:
    names = ("calls", "input_tokens", "output_tokens")
    counts = [int(entry[name]) for name in names]
    cost = Decimal(entry["cost"])
    if min(counts) < 0 or not cost.is_finite() or cost < 0:
        raise ValueError("an amount is not a number ≥ 0")
    return Spent(Charge(*counts), cost)
