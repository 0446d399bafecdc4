"""Files mapped into memory, whose pages can be given back once they were read."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
_GIVE_BACK = getattr(mmap, "MADV_DONTNEED", None)  # not on Windows


@dataclass(frozen=True)
class Stretch:
    """Some bytes of a mapped file."""

    mapping: mmap.mmap
    begin: int
    end: int

    def bytes(self) -> Bytes:
        """Return them, as they lie in the file."""
        return np.frombuffer(self.mapping, np.uint8, self.end - self.begin, self.begin)

    def release(self) -> None:
        """Give the memory back to the system; what is read again comes from the file again."""
        if _GIVE_BACK is not None and self.end > self.begin:
            first = self.begin // mmap.PAGESIZE * mmap.PAGESIZE
            self.mapping.madvise(_GIVE_BACK, first, self.end - first)


def map_file(path: Path) -> mmap.mmap:
    """Map a file for reading.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is empty.
    """
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
