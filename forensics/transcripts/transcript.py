"""Transcripts: every answer of one subject, one JSON object a line.

Every line is a response. The first response of each session also carries the `manifest` (of whom,
which settings, when, by which version), so that a transcript is one file that can be appended to,
moved and cut, and still says where it came from. Lines are hash-chained: `chain` is the sha256 of
the previous line's `chain` and of the line's own content.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from forensics.errors import InputFileError
from forensics.suites.suite import Message, Prompt, Suite
from forensics.support.chained_file import is_json
from forensics.support.hash_chain import broken_link
from forensics.transcripts.endings import Status, ending

if TYPE_CHECKING:
    import pandas as pd

STATUSES: tuple[Status, ...] = ("ok", "truncated", "filtered", "error")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Response:
    """One answer to one prompt.

    `status` is about the call, not the content: a model that refuses is `ok`, an HTTP 500 is
    `error`. `reasoning` is the thinking channel, kept apart from `text`. `key` identifies the call
    (endpoint or file, model, system prompt, prompt, settings, sample); `raw` is what an endpoint
    returned, as it came.
    """

    prompt: Prompt
    text: str
    sample: int = 0
    status: Status = "ok"
    reasoning: str | None = None
    finish_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    logprobs: list[dict[str, Any]] | None = None
    requested_at: str | None = None
    completed_at: str | None = None
    request_id: str | None = None
    model: str | None = None
    provider: str | None = None
    system_fingerprint: str | None = None
    raw: Any = None
    raw_sha256: str | None = None
    error: str | None = None
    key: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the response as the JSON object of its line; absent values are left out."""
        line: dict[str, Any] = {
            "prompt_id": self.prompt.id,
            "prompt_sha256": self.prompt.sha256,
            "sample": self.sample,
            "text": self.text,
            "status": self.status,
            "category": self.prompt.category,
            "language": self.prompt.language,
            "messages": [list(message) for message in self.prompt.messages],
        }
        optional = {name: getattr(self, name) for name in _OPTIONAL}
        return line | {name: value for name, value in optional.items() if value is not None}

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Self:
        """Read a line's object.

        Raises:
            KeyError, TypeError, ValueError: it is not a response.
        """
        status = line["status"]
        if status not in STATUSES or not isinstance(line["text"], str):
            raise ValueError(f"status {status!r} or text is not valid")
        messages = tuple(Message(role, content) for role, content in line.get("messages") or ())
        if not all(isinstance(part, str) for message in messages for part in message):
            raise ValueError("messages are not text")
        prompt = Prompt(
            str(line["prompt_id"]),
            messages,
            str(line.get("category", "uncategorised")),
            str(line.get("language", "und")),
            # The stored hash is the identity: a prompt without text has nothing to hash again.
            known_as=str(line["prompt_sha256"]),
        )
        optional = {name: line[name] for name in _OPTIONAL if line.get(name) is not None}
        # An endpoint may send numbers where text belongs.
        optional |= {name: str(optional[name]) for name in _TEXTS if name in optional}
        return cls(
            prompt=prompt, text=line["text"], sample=int(line["sample"]), status=status, **optional
        )


_OPTIONAL = tuple(
    name
    for name in Response.__dataclass_fields__
    if name not in ("prompt", "text", "sample", "status")
)
_TEXTS = tuple(n for n in _OPTIONAL if Response.__dataclass_fields__[n].type == "str | None")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a session asked, of whom, and how.

    `identity` says exactly what answered (kind, model, endpoint or file hash, template, dtype);
    `settings` are the generation settings; `provenance` is `collected` or `imported`.
    """

    subject: str
    identity: Mapping[str, Any]
    suite: Mapping[str, Any]
    settings: Mapping[str, Any]
    provenance: Literal["collected", "imported"]
    started_at: str
    version: str
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as a JSON object."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {
            "notes": list(self.notes)
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read a manifest object; fields a later version added are ignored.

        Raises:
            KeyError, TypeError, ValueError: it is not a manifest.
        """
        if value["provenance"] not in ("collected", "imported"):
            raise ValueError(f"provenance {value['provenance']!r} is not valid")
        # A manifest goes into the Case, which is strict JSON: no NaN, no infinity.
        json.dumps(value, allow_nan=False)
        known: dict[str, Any] = {n: str(value[n]) for n in ("subject", "started_at", "version")}
        known |= {name: dict(value[name]) for name in ("identity", "suite", "settings")}
        notes = tuple(str(note) for note in value.get("notes", ()))
        return cls(**known, provenance=value["provenance"], notes=notes)


@dataclass(frozen=True)
class Transcript:
    """Every response of one subject, the latest per prompt and sample, with its manifests.

    `broken` says where the hash chain shows that lines were changed; nothing where it does not.
    """

    name: str
    responses: tuple[Response, ...]
    manifests: tuple[Manifest, ...] = ()
    warnings: tuple[str, ...] = ()
    sha256: str = ""
    path: str | None = None
    broken: str = ""

    @cached_property
    def prompts(self) -> dict[str, Prompt]:
        """Prompt hash → prompt."""
        return {r.prompt.sha256: r.prompt for r in self.responses}

    def count(self, status: Status) -> int:
        """Return how many responses have this status."""
        return sum(r.status == status for r in self.responses)

    def to_frame(self) -> pd.DataFrame:
        """Return a row per response: what was asked, what came back and how the call ended."""
        from forensics.transcripts.transcript_frame import transcript_frame

        return transcript_frame(self.responses)


