"""One tensor of a weight file, read as finite numbers when it is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forensics.errors import ModelFileError
from forensics.evidence.weights.numerics.mapping import Bytes, Stretch

Floats = NDArray[np.float32]
_LARGE = 1 << 22  # bytes of a tensor whose memory is given back when it was read
_FP8 = ("F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ")
PLAIN_KINDS = ("F64", "F32", "F16", "BF16", *_FP8)
_NO_NUMBER = {"F16": 0x7C00, "BF16": 0x7F80}  # bits that NaN and infinity alone have all set
_BITS_AT_ONCE = 1 << 18  # stay in a core's cache


@dataclass(frozen=True)
class Tensor:
    """One tensor on disk: its stored bytes, and how to make float32 numbers of them.

    `kind` is the name of the stored number format (F32, BF16, Q4_1…); `place` is where its bytes
    lie in the file, `decode` turns bytes into float32 of the given shape. `whole` says that it
    needs all bytes, as where rows share scales.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    file: Path
    place: Stretch
    decode: Callable[[Bytes, tuple[int, ...]], Floats]
    whole: bool = False

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    def read(self) -> Floats:
        """Return the numbers, float32, of `shape`.

        Raises:
            ModelFileError: NaN or infinite weights: such a model computes nothing.
        """
        return self._taken(self.decode(self.stored(), self.shape))

    def rows(self, indices: NDArray[np.int64]) -> Floats:
        """Return some rows of a matrix, float32, of shape (len(indices), columns).

        Raises:
            ModelFileError: as in `read`.
        """
        if self.whole:
            return self.read()[indices]
        stored = self.stored().reshape(self.shape[0], -1)[indices]
        return self._taken(self.decode(stored, (len(indices), *self.shape[1:])))

    def check(self) -> None:
        """Look at all numbers of a tensor in plain format; half precision is not decoded for it.

        Raises:
            ModelFileError: as in `read`.
        """
        mask = _NO_NUMBER.get(self.kind)
        if mask is None:
            self.read()
            return
        bits = np.frombuffer(self.stored(), np.uint16)
        for i in range(0, len(bits), _BITS_AT_ONCE):
            if np.bitwise_and(bits[i : i + _BITS_AT_ONCE], mask).max() == mask:
                raise self._no_numbers()

    def stored(self) -> Bytes:
        """Return the bytes as they lie in the file."""
        return self.place.bytes()

    def release(self) -> None:
        """Give back the memory that reading a large tensor took; it can be read again."""
        if self._large:
            self.place.release()

    @property
    def _large(self) -> bool:
        return self.place.end - self.place.begin >= _LARGE

    def _taken(self, values: Floats) -> Floats:
        if self._large and not values.flags.writeable:  # they are the file itself
            values = values.copy()
        self.release()
        if not _finite(values):
            raise self._no_numbers()
        return values

    def _no_numbers(self) -> ModelFileError:
        return ModelFileError(
            f"{self.file}: the tensor {self.name} holds NaN or infinite weights (the file is "
            "damaged, or the model was broken in training); download it again or take another "
            "checkpoint"
        )


def _finite(values: Floats) -> bool:
    # One pass at the speed of memory; only a sum that overflows needs the slower look.
    flat = values.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.dot(flat, flat)
    return bool(np.isfinite(total)) or bool(np.isfinite(flat).all())
