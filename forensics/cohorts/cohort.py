"""Cohort packs: many models' answers as numbers in one memory-mapped file, without any text.

A pack is a safetensors file. Its arrays are the models' sketches and what is needed to sketch
another model's answers alike; its metadata hold one JSON document with the models' facts, the
prompts' hashes, the fitted calibration, its error rates and where all of it comes from.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case.evidence import ReferenceScores
from forensics.cohorts.fitting import Calibration
from forensics.cohorts.lineage.models import ModelFacts
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.population import Population, Traits
from forensics.cohorts.similarity import Flags, Similarities, mean_rows, of_rows
from forensics.cohorts.validation import Validation
from forensics.errors import UsageError
from forensics.evidence.features.sketches import (
    DIMENSIONS,
    Floats32,
    count_sequences,
    fold,
    quantise,
    restore,
    weigh,
)
from forensics.transcripts.words import ngram_hashes

PHRASE_WORDS = 5


@dataclass(frozen=True)
class CohortPrompt:
    """A prompt the cohort answered, known by hash."""

    id: str
    sha256: str
    category: str = "uncategorised"


@dataclass(frozen=True, eq=False)
class Cohort:
    """Many models of known lineage, and what calibrates a similarity against them.

    `sketches`, shape (prompts, models, 128), holds 256 numbers of 4 bits a model and prompt, and
    `scales` (prompts, models) their unit, 0 where there is no answer. `frequency` (prompts, 8192)
    counts in how many of a prompt's `texts` (prompts,) each hashed sequence stands. `phrases`
    lists, in ascending order, hashes of word 5-grams that several lineage clusters use, and
    `phrase_models` by how many models (255: that many or more), in their answers to `prompts` and
    to those whose hashes are `more_prompts`. `reference` has, by comparator, what pairs of these
    models score. `repeats`, shape (prompts, models), or (0, 0) where nobody was asked twice, is the
    mean cosine of two answers of one model to one prompt, NaN where it gave one only. `learned`
    weighs kin against models that learned from one another, None where it was not fitted.
    """

    name: str
    facts: Mapping[str, ModelFacts]
    prompts: tuple[CohortPrompt, ...]
    traits: tuple[Traits, ...]
    calibration: Calibration | None
    error_rates: Mapping[str, Any]
    provenance: Mapping[str, Any]
    sketches: NDArray[np.uint8]
    scales: NDArray[np.float16]
    frequency: NDArray[np.uint8]
    texts: NDArray[np.uint16]
    phrases: NDArray[np.uint32]
    phrase_models: NDArray[np.uint8]
    validation: Validation = field(default_factory=Validation.none)
    reference: Mapping[str, ReferenceScores] = field(default_factory=dict)
    more_prompts: tuple[str, ...] = ()
    learned: Calibration | None = None
    repeats: NDArray[np.float16] = field(default_factory=lambda: np.zeros((0, 0), np.float16))
    sha256: str = ""

    @property
    def models(self) -> tuple[str, ...]:
        """The models, in row order."""
        return tuple(self.facts)

    def place(self, model: str) -> int:
        """Return a model's row.

        Raises:
            UsageError: the cohort has no such model; the message names those spelt like it.
        """
        return place_of(model, self.models, f"cohort {self.name!r}")

    def row(self, number: int) -> Floats32:
        """Return one model's unit rows, shape (prompts, 256), zero where there is no answer."""
        return restore(self.sketches[:, number], self.scales[:, number])

    def rows(self, prompts: Sequence[int] | None = None) -> Floats32:
        """Return unit rows, shape (prompts, models, 256), zero where there is no answer."""
        if prompts is None:
            return restore(self.sketches, self.scales)
        picked = np.asarray(prompts, dtype=np.intp)
        return restore(self.sketches[picked], self.scales[picked])

    def sketch(self, answers: Mapping[str, Sequence[str]]) -> Floats32:
        """Sketch another model's answers as the cohort's own were.

        Args:
            answers: prompt sha256 → samples; blank ones and prompts unknown here do not count.

        Returns:
            unit rows, shape (prompts, 256), zero where there is no answer.
        """
        hashes = [prompt.sha256 for prompt in self.prompts]
        return sketch_answers(answers, hashes, self.frequency, self.texts)

    def similarities(
        self,
        subjects: Sequence[tuple[str, Floats32]] = (),
        prompts: Sequence[int] | None = None,
    ) -> Similarities:
        """Return how alike all models are, the subjects behind the cohort's own.

        Args:
            subjects: names and what `sketch` gave for their answers.
            prompts: numbers of the prompts to use; None takes all.
        """
        picked = range(len(self.prompts)) if prompts is None else prompts
        rows = self.rows(prompts)
        if subjects:
            added = np.stack([row[np.asarray(picked, np.intp)] for _, row in subjects], axis=1)
            rows = np.concatenate([rows, added], axis=1)
        names = (*self.models, *(name for name, _ in subjects))
        return of_rows(names, [self.prompts[i].sha256 for i in picked], rows)

    def excluded(self) -> Flags:
        """Flag, row by row, whom no reference for a model may include: shape (models, models)."""
        return self._excluded.copy()

    @cached_property
    def _excluded(self) -> Flags:
        return Outputs(self.facts, (), ()).excluded()

    def population(self) -> Population:
        """Return the models' traits."""
        return Population(self.traits)

    def rarity(self, forms: Sequence[str]) -> int | None:
        """Return how many models use a run of words (the rarest five of them in a row).

        Args:
            forms: as `forensics.transcripts.words.words` gives them; five or more.

        None where the run is shorter, or in fewer lineage clusters than the table counts from
        (`provenance["phrases"]["least_clusters"]`, 3 or more).
        """
        wanted = phrase_hashes(forms)
        if not len(wanted) or not len(self.phrases):
            return None
        places = np.minimum(np.searchsorted(self.phrases, wanted), len(self.phrases) - 1)
        if (self.phrases[places] != wanted).any():
            return None
        return int(self.phrase_models[places].min())


