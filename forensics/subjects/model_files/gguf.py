"""GGUF files: their header, their table of tensors, and what is no GGUF file at all."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, TypeVar

from forensics.errors import ModelFileError
from forensics.support.file_kinds import HEAD, foreign
from forensics.support.sanitise import one_line

MAGIC = b"GGUF"
KEYS_BEGIN = 24  # behind the magic, the version and the two counts
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q"}
_SCALARS[12] = "d"
_STRING, _ARRAY = 8, 9
_LONGEST_STRING = 1 << 24
_MOST_KEYS = 1 << 16
_MOST_TENSORS = 1 << 20
_MOST_TOKENS = 1 << 24
_HIGHEST_RANK = 8
_ALIGNMENT = 32  # where the file does not say
_LARGEST_ALIGNMENT = 1 << 20
_VOCABULARY = "tokenizer.ggml."
_COLLECTED = ("tokens", "merges", "token_type")
# Kinds of numbers that the gguf package does not know, or no longer, and who writes them.
_OTHER_KINDS = {
    4: "Q4_2, removed from GGML in 2023",
    5: "Q4_3, removed from GGML in 2023",
    31: "Q4_0_4_4, removed from GGML in 2024",
    32: "Q4_0_4_8, removed from GGML in 2024",
    33: "Q4_0_8_8, removed from GGML in 2024",
    36: "I2_S of bitnet.cpp",
    37: "IQ4_NL_4_8, removed from GGML, or of bitnet.cpp",
    38: "TL1 of bitnet.cpp",
}

_T = TypeVar("_T")


@dataclass(frozen=True)
class GGUFTensor:
    """Where a tensor lies: `shape` as in numpy, `kind` GGML's number of its quantisation.

    `offset` counts from the file's start.
    """

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int


@dataclass(frozen=True)
class GGUFLayout:
    """What stands before a GGUF file's numbers.

    `tokens`, `merges` and `token_types` are its vocabulary; `keys` says where its metadata begins
    and ends in the file and `key_count` of how many keys it is; `tensors_end` is where the table
    of tensors ends.
    """

    header: dict[str, Any]
    tokens: tuple[str, ...]
    tensors: tuple[GGUFTensor, ...]
    merges: tuple[str, ...] = ()
    token_types: tuple[int, ...] = ()
    keys: tuple[int, int] = (0, 0)
    key_count: int = 0
    alignment: int = _ALIGNMENT

    def text(self, key: str) -> str | None:
        """Return a metadata string, None where there is none of that name."""
        return header_text(self.header, key)

    def number(self, key: str) -> int | None:
        """Return a metadata integer, None where there is none of that name."""
        value = self.header.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


def header_text(header: Mapping[str, Any], key: str) -> str | None:
    """Return a string of a file's metadata, None where there is none of that name."""
    value = header.get(key)
    return value if isinstance(value, str) else None


def read_header(path: Path) -> dict[str, Any]:
    """Return a GGUF file's metadata: its scalar values and strings; arrays are skipped.

    The `gguf` package reads the whole vocabulary into Python objects, which takes seconds; who a
    file is must be known in milliseconds. Layout: GGUF specification, versions 2 and 3.

    Args:
        path: the file, or the first part of a split one (the header stands in front).

    Raises:
        ModelFileError: no such file, or not a GGUF file.
    """
    return _reading(path, lambda file: _read_keys(file).header)


def read_layout(path: Path) -> GGUFLayout:
    """Return a GGUF file's metadata, vocabulary and table of tensors.

    Raises:
        ModelFileError: no such file, or not a GGUF file with a whole header.
    """
    return _reading(path, _read_layout)