def read_transcript(path: Path) -> Transcript:
    """Read a transcript file.

    A half-written last line (a killed run) is left out with a warning. When a prompt and sample
    stand there twice, a response that is not an error wins, then the later one.

    Raises:
        InputFileError: no such file, not UTF-8, no responses, or a line that is not a response.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputFileError(f"cannot read transcript {path}: {error.strerror}") from error
    lines, warnings = _split(raw, path)
    entries = [_parse(line, number, path) for number, line in lines]
    latest: dict[tuple[str, int], Response] = {}
    for entry in entries:
        response = _read(Response.from_json, entry.value, entry, path)
        slot = (response.prompt.sha256, response.sample)
        if slot in latest and response.status == "error" and latest[slot].status != "error":
            continue
        latest[slot] = response
    if not latest:
        raise InputFileError(f"transcript {path} holds no responses; probe or import it again")
    described = [e for e in entries if "manifest" in e.value]
    manifests = tuple(_read(Manifest.from_json, e.value["manifest"], e, path) for e in described)
    name = str(manifests[0].subject) if manifests else path.stem
    digest = hashlib.sha256(raw).hexdigest()
    responses = tuple(latest.values())
    warnings += _id_warnings(responses) + unknown_endings(responses)
    link = broken_link(raw)
    broken = f"line {link.line}: {link.what}" if link else ""
    return Transcript(name, responses, manifests, tuple(warnings), digest, str(path), broken)


def unbroken(transcript: Transcript, allow: bool = False) -> Transcript:
    """Return a transcript whose hash chain holds, or that is marked as one whose does not.

    Args:
        transcript: as it was read.
        allow: whether a broken one is taken, with a warning.

    Raises:
        InputFileError: it is broken, and none such is taken.
    """
    if not transcript.broken:
        return transcript
    if not allow:
        raise _changed(Path(transcript.path or transcript.name), transcript.broken)
    warning = f"{transcript.path}, {transcript.broken}; read anyway, because of --allow-broken"
    return replace(transcript, warnings=(*transcript.warnings, warning))


def check_chain(path: Path) -> None:
    """Check a transcript's hash chain before anybody is asked what would be added to it.

    Raises:
        InputFileError: it is broken.
    """
    link = broken_link(path.read_bytes()) if path.is_file() else None
    if link is not None:
        raise _changed(path, f"line {link.line}: {link.what}")


def _changed(path: Path, what: str) -> InputFileError:
    return InputFileError(
        f"transcript {path}, {what}; its hash chain is broken: go back to the unchanged file, or "
        "accept it as it is with --allow-broken, which every report then says"
    )


@dataclass(frozen=True)
class _Entry:
    number: int
    value: dict[str, Any]


def _split(raw: bytes, path: Path) -> tuple[list[tuple[int, bytes]], list[str]]:
    lines = [(i + 1, line) for i, line in enumerate(raw.split(b"\n")) if line.strip()]
    if not lines or raw.endswith(b"\n") or is_json(lines[-1][1]):
        return lines, []
    number = lines[-1][0]
    return lines[:-1], [f"{path}: line {number} was cut off while being written and is left out"]


def _parse(line: bytes, number: int, path: Path) -> _Entry:
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InputFileError(
            f"transcript {path}, line {number}: not UTF-8 text; convert the file to UTF-8"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputFileError(
            f"transcript {path}, line {number}: not JSON; is this a transcript? "
            "Tables and other tools' files go through `forensics import`"
        ) from error
    if not isinstance(value, dict):
        raise InputFileError(f"transcript {path}, line {number}: not a JSON object")
    return _Entry(number, value)


def _read(make: Callable[[Any], T], value: Any, entry: _Entry, path: Path) -> T:
    try:
        return make(value)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        what = f"missing {error}" if isinstance(error, KeyError) else str(error)
        raise InputFileError(
            f"transcript {path}, line {entry.number}: not a response ({what}); "
            "other formats go through `forensics import`"
        ) from error


def _id_warnings(responses: Iterable[Response]) -> list[str]:
    hashes: dict[str, set[str]] = {}
    for response in responses:
        hashes.setdefault(response.prompt.id, set()).add(response.prompt.sha256)
    repeated = sorted(
        prompt_id for prompt_id, distinct_hashes in hashes.items() if len(distinct_hashes) > 1
    )
    if not repeated:
        return []
    return [
        f"{len(repeated)} prompt ids stand for several prompts (first: {repeated[0]!r}); "
        "prompts are matched by their hash, not by id"
    ]


def unknown_endings(responses: Iterable[Response]) -> list[str]:
    """Return a warning for each finish reason that nobody knows."""
    reasons = Counter(r.finish_reason for r in responses if r.finish_reason)
    notes = ((ending(reason).note, count) for reason, count in reasons.items())
    return [f"{count} {note}" for note, count in notes if note is not None]


def ad_hoc_suite(transcripts: Iterable[Transcript]) -> Suite:
    """Return the suite formed by the prompts of imported transcripts, in order of appearance."""
    prompts: dict[str, Prompt] = {}
    for transcript in transcripts:
        prompts = transcript.prompts | prompts
    return Suite("ad-hoc", "1", "Prompts found in the transcripts", tuple(prompts.values()))


def iter_keys(transcript: Transcript) -> Iterator[str]:
    """Yield the keys of the calls that were answered (errors are asked again)."""
    return (r.key for r in transcript.responses if r.key and r.status != "error")
