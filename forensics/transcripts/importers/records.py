"""Reads files of JSON records (JSON Lines, or one array), and looks at the head of a file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from forensics.errors import InputFileError
from forensics.support.compressed import check_unpacked, open_unpacked
from forensics.transcripts.importers.parquet import parquet_names, parquet_records
from forensics.transcripts.importers.problems import Problems

_BOM = b"\xef\xbb\xbf"
# Detection looks at the first megabyte; only an answer longer than that makes it look further.
_WINDOWS = (1 << 20, 1 << 24, 1 << 28)
# Possessive, so that a string of many megabytes costs no memory for going back.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|"|[{}\[\]]', re.DOTALL)


def file_state(path: Path) -> tuple[int, int]:
    """Return a file's size in bytes and time of change in ns; zeros of what is not there."""
    try:
        about = path.stat()
    except OSError:
        return 0, 0
    return about.st_size, about.st_mtime_ns


def check_unchanged(path: Path, before: tuple[int, int]) -> None:
    """Make sure that a file is as it was: what was read of it is else in no digest.

    Raises:
        InputFileError: something wrote to it; see `file_state`.
    """
    if file_state(path) != before:
        raise InputFileError(
            f"{path} changed while it was read; try again once nothing writes to it, or on a copy"
        )


@contextmanager
def open_input(path: Path, whole: bool = False) -> Iterator[BufferedReader]:
    """Open a user's file for reading; a compressed one gives what it holds.

    Args:
        path: the file.
        whole: it is to be read as a whole, so that one that unpacks to too much is refused first.

    Raises:
        InputFileError: it is missing, a folder, unreadable or does not unpack, on opening or later.
    """
    try:
        if whole:
            check_unpacked(path)
        with open_unpacked(path) as file:
            yield file
    except OSError as error:
        raise InputFileError(f"cannot read {path}: {error.strerror or error}") from error


def decode(raw: bytes, where: str) -> str:
    """Return UTF-8 bytes as text; lone surrogates, which some tools write as such, are kept.

    Raises:
        InputFileError: not UTF-8; the message names the place and the byte.
    """
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise InputFileError(f"{where}: UTF-16 text; convert the file to UTF-8") from error
        raise InputFileError(
            f"{where}: not UTF-8 text (byte {error.start + 1} is 0x{raw[error.start]:02x}); "
            "convert the file to UTF-8"
        ) from error


def parse_json(text: str, where: str, problems: Problems | None = None) -> Any:
    """Parse JSON; `problems` is told of a key that stands twice in an object.

    Raises:
        InputFileError: not JSON, or nested too deeply to be read.
    """
    doubled: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(items)
        if len(value) != len(items) and not doubled:
            names = [name for name, _ in items]
            doubled.append(next(name for name in names if names.count(name) > 1))
        return value

    try:
        value = json.loads(text, object_pairs_hook=None if problems is None else pairs)
    except RecursionError as error:
        raise InputFileError(f"{where}: JSON nested too deeply to be read") from error
    except ValueError as error:
        raise InputFileError(
            f"{where}: not valid JSON ({str(error)[:120]}); is the file complete?"
        ) from error
    if doubled and problems is not None:
        problems.remark(where, doubled[0])
    return value


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield `(line number from 1, text)` of a UTF-8 file, line ends kept, a byte order mark not."""
    with open_input(path, whole=True) as file:
        for number, raw in enumerate(file, start=1):
            line = raw.removeprefix(_BOM) if number == 1 else raw
            yield number, decode(line, f"{path}, line {number}")


def json_document(path: Path, problems: Problems | None = None) -> Any:
    """Read a file that is one JSON value.

    Raises:
        InputFileError: not UTF-8 or not JSON.
    """
    with open_input(path, whole=True) as file:
        raw = file.read().removeprefix(_BOM)
    return parse_json(decode(raw, str(path)), str(path), problems)


def json_records(
    path: Path, problems: Problems | None = None
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield `(place, object)` for each record of JSON Lines, a JSON array or object, or parquet.

    `place` names file and line or item, for messages. Blank lines are passed over.

    Args:
        path: the file.
        problems: where a record that is not JSON object is counted; without it, it is an error.

    Raises:
        InputFileError: the file cannot be read, or a record that is not a JSON object.
    """
    pairs: Iterator[tuple[str, Any]]
    if is_parquet(path):
        pairs = parquet_records(path)
    elif head_keys(path).container == "array" or not _first_line_is_json(path):
        value = json_document(path, problems)
        items = enumerate(value if isinstance(value, list) else [value], start=1)
        pairs = ((f"{path}, item {n}", item) for n, item in items)
    else:
        pairs = _line_values(path, problems)
    for where, item in pairs:
        if isinstance(item, dict):
            yield where, item
            continue
        error = InputFileError(f"{where}: not a JSON object; one object per answer is needed")
        error = item if isinstance(item, InputFileError) else error
        if problems is None:
            raise error
        problems.skip(error)


