"""Unbiased linear CKA between many matrices at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forensics.weights.reader import Floats


def grams(matrices: Sequence[Floats]) -> Floats:
    """Return the Gram matrices of the columns, diagonals at zero, shape (matrices, n, n).

    Columns are the samples: what a matrix does to n coordinates. Turning its rows, as rotating an
    attention head does, changes nothing.

    Args:
        matrices: shape (any number of rows, n) each.
    """
    found = np.stack([matrix.T @ matrix for matrix in matrices])
    found[:, np.arange(found.shape[1]), np.arange(found.shape[1])] = 0
    return found


def unbiased_cka(a: Floats, b: Floats) -> NDArray[np.float64]:
    """Return the unbiased linear CKA of every Gram matrix of A with every one of B.

    Song et al. 2012, "Feature selection via dependence maximization", equation 5 (HSIC₁), scaled
    as Kornblith et al. 2019 scale CKA: 0 is expected of unrelated matrices, 1 of equal ones.

    Args:
        a, b: Gram matrices with zero diagonals, shapes (layers of A, n, n) and (layers of B, n, n);
            n is at least 4.

    Returns:
        Shape (layers of A, layers of B).
    """
    own = [np.array([float(_hsic(one[None], one[None])[0, 0]) for one in side]) for side in (a, b)]
    scale = np.sqrt(np.maximum(own[0], 0)[:, None] * np.maximum(own[1], 0)[None, :])
    found: NDArray[np.float64] = np.zeros((len(a), len(b)))
    np.divide(_hsic(a, b), scale, out=found, where=scale > 0)
    return found


def _hsic(a: Floats, b: Floats) -> NDArray[np.float64]:
    n = a.shape[1]
    sums_a, sums_b = (side.sum(axis=2, dtype=np.float64) for side in (a, b))
    traces = (a.reshape(len(a), -1) @ b.reshape(len(b), -1).T).astype(np.float64)
    totals = np.outer(sums_a.sum(axis=1), sums_b.sum(axis=1)) / ((n - 1) * (n - 2))
    crossed = 2 / (n - 2) * (sums_a @ sums_b.T)
    return np.asarray((traces + totals - crossed) / (n * (n - 3)), dtype=np.float64)
