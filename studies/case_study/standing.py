"""Where a model stands among all models: raw similarity, and the same of everybody else.

Similarity names no teacher; it is shown so that a reader sees whether one house stands out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.cohorts.all_pairs import mean_cosines
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.manner import manner_reference
from forensics.evidence.features.matched_prompts import Floats
from forensics.evidence.text.shared_manner.known_pairs import KnownPairs


@dataclass(frozen=True, eq=False)
class Scale:
    """Similarities of every two models of a cohort, shape (models, models), NaN where unknown.

    `unrelated`, shape (pairs,), are those of models of different houses without a documented link;
    `shares` tells whether they are shares of a model's own manner, or cosines without such a unit.
    """

    cohort: Cohort
    scores: Floats
    unrelated: Floats
    shares: bool

    @classmethod
    def of(cls, cohort: Cohort) -> Scale:
        """Measure a cohort: shared manner where it was asked several times, else cosines."""
        reference = manner_reference(cohort)
        population = KnownPairs.of(reference)
        if population is not None:
            return cls(cohort, population.shares, population.unrelated(), True)
        rows = cohort.rows()
        every = np.ones(len(cohort.models), dtype=np.bool_)
        scores = mean_cosines(list(rows), every).astype(np.float64)
        first, second = np.triu_indices(len(cohort.models), 1)
        apart = reference.unrelated[first, second] & np.isfinite(scores[first, second])
        return cls(cohort, scores, scores[first, second][apart], False)

    def score(self, a: str, b: str) -> float:
        """Return how alike two models are."""
        return float(self.scores[self.cohort.place(a), self.cohort.place(b)])

    def above(self, score: float) -> float:
        """Return the share of unrelated pairs that are more alike, 0 to 1."""
        return float((self.unrelated > score).mean())

    def limit(self, share: float) -> float:
        """Return the score that this share of unrelated pairs does not exceed."""
        return float(np.quantile(self.unrelated, share))

    def foreign(self, known: str) -> list[tuple[str, float]]:
        """Return the models of other houses, the one most like `known` first."""
        house = self.cohort.facts[known].developer
        others = [
            (name, self.score(known, name))
            for name, fact in self.cohort.facts.items()
            if fact.developer != house and name != known
        ]
        return sorted(
            (pair for pair in others if np.isfinite(pair[1])), key=lambda pair: (-pair[1], pair[0])
        )


@dataclass(frozen=True)
class Place:
    """A model's place beside a known one: its score, the unrelated pairs above, and its rank.

    `rank` is its place among the `of` models of other houses than the known one's.
    """

    model: str
    known: str
    score: float
    above: float
    rank: int
    of: int


def place_of(scale: Scale, model: str, known: str) -> Place:
    """Return where a model stands beside a known one."""
    order = [name for name, _ in scale.foreign(known)]
    score = scale.score(model, known)
    return Place(model, known, score, scale.above(score), order.index(model) + 1, len(order))


@dataclass(frozen=True)
class HouseNearest:
    """The model of a house that is nearest to another model."""

    house: str
    nearest: str
    score: float
    above: float
    models: int


def by_house(scale: Scale, model: str) -> list[HouseNearest]:
    """Return every other house with its model nearest to `model`, the nearest house first."""
    houses: dict[str, list[tuple[float, str]]] = {}
    for name, score in scale.foreign(model):
        houses.setdefault(scale.cohort.facts[name].developer, []).append((score, name))
    rows = []
    for house, models in houses.items():
        score, nearest = max(models)
        rows.append(HouseNearest(house, nearest, score, scale.above(score), len(models)))
    return sorted(rows, key=lambda row: (-row.score, row.house))


def released_by(scale: Scale, house: str, month: str = "9999-12") -> Sequence[str]:
    """Return a house's models that were released by a month, as `YYYY-MM`, the earliest first."""
    named = [
        (fact.released, name)
        for name, fact in scale.cohort.facts.items()
        if fact.developer == house and fact.released <= month
    ]
    return [name for _, name in sorted(named)]
