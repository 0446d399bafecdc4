"""Change towards candidates where every prompt was answered once: φ(B) - φ(R) against deviations.

φ are unit rows of character sequences, log counts times their rarity within the prompt. A
candidate's deviation is its row minus the mean of all candidates', as long as 1, so that who is
everybody's neighbour, or nobody's, gains nothing. R stands on one side only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.features.matched_prompts import Floats

_SHORTEST = 0.05  # a deviation this short is no direction: the candidate is the mean


def towards(
    cosines: NDArray[np.float32],
    answered: NDArray[np.bool_],
    model: int,
    bases: Sequence[int],
    candidates: NDArray[np.intp],
) -> Floats:
    """Return a model's change against its past, towards candidates.

    Args:
        cosines: of every two models' unit rows, shape (prompts, models, models).
        answered: shape (prompts, models).
        model: the questioned model's number.
        bases: its pasts, of which the mean is taken.
        candidates: numbers of models, shape (candidates,).

    Returns:
        Shape (prompts, candidates), of the prompts that the model and all its pasts answered; NaN
        where a candidate gave no answer.
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
    change = now - past
    centred = change - ((change * there).sum(axis=1) / count)[:, None]
    changes: Floats = np.where(usable, centred / np.maximum(lengths, _SHORTEST), np.nan)
    return changes
