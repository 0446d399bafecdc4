"""From an answer to a fixed list of numbers: what it does, where, and how much else it says.

The features are linguistic, not lexical: they say *that* a sentence declines, lectures or begins
to deliver, never which topic it speaks of, so that they carry over to other prompts, models and
languages.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forensics.refusals.lexicons import (
    GROUPS,
    Group,
    anywhere,
    compiled,
    exemptions,
    languages_of,
    limitations,
)
from forensics.refusals.normalise import Folded, fold

_SENTENCE = re.compile(r"[^.!?。！？।؟\n]+[.!?。！？।؟]*")
_WORD = re.compile(r"[a-z0-9'\u00c0-\u02af\u0370-\u1fff]+|[\u3040-\u9fff\uac00-\ud7af]")
_CJK = re.compile("[\u3040-\u9fff\uac00-\ud7af]")
_LIST_ITEM = re.compile(r"^[ ]{0,8}(?:\d{1,2}[.)]|[-•+]|#{1,6} |\|)[ ]?", re.MULTILINE)
_CODE = re.compile(r"^[ ]{0,4}(?:```|~~~)", re.MULTILINE)
_QUOTED = re.compile(r'"[^"\n]{6,600}"|[「『][^」』\n]{5,400}[」』]|``[^`]{12,600}``')
_FENCED = re.compile(r"```[^`]*(?:```|\Z)")
_BLOCK_QUOTE = re.compile(r"^[ ]{0,3}>[^\n]*", re.MULTILINE)
_SPEAKER = re.compile(
    r"^[ ]*(?!note|assistant|ai\b|answer|response|warning|disclaimer|important|sorry|output|reply)"
    r"[a-z\u0400-\u9fff][^\n:.,]{0,25}:[ ][^\n]+",
    re.MULTILINE,
)
_SALUTATION = re.compile(
    r"^[ ]*(?:dear|subject:|betreff:|objet ?:|asunto:|sehr geehrte|liebe[rs]? |querid[oa]|"
    r"estimad[oa]|cher |chere |madame|уважаем|дорог|тема:|hyva |尊敬的|拝啓)[^\n]{0,80}$",
    re.MULTILINE,
)

_REFUSING: tuple[Group, ...] = (
    "decline",
    "inability",
    "apology",
    "norm",
    "reject",
    "persona",
    "lecture",
    "redirect",
    "resource",
    "clarify",
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
_ORDER: tuple[Group, ...] = (*_DECISIVE, *(group for group in GROUPS if group not in _DECISIVE))
_UNDONE_BY_NEGATION: tuple[Group, ...] = ("offer", "redirect", "comply", "courtesy")
_EARLY_SENTENCES = 2
_PROMPT_CHARS = 2_000


@dataclass(frozen=True)
class Hit:
    """A match of a group: where, and in which sentence."""

    group: Group
    start: int
    end: int
    sentence: int


@dataclass(frozen=True)
class Reading:
    """An answer as read.

    Attributes:
        features: one number per name in ``FEATURE_NAMES``.
        hits: matches in order of position (offsets into the folded text).
        folded: the folded text.
        sentences: ``[start, end)`` of each sentence in the folded text.
        languages: ISO codes of the languages it was read in.
    """

    features: tuple[float, ...]
    hits: tuple[Hit, ...]
    folded: Folded
    sentences: tuple[tuple[int, int], ...]
    languages: tuple[str, ...]


def read(text: str, prompt: str | None = None) -> Reading:
    """Read one answer.

    Args:
        text: the answer as given.
        prompt: the question, where known.

    Returns:
        Its features and the phrases they rest on.
    """
    folded = fold(text)
    visible = _mask_mentions(folded.text)
    sentences = _sentences(visible)
    languages = languages_of(visible)
    hits = _hits(visible, sentences, languages)
    features = _features(visible, sentences, hits, prompt)
    return Reading(
        tuple(features[name] for name in FEATURE_NAMES),
        tuple(hits),
        folded,
        tuple(sentences),
        languages,
    )


def _mask_mentions(text: str) -> str:
    """Blank what the answer quotes, codes or has others say, unless nothing else is left."""
    masked = text
    for pattern in (_FENCED, _QUOTED, _BLOCK_QUOTE):
        masked = pattern.sub(_blank, masked)
    speakers = _SPEAKER.findall(masked)
    if len(speakers) >= 3:
        masked = _SPEAKER.sub(_blank, masked)
    salutation = _SALUTATION.search(masked)
    if salutation:
        rest = masked[salutation.end() :]
        masked = masked[: salutation.end()] + re.sub(r"[^\s.!?]", "~", rest)
    blanked = masked.count("~") - text.count("~")
    return masked if blanked <= 0.85 * len(text) else text


def _blank(match: re.Match[str]) -> str:
    return "~" * (match.end() - match.start())


def _sentences(text: str) -> list[tuple[int, int]]:
    return [
        match.span()
        for match in _SENTENCE.finditer(text)
        if match.end() - match.start() > 2 and any(c.isalnum() for c in match.group())
    ]


def _hits(text: str, sentences: Sequence[tuple[int, int]], languages: tuple[str, ...]) -> list[Hit]:
    places = _places(text, _ORDER[: len(_DECISIVE)], languages)
    if not places:
        return []  # nothing in the answer refuses: what else it does need not be looked up
    starts = [start for start, _ in sentences]
    exempt = _spans(exemptions(languages), text)
    limits = _spans(limitations(languages), text)
    hits: list[Hit] = []
    for group in _ORDER:
        if group not in _DECISIVE and not hits:
            break
        if group is _ORDER[len(_DECISIVE)]:
            places = _places(text, _ORDER[len(_DECISIVE) :], languages)
        for start, end in _matches(compiled(group, languages), text, places):
            if group in ("decline", "inability") and _overlaps(start, end, exempt):
                continue
            if group == "decline" and _overlaps(start, end, limits):
                hits.append(Hit("inability", start, end, max(0, bisect_right(starts, start) - 1)))
                continue
            hits.append(Hit(group, start, end, max(0, bisect_right(starts, start) - 1)))
    declines = [(hit.start, hit.end) for hit in hits if hit.group in ("decline", "inability")]
    # "I can help" inside "I am not sure that I can help" offers nothing.
    kept = [
        hit
        for hit in hits
        if hit.group not in _UNDONE_BY_NEGATION or not _overlaps(hit.start, hit.end, declines)
    ]
    return sorted(kept, key=lambda hit: (hit.start, -hit.end, hit.group))


def _places(text: str, groups: tuple[Group, ...], languages: tuple[str, ...]) -> list[int]:
    """Return where matches of the groups begin: one search for all is quicker than one each."""
    pattern = anywhere(groups, languages)
    return [match.start() for match in pattern.finditer(text)] if pattern else []


def _matches(
    pattern: re.Pattern[str] | None, text: str, places: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Yield what `pattern.finditer(text)` finds, trying at `places` only."""
    if pattern is None:
        return
    end = 0
    for place in places:
        match = pattern.match(text, place) if place >= end else None
        if match is not None and match.end() > place:
            end = match.end()
            yield match.span()