def checked_layout(path: Path) -> GGUFLayout:
    """Return what `read_layout` does, after a look at where the tensors' numbers lie.

    Raises:
        ModelFileError: as `read_layout`; or tensors of an unknown quantisation, that overlap, or
            that reach beyond the end of the file.
    """
    layout = read_layout(path)
    size = path.stat().st_size
    end, before = 0, ""
    for tensor in sorted(layout.tensors, key=lambda tensor: tensor.offset):
        length = byte_length(path, tensor)
        if tensor.offset % layout.alignment or (tensor.offset < end and length):
            fault = f"the tensor {tensor.name} lies across {before or 'the header'}"
            raise _incomplete(path, fault)
        end, before = tensor.offset + length, tensor.name
        if end > size:
            missing = f"it ends inside the tensor {tensor.name}, {end - size} bytes before its end"
            raise _incomplete(path, missing)
    return layout


def byte_length(path: Path, tensor: GGUFTensor) -> int:
    """Return how many bytes a tensor's numbers take.

    Raises:
        ModelFileError: an unknown quantisation, or one that does not fit the shape.
    """
    import gguf

    try:
        kind = gguf.GGMLQuantizationType(tensor.kind)
        block, bytes_per_block = gguf.GGML_QUANT_SIZES[kind]
    except (ValueError, KeyError) as error:
        known = _OTHER_KINDS.get(tensor.kind)
        number = f"number {tensor.kind}" + (f", {known}" if known else "")
        raise unknown_quantisation(path, tensor.name, number) from error
    row = tensor.shape[-1] if tensor.shape else 1
    if row % block:
        raise ModelFileError(
            f"{path}: the tensor {tensor.name} has rows that its quantisation {kind.name} does not "
            "divide; the file is damaged, download it again"
        )
    size = 1
    for n in tensor.shape:
        size *= n
    return int(size // block * bytes_per_block)


def unknown_quantisation(path: Path, tensor: str, kind: str) -> ModelFileError:
    """Return the error of a tensor whose numbers cannot be read."""
    return ModelFileError(
        f"{path}: the tensor {tensor} is quantised in a way that is not understood ({kind}); "
        "use a GGUF file of another quantisation, or the original weights"
    )


def _reading(path: Path, read: Callable[[IO[bytes]], _T]) -> _T:
    try:
        with path.open("rb") as file:
            return read(file)
    except IsADirectoryError as error:
        raise ModelFileError(f"{path} is a folder; give the GGUF file in it") from error
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror}; check the path") from error
    except struct.error as error:
        raise _incomplete(path, "it ends inside its header") from error
    except _NotReadableError as error:
        raise ModelFileError(f"{path} is {error}") from error
    except (ValueError, OverflowError) as error:
        raise _incomplete(path, str(error)) from error


def _incomplete(path: Path, fault: str) -> ModelFileError:
    return ModelFileError(f"{path} is not a complete GGUF file ({fault}); download it again")


class _NotReadableError(Exception):
    """A whole file of a kind that is not read; says what it is and what to do."""


@dataclass
class _Keys:
    """What `_read_keys` found; arrays of the vocabulary only where they were asked for."""

    tensors: int
    key_count: int
    header: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, list[Any]] = field(default_factory=dict)


