"""Paired student fit: what did B come to expect of A's answers that its own base did not?

Tuning on A's answers makes A's words likelier. So does any tuning on answers of that kind: what a
model gains on answers of other models (decoys) of A's date and length is therefore taken off, and
what is left is set against students of the same base that did not learn from A (null students).

Decoys are no replacement for null students: one student gains on all decoys together, so that
flipping signs over decoys takes one draw for many, and five decoys cannot show less than 1/6.
Signs are flipped over prompts only, for the interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_DECOYS = 5
LEAST_NULLS = 20
_FLIPS = 10_000

# Answers' author → prompt → mean over the counted tokens of log P_B - log P_R, in nats a token.
Gains = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class PairedFit:
    """D(A, B): by how many nats a token B gained more on A's answers than on the median decoy's.

    `low` and `high` bound 95 % over prompts; they say nothing of what other students would show.
    """

    difference: float
    low: float
    high: float
    prompts: int
    decoys: tuple[str, ...]


@dataclass(frozen=True)
class NullStanding:
    """A difference among those of null students.

    `standardised` is None where they do not vary or are fewer than two; `p_value`, the chance of
    so much or more for a student that did not learn from A, is None with fewer than `LEAST_NULLS`.
    """

    nulls: int
    standardised: float | None
    p_value: float | None


def paired_fit(gains: Gains, candidate: str, decoys: Sequence[str]) -> PairedFit:
    """Return D(A, B) over the prompts that the candidate and all decoys answered.

    Args:
        gains: what B gained over its own base.
        candidate: A.
        decoys: authors of A's date and length, none of them A or its kin.

    Raises:
        ValueError: there are fewer than five decoys, or no prompt that all answered.
    """
    if len(set(decoys) - {candidate}) < LEAST_DECOYS:
        raise ValueError(f"{len(set(decoys) - {candidate})} decoys; {LEAST_DECOYS} are needed")
    chosen = sorted(set(decoys) - {candidate})
    prompts = sorted(set.intersection(*(set(gains[name]) for name in (candidate, *chosen))))
    if not prompts:
        raise ValueError("no prompt that the candidate and all decoys answered")
    of_decoys = np.array([[gains[name][prompt] for prompt in prompts] for name in chosen])
    of_candidate = np.array([gains[candidate][prompt] for prompt in prompts])
    rises = of_candidate - _median_row(of_decoys)
    difference = float(rises.mean())
    width = _flipped_width(rises)
    return PairedFit(
        difference, difference - width, difference + width, len(prompts), tuple(chosen)
    )


def _median_row(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the row whose mean is the median of all rows' means; of an even number, the middle."""
    order = np.argsort(rows.mean(axis=1), kind="stable")
    middle = order[(len(order) - 1) // 2 : len(order) // 2 + 1]
    return np.asarray(rows[middle].mean(axis=0))


def _flipped_width(values: NDArray[np.float64]) -> float:
    """Return how far the mean strays in 95 of 100 draws of the signs of its parts."""
    signs = np.random.default_rng(0).choice((-1.0, 1.0), size=(_FLIPS, len(values)))
    strayed = np.abs(signs @ (values - values.mean())) / len(values)
    return float(np.quantile(strayed, 0.95))


def among_nulls(difference: float, nulls: Sequence[float]) -> NullStanding:
    """Return where a difference stands among those of null students.

    Args:
        difference: D(A, B).
        nulls: D(A, B') of students B' of the same base that did not learn from A.
    """
    spread = float(np.std(nulls, ddof=1)) if len(nulls) > 1 else 0.0
    standardised = (difference - float(np.mean(nulls))) / spread if spread > 0 else None
    if len(nulls) < LEAST_NULLS:
        return NullStanding(len(nulls), standardised, None)
    reached = sum(null >= difference for null in nulls)
    return NullStanding(len(nulls), standardised, (1 + reached) / (1 + len(nulls)))
