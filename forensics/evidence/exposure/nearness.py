"""Black box: which of the served and withheld answers are a model's own answers nearer to?"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal, get_args

import numpy as np

Nearness = Literal["fourgrams", "runs", "edit"]
NEARNESSES: tuple[Nearness, ...] = get_args(Nearness)
_WORDS = 400  # of an answer; edit distance and runs take their square
_GRAM = 4


def nearness(answers: Sequence[str], logged: Sequence[str], how: Nearness) -> list[float]:
    """Return how near a model's answers to a prompt are to each logged one, averaged over them.

    Only what stands after the first divergence of the logged answers is read: what they share
    tells nothing.

    Args:
        answers: of the model, one or more.
        logged: served and withheld ones.
        how: share of common four-character sequences, longest common run of words, or one minus
            the edit distance in words, over the longer text.

    Returns:
        one number in [0, 1] for each logged answer.
    """
    shared = _common_start(logged)
    rest = [text[len(shared) :] for text in logged]
    given = [text[len(shared) :] if text.startswith(shared) else text for text in answers]
    measure = {"fourgrams": _fourgrams, "runs": _runs, "edit": _edit}[how]
    return [float(np.mean([measure(text, other) for text in given])) for other in rest]


def in_common(logged: Sequence[str], served: int) -> float:
    """Return the share of four-character sequences that served and withheld answers have in common.

    Args:
        logged: of one prompt, those served first.
        served: how many were.

    Returns:
        mean over pairs of a served and a withheld answer, in [0, 1]; 1 where they are equal.
    """
    return float(np.mean([_fourgrams(a, b) for a in logged[:served] for b in logged[served:]]))


def _common_start(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)  # all others lie between them
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), None)
    return first if same is None else first[:same]


def _fourgrams(a: str, b: str) -> float:
    first, second = ({text[i : i + _GRAM] for i in range(len(text) - _GRAM + 1)} for text in (a, b))
    return len(first & second) / max(1, len(first | second))


def _runs(a: str, b: str) -> float:
    first, second = a.split()[:_WORDS], b.split()[:_WORDS]
    match = SequenceMatcher(None, first, second, autojunk=False).find_longest_match()
    return match.size / max(1, len(first), len(second))


def _edit(a: str, b: str) -> float:
    first, second = a.split()[:_WORDS], b.split()[:_WORDS]
    longer = max(1, len(first), len(second))
    return 1.0 - edit_distance(first, second) / longer


def edit_distance(a: Sequence[str], b: Sequence[str]) -> int:
    """Return Levenshtein's distance of two sequences (1966)."""
    numbers = {word: i for i, word in enumerate(dict.fromkeys((*a, *b)))}
    second = np.array([numbers[word] for word in b], dtype=np.int64)
    steps = np.arange(len(b) + 1)
    row = steps.copy()
    for i, word in enumerate(a, start=1):
        changed = row[:-1] + (second != numbers[word])
        best = np.minimum(row[1:] + 1, changed)
        # Insertions run along the row: each costs one from the best place before it.
        row = np.minimum.accumulate(np.concatenate([[i], best]) - steps) + steps
    return int(row[-1])
