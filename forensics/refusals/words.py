"""Word sequences of an answer's opening: a small part of the score, for English only."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TOKEN = re.compile(r"[a-z']+")
_OPENING_SENTENCES = 8
_OPENING_WORDS = 300
_LONGEST = 3


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
    return frozenset(
        " ".join(words[start : start + length])
        for length in range(1, _LONGEST + 1)
        for start in range(len(words) - length + 1)
    )
