"""The models that shared manner is centred on: what they say to the same prompts, as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.features.matched_prompts import Floats, row_dots
from forensics.evidence.features.sketches import DIMENSIONS, Floats32, fold
from forensics.evidence.text.shared_manner.attenuation import CentredCosines
from forensics.evidence.text.shared_manner.repeated import MeanRows, SequenceRarity

Flags = NDArray[np.bool_]

MIN_MODELS = 3


class OwnStep(NamedTuple):
    """A model, by number, and one of its own past; `setting`: the same weights, set otherwise."""

    model: int
    base: int
    setting: bool


_SAME_ANSWERS = 0.9  # a model's own answers come back with a cosine of 1; relatives reach .7


@dataclass(frozen=True, eq=False)
class MannerReference:
    """Many models' answers to the same prompts, without text; by `cohorts.manner` from a cohort.

    `rows`, shape (prompts, models, 256), are count sketches of the mean of a model's unit rows (as
    long as that mean, zero without an answer), `repeats`, shape (prompts, models), the mean cosine
    of two answers of a model (NaN where it gave one). `weights` say how rare each sequence is.
    `clusters`, shape (models,), number lineage clusters; `unrelated` and `relatives`, shape
    (models, models), flag pairs without a documented link, and near relatives of other weights.
    """

    name: str
    sha256: str
    models: tuple[str, ...]
    prompts: tuple[str, ...]
    categories: tuple[str, ...]
    weights: SequenceRarity
    rows: Floats32
    repeats: Floats
    clusters: NDArray[np.intp]
    unrelated: Flags
    relatives: Flags
    steps: tuple[OwnStep, ...] = ()

    @cached_property
    def places(self) -> dict[str, int]:
        """Prompt hash → row number."""
        return {prompt: place for place, prompt in enumerate(self.prompts)}

    @cached_property
    def answered(self) -> Flags:
        """Whether a model answered a prompt, shape (prompts, models)."""
        flags: Flags = np.any(self.rows != 0, axis=2)
        return flags

    def on(self, prompts: Sequence[str]) -> MannerReference:
        """Return the same on some of its prompts, in the order given."""
        rows = np.array([self.places[prompt] for prompt in prompts], dtype=np.intp)
        return MannerReference(
            self.name,
            self.sha256,
            self.models,
            tuple(prompts),
            tuple(self.categories[row] for row in rows),
            SequenceRarity(self.weights.frequency[rows], self.weights.texts[rows]),
            self.rows[rows],
            self.repeats[rows],
            self.clusters,
            self.unrelated,
            self.relatives,
            self.steps,
        )

    def recognise(self, rows: Floats32) -> int | None:
        """Return the model whose answers these are, None where they are nobody's.

        Args:
            rows: sketched mean rows of a subject, shape (prompts, 256).
        """
        lengths = np.linalg.norm(rows, axis=1)[:, None] * np.linalg.norm(self.rows, axis=2)
        cosines = np.einsum("pd,pmd->pm", rows, self.rows) / np.maximum(lengths, 1e-9)
        both = lengths > 0
        means = (cosines * both).sum(axis=0) / np.maximum(both.sum(axis=0), 1)
        means[both.sum(axis=0) < len(rows) / 2] = 0
        best = int(np.argmax(means))
        return best if means[best] >= _SAME_ANSWERS else None

    def levels(self, rows: Floats32, chosen: Flags) -> Floats:
        """Return a subject's mean similarity to reference models, shape (prompts,).

        Args:
            rows: its sketched mean rows, shape (prompts, 256).
            kept: the reference models, shape (models,).
        """
        total = self.rows[:, chosen].sum(axis=1)
        count = np.maximum(self.answered[:, chosen].sum(axis=1), 1)
        mean: Floats = np.einsum("pd,pd->p", rows, total).astype(np.float64) / count
        return mean

    def prompt_means(self, chosen: Flags) -> Floats:
        """Return reference models' mean similarity to one another, shape (prompts,)."""
        rows = self.rows[:, chosen].astype(np.float64)
        total = rows.sum(axis=1)
        count = self.answered[:, chosen].sum(axis=1)
        pairs = np.einsum("pd,pd->p", total, total) - np.einsum("pmd,pmd->p", rows, rows)
        mean: Floats = pairs / np.maximum(count * (count - 1), 1)
        return mean


@dataclass(frozen=True, eq=False)
class InReference:
    """A subject among the reference models: its sketched mean rows, and which of them it is."""

    rows: Floats32
    within: Floats
    known_as: int | None


def place(rows: MeanRows, reference: MannerReference) -> InReference:
    """Place a subject whose texts are known; `reference` is cut to its prompts."""
    folded = fold(rows.means, DIMENSIONS)
    return InReference(folded, rows.within, reference.recognise(folded))


def centred(
    a: InReference, b: InReference, reference: MannerReference, cross: Floats | None = None
) -> tuple[CentredCosines, Flags]:
    """Return what two subjects share beyond what models in general do, and who those models are.

    Args:
        a: the one.
        b: the other, on the same prompts.
        reference: cut to these prompts.
        cross: mean cosine across, shape (prompts,), where texts tell it exactly.

    The models of the subjects' own lineage clusters are no reference for them.
    """
    excluded = [reference.clusters[side.known_as] for side in (a, b) if side.known_as is not None]
    chosen: Flags = ~np.isin(reference.clusters, excluded)
    if cross is None:
        cross = row_dots(a.rows, b.rows)
    mean = reference.prompt_means(chosen)
    level_a, level_b = reference.levels(a.rows, chosen), reference.levels(b.rows, chosen)
    return (
        CentredCosines(
            cross - level_a - level_b + mean,
            a.within - 2 * level_a + mean,
            b.within - 2 * level_b + mean,
        ),
        chosen,
    )
