"""GGUF files: tensors are mapped into memory and dequantised one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from mmap import mmap
from pathlib import Path

import numpy as np

from forensics.errors import ModelFileError
from forensics.evidence.weights.numerics.mapping import Bytes, Stretch, map_file
from forensics.evidence.weights.numerics.tensor import Floats, Tensor
from forensics.subjects.model_files.gguf import (
    GGUFTensor,
    byte_length,
    checked_layout,
    unknown_quantisation,
)


def gguf_tensors(path: Path) -> Iterator[Tensor]:
    """Yield the tensors of a GGUF file.

    Raises:
        ModelFileError: not a complete GGUF file, or of an unknown quantisation.
    """
    layout = checked_layout(path)
    try:
        mapped = map_file(path)
    except (OSError, ValueError) as error:
        raise ModelFileError(f"cannot read {path}: {error}; check the path") from error
    for entry in layout.tensors:
        yield _tensor(path, mapped, entry)


def _tensor(path: Path, mapped: mmap, entry: GGUFTensor) -> Tensor:
    import gguf

    kind = gguf.GGMLQuantizationType(entry.kind)
    block, bytes_per_block = gguf.GGML_QUANT_SIZES[kind]
    row = entry.shape[-1] if entry.shape else 1
    place = Stretch(mapped, entry.offset, entry.offset + byte_length(path, entry))
    decode = partial(_decode, path, entry, row // block * bytes_per_block)
    return Tensor(entry.name, entry.shape, kind.name, path, place, decode)


def _decode(
    path: Path, entry: GGUFTensor, row_bytes: int, stored: Bytes, shape: tuple[int, ...]
) -> Floats:
    import gguf

    kind = gguf.GGMLQuantizationType(entry.kind)
    rows = np.ascontiguousarray(stored).reshape(-1, row_bytes)
    try:
        values = gguf.quants.dequantize(rows, kind)
    except NotImplementedError as error:  # how gguf says that it knows no such kind
        raise unknown_quantisation(path, entry.name, str(kind.name)) from error
    floats: Floats = np.ascontiguousarray(values, dtype=np.float32)
    return floats.reshape(shape)
