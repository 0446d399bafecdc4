"""What a file holds, told by its content: the beginning suffices for what this program writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from forensics.custody.case_file import PLAN
from forensics.errors import InputFileError
from forensics.support.file_kinds import foreign, is_safetensors

FileKind = Literal[
    "case",
    "check",
    "trace",
    "exposure",
    "plan",
    "transcript",
    "cohort",
    "fleet",
    "page",
    "other",
]  # "plan": a case file, claims and analysis frozen beforehand; "fleet": a subject of a job
HEAD = 1 << 16  # bytes of a file that are read to tell what it is
LARGEST = 1 << 28  # bytes of a document in another layout, which has to be read whole
_LONGEST_LINE = 1 << 24  # of a transcript: an answer with everything that an endpoint sent
_BOM = b"\xef\xbb\xbf"
_PAGE = (b"<!doctype", b"<html")
# What a document of each kind has; the layout that this program writes begins with the first.
_KEYS: Mapping[FileKind, frozenset[str]] = {
    "case": frozenset({"suite", "a", "b", "overlap", "verdict"}),
    "check": frozenset({"policy_sha256", "outcomes", "exit_code"}),
    "trace": frozenset({"subject", "cohort", "relatives", "reading"}),
    "exposure": frozenset({"kind", "finding", "sentence", "log_sha256"}),
    "fleet": frozenset({"key", "subject", "work", "status", "findings"}),
}
_TRANSCRIPT = frozenset({"prompt_id", "prompt_sha256", "sample", "text", "status"})


def recognised(path: Path) -> FileKind:
    """Tell what a file holds, whatever its name; "other" where it is no kind of result.

    Raises:
        InputFileError: it cannot be read, or is broken JSON.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise InputFileError(f"it cannot be read: {error.strerror}") from error
    if is_safetensors(head):
        return "cohort"
    begins = head.removeprefix(_BOM).lstrip()
    if begins[:20].lower().startswith(_PAGE):
        return "page"
    if begins.startswith(b"PK"):
        raise InputFileError("it is a ZIP archive, such as a bundle; unpack it to see its case")
    known = foreign(head[:1024])
    if known is not None:
        raise InputFileError(f"it is {known[0]}")
    if not begins.startswith(b"{"):
        return "other"
    return _written(head) or _of_lines(path) or _of_document(path)


def _written(head: bytes) -> FileKind | None:
    """Return the kind of a document in the layout that this program writes."""
    if head.startswith(b'{\n"schema_version":') and b'\n"suite": {' in head:
        return "case"
    if head.startswith(b'{\n "headline":') and b'\n "policy_sha256":' in head:
        return "check"
    if head.startswith(b'{\n "kind": "exposure"'):
        return "exposure"
    if head.startswith(b'{\n "schema_version":') and b'\n "work":' in head:
        return "fleet"
    if head.startswith(b'{\n "subject":') and b'\n "cohort":' in head and b'"known_as":' in head:
        return "trace"
    return None


def _of_lines(path: Path) -> FileKind | None:
    """Return the kind of a file of JSON lines, None where its first line is no JSON object."""
    with path.open("rb") as file:
        line = file.readline(_LONGEST_LINE).removeprefix(_BOM)
    try:
        first = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(first, dict):
        return None
    if first.get("kind") == PLAN:
        return "plan"
    return "transcript" if first.keys() >= _TRANSCRIPT else None


def _of_document(path: Path) -> FileKind:
    keys = document(path).keys()
    return next((kind for kind, wanted in _KEYS.items() if keys >= wanted), "other")


def document(path: Path) -> Mapping[str, Any]:
    """Return a JSON object, read whole.

    Raises:
        InputFileError: it cannot be read, is too large, or is not a JSON object.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise InputFileError(f"it cannot be read: {error.strerror}") from error
    if len(raw) > LARGEST:
        raise InputFileError(f"it is larger than {LARGEST >> 20} MiB and in an unknown layout")
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InputFileError(f"it is not complete JSON: {error}") from error
    if not isinstance(content, dict):
        raise InputFileError("it is not a JSON object")
    return content
