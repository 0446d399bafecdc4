"""What a prompt's difference could have been, had the same answers been dealt otherwise.

The unit is a prompt with independent answers of one model, some served and some withheld. Under the
null hypothesis every way to deal them is as likely, so a prompt's difference is one of few values,
all equally likely: of two answers d or -d. Everything exact here is built on these values.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MOST = 1_024  # ways of a prompt that are listed; of more so many are drawn


@dataclass(frozen=True)
class Unit:
    """One prompt's values, those of served answers first.

    Args:
        key: hash of the prompt's name; units are ordered by it.
        values: one for each answer; more of it means likelier, or nearer.
        served: how many of them were served.
    """

    key: str
    values: tuple[float, ...]
    served: int

    @property
    def difference(self) -> float:
        """Mean of the served answers minus mean of the withheld ones."""
        return float(np.mean(self.values[: self.served]) - np.mean(self.values[self.served :]))


def arrangements(unit: Unit, by_sign: bool = False) -> Floats:
    """Return the differences of all ways to deal a unit's answers; the first is the one seen.

    Args:
        unit: the prompt.
        by_sign: take the sign of each difference instead of the difference.
    """
    values = np.array(unit.values)
    total, many = values.sum(), len(values)
    ways = np.array([values[list(way)].sum() for way in _ways(unit)])
    differences = ways / unit.served - (total - ways) / (many - unit.served)
    # Equal answers differ by rounding only, which must not count as a side.
    scale = float(np.abs(values).max(initial=0.0))
    differences[np.abs(differences) <= 1e-12 * scale] = 0.0
    shown: Floats = np.sign(differences) if by_sign else differences
    return shown


def _ways(unit: Unit) -> Iterator[Sequence[int]]:
    many = len(unit.values)
    if math.comb(many, unit.served) <= MOST:
        return combinations(range(many), unit.served)
    # The way seen and random ones are exchangeable under the null (Besag and Clifford 1989).
    draws = np.random.default_rng(int(unit.key[:8], 16))
    seen = tuple(range(unit.served))
    drawn = (tuple(draws.permutation(many)[: unit.served]) for _ in range(MOST - 1))
    return iter([seen, *drawn])