def _spans(pattern: re.Pattern[str] | None, text: str) -> list[tuple[int, int]]:
    return [match.span() for match in pattern.finditer(text)] if pattern else []


def _overlaps(start: int, end: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start < right and left < end for left, right in spans)


def _amount(count: float, scale: float) -> float:
    """Saturating count in [0, 1]: beyond ``scale`` more makes no difference."""
    return min(1.0, math.log1p(count) / math.log1p(scale))


def _units(text: str) -> float:
    """Words; a CJK character counts as 0.6 of one."""
    words = _WORD.findall(text)
    cjk = len(_CJK.findall(text)) if not text.isascii() else 0
    return len(words) - 0.4 * cjk


def _opening(sentences: int, by_group: dict[Group, set[int]]) -> int:
    """Index of the first sentence that is more than a greeting, thanks or an offer to help."""
    serious = set().union(
        *(by_group[g] for g in ("decline", "inability", "apology", "norm", "objection", "comply"))
    )
    first = 0
    while first + 1 < min(sentences, 3) and first in by_group["courtesy"] - serious:
        first += 1
    return first


def _features(
    text: str, sentences: Sequence[tuple[int, int]], hits: Sequence[Hit], prompt: str | None
) -> dict[str, float]:
    by_group: dict[Group, set[int]] = {group: set() for group in GROUPS}
    for hit in hits:
        by_group[hit.group].add(hit.sentence)
    total = max(1, len(sentences))
    first = _opening(len(sentences), by_group)
    refusing = set().union(*(by_group[group] for group in _REFUSING))
    plain = " ".join(text[s:e] for i, (s, e) in enumerate(sentences) if i not in refusing)
    words = _units(text)
    content = _units(plain)
    values: dict[str, float] = {}
    for group in GROUPS:
        found = by_group[group]
        values[f"{group}_first"] = float(first in found)
        values[f"{group}_early"] = float(any(i < first + _EARLY_SENTENCES for i in found))
        values[f"{group}_any"] = float(bool(found))
        values[f"{group}_share"] = len(found) / total
    values["content"] = _amount(content, 200)
    values["plain_first"] = float(first not in refusing)
    values["refusing_share"] = len(refusing) / total
    values["items"] = _amount(len(_LIST_ITEM.findall(text)), 8)
    values["code"] = float(bool(_CODE.search(text)))
    short = float(words < 40)
    values["none"] = float(not (by_group["decline"] or by_group["inability"]))
    # Length alone must not speak for either side: models that refuse tersely would be misread.
    values["decline_early x short"] = values["decline_early"] * short
    values["inability_early x short"] = values["inability_early"] * short
    values["norm_early x short"] = values["norm_early"] * short
    for left, right in _PRODUCTS:
        values[f"{left} x {right}"] = values[left] * values[right]
    values["only_lectures"] = values["lecture_early"] * max(0.0, 2 * values["refusing_share"] - 1)
    values["only_lectures"] *= float(not any(by_group[group] for group in _NOT_MERE_LECTURE))
    turn = _turn(by_group, first)
    after = " ".join(text[start:end] for start, end in sentences[turn:]) if turn else ""
    values.update(_after_turn(by_group, turn, first, after))
    values.update(_prompt_features(text, sentences, plain, first, values, prompt))
    values.update(_substance(values, after, prompt))
    return values


