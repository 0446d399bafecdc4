"""What change in shared manner says of known steps: documented students, releases, settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forensics.case.details.shift import ShiftDetails
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.lineage.models import ModelFacts, clusters
from forensics.cohorts.manner import manner_reference
from forensics.cohorts.manner_shift import InCohort, manner_shift
from forensics.cohorts.placed import place_member
from forensics.cohorts.shift_candidates import candidates_of
from forensics.evaluation.step_rates import KnownStep
from forensics.evidence.text.shared_manner.known_pairs import KnownPairs

_NEAR = 0.8  # of the limit: what shares less than this of it is not measured to the end


@dataclass(frozen=True)
class Pointed:
    """A step, and every candidate that its change points to with what it shares with each."""

    step: KnownStep
    cluster: int
    candidates: int
    named: Mapping[str, ShiftDetails]


def shift_towards(cohort: Cohort, known: str, step: KnownStep) -> ShiftDetails | None:
    """Return the change of a step towards one model; None where it could not be measured."""
    a, b, *bases = (
        InCohort(place_member(name, cohort)) for name in (known, step.model, *step.bases)
    )
    details = manner_shift(a, b, bases, cohort).details
    return details if isinstance(details, ShiftDetails) else None


def pointed(cohort: Cohort, steps: Sequence[KnownStep]) -> list[Pointed]:
    """Ask of every step whether it points to any model of another house that came before.

    The models it is held against never include its own lineage cluster.
    """
    population = KnownPairs.of(manner_reference(cohort))
    assert population is not None  # noqa: S101 (the cohort was asked repeatedly)
    shares, limit = population.shares, float(np.quantile(population.unrelated(), 0.99))
    numbers = clusters(cohort.facts)
    results = []
    for step in steps:
        if not {step.model, *step.bases} <= set(cohort.models):
            continue
        bases = [cohort.facts[base] for base in step.bases]
        candidates = candidates_of(cohort.facts, cohort.facts[step.model], bases)
        near = [c for c in candidates if shares[cohort.place(step.model), c] > _NEAR * limit]
        measured = {cohort.models[c]: shift_towards(cohort, cohort.models[c], step) for c in near}
        named = {name: d for name, d in measured.items() if d is not None and d.reading == "points"}
        results.append(Pointed(step, numbers[step.model], len(candidates), named))
    return results


def undisclosed_releases(facts: Mapping[str, ModelFacts]) -> list[KnownStep]:
    """Return releases of houses that do not say whether there was a teacher: no nulls."""
    steps = []
    for fact in facts.values():
        earlier = [
            other
            for other in facts.values()
            if other.developer == fact.developer != ""
            and other.family == fact.family
            and "" != other.released < fact.released
            and other.weights_id != fact.weights_id
        ]
        last = max((other.released for other in earlier), default="")
        bases = tuple(other.model for other in earlier if other.released == last)
        if bases and not fact.teachers and fact.teachers_known == "undisclosed":
            steps.append(KnownStep(fact.model, bases, ""))
    return steps
