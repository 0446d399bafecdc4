"""Every pair of many models, one centring for all, without ever holding all prompts' cosines.

A pair's similarity is a mean of cosines over prompts, so it is one matrix product of the models'
centred rows laid end to end. It is summed over a few prompts and a block of models at a time: the
result, models · models numbers of 32 bits, is most of what is held. The work grows with the square
of the models; one more model costs one more row, linear in the models there are.

On 100 prompts of 256 numbers one core took 3 s for 2,000 models and 11 s and 300 MB for 4,000
(`tests/benchmarks/test_all_pairs.py`): by their squares about 70 s and 1.2 GB for 10,000.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.similarity import MIN_PROMPTS, Flags, nearest
from forensics.evidence.features.sketches import Floats32

_PROMPTS = 8  # at once
_BLOCK = 2_048  # models at once
_TINY = 1e-6
Scores = TypeVar("Scores", NDArray[np.float32], NDArray[np.float64])


def mean_cosines(rows: Iterable[Floats32], reference: Flags) -> Floats32:
    """Return the mean cosine of every two models' centred answers, shape (models, models).

    Args:
        rows: for every prompt the models' unit rows, shape (models, d); zero rows: no answer.
        reference: the models whose mean answer is subtracted, shape (models,).

    Returns:
        NaN on the diagonal and where two models answered fewer than `MIN_PROMPTS` prompts both.
    """
    size = len(reference)
    sums = np.zeros((size, size), dtype=np.float32)
    shared = np.zeros((size, size), dtype=np.uint16)
    each = (_centred(row, reference) for row in rows)
    while some := list(islice(each, _PROMPTS)):
        wide = np.concatenate(some, axis=1)
        answered = np.stack([np.any(units != 0, axis=1) for units in some], axis=1)
        given = answered.astype(np.float32)
        for part, other in _blocks(size):
            sums[part, other] += wide[part] @ wide[other].T
            shared[part, other] += (given[part] @ given[other].T).astype(np.uint16)
    for part, other in _blocks(size):
        block, both = sums[part, other], shared[part, other]
        block /= np.maximum(both, 1)
        block[both < MIN_PROMPTS] = np.nan
        if part != other:
            sums[other, part] = block.T
    np.fill_diagonal(sums, np.nan)
    return sums


def normalise(means: Scores, reference: Flags) -> Scores:
    """Normalise similarities, in place, by each side's similarity to the reference most like it.

    Args:
        means: as `mean_cosines` gives them, symmetric; NaN where not known.
        reference: row i flags by whom model i is normalised, shape (models, models).

    Returns:
        `means`; NaN where a model has no reference.
    """
    centre = np.full(len(means), np.nan, dtype=means.dtype)
    spread = np.full(len(means), np.nan, dtype=means.dtype)
    for model, (row, flags) in enumerate(zip(means, reference, strict=True)):
        values = row[flags & np.isfinite(row)].astype(np.float64)
        if len(values):
            centre[model], spread[model] = (statistic[0] for statistic in nearest(values[None]))
    for part, other in _blocks(len(means)):
        block = means[part, other]
        first = (block - centre[part, None]) / spread[part, None]
        block -= centre[other]
        block /= spread[other]
        block += first
        block /= 2
        if part != other:
            means[other, part] = block.T
    return means


def _centred(rows: Floats32, reference: Flags) -> Floats32:
    """Return unit rows of what is left without the reference models' mean; no answer stays zero."""
    answered = np.einsum("nd,nd->n", rows, rows) > _TINY
    inside = (answered & reference).astype(np.float32)
    remainder = rows - (inside @ rows) / max(float(inside.sum()), 1.0)
    lengths = np.sqrt(np.maximum(np.einsum("nd,nd->n", remainder, remainder), _TINY))
    scaled: Floats32 = remainder * (answered / lengths)[:, None]
    return scaled


def _blocks(size: int) -> Iterator[tuple[slice, slice]]:
    """Yield blocks that cover the upper triangle of a square, the diagonal blocks whole."""
    starts: NDArray[np.intp] = np.arange(0, size, _BLOCK)
    parts = [slice(int(start), min(int(start) + _BLOCK, size)) for start in starts]
    for number, part in enumerate(parts):
        yield from ((part, other) for other in parts[number:])
