"""How many threads matrix products use, where that matters.

The last digits of a product depend on how many threads share it: one thread gives the same bytes
on every machine with the same kind of processor.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Have matrix products of numpy use one thread while the block runs."""
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    """Find the libraries once: that takes longer than most products."""
    import numpy  # noqa: F401  (its library has to be loaded to be found)
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
