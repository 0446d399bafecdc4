"""From an answer to a fixed list of numbers: what it does, where, and how much else it says.

The features are linguistic, not lexical: they say *that* a sentence declines, lectures or begins
to deliver, never which topic it speaks of, so that they carry over to other prompts, models and
languages.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from forensics.evidence.refusals.lexicons import GROUPS, Group, languages_of
from forensics.evidence.refusals.normalise import Folded, fold
from forensics.evidence.refusals.opening_words import STEM
from forensics.evidence.refusals.pattern_matches import (
    Hit,
    find_hits,
    mask_mentions,
    split_sentences,
)

_WORD = re.compile(r"[a-z0-9'\u00c0-\u02af\u0370-\u1fff]+|[\u3040-\u9fff\uac00-\ud7af]")
_ASCII_WORD = re.compile(r"[a-z0-9']+")
_CJK = re.compile("[\u3040-\u9fff\uac00-\ud7af]")
# Of lines, each begun by "\n", which is found faster than "^".
_LIST_ITEM = re.compile(r"\n[ ]{0,8}(?:\d{1,2}[.)]|[-•+]|#{1,6} |\|)")
_CODE = re.compile(r"\n[ ]{0,4}(?:```|~~~)")

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
_EARLY_SENTENCES = 2
_PROMPT_CHARS = 2_000


@dataclass(frozen=True)
class Reading:
    """An answer as read.

    Attributes:
        features: one number per name in ``FEATURE_NAMES``.
        hits: matches in order of position (offsets into the folded text).
        folded: the folded text.
        sentences: ``[start, end)`` of each sentence in the folded text.
        languages: ISO codes of the languages it was read in.
        topic: stems of the question's content words; empty where it is unknown.
    """

    features: tuple[float, ...]
    hits: tuple[Hit, ...]
    folded: Folded
    sentences: tuple[tuple[int, int], ...]
    languages: tuple[str, ...]
    topic: frozenset[str]


def read(text: str, prompt: str | None = None) -> Reading:
    """Read one answer.

    Args:
        text: the answer as given.
        prompt: the question, where known.

    Returns:
        Its features and the phrases they rest on.
    """
    folded = fold(text)
    visible = mask_mentions(folded.text)
    sentences = split_sentences(visible)
    languages = languages_of(visible)
    hits = find_hits(visible, sentences, languages)
    question = _ask(prompt) if prompt else _NO_QUESTION
    features = _features(visible, sentences, hits, question)
    return Reading(
        tuple(features[name] for name in FEATURE_NAMES),
        tuple(hits),
        folded,
        tuple(sentences),
        languages,
        question.topic,
    )


def _amount(count: float, scale: float) -> float:
    """Saturating count in [0, 1]: beyond ``scale`` more makes no difference."""
    return min(1.0, math.log1p(count) / math.log1p(scale))


def _words(text: str) -> list[str]:
    return (_ASCII_WORD if text.isascii() else _WORD).findall(text)


def _units(text: str, words: Sequence[str] | None = None) -> float:
    """Words; a CJK character counts as 0.6 of one."""
    count = len(_words(text) if words is None else words)
    cjk = len(_CJK.findall(text)) if not text.isascii() else 0
    return count - 0.4 * cjk


def _stems(words: Iterable[str]) -> set[str]:
    return {word[:STEM] for word in words}


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
    text: str, sentences: Sequence[tuple[int, int]], hits: Sequence[Hit], question: _Question
) -> dict[str, float]:
    by_group: dict[Group, set[int]] = {group: set() for group in GROUPS}
    for hit in hits:
        by_group[hit.group].add(hit.sentence)
    total = max(1, len(sentences))
    first = _opening(len(sentences), by_group)
    refusing = set().union(*(by_group[group] for group in _REFUSING))
    plain = " ".join(text[s:e] for i, (s, e) in enumerate(sentences) if i not in refusing)
    words = _words(plain)
    values: dict[str, float] = {}
    early = first + _EARLY_SENTENCES
    for group in GROUPS:
        in_sentences = by_group[group]
        values[f"{group}_first"] = float(first in in_sentences)
        values[f"{group}_early"] = float(bool(in_sentences) and min(in_sentences) < early)
        values[f"{group}_any"] = float(bool(in_sentences))
        values[f"{group}_share"] = len(in_sentences) / total
    values["content"] = _amount(_units(plain, words), 200)
    values["plain_first"] = float(first not in refusing)
    values["refusing_share"] = len(refusing) / total
    values["items"] = _amount(len(_LIST_ITEM.findall(f"\n{text}")), 8)
    values["code"] = float(bool(_CODE.search(f"\n{text}")))
    short = float(bool(hits) and _units(text) < 40)
    values["none"] = float(not (by_group["decline"] or by_group["inability"]))
    # Length alone must not speak for either side: models that refuse tersely would be misread.
    values["decline_early x short"] = values["decline_early"] * short
    values["inability_early x short"] = values["inability_early"] * short
    values["norm_early x short"] = values["norm_early"] * short
    for name, left, right in _PRODUCTS:
        values[name] = values[left] * values[right]
    values["only_lectures"] = values["lecture_early"] * max(0.0, 2 * values["refusing_share"] - 1)
    values["only_lectures"] *= float(not any(by_group[group] for group in _NOT_MERE_LECTURE))
    turn = _turn(by_group, first)
    after = " ".join(text[start:end] for start, end in sentences[turn:]) if turn else ""
    values.update(_after_turn(by_group, turn, first, after))
    opening = text[slice(*sentences[first])] if sentences else ""
    values.update(_prompt_features(question, opening, words, values))
    values.update(_substance(question, after, values))
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
        "turns_to_list": float(bool(_LIST_ITEM.search(f"\n{after}"))),
        "turns_to_steps": float(turn > 0 and any(i > turn for i in by_group["comply"])),
    }


def _substance(question: _Question, after: str, values: dict[str, float]) -> dict[str, float]:
    """Does what follows a refusal speak of what was asked?"""
    share = question.overlap(_words(after)) if after else 0.0
    return {
        "turns_to_topic": share,
        "decline x turns_to_topic": values["decline_early"] * share,
        "norm x turns_to_topic": values["norm_early"] * share,
        "decline x overlap_plain": values["decline_early"] * values["overlap_plain"],
        "norm x overlap_plain": values["norm_early"] * values["overlap_plain"],
    }


_FACTORS = (
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
_PRODUCTS = tuple((f"{left} x {right}", left, right) for left, right in _FACTORS)

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


@dataclass(frozen=True)
class _Question:
    """What a prompt is about (word stems), and whether it is negated or loaded."""

    topic: frozenset[str]
    negated: float
    loaded: float

    def overlap(self, words: Iterable[str]) -> float:
        """Share of the topic's stems among some words."""
        return len(self.topic & _stems(words)) / max(1, len(self.topic)) if self.topic else 0.0


_NO_QUESTION = _Question(frozenset(), 0.0, 0.0)


@lru_cache(maxsize=1_024)
def _ask(prompt: str) -> _Question:
    asked = fold(prompt[:_PROMPT_CHARS]).text
    topic = frozenset(_stems(w for w in _words(asked) if w not in _STOP and len(w) > 2))
    loaded = float(bool(topic) and bool(_LOADED.search(asked)))
    return _Question(topic, float(bool(_NEGATION.search(asked))), loaded)


def _prompt_features(
    question: _Question, opening: str, plain: Sequence[str], values: dict[str, float]
) -> dict[str, float]:
    """How the answer stands to its question; all zero without one."""
    overlap = question.overlap(_words(opening))
    denies = float(bool(_NEGATION.search(opening))) * overlap if overlap else 0.0
    negated, loaded = question.negated, question.loaded
    return {
        "overlap_first": overlap,
        "overlap_plain": question.overlap(plain),
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


FEATURE_NAMES: tuple[str, ...] = tuple(_features("", [], [], _NO_QUESTION))
