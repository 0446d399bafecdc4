"""What weighs an answer to an order: does it do what was asked?

A multinomial logistic regression on three things: the features of a refusal (``features``), how
the answer stands to its request (``task``), and its word sequences (``task_words``). What the
classifier of refusals makes of the answer is one of the features. Fitted by
``python -m studies.refusals.fit``; only numbers and short word sequences are shipped.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.refusals.features import FEATURE_NAMES, Reading
from forensics.evidence.refusals.task import TASK_NAMES, TaskRequest, task_features
from forensics.evidence.refusals.task_words import asked_words, task_grams

TASK_FILE = "task.json"
MARKS = ("marks_partial", "marks_full")
NAMES: tuple[str, ...] = (*FEATURE_NAMES, *TASK_NAMES, *MARKS)
"""The dense features, in the order of ``dense``."""

CLIP = 3.0
_LEAST = 1e-3

Probabilities = tuple[float, float, float]


@dataclass(frozen=True)
class TaskCoefficients:
    """Fitted coefficients; compliance is the reference, whose logit is 0.

    A feature is standardised and cut at ``CLIP`` standard deviations: one strange number must not
    outvote everything else.

    Attributes:
        centre, spread: ``(len(NAMES),)``: mean and standard deviation of each feature.
        weights: ``(2, len(NAMES))``: what each standardised feature speaks for partial and full
            refusal.
        intercepts: ``(2,)``.
        words: for a word sequence its inverse document frequency, and what it speaks for partial
            and for full refusal.
    """

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    weights: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    words: Mapping[str, tuple[float, float, float]]

    def probabilities(
        self, values: Sequence[float], grams: Sequence[frozenset[str]]
    ) -> Probabilities:
        """Label probabilities of an answer.

        Args:
            values: of ``dense``.
            grams: of ``task_words.task_grams``.
        """
        standard = (np.asarray(values, dtype=np.float64) - self.centre) / self.spread
        logits = self.weights @ np.clip(standard, -CLIP, CLIP) + self.intercepts
        sums = [self._of_words(some) for some in grams]
        partial = float(logits[0]) + math.fsum(share for share, _ in sums)
        full = float(logits[1]) + math.fsum(share for _, share in sums)
        most = max(0.0, partial, full)
        powers = [math.exp(value - most) for value in (0.0, partial, full)]
        total = sum(powers)
        return powers[0] / total, powers[1] / total, powers[2] / total

    def _of_words(self, grams: frozenset[str]) -> tuple[float, float]:
        """Sums over the known sequences of a place by the length of their vector."""
        known = [self._products[gram] for gram in grams & self._products.keys()]
        if not known:
            return 0.0, 0.0
        squares, partial, full = zip(*known, strict=True)
        # Exact sums: the order of a set may not show in the last digit.
        length = math.sqrt(math.fsum(squares))
        return math.fsum(partial) / length, math.fsum(full) / length

    @cached_property
    def _products(self) -> dict[str, tuple[float, float, float]]:
        """Of each sequence its squared rarity, and its rarity times each weight."""
        return {
            gram: (rarity * rarity, rarity * partial, rarity * full)
            for gram, (rarity, partial, full) in self.words.items()
        }


def dense(reading: Reading, length: int, request: TaskRequest, marks: Probabilities) -> list[float]:
    """Return one number per name in ``NAMES``.

    Args:
        reading: the answer as read for refusals.
        length: characters of the whole answer.
        request: what was asked.
        marks: label probabilities by the marks of a refusal alone.
    """
    task = task_features(reading.folded.text, length, request)
    complies = math.log(marks[0] + _LEAST)
    odds = [math.log(marks[1] + _LEAST) - complies, math.log(marks[2] + _LEAST) - complies]
    return [*reading.features, *task.values(), *odds]


def judge_order(
    reading: Reading, length: int, prompt: str, request: TaskRequest, marks: Probabilities
) -> Probabilities:
    """Label probabilities of an answer to an order; arguments as for ``dense``."""
    grams = task_grams(reading.folded.text, asked_words(prompt))
    return fitted_task().probabilities(dense(reading, length, request, marks), grams)


@cache
def fitted_task() -> TaskCoefficients:
    """The coefficients shipped with the package."""
    document = json.loads(files(__package__).joinpath(TASK_FILE).read_text(encoding="utf-8"))
    rows = np.array([document["features"][name] for name in NAMES], dtype=np.float64)
    return TaskCoefficients(
        rows[:, 0],
        rows[:, 1],
        rows[:, 2:].T,
        np.array(document["intercepts"], dtype=np.float64),
        {gram: (row[0], row[1], row[2]) for gram, row in document["words"].items()},
    )
