"""The change in shared manner: s(B, A) - s(R, A), prompt by prompt, on prompts all three answered.

s is shared manner (`evidence.text.shared_manner`), each corrected for attenuation by the floors of
its own pair. What A, B and R all share drops out; what B took on since R stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.features.matched_prompts import Floats, row_dots
from forensics.evidence.features.sketches import Floats32
from forensics.evidence.text.shared_manner.attenuation import TINY, CentredCosines, interval
from forensics.evidence.text.shared_manner.centring import InReference, MannerReference, centred
from forensics.evidence.text.shared_manner.known_pairs import KnownPairs

_SAME_TEXTS = 0.999  # answers that are the same, character by character, have a cosine of 1


@dataclass(frozen=True, eq=False)
class MannerSide:
    """A subject on the prompts of a case: placed among reference models.

    `means`, shape (prompts, BUCKETS), are its rows as long as the mean of its answers', where its
    texts are known; None of a cohort's model.
    """

    name: str
    placed: InReference
    means: Floats32 | None = None

    def cross(self, other: MannerSide) -> Floats | None:
        """Return the exact mean cosines across, shape (prompts,); None where a text is missing."""
        if self.means is None or other.means is None:
            return None
        return row_dots(self.means, other.means)

    def same_answers(self, other: MannerSide) -> bool:
        """Tell whether both gave the same answers, as a file and its copy do."""
        known = self.placed.known_as
        if known is not None and known == other.placed.known_as:
            return True
        a, b = self.placed.rows.astype(np.float64), other.placed.rows.astype(np.float64)
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        cosines = np.einsum("pd,pd->p", a, b) / np.maximum(lengths, 1e-9)
        return bool(cosines.mean() >= _SAME_TEXTS)


@dataclass(frozen=True, eq=False)
class MannerChange:
    """What the past R, and then B, shares with A, on the same prompts."""

    before: CentredCosines
    after: CentredCosines

    @property
    def change(self) -> float:
        """By how much more B shares A's manner than R did."""
        return self.after.share - self.before.share

    @property
    def scores(self) -> Floats:
        """The change by prompt, shape (prompts,): their mean is `change`."""
        scores: Floats = self.after.scores - self.before.scores
        return scores

    @property
    def measurable(self) -> bool:
        """Whether all three are more like themselves than chance has it."""
        return self.before.measurable and self.after.measurable

    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval of the change over resampled prompts."""
        # The same resamples of prompts for both: what a prompt does to all three drops out.
        return interval(self.after.draws() - self.before.draws())


def manner_change(
    a: MannerSide, b: MannerSide, base: MannerSide, reference: MannerReference
) -> MannerChange:
    """Return the change of `b` against `base` towards `a`; `reference` is cut to their prompts."""
    before, _ = centred(base.placed, a.placed, reference, base.cross(a))
    after, _ = centred(b.placed, a.placed, reference, b.cross(a))
    return MannerChange(before, after)


@dataclass(frozen=True, eq=False)
class StepsTowards:
    """How far reference models changed towards one model, each against its own pasts.

    `models` numbers them, `changes`, shape (models,), is each one's change against the past that
    makes it largest, `settings` flags those whose past is the same weights in another setting.
    """

    models: NDArray[np.intp]
    changes: Floats
    settings: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of models."""
        return len(self.models)


def steps_towards(
    a: InReference, reference: MannerReference, left_out: Sequence[int]
) -> StepsTowards:
    """Return how far models that did not learn from `a` changed towards it.

    Args:
        a: the candidate.
        reference: with its `steps`, cut to the prompts of the case.
        left_out: reference models whose lineage clusters are part of the question.
    """
    shares = shares_with(a, reference)
    clusters = reference.clusters
    allowed = ~np.isin(clusters, clusters[list(left_out)]) & np.isfinite(shares)
    if a.known_as is not None:
        allowed &= reference.unrelated[a.known_as]
    largest: dict[int, tuple[float, bool]] = {}
    for step in reference.steps:
        if not (allowed[step.model] and allowed[step.base]):
            continue
        change = float(shares[step.model] - shares[step.base])
        if step.model not in largest or change > largest[step.model][0]:
            largest[step.model] = (change, step.setting)
    return StepsTowards(
        np.array(list(largest), dtype=np.intp),
        np.array([change for change, _ in largest.values()]),
        np.array([setting for _, setting in largest.values()], dtype=np.bool_),
    )


def shares_with(a: InReference, reference: MannerReference) -> Floats:
    """Return what each reference model shares with `a`: shape (models,), NaN where unknown."""
    shares = np.full(len(reference.models), np.nan)
    for model, _, agreement in _agreements(a, reference):
        shares[model] = agreement.share
    return shares


def scores_with(a: InReference, reference: MannerReference) -> Floats:
    """Return the same by prompt: shape (prompts, models), NaN where unknown."""
    scores = np.full(reference.repeats.shape, np.nan)
    for model, known, agreement in _agreements(a, reference):
        scores[known, model] = agreement.scores
    return scores


def _agreements(
    a: InReference, reference: MannerReference
) -> Iterator[tuple[int, NDArray[np.intp], CentredCosines]]:
    """Yield each model that enough is known of, on which prompts, and what it shares with `a`."""
    for model in range(len(reference.models)):
        within = reference.repeats[:, model]
        known = np.flatnonzero(np.isfinite(within) & np.isfinite(a.within))
        if model == a.known_as or len(known) < len(within) / 2:
            continue
        cut = reference.on([reference.prompts[row] for row in known])
        other = InReference(cut.rows[:, model], within[known], model)
        agreement, _ = centred(other, InReference(a.rows[known], a.within[known], a.known_as), cut)
        if min(agreement.floors) > TINY:
            yield model, known, agreement


def unrelated_p99(reference: MannerReference) -> float | None:
    """Return what 99 % of unrelated pairs of a reference share at most; None with too few pairs."""
    population = KnownPairs.of(reference)
    shares = population.unrelated() if population is not None else np.zeros(0)
    return float(np.quantile(shares, 0.99)) if len(shares) else None
