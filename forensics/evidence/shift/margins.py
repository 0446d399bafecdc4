"""Who stands first, and by how much: margins between candidates, paired over prompts.

A t over prompts against nothing is no evidence: any two releases of one house differ. What counts
is the lead over the runner-up on the same prompts, and what it may name is the smallest group that
it separates from all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.evidence.features.matched_prompts import Floats

_TINY = 1e-12


@dataclass(frozen=True)
class Lead:
    """One name's mean change, and its margin (a paired t) over the best of all others."""

    name: str
    mean: float
    margin: float


def by_name(changes: Floats, names: Sequence[str]) -> tuple[tuple[str, ...], Floats]:
    """Let each name be stood for by its best candidate: a teacher is a model, not a house.

    Args:
        changes: shape (prompts, candidates), NaN where there is none.
        names: of each candidate.

    Returns:
        Names in order, and their changes, shape (prompts, names); no answer is no change.
    """
    every = tuple(sorted(set(names)))
    of = np.array(names)
    known = np.isfinite(changes)
    filled = np.where(known, changes, 0)
    means = filled.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    best = [max(np.flatnonzero(of == name).tolist(), key=lambda c: means[c]) for name in every]
    return every, filled[:, best]


def paired_t(first: Floats, second: Floats) -> float:
    """Return the paired t of two columns, shape (prompts,); 0 where they never differ."""
    difference = first - second
    spread = float(difference.std(ddof=1)) / np.sqrt(len(difference))
    return float(difference.mean() / spread) if spread > _TINY else 0.0


def leads(changes: Floats, names: Sequence[str]) -> tuple[Lead, ...]:
    """Return every name's lead over the best of the others, the first name first.

    Args:
        changes: shape (prompts, candidates).
        names: of each candidate; two different ones at least.
    """
    every, columns = by_name(changes, names)
    means = columns.mean(axis=0)
    order = np.argsort(-means, kind="stable")
    return tuple(
        Lead(
            every[place],
            float(means[place]),
            paired_t(columns[:, place], columns[:, order[1] if place == order[0] else order[0]]),
        )
        for place in order
    )


def not_separated(changes: Floats, names: Sequence[str], least: float) -> tuple[str, ...]:
    """Return the smallest group that a margin separates from all other candidates.

    Args:
        changes: shape (prompts, candidates).
        names: of each candidate.
        least: the margin, a paired t, below which two cannot be told apart.

    Returns:
        The first candidate and all from which it is not separated, the first one first.
    """
    every, columns = by_name(changes, names)
    order = np.argsort(-columns.mean(axis=0), kind="stable")
    first = columns[:, order[0]]
    rest = [place for place in order[1:] if paired_t(first, columns[:, place]) < least]
    return tuple(every[place] for place in (order[0], *rest))
