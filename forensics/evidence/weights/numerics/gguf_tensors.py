"""GGUF files: tensors are mapped into memory and dequantised one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from mmap import mmap
from pathlib import Path

import numpy as np

from forensics.errors import BackendError, InputFileError
from forensics.evidence.weights.numerics.mapping import Bytes, Stretch, map_file
from forensics.evidence.weights.numerics.tensor import Floats, Tensor
from forensics.subjects.model_files.gguf import GGUFTensor, read_layout


def gguf_tensors(path: Path) -> Iterator[Tensor]:
    """Yield the tensors of a GGUF file.

    Raises:
        InputFileError: not a complete GGUF file, or of an unknown quantisation.
    """
    try:
        layout = read_layout(path)
        mapped = map_file(path)
    except BackendError as error:
        raise InputFileError(str(error)) from error
    except (OSError, ValueError) as error:
        raise InputFileError(f"cannot read {path}: {error}; check the path") from error
    for entry in layout.tensors:
        yield _tensor(path, mapped, entry)


def _tensor(path: Path, mapped: mmap, entry: GGUFTensor) -> Tensor:
    import gguf

    try:
        kind = gguf.GGMLQuantizationType(entry.kind)
        block, bytes_per_block = gguf.GGML_QUANT_SIZES[kind]
    except (ValueError, KeyError) as error:
        raise _unknown(path, entry.name, f"number {entry.kind}") from error
    size = int(np.prod(entry.shape, dtype=np.int64))
    row = entry.shape[-1] if entry.shape else 1
    if row % block:
        raise InputFileError(
            f"{path}: the tensor {entry.name} has rows that its quantisation {kind.name} does not "
            "divide; the file is damaged, download it again"
        )
    length = size // block * bytes_per_block
    if entry.offset + length > len(mapped):
        raise InputFileError(
            f"{path} is not a complete GGUF file (it ends inside the tensor {entry.name}); "
            "download it again"
        )
    place = Stretch(mapped, entry.offset, entry.offset + length)
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
        raise _unknown(path, entry.name, str(kind.name)) from error
    floats: Floats = np.ascontiguousarray(values, dtype=np.float32)
    return floats.reshape(shape)


def _unknown(path: Path, tensor: str, kind: str) -> InputFileError:
    return InputFileError(
        f"{path}: the tensor {tensor} is quantised in a way that is not understood ({kind}); "
        "use a GGUF file of another quantisation, or the original weights"
    )