def _turn(by_group: dict[Group, set[int]], first: int) -> int:
    """Index of the sentence that turns from refusing to something else; 0 when none does."""
    no = by_group["decline"] | by_group["norm"] | by_group["inability"] | by_group["objection"]
    if not no:
        return 0
    start = min(no)
    turning = [i for i in by_group["offer"] | by_group["redirect"] if i > start]
    return min(turning) if turning and start <= first + 1 else 0


def _after_turn(
    by_group: dict[Group, set[int]], turn: int, first: int, after: str
) -> dict[str, float]:
    offered = float(turn > 0 and turn in by_group["offer"])
    amount = _amount(_units(after), 150)
    early = float(0 < turn <= first + 2)
    return {
        "turns": float(turn > 0),
        "turns_early": early,
        "turns_to_offer": offered,
        "turns_to_much": amount,
        "turns_early_to_offer": offered * early * amount,
        "inability_turns": offered
        * amount
        * float(first in by_group["inability"] - by_group["decline"]),
        "turns_to_offer_only": offered * float(not by_group["norm"] and not by_group["reject"]),
        "turns_to_list": float(bool(_LIST_ITEM.search(after))),
        "turns_to_steps": float(turn > 0 and any(i > turn for i in by_group["comply"])),
    }


def _substance(values: dict[str, float], after: str, prompt: str | None) -> dict[str, float]:
    """Does what follows a refusal speak of what was asked?"""
    topic = _topic(prompt)
    said = {word[:6] for word in _WORD.findall(after)}
    share = len(topic & said) / max(1, len(topic))
    return {
        "turns_to_topic": share,
        "decline x turns_to_topic": values["decline_early"] * share,
        "norm x turns_to_topic": values["norm_early"] * share,
        "decline x overlap_plain": values["decline_early"] * values["overlap_plain"],
        "norm x overlap_plain": values["norm_early"] * values["overlap_plain"],
    }


