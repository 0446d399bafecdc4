"""Guards on the log itself: served and withheld answers may differ in nothing but being served."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from forensics.evidence.exposure.arrangements import Floats, Unit, arrangements
from forensics.evidence.exposure.eligible import FAULTS, faults
from forensics.evidence.exposure.exposure_record import GuardName
from forensics.evidence.exposure.flips import permutation_test
from forensics.evidence.exposure.log import Design, LoggedAnswer, LoggedPrompt
from forensics.evidence.exposure.text_only import text_only
from forensics.evidence.probabilities.panel import holm

_EPOCH = datetime(1970, 1, 1)
_FEWEST = 8
Value = Callable[[LoggedAnswer, bool], float | None]


@dataclass(frozen=True)
class SideCheck:
    """One property, its mean on either side, and the p-value of a difference."""

    name: GuardName
    served: float
    withheld: float
    p_value: float
    adjusted: float
    prompts: int


def compared(
    logged: Sequence[LoggedPrompt],
    used: Sequence[LoggedPrompt],
    refusals: dict[str, tuple[bool, ...]],
    design: Design,
    seed: int = 0,
) -> tuple[SideCheck, ...]:
    """Compare both sides in every property, two-sided, with Holm's correction (1979).

    Lengths and faults are compared before anything is left out: a filter of one side shows there.

    Args:
        logged: prompts with at least one answer of either side.
        used: those that count; what text alone tells is asked of them.
        refusals: see `with_refusals`.
        design: dates differ where answers were sampled again later.
        seed: of the draws.
    """
    values: dict[GuardName, Value] = {
        "length": lambda answer, _: float(np.log1p(len(answer.text))),
        "hour_of_day": _hour,
        "finish_reason": lambda a, refuses: float("truncated" in faults(a, refuses)),
    }
    if design == "split_before_serving":
        values["date"] = _day
    for fault in FAULTS:
        if fault != "truncated":
            values[fault] = _has(fault)
    rows = [_row(name, of, logged, refusals, seed) for name, of in values.items()]
    if len(used) >= _FEWEST:
        first = [(p.served[0].text, p.withheld[0].text) for p in used]
        read = text_only([a for a, _ in first], [b for _, b in first], seed)
        rows.append(("text_only", read.accuracy, 1 - read.accuracy, read.p_value, read.pairs))
    # Where nothing differs there is nothing to test, however the answers were dealt.
    tested = [i for i, row in enumerate(rows) if row[3] < 1.0]
    adjusted = dict(zip(tested, holm([rows[i][3] for i in tested]), strict=True))
    return tuple(
        SideCheck(name, a, b, p, adjusted.get(i, 1.0), n)
        for i, (name, a, b, p, n) in enumerate(rows)
    )


_Row = tuple[GuardName, float, float, float, int]


def _row(
    name: GuardName,
    of: Value,
    prompts: Sequence[LoggedPrompt],
    refusals: dict[str, tuple[bool, ...]],
    seed: int,
) -> _Row:
    units = [unit for p in prompts if (unit := _unit(p, of, refusals[p.prompt_id])) is not None]
    differing = [unit for unit in units if len(set(unit.values)) > 1]
    ways: list[Floats] = [arrangements(unit) for unit in differing]
    p_value = permutation_test(ways, seed, 9_999, two_sided=True).p_value if ways else 1.0
    served = [np.mean(unit.values[: unit.served]) for unit in units]
    withheld = [np.mean(unit.values[unit.served :]) for unit in units]
    first, second = (float(np.mean(side)) if units else 0.0 for side in (served, withheld))
    return name, first, second, p_value, len(units)


def _unit(prompt: LoggedPrompt, of: Value, refuses: Sequence[bool]) -> Unit | None:
    both = list(zip(prompt.answers, refuses, strict=True))
    served = [of(answer, r) for answer, r in both if answer.served]
    withheld = [of(answer, r) for answer, r in both if not answer.served]
    values = [value for value in (*served, *withheld) if value is not None]
    if not served or not withheld or len(values) < len(both):
        return None
    return Unit(prompt.key, tuple(values), len(served))


def _hour(answer: LoggedAnswer, _: bool) -> float | None:
    return None if answer.sampled_at is None else float(answer.sampled_at.hour)


def _day(answer: LoggedAnswer, _: bool) -> float | None:
    return None if answer.sampled_at is None else float((answer.sampled_at - _EPOCH).days)


def _has(fault: str) -> Value:
    return lambda answer, refuses: float(fault in faults(answer, refuses))
