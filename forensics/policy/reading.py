"""TOML file → policy, with the line of every rule, and errors that say which key is meant."""

from __future__ import annotations

import difflib
import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from forensics.errors import InputFileError, UsageError
from forensics.policy.model import Policy, policy_schema
from forensics.subjects.endpoints import read_endpoints
from forensics.support.resources import is_file
from forensics.support.settings_file import FILE_NAME, PYPROJECT, parse_settings, settings_text

Location = tuple[str | int, ...]
_HEADER = re.compile(r"\s*(\[\[?)(.+?)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*((?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*[A-Za-z0-9_\"'-]+)*)\s*=")
_MESSAGES = {
    "missing": "is missing",
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "date_type": "must be a date without quotes, such as 2027-01-31",
    "tuple_type": "must be a list in square brackets",
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "string_pattern_mismatch": "must be a month, YYYY-MM",
}


@dataclass(frozen=True)
class PolicyFile:
    """A policy, where it was read, and the lines of what stands in it."""

    policy: Policy
    path: Path
    sha256: str
    lines: Mapping[Location, int]

    def line(self, *location: str | int) -> int:
        """Return the 1-based line of a key or table, or of the nearest one around it."""
        prefix = ("tool", "forensics") if self.path.name == PYPROJECT else ()
        return line_of(self.lines, (*prefix, *location))


def find_policy(path: Path | None) -> Path:
    """Return the policy file: the one given, else `forensics.toml`, else `pyproject.toml`.

    Raises:
        UsageError: there is none.
    """
    if path is not None:
        return path
    for name in (FILE_NAME, PYPROJECT):
        if is_file(Path(name)):
            return Path(name)
    raise UsageError(f"there is no {FILE_NAME} here; write one, or name it with --policy FILE")


def read_policy(path: Path) -> PolicyFile:
    """Read and validate a policy.

    Raises:
        InputFileError: it cannot be read or says something impossible; the message has the line.
    """
    text = settings_text(path)
    table = parse_settings(text, path)
    lines = key_lines(text)
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    if path.name == PYPROJECT and not table:
        raise InputFileError(f"{path} has no table [tool.forensics]; add one, or use --policy FILE")
    try:
        policy_file = PolicyFile(Policy.model_validate(table), path, digest, lines)
    except ValidationError as error:
        raise InputFileError(explain(path, lines, error, policy_schema(), "the policy")) from None
    read_endpoints(path)
    return policy_file


def key_lines(text: str) -> dict[Location, int]:
    """Return location → 1-based line of every table and key that begins a line of TOML.

    Entries of an array of tables are numbered from 0. Keys inside inline tables are not found:
    they stand on the line of their table.
    """
    lines: dict[Location, int] = {}
    counts: dict[Location, int] = {}
    inside: Location = ()
    fence = ""
    for number, line in enumerate(text.split("\n"), start=1):
        fence, skip = _fenced(line, fence)
        if skip:
            continue
        header = _HEADER.match(line)
        if header:
            inside = _numbered(_dotted(header[2]), counts, header[1] == "[[")
            lines.setdefault(inside, number)
            continue
        key = _KEY.match(line)
        if key:
            lines.setdefault((*inside, *_dotted(key[1])), number)
    return lines


def _fenced(line: str, fence: str) -> tuple[str, bool]:
    """Return the quotes a multi-line string is open with after this line, and whether it was."""
    if fence:
        return ("" if fence in line else fence), True
    for quotes in ('"""', "'''"):
        if line.count(quotes) % 2:
            return quotes, False
    return "", False


def _dotted(key: str) -> tuple[str, ...]:
    try:
        value: Any = tomllib.loads(f"{key} = 0")
    except ValueError:
        return (key.strip(),)
    parts = []
    while isinstance(value, dict):
        name, value = next(iter(value.items()))
        parts.append(name)
    return tuple(parts)


def _numbered(path: tuple[str, ...], counts: dict[Location, int], is_entry: bool) -> Location:
    located: Location = ()
    for place, part in enumerate(path):
        located = (*located, part)
        if is_entry and place == len(path) - 1:
            counts[located] = counts.get(located, -1) + 1
        if located in counts:
            located = (*located, counts[located])
    return located


def line_of(lines: Mapping[Location, int], location: Sequence[str | int]) -> int:
    """Return the line of a location, or of the nearest one around it; 1 where there is none."""
    for end in range(len(location), 0, -1):
        line = lines.get(tuple(location[:end]))
        if line is not None:
            return line
    return 1


def explain(
    path: Path,
    lines: Mapping[Location, int],
    error: ValidationError,
    schema: Mapping[str, Any],
    whole: str,
) -> str:
    """Return in one line what is wrong with a TOML file, and on which line of it.

    Args:
        path: the file.
        lines: what `key_lines` gave for its text.
        error: what validating it raised.
        schema: the JSON Schema of what may stand there.
        whole: what the file is, where the fault is no single key's.
    """
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    # A misspelt key is also a missing one: its spelling is what helps.
    first = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
    location = tuple(first["loc"])
    prefix = ("tool", "forensics") if path.name == PYPROJECT else ()
    line = line_of(lines, (*prefix, *location))
    where = ".".join(map(str, location)) or whole
    if first["type"] == "extra_forbidden":
        says = f"is not a setting; {_did_you_mean(location, schema)}"
    else:
        says = _MESSAGES.get(first["type"]) or _plain(first["msg"])
    return f"{path}, line {line}: {where} {says}"


def _plain(message: str) -> str:
    """Return what validation says behind the name of a key: "must be 'a' or 'b'"."""
    message = message.replace("Input should be", "must be", 1)
    return message[:1].lower() + message[1:]


def _did_you_mean(location: Location, schema: Mapping[str, Any]) -> str:
    known = _known_keys(location[:-1], schema)
    close = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"


def _known_keys(location: Location, schema: Mapping[str, Any]) -> list[str]:
    """Return the keys that the table at a location may have, from the schema."""
    node: Any = schema
    for part in location:
        node = _table(node, schema)
        node = node.get("items", {}) if isinstance(part, int) else node["properties"].get(part, {})
    return list(_table(node, schema).get("properties", {}))


def _table(node: Any, schema: Mapping[str, Any]) -> Any:
    """Follow references and optional values to the table or list that is meant."""
    for choice in node.get("anyOf", ()):
        if "$ref" in choice:
            node = choice
    reference = node.get("$ref")
    return schema["$defs"][reference.rpartition("/")[2]] if reference else node