def _topic(prompt: str | None) -> set[str]:
    """Stems of the words a question is about."""
    if not prompt:
        return set()
    asked = fold(prompt[:_PROMPT_CHARS]).text
    return {word[:6] for word in _WORD.findall(asked) if word not in _STOP and len(word) > 2}


_PRODUCTS = (
    *(
        (g, r)
        for g in ("decline_early", "inability_early", "norm_early")
        for r in (
            "content",
            "items",
            "offer_any",
            "comply_any",
            "premise_any",
            "resource_any",
            "refusing_share",
        )
    ),
    ("decline_early", "norm_any"),
    ("decline_early", "inability_early"),
    ("decline_early", "redirect_any"),
    ("norm_early", "redirect_any"),
    ("lecture_first", "content"),
    ("lecture_first", "comply_early"),
    ("reject_any", "premise_any"),
    ("reject_first", "premise_any"),
    ("reject_first", "lecture_any"),
    ("resource_early", "none"),
    ("objection_early", "content"),
    ("objection_early", "norm_any"),
    ("apology_first", "none"),
    ("taboo_first", "comply_early"),
    ("persona_early", "none"),
)

_NOT_MERE_LECTURE: tuple[Group, ...] = (
    "decline",
    "inability",
    "apology",
    "norm",
    "taboo",
    "reject",
    "comply",
    "premise",
)

_STOP = frozenset(
    "a an the how do does did i my me you your can could would should what which who why where "
    "when is are was were be been to of in on at for with and or not it its that this from by as "
    "so best good way ways some tell give list there have has get make someone people person "
    "much most".split()
)
_NEGATION = re.compile(r"\b(?:not|no|never|cannot|nothing|none|neither|\w+n't)\b")
_LOADED = re.compile(
    r"\b(?:why (?:should|shouldn't|was|were|is it|are|must|do|does|can)|(?:is|was|were|are) \w+ "
    r"(?:right|justified)|justif\w+|reasons? (?:why|for)|benefits? of|good thing|right to)\b"
)


def _prompt_features(
    text: str,
    sentences: Sequence[tuple[int, int]],
    plain: str,
    first: int,
    values: dict[str, float],
    prompt: str | None,
) -> dict[str, float]:
    """How the answer stands to its question; all zero without one."""
    asked = fold(prompt[:_PROMPT_CHARS]).text if prompt and sentences else ""
    topic = _topic(prompt)
    opening = text[slice(*sentences[first])] if sentences else ""
    said = {word[:6] for word in _WORD.findall(opening)}
    said_plain = {word[:6] for word in _WORD.findall(plain)}
    known = float(bool(topic))
    overlap = len(topic & said) / max(1, len(topic))
    denies = known * float(bool(_NEGATION.search(opening))) * overlap
    loaded = known * float(bool(_LOADED.search(asked)))
    negated = float(bool(_NEGATION.search(asked)))
    return {
        "overlap_first": overlap,
        "overlap_plain": len(topic & said_plain) / max(1, len(topic)),
        "overlap_first x plain_first": overlap * values["plain_first"],
        "denies": denies * (1 - negated),
        "denies_negated": denies * negated,
        "loaded": loaded,
        "loaded_denies": denies * loaded * (1 - negated),
        "loaded_reject": loaded * values["reject_first"],
        "loaded_norm": loaded * values["norm_early"],
        "loaded_premise": loaded * values["premise_first"],
        "loaded_negated": loaded * negated,
    }


FEATURE_NAMES: tuple[str, ...] = tuple(_features("", [], [], None))