def place_of(model: str, models: Sequence[str], of: str) -> int:
    """Return a model's place among others.

    Args:
        model: its name.
        models: all names, in order.
        of: what has these models, for the message.

    Raises:
        UsageError: it is not among them; the message names those spelt like it.
    """
    if model in models:
        return models.index(model)
    close = difflib.get_close_matches(model, models, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else "see: forensics cohort info"
    raise UsageError(f"{of} has no model {model!r}; {hint}")


def sketch_answers(
    answers: Mapping[str, Sequence[str]],
    prompts: Sequence[str],
    frequency: NDArray[np.uint8],
    texts: NDArray[np.uint16],
) -> Floats32:
    """Sketch a model's answers in a cohort's space, see `Cohort.sketch`.

    Args:
        answers: prompt sha256 → samples.
        prompts: sha256 of the cohort's prompts.
        frequency: as in `Cohort`, shape (prompts, BUCKETS).
        texts: as in `Cohort`, shape (prompts,).
    """
    sketches = np.zeros((len(prompts), DIMENSIONS), dtype=np.float32)
    for number, sha256 in enumerate(prompts):
        given = [text for text in answers.get(sha256, ()) if text.strip()]
        if given:
            sketches[number] = _sketch(given, frequency[number], int(texts[number]))
    return sketches


def _sketch(given: Sequence[str], frequency: NDArray[np.uint8], texts: int) -> Floats32:
    rows = weigh(count_sequences(given), frequency.astype(np.int64), texts)
    folded = fold(mean_rows(rows, np.zeros(len(rows), dtype=np.intp), 1))
    unit: Floats32 = restore(*quantise(folded))[0]
    return unit


def phrase_hashes(forms: Sequence[str]) -> NDArray[np.uint32]:
    """Return one 32-bit hash per word 5-gram, in order."""
    return (ngram_hashes(forms, PHRASE_WORDS) >> np.uint64(32)).astype(np.uint32)
