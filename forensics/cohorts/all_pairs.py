"""Every pair of many models, one centring for all, without ever holding all prompts' cosines.

A pair's similarity is a mean of cosines over prompts, so it is one matrix product of the models'
centred rows laid end to end. A block is a tile of the square of models, and sums over a few prompts
at a time, in their order: the result, models · models numbers of 32 bits, is most of what is held.
The work grows with the square of the models; one more model costs one more row, linear in the
models there are (`added`). Given as a cohort's packed sketches, rows are restored tile by tile.

On 100 prompts of 256 numbers one core takes 27 s for 10,000 models (reports/SCALE.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.similarity import MIN_PROMPTS, Flags, nearest
from forensics.evidence.features.sketches import Floats32, restore
from forensics.support.blas_threads import one_blas_thread
from forensics.support.block_mapping import Mapper, in_a_loop

_PROMPTS = 8  # at once
_BLOCK = 2_048  # models at once
_ROWS = 512  # of the square, normalised at once
_TINY = 1e-6
Scores = TypeVar("Scores", NDArray[np.float32], NDArray[np.float64])


@dataclass(frozen=True, eq=False)
class PackedRows:
    """Models' rows as a cohort keeps them: `sketches` (prompts, models, d / 2), `scales`."""

    sketches: NDArray[np.uint8]
    scales: NDArray[np.float16]

    def __len__(self) -> int:
        """Return the number of prompts."""
        return len(self.sketches)


# For every prompt the models' unit rows, shape (models, d); zero rows: no answer.
Rows = Floats32 | Sequence[Floats32] | PackedRows


@one_blas_thread()
def mean_cosines(rows: Rows, reference: Flags, mapper: Mapper = in_a_loop) -> Floats32:
    """Return the mean cosine of every two models' centred answers, shape (models, models).

    Args:
        rows: of the models.
        reference: the models whose mean answer is subtracted, shape (models,).
        mapper: has tiles computed.

    Returns:
        NaN on the diagonal and where two models answered fewer than `MIN_PROMPTS` prompts both.
    """
    size = len(reference)
    means = np.empty((size, size), dtype=np.float32)
    tiles = list(_tiles(_parts(size)))
    for (part, other), tile in zip(tiles, _cosines(rows, reference, tiles, mapper), strict=True):
        means[part, other] = tile
        if part != other:
            means[other, part] = tile.T
    np.fill_diagonal(means, np.nan)
    return means


@one_blas_thread()
def added(means: Floats32, rows: Rows, reference: Flags, mapper: Mapper = in_a_loop) -> Floats32:
    """Add models to what `mean_cosines` gave, at the cost of their own rows.

    Args:
        means: of the first models, shape (models, models); they are copied as they are.
        rows: of these and, behind them, the new ones.
        reference: the models whose mean answer is subtracted, shape (all models,). The new ones are
            not among them: centring would change for all pairs.
        mapper: has tiles computed.

    Returns:
        shape (all models, all models), as `mean_cosines`.

    Raises:
        ValueError: a new model is a reference.
    """
    known, size = len(means), len(reference)
    if reference[known:].any():
        raise ValueError("a model that is added cannot be a reference; compute all pairs again")
    grown = np.full((size, size), np.nan, dtype=np.float32)
    grown[:known, :known] = means
    new = _parts(size, known)
    tiles = [(part, old) for part in new for old in _parts(known)] + list(_tiles(new))
    for (part, other), tile in zip(tiles, _cosines(rows, reference, tiles, mapper), strict=True):
        grown[part, other] = tile
        grown[other, part] = tile.T
    np.fill_diagonal(grown, np.nan)
    return grown


@dataclass(frozen=True, eq=False)
class _MeansOfRows:
    """Rows and what is subtracted of them on each prompt, shape (prompts, d)."""

    rows: Rows
    means: Floats32


def _cosines(
    rows: Rows, reference: Flags, tiles: Sequence[tuple[slice, slice]], mapper: Mapper
) -> Iterator[Floats32]:
    """Yield the mean cosines of each tile's models, NaN where too few prompts were shared."""
    means = reference_means(rows, reference, mapper)
    return mapper(_tile, _MeansOfRows(rows, means), tiles)


def reference_means(rows: Rows, reference: Flags, mapper: Mapper = in_a_loop) -> Floats32:
    """Return the mean row of the reference models on each prompt, shape (prompts, d).

    Args:
        rows: of the models.
        reference: the models whose answers count, shape (models,).
        mapper: has prompts computed.
    """
    return np.stack(list(mapper(_reference_mean, (rows, reference), range(len(rows)))))


