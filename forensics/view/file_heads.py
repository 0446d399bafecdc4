"""The little of a result that a table shows, read without the answers it holds.

A case is written a line for each field, so its subjects stand at its beginning and its verdict at
its end; of a megabyte of answers between them nothing is read. A check is written with one blank
for each level, by which the cases that it holds are found. Documents in another layout are read
whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import TypeAdapter, ValidationError

from forensics.case.document import SCHEMA_VERSION
from forensics.case.questions import QuestionAnswer
from forensics.errors import InputFileError
from forensics.policy.outcomes import Outcome
from forensics.support.sanitise import one_line
from forensics.view.recognising import HEAD, document

_CASES = re.compile(rb'\n "cases": \[\n')
_CASE = b'\n  {\n   "schema_version": '
_ANSWERS = TypeAdapter(tuple[QuestionAnswer, ...])
_OUTCOMES = TypeAdapter(tuple[Outcome, ...])


@dataclass(frozen=True)
class CaseHead:
    """What a table says of a case: who, when, and the answers.

    `transcripts` are the hashes of the answers of both, which tell that two files are of one pair.
    """

    known: str
    questioned: str
    created_at: str
    answers: tuple[QuestionAnswer, ...]
    headline: str
    blind: bool
    transcripts: tuple[str, str]


@dataclass(frozen=True)
class CheckHead:
    """What a table says of a check; `cases` are those that it holds, in order."""

    subject: str
    policy: str
    created_at: str
    status: str
    exit_code: int
    outcomes: tuple[Outcome, ...]
    cases: tuple[CaseHead, ...]


@dataclass(frozen=True)
class TraceHead:
    """What a table says of a trace."""

    subject: str
    cohort: str
    named: tuple[str, ...]
    candidates: int
    reading: str


@dataclass(frozen=True)
class TranscriptHead:
    """What a table says of a transcript, by its first line; `size` is in bytes."""

    subject: str
    suite: str
    started_at: str
    size: int


def case_head(path: Path) -> CaseHead:
    """Read the head of a case.

    Raises:
        InputFileError: it is not a case, is damaged where it was read, or of a later version.
    """
    with _explained():
        return _case_head(_ends(path) or document(path))


def check_head(path: Path) -> CheckHead:
    """Read the head of a check's result, and of the cases that it holds.

    Raises:
        InputFileError: it is not one, or is damaged where it was read.
    """
    with _explained():
        raw = path.read_bytes()
        content = _without_cases(raw)
        if content is None:
            whole = document(path)
            return _check_head(whole, whole.get("cases", ()))
        return _check_head(content, _case_fields(raw))


def trace_head(path: Path) -> TraceHead:
    """Read the head of a trace.

    Raises:
        InputFileError: it is not one.
    """
    with _explained():
        content = document(path)
        return TraceHead(
            subject=_text(content["subject"]),
            cohort=_text(content["cohort"]),
            named=tuple(map(_text, content["named"])),
            candidates=len(content["relatives"]),
            reading=_text(content["reading"]),
        )


def transcript_head(path: Path) -> TranscriptHead:
    """Read the head of a transcript: who was asked what, and when.

    Raises:
        InputFileError: its first line is not a response.
    """
    with _explained():
        with path.open("rb") as file:
            line = json.loads(file.readline().removeprefix(b"\xef\xbb\xbf"))
        manifest = line.get("manifest") or {}
        return TranscriptHead(
            subject=_text(manifest.get("subject", path.stem)),
            suite=_text(manifest.get("suite", {}).get("name", "")),
            started_at=_text(manifest.get("started_at", "")),
            size=path.stat().st_size,
        )


@contextmanager
def _explained() -> Iterator[None]:
    """Whatever goes wrong with a document from anywhere is said in one line."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InputFileError(f"{one_line(where, 80)}: {first['msg']}") from error
    except KeyError as error:
        raise InputFileError(f"it has no {one_line(str(error.args[0]), 80)!r}") from error
    except OSError as error:
        raise InputFileError(f"it cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputFileError(f"it is damaged: {one_line(str(error), 160)}") from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.40} stands where text belongs")
    return value


