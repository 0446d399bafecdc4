"""What shared manner compares: character sequences of every answer to a prompt asked repeatedly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.features.matched_prompts import Floats, group_by_prompt
from forensics.evidence.features.sketches import (
    BUCKETS,
    Counts,
    Floats32,
    count_sequences,
    weigh,
)
from forensics.transcripts.answers import Answer

MAX_SAMPLES = 20
# In no answer of one: every sequence is as rare.
_EQUALLY_RARE = np.zeros(BUCKETS, dtype=np.int64), 1
_SHORTEST = 4  # a sequence has four bytes: a shorter answer is filled up with blanks


@dataclass(frozen=True, eq=False)
class SequenceRarity:
    """How rare sequences are: `frequency`, shape (prompts, BUCKETS), of each prompt's `texts`."""

    frequency: NDArray[np.uint8]
    texts: NDArray[np.uint16]

    def at(self, place: int) -> tuple[NDArray[np.int64], int]:
        """Return one prompt's document frequencies, shape (BUCKETS,), and number of texts."""
        return self.frequency[place].astype(np.int64), int(self.texts[place])


@dataclass(frozen=True, eq=False)
class MeanRows:
    """The mean row of each prompt's answers, shape (prompts, BUCKETS), and their mean cosine.

    `within` is that of every two answers to a prompt, shape (prompts,).
    """

    means: Floats32
    within: Floats


@dataclass(frozen=True, eq=False)
class Repeated:
    """One subject's answers to the prompts that it answered twice or more.

    `counts` has the answers' sequences prompt by prompt, `bounds` where each prompt's answers
    begin, shape (prompts + 1,).
    """

    prompts: tuple[str, ...]
    answers: Mapping[str, tuple[Answer, ...]]
    counts: Counts
    bounds: NDArray[np.intp]

    @classmethod
    def of(cls, answers: Sequence[Answer]) -> Repeated:
        """Count the sequences of answers that have others to the same prompt."""
        groups = {
            prompt: group[:MAX_SAMPLES]
            for prompt, group in group_by_prompt(answers).items()
            if len(group) > 1
        }
        texts = [_filled(answer.text) for group in groups.values() for answer in group]
        sizes = [len(group) for group in groups.values()]
        bounds = np.cumsum([0, *sizes]).astype(np.intp)
        return cls(tuple(groups), groups, count_sequences(texts), bounds)

    def median_samples(self, prompts: Sequence[str]) -> int:
        """Return the median number of answers to these prompts."""
        return int(np.median([len(self.answers[prompt]) for prompt in prompts]))

    def rows(self, prompts: Sequence[str], weights: SequenceRarity | None = None) -> MeanRows:
        """Return what each prompt's answers have in common.

        Args:
            prompts: which of its own, in the order wanted.
            weights: how rare each sequence is on these prompts; None weighs all alike.
        """
        means = np.empty((len(prompts), BUCKETS), dtype=np.float32)
        within = np.empty(len(prompts))
        for place, prompt in enumerate(prompts):
            rows = weigh(self._of(prompt), *(weights.at(place) if weights else _EQUALLY_RARE))
            total = rows.summed(np.zeros(len(rows), dtype=np.intp), 1)[0]
            # What is left of the sum's squared length without the rows' own are the pairs' cosines.
            pairs = float(total @ total) - float(rows.values @ rows.values)
            within[place] = pairs / (len(rows) * (len(rows) - 1))
            means[place] = total / len(rows)
        return MeanRows(means, within)

    def _of(self, prompt: str) -> Counts:
        place = self._places[prompt]
        first, last = self.bounds[place], self.bounds[place + 1]
        bounds = self.counts.bounds[first : last + 1]
        entries = slice(int(bounds[0]), int(bounds[-1]))
        return Counts(bounds - bounds[0], self.counts.buckets[entries], self.counts.logs[entries])

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {prompt: place for place, prompt in enumerate(self.prompts)}


def _filled(text: str) -> str:
    return text.ljust(_SHORTEST)
