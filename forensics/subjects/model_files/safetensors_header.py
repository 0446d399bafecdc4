"""The header of a safetensors file, read as strictly as the format's own reader reads it.

Format: eight bytes with the header's length, the header as JSON, the tensors' bytes; these lie one
behind the other without holes, overlaps or anything behind them (`safetensors`, `Metadata`). A key
that stands twice, of which that reader takes the last, is refused too, as the format's description
demands.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from forensics.errors import ModelFileError
from forensics.subjects.model_files.stand_ins import check_is_itself
from forensics.support.distinct_keys import RepeatedKeyError, distinct_keys

LONGEST = 100_000_000  # the limit of the format's own reader
_METADATA = "__metadata__"
_MOST_DIMENSIONS = 32
_LARGEST = 1 << 63
# Bits of each number format.
BITS: dict[str, int] = {
    **{"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6},
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0"), 8),
    **dict.fromkeys(("F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 16),
    **dict.fromkeys(("I32", "U32", "F32"), 32),
    **dict.fromkeys(("C64", "F64", "I64", "U64"), 64),
}


@dataclass(frozen=True)
class Entry:
    """One tensor of a file: its number format, and where its bytes lie, from the file's start."""

    name: str
    kind: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


def read_header(path: Path) -> tuple[Entry, ...]:
    """Return a file's tensors in the order of its header.

    Raises:
        ModelFileError: it is not a safetensors file, or a damaged or incomplete one.
    """
    check_is_itself(path)
    try:
        status = path.stat()
        return _read(path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror}; check the path") from error


@lru_cache(maxsize=512)  # which weights a model has, and what they hold, is asked in several places
def _read(path: Path, _: int, size: int) -> tuple[Entry, ...]:
    try:
        text = _text(path, size)
        entries = tuple(_entries(text))
        _check_places(entries, size - 8 - len(text))
    except (ValueError, RecursionError) as error:
        raise damaged(path, str(error)) from error
    start = 8 + len(text)
    return tuple(Entry(e.name, e.kind, e.shape, start + e.begin, start + e.end) for e in entries)


def damaged(path: Path, what: str) -> ModelFileError:
    """Return the error of a file that is no complete safetensors file, `what` says why."""
    return ModelFileError(f"{path} is not a complete safetensors file ({what}); download it again")


def _text(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        try:
            (length,) = struct.unpack("<Q", file.read(8))
        except struct.error as error:
            raise ValueError("no header") from error
        if length > LONGEST:
            raise ValueError(f"a header of {length} bytes")
        if 8 + length > size:
            raise ValueError("the file ends inside its header")
        return file.read(length)


def _entries(text: bytes) -> Iterator[Entry]:
    header = _json(text)
    for name, entry in header.items():
        if name == _METADATA:
            _check_metadata(entry)
        else:
            yield _entry(name, entry)


def _json(text: bytes) -> dict[str, Any]:
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError("its header is not JSON: not UTF-8") from error
    try:
        header = json.loads(decoded, object_pairs_hook=distinct_keys, parse_constant=_no_constant)
    except RepeatedKeyError as error:
        raise ValueError(f"its header names {_shown(error.key)} twice") from error
    except (ValueError, RecursionError) as error:
        raise ValueError("its header is not JSON") from error
    if not isinstance(header, dict):
        raise ValueError("its header is not a JSON object")
    return header


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _shown(name: str) -> str:
    return ascii(name)[1:-1][:200]  # control characters and lone surrogates stay out of messages


def _check_metadata(value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ValueError("its metadata are not a table of texts")


def _entry(name: str, entry: Any) -> Entry:
    shown = _shown(name)
    if any("\ud800" <= character <= "\udfff" for character in name):
        raise ValueError(f"the tensor name {shown} is not text")
    try:
        kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        begin, end = offsets
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"the entry of {shown} is malformed") from error
    whole = isinstance(shape, list) and all(map(_is_count, (*shape, begin, end)))
    if not whole or not isinstance(kind, str) or len(shape) > _MOST_DIMENSIONS:
        raise ValueError(f"the entry of {shown} is malformed")
    if kind not in BITS:
        raise ValueError(f"the tensor {shown} is stored as {_shown(kind)}, which the format lacks")
    bits = math.prod(shape) * BITS[kind]
    if bits >= _LARGEST or bits % 8 or end - begin != bits // 8:
        raise ValueError(f"the tensor {shown} has another size than its shape")
    return Entry(name, kind, tuple(shape), begin, end)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < _LARGEST


def _check_places(entries: Iterable[Entry], size: int) -> None:
    """Check that tensors lie one behind the other and fill the file."""
    at = 0
    for entry in sorted(entries, key=lambda e: (e.begin, e.end)):
        if entry.begin != at:
            how = "overlaps the one before it" if entry.begin < at else "leaves bytes unused"
            raise ValueError(f"the tensor {_shown(entry.name)} {how}")
        at = entry.end
        if at > size:
            raise ValueError(f"the tensor {_shown(entry.name)} lacks {at - size} bytes")
    if at != size:
        raise ValueError(f"{size - at} bytes stand behind the last tensor")
