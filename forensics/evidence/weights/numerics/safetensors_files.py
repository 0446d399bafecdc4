"""Safetensors files, mapped into memory (format: the header is JSON behind its length).

Read here and not with the `safetensors` package, whose numpy interface does not know bfloat16.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterator, Sequence
from functools import partial
from mmap import mmap
from pathlib import Path
from typing import Any

import numpy as np

from forensics.errors import InputFileError
from forensics.evidence.weights.numerics.mapping import Bytes, Stretch, map_file
from forensics.evidence.weights.numerics.tensor import Floats, Tensor

INDEX = "model.safetensors.index.json"
_SHARD = re.compile(r"(.+)-\d{5}-of-(\d{5})(\.safetensors)")
_MOST_SHARDS = 10_000
_LONGEST_HEADER = 100_000_000  # the limit of the format's own reader
_KINDS: dict[str, Any] = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "BF16": np.uint16,
    "I8": np.int8,
    "U8": np.uint8,
    "I16": np.int16,
    "I32": np.int32,
    "I64": np.int64,
    "BOOL": np.bool_,
}


def safetensors_tensors(path: Path) -> Iterator[Tensor]:
    """Yield the tensors of one file.

    Raises:
        InputFileError: truncated, corrupt, or in a number format that is not understood.
    """
    try:
        header, start = _header(path)
        mapped = map_file(path)
    except OSError as error:
        raise InputFileError(f"cannot read {path}: {error.strerror}; check the path") from error
    except (ValueError, struct.error) as error:
        raise _damaged(
            path, "no header" if isinstance(error, struct.error) else str(error)
        ) from error
    for name, entry in header.items():
        if name != "__metadata__":
            yield _tensor(path, mapped, start, name, entry)


def _header(path: Path) -> tuple[dict[str, Any], int]:
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > _LONGEST_HEADER:
            raise ValueError(f"a header of {length} bytes")
        text = file.read(length)
    if len(text) < length:
        raise ValueError("the file ends inside its header")
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("its header is not JSON") from error
    if not isinstance(header, dict):
        raise ValueError("its header is not a JSON object")
    return header, 8 + length


def _tensor(path: Path, mapped: mmap, start: int, name: str, entry: Any) -> Tensor:
    try:
        kind, shape = str(entry["dtype"]), tuple(int(n) for n in entry["shape"])
        begin, end = (int(n) for n in entry["data_offsets"])
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise _damaged(path, f"the entry of {name} is malformed") from error
    if kind not in _KINDS:
        raise InputFileError(
            f"{path}: the tensor {name} is stored as {kind}, which is not understood; "
            "save the model as bfloat16 or float32"
        )
    size = math.prod(shape) * np.dtype(_KINDS[kind]).itemsize
    if min((begin, *shape)) < 0 or end - begin != size:
        raise _damaged(path, f"the tensor {name} has another size than its shape")
    if start + end > len(mapped):
        missing = start + end - len(mapped)
        raise _damaged(path, f"the tensor {name} lacks {missing} bytes")
    place = Stretch(mapped, start + begin, start + end)
    return Tensor(name, shape, kind, path, place, partial(_decode, kind))


def _decode(kind: str, stored: Bytes, shape: tuple[int, ...]) -> Floats:
    raw = np.frombuffer(stored, dtype=_KINDS[kind])
    if kind == "BF16":  # the upper half of a float32
        return np.left_shift(raw, 16, dtype=np.uint32).view(np.float32).reshape(shape)
    return raw.astype(np.float32, copy=False).reshape(shape)


def check_shards(folder: Path, shards: Sequence[Path]) -> None:
    """Check that every shard is there that the folder's index names, or the shards' own names.

    Raises:
        InputFileError: a missing shard, or an index that is not JSON.
    """
    index = folder / INDEX
    named = _indexed(index) if index.is_file() else _counted(shards)
    missing = sorted(str(name) for name in named - {shard.name for shard in shards})
    if missing:
        raise InputFileError(
            f"{folder} lacks {len(missing)} of {len(named)} shards (first: {missing[0]}); "
            "finish the download"
        )


def _indexed(index: Path) -> set[str]:
    try:
        return set(json.loads(index.read_bytes())["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputFileError(f"{index} is not an index of shards; download it again") from error


def _counted(shards: Sequence[Path]) -> set[str]:
    """Return the names of all shards where one of them says how many there are."""
    found = next(filter(None, (_SHARD.fullmatch(shard.name) for shard in shards)), None)
    if found is None or int(found[2]) > _MOST_SHARDS:
        return set()
    return {f"{found[1]}-{n:05}-of-{found[2]}{found[3]}" for n in range(1, int(found[2]) + 1)}


def _damaged(path: Path, what: str) -> InputFileError:
    return InputFileError(f"{path} is not a complete safetensors file ({what}); download it again")
