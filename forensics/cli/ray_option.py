"""`--ray`: for the verbs whose work is cut into blocks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from forensics.cli.help import option

if TYPE_CHECKING:
    from forensics.support.block_mapping import Mapper

HERE = "local"

ray_option = option(
    "--ray",
    metavar="local|ADDRESS",
    help="Share the work among Ray's workers, on this machine or a cluster; same result.",
)


@contextmanager
def chosen_mapper(ray: str | None) -> Iterator[Mapper]:
    """Give what computes blocks: a loop, or Ray while the block runs."""
    if ray is None:
        from forensics.support.block_mapping import in_a_loop

        yield in_a_loop
        return
    from forensics.fleet.ray_mapper import ray_mapper

    with ray_mapper(None if ray == HERE else ray) as mapper:
        yield mapper
