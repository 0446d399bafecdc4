"""Words, n-grams and shared runs: what text comparators see of an answer."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import regex
from numpy.typing import NDArray

# Scripts written without spaces count one word a character; marks belong to the word before them.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_ANY_SCRIPT = regex.compile(rf"[{_UNSPACED}]|[\w\p{{M}}--[{_UNSPACED}]]+|[^\w\s]", regex.V1)
# The same for texts in scripts that need none of this, several times faster.
_PLAIN = re.compile(r"\w+|[^\w\s]")
_NEEDS_ANY_SCRIPT = re.compile("[\u0300-\u036f\u0590-\u1fff\u2e80-\uffef\U00020000-\U0003ffff]")
_FOLD = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "."})


class Token(NamedTuple):
    """A word or punctuation mark, folded for comparison, at `[start, end)` of the original."""

    form: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Return words and punctuation marks of `text`, case- and quote-folded, with their places."""
    return list(each_token(text))


def each_token(text: str) -> Iterator[Token]:
    """Yield what `tokens` returns, one by one."""
    plain = text.translate(_FOLD)  # one character for one: places stay as they are
    for match in _pattern(plain).finditer(plain):
        yield Token(match.group().casefold(), match.start(), match.end())


def words(text: str) -> list[str]:
    """Return the forms of `tokens(text)`, several times faster than with their places."""
    return list(_words(text))


# Several comparators split the same answers and prompts.
@lru_cache(maxsize=2**12)
def _words(text: str) -> tuple[str, ...]:
    plain = text if text.isascii() else text.translate(_FOLD)
    if plain.isascii():  # folding letter by letter or all at once is the same then
        return tuple(_PLAIN.findall(plain.lower()))
    return tuple(form.casefold() for form in _pattern(plain).findall(plain))


def _pattern(text: str) -> re.Pattern[str] | regex.Pattern[str]:
    return _ANY_SCRIPT if _NEEDS_ANY_SCRIPT.search(text) else _PLAIN


def is_word(form: str) -> bool:
    """Tell whether a token is a word rather than a punctuation mark or number."""
    return any(unicodedata.category(character)[0] == "L" for character in form)


def ngram_hashes(forms: Sequence[str], n: int) -> NDArray[np.uint64]:
    """Return one 64-bit hash per n-gram of `forms`, in order: shape (max(0, len - n + 1),).

    Stable across processes and machines (crc32 of each word, mixed by odd multipliers).
    """
    if len(forms) < n:
        return np.empty(0, dtype=np.uint64)
    codes = np.fromiter(map(_code, forms), dtype=np.uint64, count=len(forms))
    mixed = np.zeros(len(forms) - n + 1, dtype=np.uint64)
    for position in range(n):
        mixed *= np.uint64(0x9E3779B97F4A7C15)
        mixed += codes[position : position + len(mixed)]
        mixed ^= mixed >> np.uint64(29)
    return mixed


@lru_cache(maxsize=2**17)
def _code(form: str) -> int:
    return zlib.crc32(form.encode("utf-8", "surrogatepass")) * 0xFF51AFD7ED558CCD % 2**64


@dataclass(frozen=True)
class SharedRun:
    """Words in a row that both texts have: where, and how many of them are not the prompt's."""

    a: tuple[int, int]
    b: tuple[int, int]
    novel_words: int


def shared_runs(text_a: str, text_b: str, prompt: str, min_words: int = 5) -> list[SharedRun]:
    """Return the shared runs of at least `min_words` words that the prompt does not hold itself.

    Greedy from the left of `text_a`, longest match first; runs do not overlap in `text_a`.

    Args:
        text_a: first answer.
        text_b: second answer.
        prompt: the prompt's text; words inside its three-word sequences do not count as novel.
        min_words: least number of novel words.
    """
    runs = shared_word_runs(words(text_a), words(text_b), words(prompt), min_words)
    if not runs:
        return []
    a, b = tokens(text_a), tokens(text_b)
    return [
        SharedRun((a[i].start, a[i + length - 1].end), (b[j].start, b[j + length - 1].end), novel)
        for i, j, length, novel in runs
    ]


def shared_word_runs(
    a: Sequence[str], b: Sequence[str], prompt: Sequence[str], min_words: int = 5
) -> list[tuple[int, int, int, int]]:
    """Return what `shared_runs` finds, on words: (start in a, start in b, length, novel words)."""
    grams, others = _grams(a, min_words), _grams(b, min_words)
    common = set(grams).intersection(others)
    if not common:
        return []
    places = _places(others, common)
    prompt_grams = set(_grams(prompt, 3))
    runs = []
    end = 0
    for i, gram in enumerate(grams):
        if i < end or gram not in common:
            continue
        start, length = _longest(a, b, i, places[gram], min_words)
        novel = _novel(a[i : i + length], prompt_grams)
        if novel >= min_words:
            runs.append((i, start, length, novel))
        end = i + length
    return runs


# A text that repeats one phrase thousands of times would make matching quadratic.
_MAX_PLACES = 50


def _places(
    grams: Sequence[tuple[str, ...]], wanted: set[tuple[str, ...]]
) -> dict[tuple[str, ...], list[int]]:
    places: dict[tuple[str, ...], list[int]] = {gram: [] for gram in wanted}
    for j, gram in enumerate(grams):
        if gram in wanted and len(places[gram]) < _MAX_PLACES:
            places[gram].append(j)
    return places


def _grams(forms: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return list(zip(*(forms[start:] for start in range(n)), strict=False))


def _longest(
    a: Sequence[str], b: Sequence[str], i: int, starts: Sequence[int], n: int
) -> tuple[int, int]:
    best, where = 0, 0
    for j in starts:
        if best >= min(len(a) - i, len(b) - j):
            break  # starts ascend: no later one can be longer
        length = n
        while i + length < len(a) and j + length < len(b) and a[i + length] == b[j + length]:
            length += 1
        if length > best:
            best, where = length, j
    return where, best


def novel_words(forms: Sequence[str], prompt: Sequence[str]) -> int:
    """Return how many of an answer's words are not inside three-word sequences of the prompt."""
    return _novel(forms, set(_grams(prompt, 3)))


def _novel(forms: Sequence[str], prompt_grams: set[tuple[str, ...]]) -> int:
    known = [False] * len(forms)
    for i, gram in enumerate(_grams(forms, 3)):
        if gram in prompt_grams:
            known[i] = known[i + 1] = known[i + 2] = True
    return sum(is_word(form) and not old for form, old in zip(forms, known, strict=True))
