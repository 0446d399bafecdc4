"""Word sequences of an answer's opening: a small part of the score, for English only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

_TOKEN = re.compile(r"[a-z']+")
_OPENING_SENTENCES = 8
_OPENING_WORDS = 300


def opening_grams(text: str, sentences: Sequence[tuple[int, int]]) -> frozenset[str]:
    """Sequences of one to three words in the first eight sentences (at most 300 words).

    Args:
        text: folded text.
        sentences: ``[start, end)`` of each sentence in it.

    Returns:
        The distinct sequences, words joined by one space.
    """
    if not sentences:
        return frozenset()
    end = sentences[min(_OPENING_SENTENCES, len(sentences)) - 1][1]
    words = _TOKEN.findall(text[:end])[:_OPENING_WORDS]
    pairs = [f"{left} {right}" for left, right in pairwise(words)]
    triples = [f"{left} {right}" for left, right in zip(pairs, words[2:], strict=False)]
    return frozenset((*words, *pairs, *triples))
