"""Permutation within prompts: sign flips where a prompt has two answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.evidence.exposure.arrangements import Floats

DRAWS = 19_999
_MOST_EXACT = 1 << 16
_AT_ONCE = 2_000


@dataclass(frozen=True)
class PermutationTest:
    """A p-value; `reached` of `ways` reach what was seen, drawn ones unless `exact`."""

    p_value: float
    reached: int
    ways: int
    exact: bool


def permutation_test(
    units: Sequence[Floats], seed: int = 0, draws: int = DRAWS, two_sided: bool = False
) -> PermutationTest:
    """Test whether the sum of differences is larger than dealing at random makes it.

    All ways are counted where they are few. Else p = (1 + b) / (1 + M): b of M random ways reach
    the sum seen (Phipson and Smyth 2010, "Permutation p-values should never be zero"). Ties count
    against the finding.

    Args:
        units: for each prompt the differences of all ways to deal it, the one seen first; see
            `arrangements`.
        seed: of the draws.
        draws: M.
        two_sided: compare sizes of the sum instead of the sum.
    """
    seen = sum(float(unit[0]) for unit in units)
    ways = math.prod(len(unit) for unit in units)
    slack = 1e-9 * max(1e-300, sum(float(np.abs(unit).max()) for unit in units))
    if ways <= _MOST_EXACT:
        reached = _reached(_all_sums(units), seen, slack, two_sided)
        return PermutationTest(reached / ways, reached, ways, True)
    generator = np.random.default_rng(seed)
    reached = 0
    for start in range(0, draws, _AT_ONCE):
        count = min(_AT_ONCE, draws - start)
        sums = np.zeros(count)
        for unit in units:
            sums += unit[generator.integers(len(unit), size=count)]
        reached += _reached(sums, seen, slack, two_sided)
    return PermutationTest((1 + reached) / (1 + draws), reached, draws, False)


def _all_sums(units: Sequence[Floats]) -> Floats:
    sums = np.zeros(1)
    for unit in units:
        sums = (sums[:, None] + unit[None, :]).ravel()
    return sums


def _reached(sums: Floats, seen: float, slack: float, two_sided: bool) -> int:
    if two_sided:
        return int((np.abs(sums) >= abs(seen) - slack).sum())
    return int((sums >= seen - slack).sum())
