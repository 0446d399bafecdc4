"""Safetensors files, mapped into memory; packed weights become numbers when they are read.

Read here and not with the `safetensors` package, whose numpy interface does not know bfloat16.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from mmap import mmap
from pathlib import Path
from typing import Any

import numpy as np

from forensics.errors import ModelFileError
from forensics.evidence.weights.numerics.dequantise import fp8_numbers, unpacked
from forensics.evidence.weights.numerics.mapping import Bytes, Stretch, map_file
from forensics.evidence.weights.numerics.tensor import Floats, Tensor
from forensics.subjects.model_files.folder import ModelFiles
from forensics.subjects.model_files.quantised import FP8, Layout, quantised_layout
from forensics.subjects.model_files.weight_files import Located, tensor_table

_KINDS: dict[str, Any] = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "BF16": np.uint16,
    "I8": np.int8,
    "U8": np.uint8,
    "I16": np.int16,
    "U16": np.uint16,
    "I32": np.int32,
    "U32": np.uint32,
    "I64": np.int64,
    "U64": np.uint64,
    "BOOL": np.bool_,
}


@dataclass(frozen=True)
class Stored:
    """A model's weights: `tensors` by name, and `beside`, what packed ones are decoded with.

    `method` names the quantisation of packed weights, empty without one.
    """

    tensors: dict[str, Tensor]
    beside: dict[str, Tensor]
    method: str = ""


def open_safetensors(files: ModelFiles) -> Stored:
    """Return the weights that a folder's safetensors files hold.

    Raises:
        ModelFileError: damaged, incomplete, or packed in a way that is not understood.
    """
    folder = files.path
    table = tensor_table(files.selected)
    layout = quantised_layout(folder, table)
    if layout.unread:
        raise ModelFileError(f"{folder} {layout.unread}")
    mapped = _mapped({place.file for place in table.values()})
    plain = {n: _tensor(p, mapped[p.file]) for n, p in table.items() if n not in layout.left_out}
    beside = _beside(layout, table, mapped)
    return Stored(plain | _packed(layout, table, mapped, beside), beside, layout.method)


def _mapped(paths: Iterable[Path]) -> dict[Path, mmap]:
    maps = {}
    for path in paths:
        try:
            maps[path] = map_file(path)
        except (OSError, ValueError) as error:
            raise ModelFileError(f"cannot read {path}: {error}; check the path") from error
    return maps


def _beside(
    layout: Layout, table: Mapping[str, Located], mapped: Mapping[Path, mmap]
) -> dict[str, Tensor]:
    names = {name for weight in layout.packed for name in weight.beside.values()}
    return {name: _tensor(table[name], mapped[table[name].file]) for name in names}


def _packed(
    layout: Layout,
    table: Mapping[str, Located],
    mapped: Mapping[Path, mmap],
    beside: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    tensors = {}
    for weight in layout.packed:
        place = table[weight.stored]
        helpers = {role: beside[name] for role, name in weight.beside.items()}
        decode = partial(unpacked, weight, place.entry.kind, helpers)
        kind = place.entry.kind if weight.scheme == "scaled" else weight.scheme
        stretch = Stretch(mapped[place.file], place.entry.begin, place.entry.end)
        tensors[weight.name] = Tensor(
            weight.name, weight.shape, kind, place.file, stretch, decode, True
        )
    return tensors


def _tensor(place: Located, mapped: mmap) -> Tensor:
    entry = place.entry
    stretch = Stretch(mapped, entry.begin, entry.end)
    decode = partial(_decode, entry.kind)
    return Tensor(entry.name, entry.shape, entry.kind, place.file, stretch, decode)


def _decode(kind: str, stored: Bytes, shape: tuple[int, ...]) -> Floats:
    if kind in FP8:
        return fp8_numbers(kind, stored).reshape(shape)
    if kind == "F8_E8M0":  # scales: powers of two
        return np.ldexp(np.float32(1), stored.astype(np.int32) - 127).reshape(shape)
    raw = np.frombuffer(stored, dtype=_KINDS[kind])
    if kind == "BF16":  # the upper half of a float32
        return np.left_shift(raw, 16, dtype=np.uint32).view(np.float32).reshape(shape)
    return raw.astype(np.float32, copy=False).reshape(shape)