def _read_layout(file: IO[bytes]) -> GGUFLayout:
    keys = _read_keys(file, collect=True)
    keys_end = file.tell()
    if keys.tensors > _MOST_TENSORS:
        raise ValueError(f"{keys.tensors} tensors")
    table = [_read_tensor(file) for _ in range(keys.tensors)]
    twice = _first_repeated([tensor.name for tensor in table])
    if twice is not None:
        raise ValueError(f"two tensors are called {one_line(twice, 60)}")
    alignment = _alignment(keys.header)
    start = -(-file.tell() // alignment) * alignment
    return GGUFLayout(
        keys.header,
        tuple(keys.arrays.get("tokens", ())),
        tuple(replace(tensor, offset=start + tensor.offset) for tensor in table),
        tuple(keys.arrays.get("merges", ())),
        tuple(keys.arrays.get("token_type", ())),
        (KEYS_BEGIN, keys_end),
        keys.key_count,
        alignment,
    )


def _read_tensor(file: IO[bytes]) -> GGUFTensor:
    name = _string(file)
    (rank,) = _unpack(file, "<I")
    if rank > _HIGHEST_RANK:
        raise ValueError(f"a tensor of {rank} dimensions")
    shape = tuple(reversed(_unpack(file, f"<{rank}Q")))
    kind, offset = _unpack(file, "<IQ")
    return GGUFTensor(name, shape, kind, offset)


def _alignment(header: dict[str, Any]) -> int:
    value = header.get("general.alignment", _ALIGNMENT)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number or not 0 < value <= _LARGEST_ALIGNMENT or value & (value - 1):
        raise ValueError("its alignment is not a power of two")
    return int(value)


def _first_repeated(names: list[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _read_keys(file: IO[bytes], collect: bool = False) -> _Keys:
    """Read the metadata; `collect` keeps the arrays of the vocabulary."""
    _check_beginning(file)
    tensors, count = _unpack(file, "<QQ")
    if count > _MOST_KEYS:
        raise ValueError(f"{count} metadata keys")
    keys = _Keys(tensors, count)
    seen: set[str] = set()
    for _ in range(count):
        name = _string(file)
        if name in seen:
            raise ValueError(f"the metadata key {one_line(name, 60)} occurs in it twice")
        seen.add(name)
        (kind,) = _unpack(file, "<I")
        short = name.removeprefix(_VOCABULARY)
        if kind == _ARRAY and collect and name != short and short in _COLLECTED:
            keys.arrays[short] = _array(file)
        elif kind == _ARRAY:
            _skip_array(file)
        else:
            keys.header[name] = _string(file) if kind == _STRING else _scalar(file, kind)
    return keys


def _check_beginning(file: IO[bytes]) -> None:
    """Read magic and version; name what the file is where it is none that can be read."""
    head = file.read(HEAD)
    file.seek(len(MAGIC) + 4)
    if not head.startswith(MAGIC):
        known = foreign(head)
        if known is not None:
            raise _NotReadableError(f"{known[0]}, no GGUF file; {known[1]}")
        raise ValueError("it does not begin with GGUF" if head else "it is empty")
    (version,) = struct.unpack("<I", head[4:8])
    (swapped,) = struct.unpack(">I", head[4:8])
    if version in (2, 3):
        return
    if 1 <= swapped <= 3:
        raise _NotReadableError(
            "a big-endian GGUF file, which is not read; convert it with llama.cpp's "
            "gguf_convert_endian.py FILE little"
        )
    if version == 1:
        raise _NotReadableError(
            "a GGUF file of version 1 (August 2023), which is no longer read; convert the model "
            "again with llama.cpp's convert_hf_to_gguf.py, or download a later file of it"
        )
    if version < 1 << 8:
        raise _NotReadableError(
            f"a GGUF file of version {version}; versions 2 and 3 are understood"
        )
    raise ValueError(f"version {version}; versions 2 and 3 are understood")


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
    length = _string_length(file)
    encoded = file.read(length)
    if len(encoded) < length:
        raise struct.error
    return encoded.decode("utf-8", "replace")


def _array(file: IO[bytes]) -> list[Any]:
    kind, count = _unpack(file, "<IQ")
    if count > _MOST_TOKENS or not (kind == _STRING or kind in _SCALARS):
        raise ValueError("something that is not a vocabulary")
    if kind == _STRING:
        return [_string(file) for _ in range(count)]
    return list(_unpack(file, f"<{count}{_SCALARS[kind]}"))


def _skip_array(file: IO[bytes]) -> None:
    kind, count = _unpack(file, "<IQ")
    if kind in _SCALARS:
        file.seek(count * struct.calcsize(f"<{_SCALARS[kind]}"), 1)
        return
    if kind != _STRING:
        raise ValueError(f"unknown array type {kind}")
    for _ in range(count):
        file.seek(_string_length(file), 1)
