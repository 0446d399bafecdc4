"""GGUF files that were split: their parts found, held against one another, and joined.

llama.cpp's `gguf-split` writes NAME-00001-of-00003.gguf and so on, each with the keys `split.no`,
`split.count` and `split.tensors.count`; the metadata stands in the first part.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from forensics.errors import ModelFileError
from forensics.subjects.model_files.gguf import (
    KEYS_BEGIN,
    MAGIC,
    GGUFLayout,
    byte_length,
    checked_layout,
)
from forensics.subjects.model_files.gguf_whole import check_kind, check_whole
from forensics.support.resources import is_file

_NAME = re.compile(r"(.+)-(\d{5})-of-(\d{5})(\.gguf)", re.IGNORECASE)
_CUT = re.compile(r"(.+\.gguf)?[.-](?:split-?|part-?)(?:[a-z]|\d+)(?:of\d+)?", re.IGNORECASE)
_MOST_PARTS = 10_000
_VERSION = 3


@dataclass(frozen=True)
class GGUFModel:
    """A whole model in one or more GGUF files, the first of which holds the metadata."""

    parts: tuple[Path, ...]
    layouts: tuple[GGUFLayout, ...]

    @property
    def layout(self) -> GGUFLayout:
        """The first part's layout with the tensors of all parts; offsets are of their own files."""
        tensors = tuple(tensor for layout in self.layouts for tensor in layout.tensors)
        return replace(self.layouts[0], tensors=tensors)

    def whole(self, scratch: Path) -> Path:
        """Return one file with the whole model: its own, or one joined in the folder `scratch`.

        Raises:
            OSError: it cannot be written.
        """
        if len(self.parts) == 1:
            return self.parts[0]
        target = scratch / "joined.gguf"
        join(self, target)
        return target


def open_model(path: Path) -> GGUFModel:
    """Return a model's GGUF files after a look at every header: nothing is missing in them.

    Args:
        path: the file, or the first part of a split one.

    Raises:
        ModelFileError: no GGUF file, damaged, incomplete, no model's, or a part is missing.
    """
    first = _layout(path)
    check_kind_of_part(path, first)
    parts = _parts(path, first)
    layouts = (first, *(_layout(part) for part in parts[1:]))
    _check_parts(parts, layouts)
    model = GGUFModel(parts, layouts)
    check_whole(path, model.layout)
    return model


def _layout(path: Path) -> GGUFLayout:
    try:
        return checked_layout(path)
    except ModelFileError as error:
        if _CUT.fullmatch(path.name) and "not a complete" in str(error):
            raise ModelFileError(
                f"{path} is one piece of a file that was cut up; join the pieces first "
                "(cat PIECES > model.gguf)"
            ) from error
        raise


def check_kind_of_part(path: Path, layout: GGUFLayout) -> None:
    """Check that a file is a model's, and the first part where it was split.

    Raises:
        ModelFileError: it is another kind of file, or another part.
    """
    number, count = layout.number("split.no"), layout.number("split.count")
    if number and count and count > 1:
        first = _named(path, 1, count)
        where = first.name if first else "the first part"
        raise ModelFileError(f"{path} is part {number + 1} of {count}; give part 1: {where}")
    check_kind(path, layout.header)


def _parts(path: Path, first: GGUFLayout) -> tuple[Path, ...]:
    """Return the paths of all parts, the first of which is `path`.

    Raises:
        ModelFileError: a part is missing, or the name does not tell the others' names.
    """
    count = first.number("split.count") or 1
    if count <= 1:
        return (path,)
    if count > _MOST_PARTS:
        raise ModelFileError(f"{path} says it is one of {count} parts; download it again")
    named = [_named(path, number, count) for number in range(1, count + 1)]
    if named[0] is None or named[0].name != path.name:
        raise ModelFileError(
            f"{path} is part 1 of {count}, and its name does not say what the others are called; "
            f"give all parts their names again (NAME-00001-of-{count:05}.gguf)"
        )
    parts = tuple(part for part in named if part is not None)
    absent = [number for number, part in enumerate(parts, 1) if not is_file(part)]
    if absent:
        numbers = ", ".join(map(str, absent[:5])) + (" …" if len(absent) > 5 else "")
        verb = "is" if len(absent) == 1 else "are"
        raise ModelFileError(
            f"{path} is part 1 of {count}; part {numbers} {verb} missing "
            f"({parts[absent[0] - 1].name}); finish the download"
        )
    return parts


