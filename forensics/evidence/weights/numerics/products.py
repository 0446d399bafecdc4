"""Matrix products that do not wait for threads they have no use for."""

from __future__ import annotations

import numpy as np

from forensics.evidence.weights.numerics.tensor import Floats
from forensics.support.blas_threads import one_blas_thread

# Multiplications from which a second thread saves more than a busy machine makes it wait: on two
# cores that others use, a product of 576 x 256 numbers takes nine times as long with two threads.
_LARGE = 1 << 30


def product(a: Floats, b: Floats) -> Floats:
    """Return the matrix product of `a`, shape (n, k), with `b`, shape (k, m)."""
    if len(a) * b.shape[1] * b.shape[0] >= _LARGE:
        return np.asarray(a @ b)
    with one_blas_thread():
        return np.asarray(a @ b)