def _reference_mean(given: tuple[Rows, Flags], prompt: int) -> Floats32:
    """Return the mean row of the reference models that answered a prompt, shape (d,)."""
    rows, reference = given
    answers = _rows(rows, prompt, slice(None))
    answered = np.einsum("nd,nd->n", answers, answers) > _TINY
    inside = (answered & reference).astype(np.float32)
    mean: Floats32 = (inside @ answers) / max(float(inside.sum()), 1.0)
    return mean


def _tile(centring: _MeansOfRows, tile: tuple[slice, slice]) -> Floats32:
    part, other = tile
    sums = shared = None
    for first in range(0, len(centring.rows), _PROMPTS):
        prompts = range(first, min(first + _PROMPTS, len(centring.rows)))
        wide, given = _wide(centring, prompts, part)
        # One array on both sides: the product of a matrix with itself takes half the work.
        other_wide, other_given = (
            (wide, given) if part == other else _wide(centring, prompts, other)
        )
        cosines, both = wide @ other_wide.T, (given @ other_given.T).astype(np.uint16)
        sums, shared = (
            (cosines, both) if sums is None or shared is None else (sums + cosines, shared + both)
        )
    if sums is None or shared is None:
        raise ValueError("no prompt was given; all pairs need at least one")
    sums /= np.maximum(shared, 1)
    sums[shared < MIN_PROMPTS] = np.nan
    return sums


def _wide(centring: _MeansOfRows, prompts: range, models: slice) -> tuple[Floats32, Floats32]:
    """Return models' centred rows on some prompts, end to end, and 1 where there is an answer."""
    units = [
        centred_rows(_rows(centring.rows, prompt, models), centring.means[prompt])
        for prompt in prompts
    ]
    answered = np.stack([np.any(unit != 0, axis=1) for unit in units], axis=1)
    return np.concatenate(units, axis=1), answered.astype(np.float32)


def _rows(rows: Rows, prompt: int, models: slice) -> Floats32:
    if isinstance(rows, PackedRows):
        return restore(rows.sketches[prompt, models], rows.scales[prompt, models])
    return np.asarray(rows[prompt][models])


def normalise(means: Scores, reference: Flags, mapper: Mapper = in_a_loop) -> Scores:
    """Normalise similarities, in place, by each side's similarity to the reference most like it.

    Args:
        means: as `mean_cosines` gives them, symmetric; NaN where not known.
        reference: row i flags by whom model i is normalised, shape (models, models).
        mapper: has blocks of models' nearest references found.

    Returns:
        `means`; NaN where a model has no reference.
    """
    starts = range(0, len(means), _ROWS)
    blocks = ((means[at : at + _ROWS], reference[at : at + _ROWS]) for at in starts)
    centre, spread = np.concatenate(list(mapper(_nearest, None, blocks)), axis=1)
    for part, other in _tiles(_parts(len(means))):
        block = means[part, other]
        first = (block - centre[part, None]) / spread[part, None]
        block -= centre[other]
        block /= spread[other]
        block += first
        block /= 2
        if part != other:
            means[other, part] = block.T
    return means


def _nearest(_: None, block: tuple[Scores, Flags]) -> Scores:
    """Return mean and deviation of each row's most similar references: shape (2, rows)."""
    means, reference = block
    statistics = np.full((2, len(means)), np.nan, dtype=means.dtype)
    for place, (row, flags) in enumerate(zip(means, reference, strict=True)):
        values = row[flags & np.isfinite(row)].astype(np.float64)
        if len(values):
            statistics[:, place] = [statistic[0] for statistic in nearest(values[None])]
    return statistics


def centred_rows(rows: Floats32, mean: Floats32) -> Floats32:
    """Return unit rows of what is left without the mean row; no answer stays zero.

    Args:
        rows: unit rows, zero where there is no answer; shape (models, d).
        mean: what is subtracted, shape (d,).
    """
    answered = np.einsum("nd,nd->n", rows, rows) > _TINY
    remainder = rows - mean
    lengths = np.sqrt(np.maximum(np.einsum("nd,nd->n", remainder, remainder), _TINY))
    scaled: Floats32 = remainder * (answered / lengths)[:, None]
    return scaled


def _parts(size: int, first: int = 0) -> list[slice]:
    """Return slices of at most `_BLOCK` models that cover those from `first` on."""
    return [slice(at, min(at + _BLOCK, size)) for at in range(first, size, _BLOCK)]


def _tiles(parts: Sequence[slice]) -> Iterator[tuple[slice, slice]]:
    """Yield tiles that cover the upper triangle of a square, the diagonal tiles whole."""
    for number, part in enumerate(parts):
        yield from ((part, other) for other in parts[number:])
