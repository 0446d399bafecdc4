"""What a test of so many prompts would have shown, and how many prompts it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

LEVEL = 0.01
POWER = 0.8
_NORMAL = NormalDist()


@dataclass(frozen=True)
class FullEffect:
    """What exposure of every pair does: mean difference and its deviation.

    `size` and `spread` are in one unit; only their ratio counts here.
    """

    size: float
    spread: float
    source: str

    @property
    def standardised(self) -> float:
        """Mean in standard deviations of a pair's difference."""
        return self.size / self.spread


def power_of(pairs: int, share: float, effect: FullEffect, level: float = LEVEL) -> float:
    """Return the chance that a one-sided test at `level` shows this share of exposed pairs.

    The sum of many differences is nearly normal; only exposed pairs have a mean above zero.
    """
    return _NORMAL.cdf(share * effect.standardised * math.sqrt(pairs) - _NORMAL.inv_cdf(1 - level))


def detectable_share(
    pairs: int, effect: FullEffect, level: float = LEVEL, power: float = POWER
) -> float | None:
    """Return the least share of exposed pairs shown with this power; None if not even all are."""
    if pairs < 1 or effect.standardised <= 0:
        return None
    needed = _NORMAL.inv_cdf(1 - level) + _NORMAL.inv_cdf(power)
    share = needed / (effect.standardised * math.sqrt(pairs))
    return share if share <= 1 else None


def pairs_needed(
    share: float, effect: FullEffect, level: float = LEVEL, power: float = POWER
) -> int:
    """Return how many pairs show this share of exposed ones with this power."""
    needed = _NORMAL.inv_cdf(1 - level) + _NORMAL.inv_cdf(power)
    return math.ceil((needed / (share * effect.standardised)) ** 2)
