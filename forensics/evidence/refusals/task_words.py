"""Word sequences of an answer's opening, body and end, the words of its request masked.

What an answer *does* shows in words that no list foresees ("has always adhered to", "I aim to",
"reasonable people"). The request's own words read ``#``, so that its subject is not learnt. A
Chinese or Japanese character is a word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from forensics.evidence.refusals.normalise import fold
from forensics.evidence.refusals.opening_words import STEM

PLACES = ("o:", "h:", "t:")
"""What marks a sequence of the opening, the head and the tail of an answer."""

_TOKEN = re.compile("[a-z']+|[\u3040-\u30ff\u3400-\u9fff]|[0-9]+")
_OPENING_WORDS = 40
_HEAD_WORDS = 250
_TAIL_WORDS = 60
_REQUEST_CHARS = 2_000
_ASKED = "#"
_PLAIN = frozenset(
    "the and for with from that this under into about your you are was has have its not but can "
    "will how what why".split()
)


@lru_cache(maxsize=1_024)
def asked_words(prompt: str) -> frozenset[str]:
    """Stems and characters of a request that an answer's sequences mask."""
    words = _TOKEN.findall(fold(prompt[:_REQUEST_CHARS]).text)
    return frozenset(
        word[:STEM] for word in words if (len(word) > 2 and word not in _PLAIN) or word > "\u3000"
    )


def task_grams(text: str, asked: frozenset[str]) -> tuple[frozenset[str], ...]:
    """Return the distinct word sequences of an answer, by place.

    Args:
        text: folded answer.
        asked: of ``asked_words``.

    Returns:
        One set for each of ``PLACES``, its sequences marked with the place: of the first 40 words
        (one to three words), of the first 250 and of the last 60 (one or two).
    """
    tokens: list[str] = _TOKEN.findall(text)
    head = _masked(tokens[:_HEAD_WORDS], asked)
    tail = [*_masked(tokens[-_TAIL_WORDS:], asked), "$"]
    opening = ["^", *head[:_OPENING_WORDS]]
    pairs = [f"{left} {right}" for left, right in pairwise(opening)]
    triples = [f"{left} {right}" for left, right in zip(pairs, opening[2:], strict=False)]
    return (
        frozenset([f"o:{gram}" for gram in (*opening, *pairs, *triples)]),
        _short(head, "h:"),
        _short(tail, "t:"),
    )


def _masked(words: Sequence[str], asked: frozenset[str]) -> list[str]:
    return [_ASKED if word[:STEM] in asked else word for word in words]


def _short(words: Sequence[str], place: str) -> frozenset[str]:
    singles = [f"{place}{word}" for word in words]
    return frozenset(
        [*singles, *(f"{single} {word}" for single, word in zip(singles, words[1:], strict=False))]
    )
