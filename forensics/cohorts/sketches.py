"""Sketches: an answer's character sequences as a short row of numbers.

Sequences of four bytes in the first 1,500 characters are hashed to 8,192 buckets, counted on a log
scale, weighed by how few models use them on the same prompt, and brought to unit length. A count
sketch (Charikar, Chen & Farach-Colton 2002, Finding Frequent Items in Data Streams, section 3)
then folds the buckets into fewer dimensions with random signs, which keeps dot products in
expectation. All answers to one prompt are hashed at once, without a loop over characters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

CHARS = 1_500
BUCKETS = 8_192
DIMENSIONS = 256  # of a cohort file
_MULTIPLIER = np.uint32(2_654_435_761)  # 2^32 / golden ratio (Knuth, TAOCP 3, section 6.4)
_SHIFT = np.uint32(32 - 13)  # 2^13 = BUCKETS
_WINDOW = 4
_LEVELS = 7  # 4 bits hold -7 to 7
_MAX_COUNT = 4_096

Floats32 = NDArray[np.float32]


def count_sequences(texts: Sequence[str]) -> NDArray[np.int64]:
    """Count the hashed four-byte sequences of each text: shape (len(texts), BUCKETS)."""
    encoded = [text[:CHARS].encode("utf-8", "surrogatepass") for text in texts]
    sizes = np.array([len(text) for text in encoded], dtype=np.int64)
    gap = b"\0" * (_WINDOW - 1)
    joined = gap.join(encoded) + gap
    if len(joined) < _WINDOW:
        return np.zeros((len(texts), BUCKETS), dtype=np.int64)
    windows = np.ndarray((len(joined) - _WINDOW + 1,), "<u4", joined, 0, (1,))
    steps = sizes + len(gap)
    owner = np.repeat(np.arange(len(texts)), steps)[: len(windows)]
    offset = np.arange(len(windows)) - np.repeat(np.cumsum(steps) - steps, steps)[: len(windows)]
    inside = offset <= (sizes - _WINDOW)[owner]
    places = owner * BUCKETS + ((windows * _MULTIPLIER) >> _SHIFT)
    counts = np.bincount(places[inside], minlength=len(texts) * BUCKETS)
    return counts.reshape(len(texts), BUCKETS)


def document_frequency(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return in how many of the texts each bucket occurs: shape (BUCKETS,)."""
    found: NDArray[np.int64] = (counts > 0).sum(axis=0)
    return found


def weigh(counts: NDArray[np.int64], frequency: NDArray[np.int64], texts: int) -> Floats32:
    """Return unit rows, shape (len(counts), BUCKETS); a row of nothing stays zero.

    Args:
        counts: what `count_sequences` returned.
        frequency: in how many of a prompt's answers each bucket occurs, shape (BUCKETS,).
        texts: how many answers that was.
    """
    rarity = np.log((texts + 1) / (frequency + 1.0)).clip(min=0).astype(np.float32)
    scale = np.log1p(np.arange(_MAX_COUNT)).astype(np.float32)
    rows = scale[np.minimum(counts, _MAX_COUNT - 1)] * rarity
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    unit: Floats32 = rows / np.maximum(lengths, 1e-9)[:, None]
    return unit


def fold(rows: Floats32, dimensions: int = DIMENSIONS) -> Floats32:
    """Return the count sketch of rows: (n, BUCKETS) → (n, dimensions)."""
    signs = np.random.default_rng(0).choice(np.array([-1.0, 1.0], dtype=np.float32), BUCKETS)
    folded: Floats32 = (rows * signs).reshape(len(rows), -1, dimensions).sum(axis=1)
    return folded


def quantise(rows: Floats32) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Pack rows into 4 bits a number: (n, d) → bytes (n, d / 2) and one scale per row, (n,).

    It is the folding that costs: of close kin, .77 pass a threshold that 1 % of strangers pass with
    8 prompts (.91 unfolded), .96 and .96 with 50. 1,024 signs in the same space lose less (.87),
    but the zeros of short answers become signs too and make all short answers alike.
    """
    scale = (np.abs(rows).max(axis=1) / _LEVELS).astype(np.float16)
    safe = np.maximum(scale.astype(np.float32), 1e-6)[:, None]
    levels = np.clip(np.rint(rows / safe), -_LEVELS, _LEVELS).astype(np.int8) + 8
    packed = (levels[:, 0::2] | (levels[:, 1::2] << 4)).astype(np.uint8)
    return packed, scale


def restore(packed: NDArray[np.uint8], scale: NDArray[np.float16]) -> Floats32:
    """Undo `quantise`: bytes (..., d / 2) and scales (...) → unit rows (..., d)."""
    rows = np.empty((*packed.shape[:-1], packed.shape[-1] * 2), dtype=np.float32)
    rows[..., 0::2] = (packed & 15).astype(np.float32) - 8
    rows[..., 1::2] = (packed >> 4).astype(np.float32) - 8
    rows *= scale.astype(np.float32)[..., None]
    lengths = np.sqrt(np.einsum("...d,...d->...", rows, rows))
    rows /= np.maximum(lengths, 1e-9)[..., None]
    return rows