def _ends(path: Path) -> Mapping[str, Any] | None:
    """Return the fields before the answers and after the evidence; None in another layout."""
    with path.open("rb") as file:
        start = _until(file, b'\n"prompts": [')
        if start is None:
            return None
        end = _since(file, b'\n"verdict": ')
    if end is None:
        return None
    fields: dict[str, Any] = json.loads(start.rstrip().rstrip(b",") + b"}")
    return {**fields, **json.loads(b"{" + end)}


def _until(file: BinaryIO, mark: bytes) -> bytes | None:
    """Return what stands before a mark that begins a line."""
    content = b""
    while block := file.read(HEAD):
        content += block
        at = content.find(mark)
        if at >= 0:
            return content[:at]
        if len(content) > _LONGEST_START:
            return None
    return None


_LONGEST_START = 1 << 24  # bytes: manifests of many sessions stand there


def _since(file: BinaryIO, mark: bytes) -> bytes | None:
    """Return what stands behind a mark that begins a line, from the last one on."""
    size = file.seek(0, 2)
    span = HEAD // 2
    while True:
        file.seek(max(size - span, 0))
        content = file.read(span)
        at = content.rfind(mark)
        if at >= 0:
            return content[at:]
        if span >= size:
            return None
        span *= 4


def _case_head(fields: Mapping[str, Any]) -> CaseHead:
    version = str(fields.get("schema_version", ""))
    if version.split(".", maxsplit=1)[0] not in ("", SCHEMA_VERSION.split(".", maxsplit=1)[0]):
        raise InputFileError(f"its schema version {version} is later than this program reads")
    a, b, verdict = fields["a"], fields["b"], fields["verdict"]
    return CaseHead(
        known=_text(a["name"]),
        questioned=_text(b["name"]),
        created_at=_text(fields["created_at"]),
        answers=_ANSWERS.validate_python(verdict.get("answers", ())),
        headline=_text(verdict["headline"]),
        blind=fields.get("blind") is True,
        transcripts=(_text(a["transcript_sha256"]), _text(b["transcript_sha256"])),
    )


def _check_head(fields: Mapping[str, Any], cases: Sequence[Mapping[str, Any]]) -> CheckHead:
    return CheckHead(
        subject=_text(fields["subject"]),
        policy=_text(fields["policy"]),
        created_at=_text(fields["created_at"]),
        status=_text(fields["status"]),
        exit_code=int(fields["exit_code"]),
        outcomes=_OUTCOMES.validate_python(fields["outcomes"]),
        cases=tuple(map(_case_head, cases)),
    )


def _without_cases(raw: bytes) -> Mapping[str, Any] | None:
    """Return a check's fields but its cases; None in another layout."""
    begins = _CASES.search(raw)
    ends = raw.rfind(b'\n ],\n "status":')
    if begins is None or ends < begins.start():
        return None
    rest: Mapping[str, Any] = json.loads(raw[: begins.end()] + raw[ends:])
    return rest


def _case_fields(raw: bytes) -> list[Mapping[str, Any]]:
    return [_fields_of(part) for part in _case_parts(raw)]


def _case_parts(raw: bytes) -> Iterator[bytes]:
    at = raw.find(_CASE)
    while at >= 0:
        following = raw.find(_CASE, at + 1)
        yield raw[at:following] if following >= 0 else raw[at:]
        at = following


def _fields_of(part: bytes) -> Mapping[str, Any]:
    """Return the fields of a case within a check that a table shows."""
    fields: dict[str, Any] = {}
    for name in ("schema_version", "created_at", "a", "b", "verdict", "blind"):
        begin = part.find(f'\n   "{name}": '.encode("ascii"))
        if begin < 0:
            continue
        # The next line that begins at this level, or ends the case.
        end = re.compile(rb'\n(?:   "|  \})').search(part, begin + 4)
        value = part[begin : end.start() if end else len(part)].strip().rstrip(b",")
        fields |= json.loads(b"{" + value + b"}")
    return fields
