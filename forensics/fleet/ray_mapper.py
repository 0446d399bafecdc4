"""Blocks of work as tasks on Ray, with the same results as in a loop.

What all blocks need is put into Ray's store once and read from there by every task of a node. A
task that was lost with its worker or node runs again: blocks are pure functions, so it makes no
difference. Nodes need this version of the program; their processors should be of one kind, as
others round the last digits of a matrix product in their own way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from forensics.errors import BackendError
from forensics.fleet.ray_session import ray_nodes, ray_session
from forensics.support.block_mapping import Mapper, computed

S = TypeVar("S")
B = TypeVar("B")
R = TypeVar("R")
_AHEAD = 3  # blocks a processor, waiting or at work
_OBJECTS = 1 << 30


@contextmanager
def ray_mapper(address: str | None = None, cpus: int | None = None) -> Iterator[Mapper]:
    """Have blocks computed by Ray while the block runs.

    Args:
        address: of a cluster; None starts a Ray on this machine.
        cpus: how many blocks a Ray of this machine computes at once; None: one a processor.

    Raises:
        MissingDependencyError, BackendError: see `ray_session`.
    """
    with ray_session(address, cpus, _OBJECTS):
        yield _on_ray


def _on_ray(work: Callable[[S, B], R], shared: S, blocks: Iterable[B]) -> Iterator[R]:
    """Compute blocks as tasks of one processor each, see `Mapper`."""
    import ray

    task: Any = ray.remote(num_cpus=1)(computed)
    common = ray.put(shared)
    most = max(1, int(_AHEAD * sum(node.cpus for node in ray_nodes())))
    waiting: deque[Any] = deque()
    try:
        for block in blocks:
            waiting.append(task.remote(work, common, block))
            if len(waiting) >= most:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())
    finally:
        for reference in waiting:
            ray.cancel(reference)


def _result(reference: Any) -> Any:
    import ray

    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        # What the block raised, not Ray's account of it.
        raise error.cause from None
    except ray.exceptions.RayError as error:
        reason = str(error).splitlines()[0]
        raise BackendError(f"Ray could not compute a block: {reason}; run it again") from error
