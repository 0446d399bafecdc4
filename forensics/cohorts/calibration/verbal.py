"""What a likelihood ratio is called in words, in both directions.

ENFSI guideline for evaluative reporting in forensic science (2015): table of verbal
equivalents; after Evett, Jackson, Lambert and McCrossan, Science & Justice 40 (2000).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

Tier = Literal[
    "no support",
    "weak",
    "moderate",
    "moderately strong",
    "strong",
    "very strong",
    "extremely strong",
]
Direction = Literal["first", "neither", "second"]

TIERS: tuple[Tier, ...] = get_args(Tier)
# log10 of the lowest likelihood ratio of each tier after the first.
_FLOORS = (math.log10(2.0), 1.0, 2.0, 3.0, 4.0, 6.0)


@dataclass(frozen=True)
class Verbal:
    """A tier, which proposition it speaks for, and a sentence that says so."""

    tier: Tier
    direction: Direction
    sentence: str


def verbal_tier(
    log10_lr: float,
    first: str = "the two models are related as stated",
    second: str = "they are independent",
) -> Verbal:
    """Put a log10 likelihood ratio into the words of the ENFSI guideline.

    Args:
        log10_lr: log10 of p(findings | first) / p(findings | second); negative ones speak for
            the second proposition in the same words. A value on a limit belongs to the higher
            tier, except 10^6, which is still "very strong".
        first: the proposition in the numerator, to follow "that".
        second: the other one.

    Raises `ValueError` on NaN.
    """
    if math.isnan(log10_lr):
        raise ValueError("a likelihood ratio that is not a number has no verbal tier")
    size = abs(log10_lr)
    passed = sum(size >= floor for floor in _FLOORS[:-1]) + (size > _FLOORS[-1])
    tier = TIERS[passed]
    if passed == 0:
        sentence = (
            f"The findings support neither that {first} nor that {second}: they are about equally "
            "probable under both."
        )
        return Verbal(tier, "neither", sentence)
    direction: Direction = "first" if log10_lr > 0 else "second"
    favoured, other = (first, second) if log10_lr > 0 else (second, first)
    sentence = (
        f"The findings provide {tier} support for the proposition that {favoured}, "
        f"rather than that {other}."
    )
    return Verbal(tier, direction, sentence)
