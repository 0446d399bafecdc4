"""Patterns by language, compiled once; and which languages a text needs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from forensics.refusals.lexicons import ar, de, en, es, fi, fr, it, ja, pt, ru, zh
from forensics.refusals.lexicons.types import GROUPS, Group, Lexicon
from forensics.refusals.normalise import fold_literal

__all__ = [
    "GROUPS",
    "LEXICONS",
    "Group",
    "Lexicon",
    "compiled",
    "exemptions",
    "languages_of",
    "limitations",
]

LEXICONS: dict[str, Lexicon] = {
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
    found: list[str] = []
    if not sample.isascii():
        found = _languages_by_script(sample)
    found += _languages_by_words(sample)
    return tuple(code for code in found if code in LEXICONS) or ("en",)


def _languages_by_script(sample: str) -> list[str]:
    found = []
    kana = len(_KANA.findall(sample))
    han = len(_HAN.findall(sample))
    if kana >= 2:
        found.append("ja")
    if han >= 2 and kana * 8 < han:
        found.append("zh")
    if len(_CYRILLIC.findall(sample)) >= 4:
        found.append("ru")
    if len(_ARABIC.findall(sample)) >= 4:
        found.append("ar")
    return found


def _languages_by_words(sample: str) -> list[str]:
    words = _LATIN_WORD.findall(sample)
    if not words:
        return []
    counts = {code: sum(word in known for word in words) for code, known in _known_words().items()}
    most = max(counts.values())
    if most < _WORDS_TO_TELL:
        return list(counts)
    # A language with at least half as many of its function words may be mixed in.
    return [code for code, count in counts.items() if count * 2 >= most]


@cache
def _known_words() -> dict[str, frozenset[str]]:
    return {
        code: frozenset(fold_literal(word) for word in lexicon.words)
        for code, lexicon in LEXICONS.items()
        if lexicon.words
    }


@cache
def compiled(group: Group, languages: tuple[str, ...]) -> re.Pattern[str] | None:
    """One expression for a group in the given languages; None where none has patterns."""
    return _union(
        [(LEXICONS[code].patterns.get(group, ()), LEXICONS[code].spaced) for code in languages]
    )


@cache
def anywhere(groups: tuple[Group, ...], languages: tuple[str, ...]) -> re.Pattern[str] | None:
    """One zero-width expression that matches where a match of any of the groups begins."""
    found = [compiled(group, languages) for group in groups]
    sources = [f"(?:{pattern.pattern})" for pattern in found if pattern is not None]
    return re.compile(f"(?={'|'.join(sources)})") if sources else None


@cache
def exemptions(languages: tuple[str, ...]) -> re.Pattern[str] | None:
    """Phrases that look like refusing and are not, in the given languages."""
    return _union([(LEXICONS[code].exempt, LEXICONS[code].spaced) for code in languages])


@cache
def limitations(languages: tuple[str, ...]) -> re.Pattern[str] | None:
    """Refusals that state a limit of knowledge or competence, in the given languages."""
    return _union([(LEXICONS[code].limits, LEXICONS[code].spaced) for code in languages])


def _union(sources: Sequence[tuple[Sequence[str], bool]]) -> re.Pattern[str] | None:
    parts = []
    for alternatives, spaced in sources:
        if not alternatives:
            continue
        body = "|".join(fold_literal(alternative) for alternative in alternatives)
        # Trying only where a word begins also spares the engine most of its work.
        parts.append(rf"\b(?=\w)(?:{body})" if spaced else f"(?:{body})")
    if not parts:
        return None
    source = "|".join(parts)
    return re.compile(source.replace(" ?", r"\s*").replace(" ", r"\s+"))
