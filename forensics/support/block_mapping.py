"""Work on many blocks, in a loop or wherever a `Mapper` has it done, with the same result.

Whoever has much to compute cuts it into blocks, writes a pure function of one block, and puts the
results together in the order of the blocks. Where a block was computed then makes no difference, to
the last bit, as every block uses one thread for its matrix products. `in_a_loop` is the plain way;
`forensics.fleet.ray_mapper` has blocks computed by Ray.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from forensics.support.blas_threads import one_blas_thread

S = TypeVar("S")
B = TypeVar("B")
R = TypeVar("R")


class Mapper(Protocol):
    """Applies a function to blocks, here or elsewhere."""

    def __call__(self, work: Callable[[S, B], R], shared: S, blocks: Iterable[B]) -> Iterator[R]:
        """Yield `work(shared, block)` for every block, in the order of the blocks.

        Args:
            work: a pure function that a module names. It changes neither argument: what is shared
                may lie in memory that cannot be written.
            shared: what all blocks need; it travels once.
            blocks: what each needs alone. A few milliseconds of work or more each; they may be
                taken ahead of what was yielded.

        Raises:
            Exception: what `work` raised, when its block's turn comes.
        """
        ...


def in_a_loop(work: Callable[[S, B], R], shared: S, blocks: Iterable[B]) -> Iterator[R]:
    """Compute one block after the other in this process, each when its result is asked for."""
    for block in blocks:
        yield computed(work, shared, block)


def computed(work: Callable[[S, B], R], shared: S, block: B) -> R:
    """Compute one block, as every mapper does: on one thread."""
    with one_blas_thread():
        return work(shared, block)
