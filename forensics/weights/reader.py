"""Weights on disk, read one tensor at a time: safetensors (in one file or shards) and GGUF.

Files are mapped into memory, so that a comparison holds a few tensors and never a whole model.
Pickles are not read at all: loading one can run code.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forensics.errors import InputFileError
from forensics.subjects.model_files.folder import ModelFiles
from forensics.weights.mapping import Bytes, Stretch

Floats = NDArray[np.float32]
_LARGE = 1 << 22  # bytes of a tensor whose memory is given back when it was read
_PLAIN_KINDS = ("F64", "F32", "F16", "BF16")
_NO_NUMBER = {"F16": 0x7C00, "BF16": 0x7F80}  # bits that NaN and infinity alone have all set
_BITS_AT_ONCE = 1 << 18  # stay in a core's cache


@dataclass(frozen=True)
class Tensor:
    """One tensor on disk: its stored bytes, and how to make float32 numbers of them.

    `kind` is the name of the stored number format (F32, BF16, Q4_1…); `place` is where its bytes
    lie in the file, `decode` turns bytes into float32 of the given shape.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    file: Path
    place: Stretch
    decode: Callable[[Bytes, tuple[int, ...]], Floats]

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    def read(self) -> Floats:
        """Return the numbers, float32, of `shape`.

        Raises:
            InputFileError: NaN or infinite weights: such a model computes nothing.
        """
        return self._taken(self.decode(self.stored(), self.shape))

    def rows(self, indices: NDArray[np.int64]) -> Floats:
        """Return some rows of a matrix, float32, of shape (len(indices), columns).

        Raises:
            InputFileError: as in `read`.
        """
        stored = self.stored().reshape(self.shape[0], -1)[indices]
        return self._taken(self.decode(stored, (len(indices), *self.shape[1:])))

    def check(self) -> None:
        """Look at all numbers of a tensor in plain format; half precision is not decoded for it.

        Raises:
            InputFileError: as in `read`.
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

    def _no_numbers(self) -> InputFileError:
        return InputFileError(
            f"{self.file}: the tensor {self.name} holds NaN or infinite weights (the file is "
            "damaged, or the model was broken in training); download it again or take another "
            "checkpoint"
        )


@dataclass(frozen=True)
class Weights:
    """All tensors of a model, by name."""

    path: Path
    tensors: dict[str, Tensor]

    @property
    def parameters(self) -> int:
        """How many numbers all tensors hold together."""
        return sum(tensor.size for tensor in self.tensors.values())

    def read(self, name: str) -> Floats:
        """Return one tensor's numbers, see `Tensor.read`."""
        return self.tensors[name].read()


def open_weights(files: ModelFiles) -> Weights:
    """Return a model's weights: headers are read and checked, numbers are not.

    Raises:
        InputFileError: no weights, only pickles, a missing shard, or a damaged file.
    """
    if files.gguf is not None:
        return Weights(files.gguf, _tensors(files.weights, True, stamp(files)))
    from forensics.weights.safetensors_files import check_shards

    if not files.shards:
        raise InputFileError(why_no_weights(files.path))
    check_shards(files.path, files.shards)
    return Weights(files.path, _tensors(files.weights, False, stamp(files)))


def stamp(files: ModelFiles) -> tuple[tuple[int, int], ...]:
    """Return what changes when a model's weight files are written anew."""
    try:
        found = [path.stat() for path in files.weights]
    except OSError:
        return ()  # opening them tells what is wrong
    return tuple((one.st_mtime_ns, one.st_size) for one in found)


@lru_cache(maxsize=2)  # every comparator of a run opens the same two models
def _tensors(
    paths: tuple[Path, ...], is_gguf: bool, _: tuple[tuple[int, int], ...]
) -> dict[str, Tensor]:
    from forensics.weights.gguf_tensors import gguf_tensors
    from forensics.weights.safetensors_files import safetensors_tensors

    opened = gguf_tensors if is_gguf else safetensors_tensors
    return {tensor.name: tensor for path in paths for tensor in opened(path)}


def checked_files(files: ModelFiles | None) -> ModelFiles:
    """Return a subject's files after a look at their headers.

    Raises:
        InputFileError: see `open_weights`.
    """
    assert files is not None  # noqa: S101 (comparators that need weights are given them)
    open_weights(files)
    return files


def check_numbers(weights: Weights) -> None:
    """Read all weights once to see that they are numbers; quantised ones are left alone.

    Raises:
        InputFileError: NaN or infinite weights.
    """
    for tensor in weights.tensors.values():
        if tensor.kind in _PLAIN_KINDS:
            tensor.check()
            tensor.place.release()


def why_no_weights(folder: Path) -> str:
    """Return in one line why a folder has no weights that can be read."""
    pickles = sorted(p.name for ending in ("bin", "pt", "pth") for p in folder.glob(f"*.{ending}"))
    if pickles:
        return (
            f"{folder} holds its weights only as a pickle ({pickles[0]}), which can run code when "
            "loaded; convert it to safetensors first"
        )
    return f"{folder} holds no *.safetensors weights; is the download complete?"


def _finite(values: Floats) -> bool:
    # One pass at the speed of memory; only a sum that overflows needs the slower look.
    flat = values.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.dot(flat, flat)
    return bool(np.isfinite(total)) or bool(np.isfinite(flat).all())