def _line_values(path: Path, problems: Problems | None) -> Iterator[tuple[str, Any]]:
    with open_input(path, whole=True) as file:
        for number, raw in enumerate(file, start=1):
            line = raw.removeprefix(_BOM) if number == 1 else raw
            where = f"{path}, line {number}"
            if not line.strip():
                continue
            try:
                value = parse_json(decode(line, where), where, problems)
            except InputFileError as error:
                if problems is None:
                    raise
                problems.skip(error)
                continue
            yield where, value


def _first_line_is_json(path: Path) -> bool:
    """Tell JSON Lines from one pretty-printed object, whose first line is a lone brace."""
    with open_input(path, whole=True) as file:
        first = next((line for line in file if line.removeprefix(_BOM).strip()), b"")
    return first.removeprefix(_BOM).strip() != b"{"


@dataclass(frozen=True)
class Head:
    """What the head of a file shows.

    `container` is `array` (of objects), `object` (JSON Lines or a single one), `parquet` or empty
    (neither JSON nor parquet); `keys` are those of its first record, as far as they were looked at.
    """

    container: str = ""
    keys: frozenset[str] = frozenset()


def head_keys(path: Path) -> Head:
    """Return the keys of a file's first record; an unreadable file has none."""
    if is_parquet(path):
        return Head("parquet", frozenset(parquet_names(path)))
    head = Head()
    for window in _WINDOWS:
        text = read_head(path, window)
        head, cut = _scan(text)
        if not cut or len(text) < window // 4:
            break
    return head


def is_parquet(path: Path) -> bool:
    """Tell whether a file is parquet, by its first bytes."""
    return read_head(path, 4) == "PAR1"


def read_head(path: Path, size: int = 1 << 16) -> str:
    """Return the first `size` bytes as text, replacing what is not UTF-8; empty if unreadable."""
    try:
        with open_input(path, whole=size > _WINDOWS[0]) as file:
            return file.read(size).removeprefix(_BOM).decode("utf-8", "replace")
    except InputFileError:
        return ""


def _scan(text: str) -> tuple[Head, bool]:
    """Return the first record's keys, and whether a string of its own was cut off.

    A regular expression instead of a parser, since the head need not end where a record does.
    """
    stripped = text.lstrip()
    if stripped[:1] not in ("{", "["):
        return Head(), False
    container = "array" if stripped[0] == "[" else "object"
    level = 2 if container == "array" else 1
    depth, keys = 0, set[str]()
    for match in _TOKEN.finditer(stripped):
        mark = match.group()
        if mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
            if depth < level:
                return Head(container, frozenset(keys)), False
        elif mark == '"':
            return Head(container, frozenset(keys)), depth == level
        elif depth == level and stripped[match.end() : match.end() + 8].lstrip()[:1] == ":":
            keys.add(mark[1:-1])
    return Head(container, frozenset(keys)), False
