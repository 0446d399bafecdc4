"""A shared budget: never exceeded, whatever is under way and wherever a run is killed."""

from __future__ import annotations

import random
import threading
from decimal import Decimal
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.errors import InputFileError, OutputError
from forensics.subjects.backends.metering import BudgetReachedError, Charge
from forensics.support.chained_file import is_json
from forensics.workflows.panels.spending_ledger import (
    SpendingLedger,
    SpendingLimits,
    StoppedError,
    priced,
    read_entries,
    spent_so_far,
    total_of,
)
from forensics.workflows.settings import Price

MOST = Charge(1, 100, 50)


def test_threads_that_ask_at_once_never_exceed_it_together(tmp_path: Path) -> None:
    limits = SpendingLimits(max_output_tokens=1_000, max_cost=Decimal("0.004"))
    price = Price(1.0, 3.0)
    path = tmp_path / "x.spending.log"
    made: list[Charge] = []
    with SpendingLedger(path, limits) as ledger:

        async def work(seed: int) -> None:
            chance = random.Random(seed)
            meter = ledger.meter(f"m{seed}", price)
            while True:
                try:
                    ticket = await meter.reserve(MOST)
                except BudgetReachedError:
                    return
                await anyio.sleep(chance.uniform(0, 0.002))
                spent = Charge(1, chance.randrange(100), chance.randrange(50))
                made.append(spent)
                meter.settle(ticket, spent)

        threads = [threading.Thread(target=anyio.run, args=(work, seed)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        spent = ledger.spent
    assert spent.charge.output_tokens == sum(charge.output_tokens for charge in made) <= 1_000
    assert spent.cost == sum((priced(charge, price).cost for charge in made), Decimal(0))
    assert spent.cost <= Decimal("0.004")
    assert spent == spent_so_far(path)
    # Nothing more would have fitted for certain.
    assert not limits.hold(spent.plus(priced(MOST, price)))


@given(cut=st.integers(0, 2_000), calls=st.integers(1, 8))
def test_wherever_a_run_is_killed_no_call_that_was_made_is_forgotten(
    tmp_path_factory: pytest.TempPathFactory, cut: int, calls: int
) -> None:
    path = tmp_path_factory.mktemp("killed") / "x.spending.log"
    with SpendingLedger(path, SpendingLimits()) as ledger:
        tickets = [ledger.try_to_reserve("m", priced(MOST, None)) for _ in range(calls)]
        for ticket in tickets:
            assert ticket is not None
            ledger.settle(ticket, priced(Charge(1, 7, 3), None))
    raw = path.read_bytes()[:cut]
    path.write_bytes(raw)
    # A line that is whole but for its end is an entry; half a line was never acted upon.
    lines = [line for line in raw.split(b"\n") if is_json(line)]
    begun, ended = (sum(word in line for line in lines) for word in (b'"most"', b'"spent"'))
    with SpendingLedger(path, SpendingLimits(max_calls=100)) as again:
        charge = again.spent.charge
        assert charge.calls == begun
        assert charge.output_tokens == 3 * ended + 50 * (begun - ended)
        assert again.try_to_reserve("m", priced(MOST, None)) == begun


def test_a_ledger_that_was_stopped_lets_nobody_call(tmp_path: Path) -> None:
    with SpendingLedger(tmp_path / "x", SpendingLimits()) as ledger:
        ledger.stop()
        with pytest.raises(StoppedError):
            ledger.try_to_reserve("m", priced(MOST, None))


def test_a_disk_that_is_full_frees_nobody_from_waiting_and_counts_the_most(tmp_path: Path) -> None:
    with SpendingLedger(tmp_path / "x", SpendingLimits(max_calls=1)) as ledger:
        ticket = ledger.try_to_reserve("m", priced(MOST, None))
        assert ticket is not None
        assert ledger.try_to_reserve("m", priced(MOST, None)) is None
        full = Path("/dev/full")
        if not full.exists():
            pytest.skip("this system has no full device")
        assert ledger._file is not None
        ledger._file.close()
        ledger._file = full.open("ab", buffering=0)
        with pytest.raises(OutputError):
            ledger.settle(ticket, priced(Charge(1), None))
        assert ledger.spent.charge == MOST
        with pytest.raises(BudgetReachedError):
            ledger.try_to_reserve("m", priced(MOST, None))


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b"[]",
        b"nonsense",
        b"[" * 100_000,
        b'{"ticket": 0}',
        b'{"ticket": 0, "spent": {"calls": 1, "input_tokens": 0, "output_tokens": 0, "cost": "n"}}',
        b'{"ticket": 0, "spent": {"calls": 1, "input_tokens": 0, "output_tokens": 0, "cost": NaN}}',
        b'{"ticket": 0, "most": {"calls": -1, "input_tokens": 0, "output_tokens": 0, "cost": "0"}}',
    ],
)
def test_a_line_that_is_no_entry_is_told(line: bytes) -> None:
    with pytest.raises(InputFileError, match="line 1: not an entry"):
        read_entries(line + b"\n", Path("x"))


def test_sums_are_exact() -> None:
    entries = {n: priced(Charge(1, 1, 1), Price(0.1, 0.2)) for n in range(10)}
    assert total_of(entries).cost == Decimal("0.000003")
