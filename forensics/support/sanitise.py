"""Model output as text that is safe to show: nothing hidden, nothing that acts, nothing lost."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

Span = tuple[int, int]

_MARK = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
# Control characters, direction overrides, invisible characters, tag characters, noncharacters and
# lone surrogates: they act on a terminal, reorder what is read, or cannot be encoded at all. From
# the fifth combining mark on a letter, marks would pile up over the lines around them.
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    r"\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
    rf"|(?<={_MARK}{_MARK}{_MARK}{_MARK}){_MARK}"
)
_SPACE = re.compile(r"\s+")
# What a spreadsheet takes for the beginning of a formula; the last is the minus sign of typography.
_FORMULA = "=+-@\u2212"
_CONTROL = ("\t", "\r", "\n")


def _escape(match: re.Match[str]) -> str:
    return _written_out(match.group())


def _written_out(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def visible(text: str) -> str:
    r"""Return `text` with every character that hides or acts written as an escape (`\x1b`).

    Line feeds and tabs stay; CR LF becomes LF.
    """
    return _HIDDEN.sub(_escape, text.replace("\r\n", "\n"))


def visible_parts(text: str) -> Iterator[tuple[str, bool]]:
    """Yield what `visible` returns in parts, each with whether it is an escape."""
    text = text.replace("\r\n", "\n")
    end = 0
    for match in re.finditer(rf"(?:{_HIDDEN.pattern})+", text):
        if match.start() > end:
            yield text[end : match.start()], False
        yield "".join(map(_written_out, match.group())), True
        end = match.end()
    if end < len(text):
        yield text[end:], False


def one_line(text: str, limit: int = 200) -> str:
    """Return `text` visible, on one line, of at most `limit` characters."""
    # Cut generously first: a huge text need not be searched to its end.
    short = visible(_SPACE.sub(" ", text[: limit * 4]).strip())
    return short if len(short) <= limit and len(text) <= limit * 4 else clip(short, limit)


def clip(text: str, limit: int) -> str:
    """Return at most `limit` characters of `text`, the last an ellipsis where it was cut."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + "…"


def cell(text: str) -> str:
    """Return text that no spreadsheet takes for a formula.

    Spreadsheets pass over blanks and invisible characters in front, and some read full-width and
    small forms of the signs as the signs themselves.
    """
    shown = _HIDDEN.sub("", text).lstrip()
    first = unicodedata.normalize("NFKC", shown[:1])
    is_formula = first != "" and first in _FORMULA
    return f"'{text}" if is_formula or text.startswith(_CONTROL) else text


def encodable(text: str, encoding: str) -> str:
    """Return `text` with what `encoding` cannot express as visible escapes."""
    ascii_marks = text if encoding.lower().startswith("utf") else text.translate(_ASCII)
    return ascii_marks.encode(encoding, "backslashreplace").decode(encoding)


_ASCII = str.maketrans({"…": "...", "–": "-", "—": "-", "·": "-", "›": ">", "«": "<<", "»": ">>"})


def segments(text: str, spans: Iterable[Span]) -> list[tuple[str, bool]]:
    """Cut `text` at `spans` and return its pieces in order, each with whether a span covers it.

    Spans may overlap, be out of order or reach beyond the text; empty ones are ignored.
    """
    pieces: list[tuple[str, bool]] = []
    end = 0
    for start, stop in merged(spans, len(text)):
        if start > end:
            pieces.append((text[end:start], False))
        pieces.append((text[start:stop], True))
        end = stop
    if end < len(text):
        pieces.append((text[end:], False))
    return pieces


def merged(spans: Iterable[Span], length: int) -> list[Span]:
    """Return the spans clamped to `[0, length]`, sorted, overlapping ones joined."""
    clamped = sorted((max(0, start), min(length, stop)) for start, stop in spans)
    result: list[Span] = []
    for start, stop in clamped:
        if start >= stop:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(stop, result[-1][1]))
        else:
            result.append((start, stop))
    return result


def excerpt(text: str, spans: Iterable[Span], limit: int) -> list[tuple[str, bool]]:
    """Return about `limit` characters of `text` on one line, around its longest span.

    Returns:
        Pieces as from `segments`, made visible, with ellipses where something was left out.
    """
    shared = merged(spans, len(text))
    longest = max(shared, key=lambda span: (span[1] - span[0], -span[0]), default=(0, 0))
    room = max(0, limit - (longest[1] - longest[0])) // 3
    start = max(0, min(longest[0] - room, len(text) - limit))
    if start:
        word = _SPACE.search(text, start, start + 20)
        start = word.end() if word else start
    stop = min(len(text), start + limit)
    if stop < len(text):
        stop = max((m.start() for m in _SPACE.finditer(text, stop - 20, stop)), default=stop)
    window = [(low - start, high - start) for low, high in shared]
    pieces = [
        (visible(_SPACE.sub(" ", piece)), is_shared)
        for piece, is_shared in segments(text[start:stop], window)
    ]
    before = [("…", False)] if start else []
    after = [("…", False)] if stop < len(text) else []
    return before + pieces + after
