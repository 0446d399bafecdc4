"""GGUF files: their header and their table of tensors."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from forensics.errors import BackendError

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q"}
_SCALARS[12] = "d"
_STRING, _ARRAY = 8, 9
_LONGEST_STRING = 1 << 24
_MOST_KEYS = 1 << 16
_MOST_TENSORS = 1 << 20
_MOST_TOKENS = 1 << 24
_HIGHEST_RANK = 8
_ALIGNMENT = 32  # where the file does not say
_TOKENS = "tokenizer.ggml.tokens"


def read_header(path: Path) -> dict[str, Any]:
    """Return a GGUF file's metadata: its scalar values and strings; arrays are skipped.

    The `gguf` package reads the whole vocabulary into Python objects, which takes seconds; who a
    file is must be known in milliseconds. Layout: GGUF specification, versions 2 and 3.

    Args:
        path: the file, or the first part of a split one (the header stands in front).

    Raises:
        BackendError: no such file, or not a GGUF file.
    """
    try:
        with path.open("rb") as file:
            return _read_header(file)
    except OSError as error:
        raise BackendError(f"cannot read {path}: {error.strerror}; check the path") from error
    except (struct.error, ValueError) as error:
        raise BackendError(
            f"{path} is not a complete GGUF file ({error}); download it again"
        ) from error


@dataclass(frozen=True)
class GGUFTensor:
    """Where a tensor lies: `shape` as in numpy, `kind` GGML's number of its quantisation."""

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int


@dataclass(frozen=True)
class GGUFLayout:
    """What stands before a GGUF file's numbers; offsets count from the file's start."""

    header: dict[str, Any]
    tokens: tuple[str, ...]
    tensors: tuple[GGUFTensor, ...]


def read_layout(path: Path) -> GGUFLayout:
    """Return a GGUF file's metadata, vocabulary and table of tensors.

    Raises:
        BackendError: no such file, or not a complete GGUF file.
    """
    try:
        with path.open("rb") as file:
            return _read_layout(file)
    except OSError as error:
        raise BackendError(f"cannot read {path}: {error.strerror}; check the path") from error
    except (struct.error, ValueError) as error:
        raise BackendError(
            f"{path} is not a complete GGUF file ({error}); download it again"
        ) from error


def _read_layout(file: IO[bytes]) -> GGUFLayout:
    tokens: list[str] = []
    header, count = _read_keys(file, tokens)
    if count > _MOST_TENSORS:
        raise ValueError(f"{count} tensors")
    table = []
    for _ in range(count):
        name = _string(file)
        (rank,) = _unpack(file, "<I")
        if rank > _HIGHEST_RANK:
            raise ValueError(f"a tensor of {rank} dimensions")
        shape = tuple(reversed(_unpack(file, f"<{rank}Q")))
        kind, offset = _unpack(file, "<IQ")
        table.append(GGUFTensor(name, shape, kind, offset))
    alignment = int(header.get("general.alignment", _ALIGNMENT)) or _ALIGNMENT
    start = -(-file.tell() // alignment) * alignment
    tensors = tuple(replace(tensor, offset=start + tensor.offset) for tensor in table)
    return GGUFLayout(header, tuple(tokens), tensors)


def _read_header(file: IO[bytes]) -> dict[str, Any]:
    return _read_keys(file)[0]


def _read_keys(file: IO[bytes], tokens: list[str] | None = None) -> tuple[dict[str, Any], int]:
    """Return the metadata and the number of tensors; `tokens` is filled with the vocabulary."""
    if file.read(4) != b"GGUF":
        raise ValueError("it does not begin with GGUF")
    version, tensors, keys = _unpack(file, "<IQQ")
    if version not in (2, 3):
        raise ValueError(f"version {version}; versions 2 and 3 are understood")
    if keys > _MOST_KEYS:
        raise ValueError(f"{keys} metadata keys")
    header: dict[str, Any] = {}
    for _ in range(keys):
        name = _string(file)
        (kind,) = _unpack(file, "<I")
        if kind == _ARRAY and tokens is not None and name == _TOKENS:
            tokens.extend(_string_array(file))
        elif kind == _ARRAY:
            _skip_array(file)
        else:
            header[name] = _string(file) if kind == _STRING else _scalar(file, kind)
    return header, tensors


def _unpack(file: IO[bytes], layout: str) -> tuple[Any, ...]:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _scalar(file: IO[bytes], kind: int) -> Any:
    if kind not in _SCALARS:
        raise ValueError(f"unknown value type {kind}")
    return _unpack(file, f"<{_SCALARS[kind]}")[0]


def _string_length(file: IO[bytes]) -> int:
    (length,) = _unpack(file, "<Q")
    if length > _LONGEST_STRING:
        raise ValueError(f"a string of {length} bytes")
    return int(length)


def _string(file: IO[bytes]) -> str:
    return file.read(_string_length(file)).decode("utf-8", "replace")


def _string_array(file: IO[bytes]) -> list[str]:
    kind, count = _unpack(file, "<IQ")
    if kind != _STRING or count > _MOST_TOKENS:
        raise ValueError("a vocabulary that is none")
    return [_string(file) for _ in range(count)]


def _skip_array(file: IO[bytes]) -> None:
    kind, count = _unpack(file, "<IQ")
    if kind in _SCALARS:
        file.seek(count * struct.calcsize(f"<{_SCALARS[kind]}"), 1)
        return
    if kind != _STRING:
        raise ValueError(f"unknown array type {kind}")
    for _ in range(count):
        file.seek(_string_length(file), 1)
