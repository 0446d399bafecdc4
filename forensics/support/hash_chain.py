"""The hash chain of lines: how it is written, and the one place where it is read.

Every line is a JSON object whose last entry, `chain`, is the sha256 of the `chain` before it and of
the line as it was without that entry. Transcripts and case files are such files.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

CHAIN_START = "0" * 64
_CHAIN = re.compile(rb',"chain":"([^"\\]*)"\}\Z')
_HEX = re.compile(rb"[0-9a-f]{64}\Z")
# Looking for the place a line came from costs one hash of it for every line of the file.
_MAX_TRACED = 5
_MAX_TRACED_LINES = 20_000


def encode_line(content: Mapping[str, Any], previous: str) -> tuple[bytes, str]:
    """Return a transcript line (with newline) for `content`, and its `chain` value (hex)."""
    body = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    chain = hashlib.sha256((previous + body).encode("ascii")).hexdigest()
    return f'{body[:-1]},"chain":"{chain}"}}\n'.encode("ascii"), chain


def is_chain_value(text: str) -> bool:
    """Tell whether `text` can be a chain value: 64 lower-case hex digits."""
    return _HEX.match(text.encode("utf-8", "replace")) is not None


@dataclass(frozen=True)
class BrokenLink:
    """Something wrong with a line, counted from 1."""

    line: int
    what: str


@dataclass(frozen=True)
class ChainLine:
    """A line's bytes, without their newline."""

    raw: bytes

    @cached_property
    def _match(self) -> re.Match[bytes] | None:
        return _CHAIN.search(self.raw)

    @cached_property
    def chain(self) -> str:
        """The chain value, "" where there is none or where it cannot be one."""
        value = self._match and _HEX.match(self._match.group(1))
        return value.group().decode("ascii") if value else ""

    @cached_property
    def body(self) -> bytes | None:
        """The line as it was before the chain was added; None where no chain field stands."""
        return None if self._match is None else self.raw[: self._match.start()] + b"}"

    def follows(self, previous: str) -> str:
        """Return the chain value this line has to have after `previous`."""
        return hashlib.sha256(previous.encode("ascii") + (self.body or self.raw)).hexdigest()


def split_lines(raw: bytes) -> tuple[list[ChainLine], bytes]:
    """Return the lines that have an end, and what stands after the last end."""
    *pieces, unended = raw.split(b"\n")
    return [ChainLine(piece) for piece in pieces], unended


def chain_faults(lines: Sequence[ChainLine]) -> Iterator[BrokenLink]:
    """Yield each line that does not follow from the one before, with what must have happened."""
    stored = (CHAIN_START, *(line.chain for line in lines))
    # The values the next line may rest on. After a faulty line there are two: what it says, and
    # what its content gives (only its chain value may have been edited).
    before: tuple[str, ...] = (CHAIN_START,)
    unknown, traced = False, 0
    for number, line in enumerate(lines, 1):
        if not line.chain:
            yield BrokenLink(number, _unchained_words(line))
            if line.body is not None:
                before = tuple(line.follows(value) for value in before)
            elif line.raw.strip():
                unknown = True
            continue
        wanted = tuple(line.follows(value) for value in before)
        if line.chain in wanted or unknown:
            before, unknown = (line.chain,), False
            continue
        origin = _origin(line, stored) if traced < _MAX_TRACED else None
        traced += 1
        yield BrokenLink(number, _broken_words(number, origin))
        before = (line.chain, *wanted[:2])


def broken_link(raw: bytes) -> BrokenLink | None:
    """Return the first line that shows that chained content was changed; None where none does.

    Forgiven is what changes no answer: blank lines, line ends of another system, an end that a
    killed run cut off, and lines without a chain before the first that has one (written before
    there were chains).
    """
    lines, unended = split_lines(raw)
    links = [ChainLine(line.raw.removesuffix(b"\r")) for line in lines if line.raw.strip()]
    numbers = [number for number, line in enumerate(lines, 1) if line.raw.strip()]
    if unended.strip():
        last = ChainLine(unended.removesuffix(b"\r"))
        if last.chain:
            links, numbers = [*links, last], [*numbers, len(lines) + 1]
    first = next((i for i, line in enumerate(links) if line.chain or b'"chain"' in line.raw), None)
    if first is None:
        return None
    fault = next(chain_faults(links[first:]), None)
    return None if fault is None else BrokenLink(numbers[first + fault.line - 1], fault.what)


def _unchained_words(line: ChainLine) -> str:
    if not line.raw.strip():
        return "it is blank: no such line is ever written"
    if line.body is not None:
        return "its chain value was edited"
    if b'"chain"' in line.raw:
        return "it was written again by other means: its chain is not where it stood"
    return "it has no chain, unlike other lines: it was edited, inserted or written by other means"


def _origin(line: ChainLine, stored: Sequence[str]) -> int | None:
    """Return after which line (0: the start) this one was written, if that is in the file."""
    if len(stored) > _MAX_TRACED_LINES:
        return None
    places = (i for i, value in enumerate(stored) if value and line.follows(value) == line.chain)
    return next(places, None)


def _broken_words(number: int, origin: int | None) -> str:
    before = f"line {number - 1}" if number > 1 else "the start"
    if origin is None:
        return f"it was edited, or lines between {before} and it were removed"
    home = f"after line {origin}" if origin else "as the first line"
    return f"it was written {home}, not after {before}: lines were inserted, moved or repeated here"