def _named(path: Path, number: int, count: int) -> Path | None:
    """Return what part `number` is called by the name of another; None where that is no part's."""
    match = _NAME.fullmatch(path.name)
    if match is None or int(match[3]) != count:
        return None
    return path.with_name(f"{match[1]}-{number:05}-of-{count:05}{match[4]}")


def _check_parts(parts: Sequence[Path], layouts: Sequence[GGUFLayout]) -> None:
    """Check that parts are of one model, in their order, with all tensors once.

    Raises:
        ModelFileError: they are not.
    """
    if len(parts) == 1:
        return
    for i, (part, layout) in enumerate(zip(parts, layouts, strict=True)):
        said = layout.number("split.no"), layout.number("split.count")
        if said != (i, len(parts)):
            raise ModelFileError(
                f"{part} is not part {i + 1} of {len(parts)} of the model beside it "
                f"(it says part {(said[0] or 0) + 1} of {said[1]}); download it again"
            )
    names = [tensor.name for layout in layouts for tensor in layout.tensors]
    total = layouts[0].number("split.tensors.count")
    if total is not None and total != len(names):
        raise ModelFileError(
            f"{parts[0]}: its {len(parts)} parts hold {len(names)} tensors, and {total} are "
            "expected; download them again"
        )
    if len(set(names)) < len(names):
        raise ModelFileError(f"{parts[0]}: a tensor stands in two parts; download them again")


def join(model: GGUFModel, target: Path) -> None:
    """Write the parts of a split model as one GGUF file.

    Raises:
        OSError: it cannot be written.
        ModelFileError: a tensor of an unknown quantisation.
    """
    first = model.layouts[0]
    places = _places(model, first.alignment)
    with target.open("wb") as out, model.parts[0].open("rb") as file:
        out.write(MAGIC + struct.pack("<IQQ", _VERSION, len(places), first.key_count))
        file.seek(KEYS_BEGIN)
        _copy(file, out, first.keys[1] - KEYS_BEGIN)
        for place in places:
            out.write(place.entry)
        start = _rounded(out.tell(), first.alignment)
        for place in places:
            with place.part.open("rb") as source:
                out.seek(start + place.offset)
                source.seek(place.source)
                _copy(source, out, place.length)
        out.truncate(max(out.tell(), start))


@dataclass(frozen=True)
class _Place:
    """A tensor on its way: from `source` in `part` to `offset` behind the table's end."""

    part: Path
    source: int
    offset: int
    length: int
    entry: bytes


def _places(model: GGUFModel, alignment: int) -> list[_Place]:
    places: list[_Place] = []
    offset = 0
    for part, layout in zip(model.parts, model.layouts, strict=True):
        for tensor in layout.tensors:
            name = tensor.name.encode("utf-8")
            rank = len(tensor.shape)
            entry = struct.pack("<Q", len(name)) + name + struct.pack("<I", rank)
            entry += struct.pack(f"<{rank}Q", *reversed(tensor.shape))
            entry += struct.pack("<IQ", tensor.kind, offset)
            length = byte_length(part, tensor)
            places.append(_Place(part, tensor.offset, offset, length, entry))
            offset = _rounded(offset + length, alignment)
    return places


def _rounded(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment


def _copy(source: IO[bytes], target: IO[bytes], length: int) -> None:
    while length:
        block = source.read(min(length, 1 << 20))
        if not block:
            raise OSError("the file became shorter while it was read")
        target.write(block)
        length -= len(block)
