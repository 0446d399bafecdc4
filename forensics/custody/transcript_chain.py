"""Custody: is a transcript still what was written when the answers arrived?

Every line's `chain` is the sha256 of the `chain` before it and of the line's own bytes, so that an
edited, inserted, removed or moved line breaks the chain where it happened. Two things a chain
without a key cannot show by itself: that lines were removed from the end, and that somebody wrote
the whole file anew. Both show against the *seal*, the last line's `chain`, kept elsewhere.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from forensics.errors import UsageError
from forensics.subjects.backends.backend import Request
from forensics.subjects.backends.chat_protocol import Api, MalformedReplyError, Reply, to_response
from forensics.suites.suite import prompt_sha256
from forensics.support.hash_chain import (
    BrokenLink,
    ChainLine,
    chain_faults,
    is_chain_value,
    split_lines,
)
from forensics.transcripts.transcript import Response

Result = Literal["intact", "changed", "unchained"]


@dataclass(frozen=True)
class Contents:
    """What the lines say of themselves, as far as it can be checked; all counts are of lines.

    `raw_confirmed` bodies give their recorded hash when written out again; the others were spaced
    or ordered in a way that is not kept, so their hash can be checked only against the provider's
    own copy.
    """

    prompts_checked: int = 0
    answers_checked: int = 0
    raw_hashes: int = 0
    raw_confirmed: int = 0
    sessions: int = 0
    request_ids: int = 0
    fingerprints: tuple[str, ...] = ()
    first: str | None = None
    last: str | None = None


@dataclass(frozen=True)
class Custody:
    """What a transcript's bytes show.

    `chains` has each line's chain value (hex), "" where it has none. `cut_off` says that the last
    line has no end: a killed run leaves that, and so does cutting the file.
    """

    chains: tuple[str, ...]
    faults: tuple[BrokenLink, ...]
    cut_off: bool
    contents: Contents
    sha256: str

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return len(self.chains)

    @property
    def result(self) -> Result:
        """`unchained`: no line has a chain, so nothing can be said about edits."""
        if self.faults:
            return "changed"
        return "intact" if any(self.chains) else "unchained"

    @property
    def seal(self) -> str | None:
        """The last line's chain value: with it a removed end shows too."""
        return self.chains[-1] or None if self.chains else None


def examine(raw: bytes) -> Custody:
    """Check a transcript's bytes; any difference from what was written counts, spaces included."""
    lines, unended = split_lines(raw)
    lines += [ChainLine(unended)] if unended else []
    parsed = [_object(line.raw) for line in lines]
    chained = any(line.chain for line in lines) or any(map(_has_chain, parsed))
    faults = {fault.line: fault for fault in chain_faults(lines)} if chained else {}
    for number, value in enumerate(parsed, 1):
        what = _content_fault(value)
        if what and number not in faults:
            faults[number] = BrokenLink(number, what)
    if unended:
        faults[len(lines)] = BrokenLink(len(lines), _cut_words(parsed[-1] is not None))
    return Custody(
        tuple(line.chain for line in lines),
        tuple(faults[number] for number in sorted(faults)),
        bool(unended),
        _contents([value for value in parsed if value is not None]),
        hashlib.sha256(raw).hexdigest(),
    )


def _has_chain(value: dict[str, Any] | None) -> bool:
    # Written again by another program, a line has its chain but is not what it was.
    chain = value.get("chain") if value else None
    return isinstance(chain, str) and is_chain_value(chain)


def _cut_words(whole: bool) -> str:
    if whole:
        return "its line end is missing"
    return "it is cut off: a run was killed while writing it, or the end of the file was removed"


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _content_fault(value: dict[str, Any] | None) -> str | None:
    if value is None:
        return "it is not a JSON object"
    try:
        response = Response.from_json(value)
    except (KeyError, TypeError, ValueError, OverflowError):
        return "it is not a response"
    messages = response.prompt.messages
    if messages and prompt_sha256(messages) != response.prompt.sha256:
        return "its prompt_sha256 is not the hash of its messages"
    if _answer_checkable(response) and not _is_raw_answer(response):
        return "its text is not in the raw body beside it"
    return None


def _answer_checkable(response: Response) -> bool:
    return isinstance(response.raw, dict) and response.status in ("ok", "truncated")


def _is_raw_answer(response: Response) -> bool:
    choices = response.raw.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict):
        return True
    api: Api = "chat" if "message" in first else "completions"
    reply = Reply(200, {}, "", content=response.raw)
    request = Request(response.prompt, response.sample, 0, "")
    try:
        read = to_response(
            reply, request, api=api, rejected=frozenset(), requested_at="", completed_at=""
        )
    except MalformedReplyError:
        return True
    # Versions may cut reasoning from an answer differently: containing it is enough.
    return response.text == read.text or any(response.text in text for text in _strings(first))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def _contents(values: Sequence[Mapping[str, Any]]) -> Contents:
    times = sorted(str(v["completed_at"]) for v in values if v.get("completed_at"))
    hashed = [v for v in values if v.get("raw_sha256")]
    return Contents(
        prompts_checked=sum(bool(v.get("messages")) for v in values),
        answers_checked=sum(
            isinstance(v.get("raw"), dict) and v.get("status") in ("ok", "truncated")
            for v in values
        ),
        raw_hashes=len(hashed),
        raw_confirmed=sum(_raw_confirmed(v) for v in hashed),
        sessions=sum("manifest" in v for v in values),
        request_ids=sum(bool(v.get("request_id")) for v in values),
        fingerprints=tuple(dict.fromkeys(str(f) for f in map(_fingerprint, values) if f)),
        first=times[0] if times else None,
        last=times[-1] if times else None,
    )


def _fingerprint(value: Mapping[str, Any]) -> Any:
    return value.get("system_fingerprint")


def _raw_confirmed(value: Mapping[str, Any]) -> bool:
    raw = value.get("raw")
    if isinstance(raw, dict):
        raw = {key: item for key, item in raw.items() if key != "dropped_parameters"}
    for separators in ((", ", ": "), (",", ":")):
        for ascii_only in (True, False):
            text = json.dumps(raw, ensure_ascii=ascii_only, separators=separators)
            body = text.encode("utf-8", "surrogatepass")
            if hashlib.sha256(body).hexdigest() == value["raw_sha256"]:
                return True
    return False


def check_seal(custody: Custody, seal: str) -> str | None:
    """Return what is wrong with the file, given a seal kept elsewhere; None where it fits.

    Raises:
        UsageError: the seal is not one.
    """
    wanted = seal.strip().lower()
    if not is_chain_value(wanted):
        raise UsageError(
            f"--seal takes the 64 hex digits that `forensics verify` prints, not {seal!r}"
        )
    if custody.seal == wanted:
        return None
    if wanted in custody.chains:
        at = custody.chains.index(wanted) + 1
        return f"the seal is that of line {at}: the lines after it were added since"
    return "the seal is not in the file: lines were removed from its end, or it was rewritten"


def prefix_with_hash(raw: bytes, sha256: str) -> bytes | None:
    """Return the leading lines of `raw` (all of them included) whose sha256 (hex) is the given one.

    A transcript only grows, so one that was hashed earlier is still there at its start.
    """
    digest, end = hashlib.sha256(), 0
    for line in io.BytesIO(raw):
        digest.update(line)
        end += len(line)
        if digest.copy().hexdigest() == sha256:
            return raw[:end]
    return None
