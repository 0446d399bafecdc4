from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from forensics.support.block_mapping import in_a_loop


def _blas_threads(_: object = None, __: object = None) -> set[int]:
    libraries = ThreadpoolController().select(user_api="blas").info()
    return {entry["num_threads"] for entry in libraries if "numpy" in entry["filepath"]}


def _product(rows: np.ndarray, places: slice) -> bytes:
    return (rows[places] @ rows[places].T).tobytes()


def test_results_come_in_order_and_blocks_are_taken_when_results_are() -> None:
    taken = []

    def blocks() -> Iterator[int]:
        for number in range(5):
            taken.append(number)
            yield number

    results = in_a_loop(pow, 2, blocks())
    assert [next(results), next(results)] == [1, 2]
    assert taken == [0, 1]
    assert list(results) == [4, 8, 16]


def test_a_block_has_one_thread_and_whoever_asks_keeps_theirs() -> None:
    if not _blas_threads():
        pytest.skip("numpy does not bring its own library for matrix products here")
    with threadpool_limits(limits=2, user_api="blas"):
        (inside,) = in_a_loop(_blas_threads, None, [None])
        assert inside == {1}
        assert _blas_threads() == {2}


def test_the_bytes_are_those_of_one_thread() -> None:
    """Two threads give others: what is computed here does not depend on the machine's cores."""
    rows = np.random.default_rng(0).standard_normal((700, 900)).astype(np.float32)
    blocks = [slice(0, 699), slice(1, 700)]
    with threadpool_limits(limits=1, user_api="blas"):
        expected = [_product(rows, block) for block in blocks]
    with threadpool_limits(limits=2, user_api="blas"):
        assert list(in_a_loop(_product, rows, blocks)) == expected


def test_what_a_block_raises_is_raised_at_its_turn() -> None:
    results = in_a_loop(divmod, 6, [3, 0])
    assert next(results) == (2, 0)
    with pytest.raises(ZeroDivisionError):
        next(results)
