"""Change towards candidates where every prompt was answered once: φ(B) - φ(R) against deviations.

φ are unit rows of character sequences, log counts times their rarity within the prompt. A
candidate's deviation is its row minus the mean of all candidates', as long as 1, so that who is
everybody's neighbour, or nobody's, gains nothing. R stands on one side only: its own profile,
φ(R) against the same deviations, is taken off with a coefficient from steps without a teacher.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.features.matched_prompts import Floats

_SHORTEST = 0.05  # a deviation this short is no direction: the candidate is the mean


@dataclass(frozen=True, eq=False)
class TowardsCandidates:
    """Of each prompt and candidate the change, and what the past had already.

    `changes` and `pasts` have shape (prompts, candidates), NaN where a candidate gave no answer.
    """

    changes: Floats
    pasts: Floats

    def fitted_out(self, coefficient: float) -> Floats:
        """Return the changes less `coefficient` times the pasts, shape (prompts, candidates)."""
        left: Floats = self.changes - coefficient * self.pasts
        return left


def towards(
    cosines: NDArray[np.float32],
    answered: NDArray[np.bool_],
    model: int,
    bases: Sequence[int],
    candidates: NDArray[np.intp],
) -> TowardsCandidates:
    """Return a model's change against its past, towards candidates.

    Args:
        cosines: of every two models' unit rows, shape (prompts, models, models).
        answered: shape (prompts, models).
        model: the questioned model's number.
        bases: its pasts, of which the mean is taken.
        candidates: numbers of models, shape (candidates,).

    Returns:
        On the prompts that the model and all its pasts answered.
    """
    rows = np.flatnonzero(answered[:, [model, *bases]].all(axis=1))
    there = answered[np.ix_(rows, candidates)]
    count = np.maximum(there.sum(axis=1), 1)
    among = cosines[np.ix_(rows, candidates, candidates)].astype(np.float64)
    to_mean = (among * there[:, None, :]).sum(axis=2) / count[:, None]
    of_mean = (to_mean * there).sum(axis=1) / count
    squares = np.einsum("pcc->pc", among)
    lengths = np.sqrt(np.maximum(squares - 2 * to_mean + of_mean[:, None], 0))
    usable = there & (lengths > _SHORTEST)
    now = cosines[rows, model][:, candidates].astype(np.float64)
    past = np.mean([cosines[rows, base][:, candidates] for base in bases], axis=0)
    sides = []
    for side in (now - past, past):
        centred = side - ((side * there).sum(axis=1) / count)[:, None]
        sides.append(np.where(usable, centred / np.maximum(lengths, _SHORTEST), np.nan))
    return TowardsCandidates(sides[0], sides[1])
