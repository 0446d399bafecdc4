"""How the coordinates of two models' residual streams correspond.

A copy can have its coordinates permuted, their signs flipped or the whole stream rotated, and
still compute the same function. The embeddings of tokens that both models have show which
coordinate is which (AWM, arXiv 2510.06738, section 4).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.weights.numerics.tensor import Floats

Kind = Literal["same order", "permuted", "rotated"]
MIN_SHARED_TOKENS = 64
_LARGE = 1e5  # its fourth power, summed over a matrix, is still a float32


@dataclass(frozen=True)
class Alignment:
    """Takes rows in A's coordinates to B's.

    `order` lists, for each coordinate of B, A's coordinate, with `signs`; or `rotation` is a
    matrix of shape (width of A, width of B). Both None: the coordinates are the same.
    """

    kind: Kind
    order: NDArray[np.int64] | None = None
    signs: Floats | None = None
    rotation: Floats | None = None

    def apply(self, rows: Floats) -> Floats:
        """Return rows of A, shape (n, width of A), in B's coordinates."""
        if self.rotation is not None:
            return rows @ self.rotation
        if self.order is None or self.signs is None:
            return rows
        return rows[:, self.order] * self.signs

    def only(self, chosen: NDArray[np.int64]) -> tuple[NDArray[np.int64] | None, Alignment]:
        """Return which of A's coordinates tell `kept` ones of B (None: all), and how.

        Args:
            kept: coordinates of B.
        """
        if self.rotation is not None:
            return None, Alignment(self.kind, rotation=self.rotation[:, chosen])
        if self.order is None or self.signs is None:
            return chosen, self
        return self.order[chosen], Alignment(self.kind, np.arange(len(chosen)), self.signs[chosen])


SAME_ORDER = Alignment("same order")


def alignments(a: Floats, b: Floats) -> Iterator[Alignment]:
    """Yield the ways in which the coordinates may correspond, to be tried on other weights.

    The cheapest come first.

    Args:
        a: A's embedding rows of tokens that both have, shape (tokens, width of A).
        b: B's rows of the same tokens, shape (tokens, width of B).
    """
    if a.shape[1] == b.shape[1]:
        yield SAME_ORDER
    if len(a) >= MIN_SHARED_TOKENS:
        a, b = a - a.mean(axis=0), b - b.mean(axis=0)
        yield _permutation(a, b)
        yield _rotation(a, b)


def _permutation(a: Floats, b: Floats) -> Alignment:
    """Match coordinates one to one by |cosine| over tokens; some stay over in the wider model."""
    from scipy.optimize import linear_sum_assignment

    cosines = unit_rows(a.T) @ unit_rows(b.T).T
    from_a, to_b = linear_sum_assignment(np.abs(cosines), maximize=True)
    order = np.zeros(b.shape[1], dtype=np.int64)
    signs = np.zeros(b.shape[1], dtype=np.float32)
    order[to_b] = from_a
    signs[to_b] = np.where(cosines[from_a, to_b] < 0, -1.0, 1.0)
    return Alignment("permuted", order, signs)


def _rotation(a: Floats, b: Floats) -> Alignment:
    """Rotate A's embeddings onto B's (orthogonal Procrustes problem, Schönemann 1966)."""
    left, _, right = np.linalg.svd(a.T @ b, full_matrices=False)
    return Alignment("rotated", rotation=np.asarray(left @ right, dtype=np.float32))


def bounded(rows: Floats) -> Floats:
    """Return rows whose products a float32 can hold: those with huge numbers at length one or less.

    No trained model has such weights; those that were damaged or made up must not stop a test.
    """
    flat = rows.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        if np.dot(flat, flat) < _LARGE**2:
            return rows
    finite = np.nan_to_num(rows)
    highest = np.abs(finite).max(axis=1, keepdims=True, initial=0)
    return np.asarray(finite / np.where(highest > _LARGE, highest, 1), dtype=np.float32)


def unit_rows(rows: Floats) -> Floats:
    """Return the rows at length one; rows of zeros stay zero."""
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    return np.asarray(rows / np.where(length > 0, length, 1), dtype=np.float32)
