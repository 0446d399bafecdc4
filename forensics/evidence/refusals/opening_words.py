"""Word sequences of an answer's opening, the words of its question masked; for English only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

_TOKEN = re.compile(r"[a-z']+")
_OPENING_SENTENCES = 8
_OPENING_WORDS = 300
_ASKED = "#"
_FIRST = "^"

STEM = 6
"""So many first letters are taken for what the forms of a word share."""


def opening_grams(
    text: str, sentences: Sequence[tuple[int, int]], topic: frozenset[str]
) -> frozenset[str]:
    """Sequences of one to three words in the first eight sentences (at most 300 words).

    A word of the question reads ``#``: "# should not be #" is said of any topic, and what was
    asked about is not learnt. Sequences of the first sentence are given once more, marked ``^``.

    Args:
        text: folded text.
        sentences: ``[start, end)`` of each sentence in it.
        topic: stems of the question's content words; empty where it is unknown.

    Returns:
        The distinct sequences, words joined by one space.
    """
    if not sentences:
        return frozenset()
    end = sentences[min(_OPENING_SENTENCES, len(sentences)) - 1][1]
    first = [_FIRST, *_masked(text[slice(*sentences[0])], topic)]
    opening = _masked(text[:end], topic)[:_OPENING_WORDS]
    return frozenset(_grams(opening) | {_FIRST + gram for gram in _grams(first)})


def _masked(text: str, topic: frozenset[str]) -> list[str]:
    words: list[str] = _TOKEN.findall(text)
    return [_ASKED if word[:STEM] in topic else word for word in words] if topic else words


def _grams(words: Sequence[str]) -> set[str]:
    pairs = [f"{left} {right}" for left, right in pairwise(words)]
    triples = [f"{left} {right}" for left, right in zip(pairs, words[2:], strict=False)]
    return {*words, *pairs, *triples}
