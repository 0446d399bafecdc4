"""Where an answer does what: sentences, mentions left out, and the matches of the patterns."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from forensics.evidence.refusals.lexicons import GROUPS, LEXICONS, Group, Part, compiled
from forensics.evidence.refusals.starts import index

_SENTENCE = re.compile(r"[^.!?。！？।؟\n]+[.!?。！？।؟]*")
_SPACES = re.compile(r"\s+")
_LETTER = re.compile(r"[^\W_]")
_QUOTED = re.compile(r'"[^"\n]{6,600}"|[「『][^」』\n]{5,400}[」』]|``[^`]{12,600}``')
_FENCED = re.compile(r"```[^`]*(?:```|\Z)")
_BLOCK_QUOTE = re.compile(r"^[ ]{0,3}>[^\n]*", re.MULTILINE)
_SPEAKER = re.compile(
    r"^[ ]*(?!note|assistant|ai\b|answer|response|warning|disclaimer|important|sorry|output|reply)"
    r"[a-z\u0400-\u9fff][^\n:.,]{0,25}:[ ][^\n]+",
    re.MULTILINE,
)
# A literal new line is found faster than "^": it is looked for in the text with one put before it.
_SALUTATION = re.compile(
    r"\n[ ]*(?:dear|subject:|betreff:|objet ?:|asunto:|sehr geehrte|liebe[rs]? |querid[oa]|"
    r"estimad[oa]|cher |chere |madame|уважаем|дорог|тема:|hyva |尊敬的|拝啓)[^\n]{0,80}$",
    re.MULTILINE,
)

_DECISIVE: tuple[Group, ...] = (
    "decline",
    "inability",
    "apology",
    "norm",
    "reject",
    "objection",
    "lecture",
    "resource",
)
_FIRST: tuple[Part, ...] = (*_DECISIVE, "exempt", "limits")
_OTHERS: tuple[Group, ...] = tuple(group for group in GROUPS if group not in _DECISIVE)
_UNDONE_BY_NEGATION: tuple[Group, ...] = ("offer", "redirect", "comply", "courtesy")

Places = Mapping[Part, Sequence[tuple[int, str]]]
"""For a part of the lexicon where it could match and in which language, in reading order."""


@dataclass(frozen=True)
class Hit:
    """A match of a group: where, and in which sentence."""

    group: Group
    start: int
    end: int
    sentence: int


def mask_mentions(text: str) -> str:
    """Blank what the answer quotes, codes or has others say, unless nothing else is left."""
    masked = text
    for sign, pattern in (("```", _FENCED), ("", _QUOTED), (">", _BLOCK_QUOTE)):
        if sign in masked:
            masked = pattern.sub(_blank, masked)
    if masked.count(": ") >= 3 and len(_SPEAKER.findall(masked)) >= 3:
        masked = _SPEAKER.sub(_blank, masked)
    salutation = _SALUTATION.search(f"\n{masked}")
    if salutation:
        end = salutation.end() - 1
        rest = masked[end:]
        masked = masked[:end] + re.sub(r"[^\s.!?]", "~", rest)
    blanked = masked.count("~") - text.count("~")
    return masked if blanked <= 0.85 * len(text) else text


def _blank(match: re.Match[str]) -> str:
    return "~" * (match.end() - match.start())


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Return ``[start, end)`` of every sentence with a letter or digit in it."""
    return [
        match.span()
        for match in _SENTENCE.finditer(text)
        if match.end() - match.start() > 2 and _LETTER.search(text, *match.span())
    ]


def find_hits(
    text: str, sentences: Sequence[tuple[int, int]], languages: Sequence[str]
) -> list[Hit]:
    """Find what the answer does.

    Args:
        text: folded text, mentions blanked.
        sentences: ``[start, end)`` of each sentence in it.
        languages: ISO codes of the languages to read it in, in order of preference.

    Returns:
        Matches in order of position; none where nothing refuses: what else such an answer does
        need not be looked up.
    """
    places = _places(text, languages, _FIRST)
    starts = [start for start, _ in sentences]
    hits = [hit for group in _DECISIVE for hit in _hits(group, text, places, starts)]
    if not hits:
        return []
    places = _places(text, languages, _OTHERS)
    hits += [hit for group in _OTHERS for hit in _hits(group, text, places, starts)]
    declines = [(hit.start, hit.end) for hit in hits if hit.group in ("decline", "inability")]
    # "I can help" inside "I am not sure that I can help" offers nothing.
    standing = [
        hit
        for hit in hits
        if hit.group not in _UNDONE_BY_NEGATION or not _overlaps(hit.start, hit.end, declines)
    ]
    return sorted(standing, key=lambda hit: (hit.start, -hit.end, hit.group))


def _hits(group: Group, text: str, places: Places, starts: Sequence[int]) -> Iterator[Hit]:
    spans = list(_matches(group, text, places))
    refusing = group in ("decline", "inability") and spans
    exempt = list(_matches("exempt", text, places)) if refusing else []
    limits = list(_matches("limits", text, places)) if refusing and group == "decline" else []
    for start, end in spans:
        if _overlaps(start, end, exempt):
            continue
        kind: Group = "inability" if _overlaps(start, end, limits) else group
        yield Hit(kind, start, end, max(0, bisect_right(starts, start) - 1))


def _places(text: str, languages: Sequence[str], parts: tuple[Part, ...]) -> Places:
    places: dict[Part, list[tuple[int, str]]] = defaultdict(list)
    for language in languages:
        if LEXICONS[language].spaced:
            pattern, beginnings = index(language, parts)
            for match in pattern.finditer(text):
                place = (match.start(), language)
                beginning = match.group(1)
                for part in beginnings.get(beginning) or beginnings[_SPACES.sub(" ", beginning)]:
                    places[part].append(place)
            continue
        for part in parts:
            anywhere = compiled(part, language)
            matches = anywhere.finditer(text) if anywhere else ()
            places[part].extend((match.start(), language) for match in matches)
    if len(languages) > 1:
        for some in places.values():
            some.sort(key=lambda place: place[0])  # stable: preferred languages stay first
    return places


def _matches(part: Part, text: str, places: Places) -> Iterator[tuple[int, int]]:
    """Yield what ``finditer`` of all languages' patterns joined would, trying at places only."""
    language, match_at = "", None
    end = 0
    for start, spoken in places.get(part, ()):
        if spoken != language:
            pattern = compiled(part, spoken)
            language, match_at = spoken, pattern.match if pattern else None
        match = match_at(text, start) if match_at and start >= end else None
        if match is not None and match.end() > start:
            end = match.end()
            yield match.span()


def _overlaps(start: int, end: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start < right and left < end for left, right in spans)
