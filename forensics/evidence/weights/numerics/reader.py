"""Weights on disk, read one tensor at a time: safetensors (in one file or shards) and GGUF.

Files are mapped into memory, so that a comparison holds a few tensors and never a whole model.
Pickles are not read at all: loading one can run code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from forensics.errors import ModelFileError
from forensics.evidence.weights.numerics.safetensors_files import Stored, open_safetensors
from forensics.evidence.weights.numerics.tensor import PLAIN_KINDS, Floats, Tensor
from forensics.subjects.model_files.folder import ModelFiles
from forensics.subjects.model_files.other_formats import why_no_weights


@dataclass(frozen=True)
class Weights:
    """All tensors of a model, by name; `beside` and `method` are of packed ones, see `Stored`."""

    path: Path
    tensors: dict[str, Tensor]
    beside: dict[str, Tensor] = field(default_factory=dict)
    method: str = ""

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
        ModelFileError: no weights, only pickles, a missing shard, a damaged file, or weights that
            are packed in a way that is not understood.
    """
    if files.fault:
        raise ModelFileError(files.fault)
    if not files.weights:
        raise ModelFileError(why_no_weights(files.path))
    stored = _stored(files, stamp(files))
    return Weights(files.gguf or files.path, stored.tensors, stored.beside, stored.method)


def stamp(files: ModelFiles) -> tuple[tuple[int, int], ...]:
    """Return what changes when a model's weight files are written anew."""
    try:
        index = (files.selected.index,) if files.selected.index else ()
        statuses = [path.stat() for path in (*files.weights, *index)]
    except OSError:
        return ()  # opening them tells what is wrong
    return tuple((status.st_mtime_ns, status.st_size) for status in statuses)


@lru_cache(maxsize=2)  # every comparator of a run opens the same two models
def _stored(files: ModelFiles, _: tuple[tuple[int, int], ...]) -> Stored:
    from forensics.evidence.weights.numerics.gguf_tensors import gguf_tensors

    if files.gguf is None:
        return open_safetensors(files)
    return Stored(
        {tensor.name: tensor for path in files.weights for tensor in gguf_tensors(path)}, {}
    )


def checked_files(files: ModelFiles | None) -> ModelFiles:
    """Return a subject's files after a look at their headers.

    Raises:
        ModelFileError: see `open_weights`.
    """
    assert files is not None  # noqa: S101 (comparators that need weights are given them)
    open_weights(files)
    return files


def check_numbers(weights: Weights) -> None:
    """Read all weights once to see that they are numbers; quantised ones are left alone.

    Raises:
        ModelFileError: NaN or infinite weights.
    """
    for tensor in (*weights.tensors.values(), *weights.beside.values()):
        if tensor.kind in PLAIN_KINDS:
            tensor.check()
            tensor.place.release()
