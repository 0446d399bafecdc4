"""Weights on disk, read one tensor at a time: safetensors (in one file or shards) and GGUF.

Files are mapped into memory, so that a comparison holds a few tensors and never a whole model.
Pickles are not read at all: loading one can run code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from forensics.errors import InputFileError
from forensics.evidence.weights.numerics.tensor import PLAIN_KINDS, Floats, Tensor
from forensics.subjects.model_files.folder import ModelFiles


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
    from forensics.evidence.weights.numerics.safetensors_files import check_shards

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
    from forensics.evidence.weights.numerics.gguf_tensors import gguf_tensors
    from forensics.evidence.weights.numerics.safetensors_files import safetensors_tensors

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
        if tensor.kind in PLAIN_KINDS:
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
