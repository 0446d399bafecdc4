"""Patterns by language, compiled once; and which languages a text needs."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

from forensics.evidence.refusals.lexicons import ar, de, en, es, fi, fr, it, ja, pt, ru, zh
from forensics.evidence.refusals.lexicons.types import GROUPS, Group, RefusalLexicon
from forensics.evidence.refusals.normalise import fold_literal

__all__ = [
    "GROUPS",
    "LEXICONS",
    "PARTS",
    "Group",
    "Part",
    "RefusalLexicon",
    "compiled",
    "languages_of",
    "pattern_of",
]

Part = Literal[Group, "exempt", "limits"]
PARTS: tuple[Part, ...] = (*GROUPS, "exempt", "limits")
"""The groups and, in a lexicon's own fields, what only looks like refusing or states a limit."""

LEXICONS: dict[str, RefusalLexicon] = {
    module.LEXICON.language: module.LEXICON
    for module in (en, zh, es, fr, de, ru, ja, fi, pt, it, ar)
}

_HAN = re.compile("[\u4e00-\u9fff]")
_KANA = re.compile("[\u3040-\u30ff]")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_ARABIC = re.compile("[\u0600-\u06ff]")
_LATIN_WORD = re.compile("[a-z']+")
_READ_FOR_LANGUAGE = 600
_WORDS_TO_TELL = 2


def languages_of(folded: str) -> tuple[str, ...]:
    """Languages whose patterns should be tried on a folded text, English last where unsure.

    Args:
        folded: folded text (see ``normalise.fold``).

    Returns:
        ISO codes; several for mixed texts, ``("en",)`` when nothing is recognised.
    """
    sample = folded[:_READ_FOR_LANGUAGE]
    codes: list[str] = []
    if not sample.isascii():
        codes = _languages_by_script(sample)
    codes += _languages_by_words(sample)
    return tuple(code for code in codes if code in LEXICONS) or ("en",)


def _languages_by_script(sample: str) -> list[str]:
    codes = []
    kana = len(_KANA.findall(sample))
    han = len(_HAN.findall(sample))
    if kana >= 2:
        codes.append("ja")
    if han >= 2 and kana * 8 < han:
        codes.append("zh")
    if len(_CYRILLIC.findall(sample)) >= 4:
        codes.append("ru")
    if len(_ARABIC.findall(sample)) >= 4:
        codes.append("ar")
    return codes


def _languages_by_words(sample: str) -> list[str]:
    words = _LATIN_WORD.findall(sample)
    if not words:
        return []
    languages, speakers = _known_words()
    counts = dict.fromkeys(languages, 0)
    for word in words:
        for code in speakers.get(word, ()):
            counts[code] += 1
    most = max(counts.values())
    if most < _WORDS_TO_TELL:
        return list(counts)
    # A language with at least half as many of its function words may be mixed in.
    return [code for code, count in counts.items() if count * 2 >= most]


@cache
def _known_words() -> tuple[tuple[str, ...], dict[str, list[str]]]:
    """The languages told by their words, and for each word those it belongs to."""
    speakers: dict[str, list[str]] = {}
    with_words = tuple(code for code, lexicon in LEXICONS.items() if lexicon.words)
    for code in with_words:
        for word in {fold_literal(word) for word in LEXICONS[code].words}:
            speakers.setdefault(word, []).append(code)
    return with_words, speakers


def pattern_of(part: Part, language: str) -> str | None:
    """Return a part of a lexicon as one regular expression over folded text; None if empty."""
    lexicon = LEXICONS[language]
    if part == "exempt":
        alternatives = lexicon.exempt
    elif part == "limits":
        alternatives = lexicon.limits
    else:
        alternatives = lexicon.patterns.get(part, ())
    if not alternatives:
        return None
    body = "|".join(fold_literal(alternative) for alternative in alternatives)
    source = rf"\b(?=\w)(?:{body})" if lexicon.spaced else f"(?:{body})"
    return source.replace(" ?", r"\s*").replace(" ", r"\s+")


@cache
def compiled(part: Part, language: str) -> re.Pattern[str] | None:
    """One expression for a part of a lexicon; None where it is empty."""
    source = pattern_of(part, language)
    return None if source is None else re.compile(source)
