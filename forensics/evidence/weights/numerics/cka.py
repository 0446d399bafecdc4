"""Unbiased linear CKA between many matrices at once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.weights.numerics.products import product
from forensics.evidence.weights.numerics.tensor import Floats


def grams(matrices: Iterable[Floats]) -> Floats:
    """Return the Gram matrices of the columns, diagonals at zero, shape (matrices, n, n).

    Columns are the samples: what a matrix does to n coordinates. Turning its rows, as rotating an
    attention head does, changes nothing.

    Args:
        matrices: shape (any number of rows, n) each.
    """
    products = np.stack([product(matrix.T, matrix) for matrix in matrices])
    products[:, np.arange(products.shape[1]), np.arange(products.shape[1])] = 0
    return products


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
    flat = [side.reshape(len(side), -1) for side in (a, b)]
    sums = [side.sum(axis=2, dtype=np.float64) for side in (a, b)]
    n = a.shape[1]
    with_itself = [
        _hsic(np.einsum("ij,ij->i", x, x), s.sum(axis=1) ** 2, np.einsum("ij,ij->i", s, s), n)
        for x, s in zip(flat, sums, strict=True)
    ]
    scale = np.sqrt(np.maximum(with_itself[0], 0)[:, None] * np.maximum(with_itself[1], 0)[None, :])
    totals = np.outer(sums[0].sum(axis=1), sums[1].sum(axis=1))
    between = _hsic(product(flat[0], flat[1].T), totals, sums[0] @ sums[1].T, n)
    cka: NDArray[np.float64] = np.zeros((len(a), len(b)))
    np.divide(between, scale, out=cka, where=scale > 0)
    return cka


def _hsic(
    traces: Floats, totals: NDArray[np.float64], crossed: NDArray[np.float64], n: int
) -> NDArray[np.float64]:
    """HSIC₁ of tr(KL), 1ᵀK1·1ᵀL1 and 1ᵀKL1."""
    numerator = traces.astype(np.float64) + totals / ((n - 1) * (n - 2)) - 2 / (n - 2) * crossed
    return np.asarray(numerator / (n * (n - 3)), dtype=np.float64)
