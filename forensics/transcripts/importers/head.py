"""The first record of a file, as far as its head shows it: what formats are recognised by."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeGuard

from forensics.errors import InputFileError
from forensics.transcripts.importers.parquet import parquet_records
from forensics.transcripts.importers.records import read_head

_WINDOW = 1 << 17
_DEEPEST = 200
_LINES = 10
# A whole string, one cut off, a bracket, comma or colon, or a run of anything else but spaces.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|"|[{}\[\],:]|[^\s{}\[\],:"]++', re.DOTALL)
_RETURNED = frozenset({"choices", "candidates", "object", "error"})
_CLOSING = {"{": "}", "[": "]"}

Record = Mapping[str, object]


def first_record(path: Path) -> Record:
    """Return a file's first record: a line's or item's object, or a parquet row.

    A record longer than the first 128 KiB is returned as far as it goes. A file that holds none,
    or cannot be read, gives an empty one.
    """
    text = read_head(path, _WINDOW)
    if text.startswith("PAR1"):
        return _first_row(path)
    start = text.lstrip()
    # A damaged first line must not hide what the others are.
    for _ in range(_LINES):
        value = _partial(start)
        if isinstance(value, list):
            value = value[0] if value else None
        if is_record(value) and value:
            return value
        following = start.find("\n{")
        if following < 0:
            break
        start = start[following + 1 :]
    return {}


def is_record(value: object) -> TypeGuard[Record]:
    """Tell whether a JSON value is an object."""
    return isinstance(value, Mapping)


def objects(value: object) -> list[Record]:
    """Return the objects in a list; none of anything else."""
    return [item for item in value if is_record(item)] if isinstance(value, list) else []


def parsed(value: object) -> object:
    """Return a JSON value that may be written as text, as databases hold it; else as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        inner: object = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return inner


def chat_or_text(value: str, where: str) -> str | list[object]:
    """Return a table's cell: a text, or the messages that it holds as JSON.

    Raises:
        InputFileError: it holds messages in Python's notation, which cannot be told from text.
    """
    inner = parsed(value)
    messages = objects(inner)
    chat = all("role" in message and {"content", "parts"} & message.keys() for message in messages)
    if chat and messages and isinstance(inner, list) and len(messages) == len(inner):
        return inner
    if value.startswith("[{'role':"):
        raise InputFileError(f"{where}: messages in Python's notation; write them as JSON")
    return value


def returned(value: object) -> object:
    """Return what an API returned, which may be written as JSON text.

    A text that is JSON but no API's object is the answer itself: models are asked for JSON.
    """
    inner = parsed(value)
    if isinstance(inner, list):
        return inner if any("role" in item for item in objects(inner)) else value
    if not is_record(inner):
        return value
    message = "role" in inner and bool({"content", "parts"} & inner.keys())
    return inner if message or _RETURNED & inner.keys() or inner is value else value


def _first_row(path: Path) -> Record:
    try:
        rows = itertools.islice(parquet_records(path), _LINES)
        return next((row for _, row in rows if is_record(row)), {})
    except InputFileError:
        return {}


def _partial(text: str) -> object:
    """Parse the first JSON value of a text that may stop anywhere, closing what stands open."""
    opened: list[str] = []
    end = 0
    for match in _TOKEN.finditer(text):
        mark = match.group()
        if mark == '"':
            break
        if mark in _CLOSING:
            opened.append(mark)
        elif mark in ("}", "]"):
            if not opened or _CLOSING[opened.pop()] != mark:
                return None
        elif mark in (",", ":") or not _ends_value(text, match.end(), opened):
            continue
        end = match.end()
        if (opened in ([], ["["]) and mark == "}") or len(opened) > _DEEPEST:
            break
    closing = "".join(_CLOSING[mark] for mark in reversed(opened))
    try:
        value: object = json.loads(text[:end] + closing)
    except (ValueError, RecursionError):
        return None
    return value


def _ends_value(text: str, end: int, opened: list[str]) -> bool:
    """Tell whether a string or number that ends at `end` is a value: a key has a colon next."""
    following = text[end : end + 64].lstrip()[:1]
    return following in (",", "}", "]") and following != "" and bool(opened)
