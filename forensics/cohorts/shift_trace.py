"""Towards which of a cohort's models did a subject change, against its own past?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.case.details.shift import ShiftDetails, ShiftReading
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.lineage.models import ModelFacts
from forensics.cohorts.manner import asked_twice, located, manner_reference
from forensics.cohorts.manner_shift import InCohort, manner_shift
from forensics.cohorts.placed import place_member
from forensics.cohorts.shift_candidates import candidates_of
from forensics.evidence.comparator import MIN_PROMPTS
from forensics.evidence.shift.manner_change import shares_with
from forensics.evidence.text.shared_manner.repeated import Repeated

_SHOWN = 8  # candidates with the largest change, which are measured to the end


@dataclass(frozen=True)
class ShiftCandidate:
    """A candidate, what the subject and its past share with it, and how the change is read."""

    model: str
    developer: str
    released: str
    past: float
    share: float
    change: float
    low: float
    high: float
    reading: ShiftReading


@dataclass(frozen=True)
class ShiftTrace:
    """The candidates that a subject changed towards most, of `searched` models of other houses.

    `named` are those that the change points to; `reason` says why nothing could be measured.
    """

    bases: tuple[str, ...]
    searched: int
    candidates: tuple[ShiftCandidate, ...]
    named: tuple[str, ...]
    reason: str = ""

    @property
    def statement(self) -> str:
        """What may be said of it."""
        past = ", ".join(self.bases)
        if self.reason:
            return f"Change against {past}: not measured ({self.reason})."
        if not self.named:
            return (
                f"Change against {past}: it points to none of {self.searched} models of other "
                "houses, which is not evidence that it learned from nobody."
            )
        return (
            f"Change against {past}: it points to {', '.join(self.named)}, of {self.searched} "
            "models of other houses. These cannot be told from one another, nor from a model that "
            "taught them and the subject. They come from a search of these answers: confirm on "
            "other prompts, or with another past."
        )


def shift_trace(subject: InCohort, bases: Sequence[InCohort], cohort: Cohort) -> ShiftTrace:
    """Search a cohort for the models that a subject changed towards.

    Args:
        subject: the questioned model.
        bases: its pasts.
        cohort: whose models are the candidates, and the yardstick.
    """
    names = tuple(base.name for base in bases)
    places = candidates_of(
        cohort.facts, _facts(subject, cohort), [_facts(base, cohort) for base in bases]
    )
    ranked = _most_changed(subject, bases, cohort, [int(place) for place in places])
    if not ranked:
        tried = manner_shift(bases[0], subject, bases, cohort)
        few = tried.n < MIN_PROMPTS
        reason = tried.reason if few else "no candidate answered these prompts repeatedly"
        return ShiftTrace(names, len(places), (), (), reason)
    measured = []
    for place in ranked:
        evidence = manner_shift(
            InCohort(place_member(cohort.models[place], cohort)), subject, bases, cohort
        )
        if not isinstance(evidence.details, ShiftDetails):
            return ShiftTrace(names, len(places), (), (), evidence.reason)
        measured.append(_candidate(cohort, place, evidence.details))
    named = tuple(entry.model for entry in measured if entry.reading == "points")
    return ShiftTrace(names, len(places), tuple(measured), named)


def _facts(side: InCohort, cohort: Cohort) -> ModelFacts:
    """Return what is known of a model; of one that is not the cohort's, its name and month."""
    known = side.placed.known_as
    if known is not None:
        return cohort.facts[known]
    return ModelFacts(side.name, side.name, released=side.placed.traits.released)


def _most_changed(
    subject: InCohort, bases: Sequence[InCohort], cohort: Cohort, places: Sequence[int]
) -> list[int]:
    """Return the candidates of the largest changes, the largest first; empty where none is."""
    reference = manner_reference(cohort)
    sides = (subject, *bases)
    texts = [Repeated.of(side.answers) if side.answers else None for side in sides]
    known = np.logical_and.reduce(
        [asked_twice(s.placed, t, reference) for s, t in zip(sides, texts, strict=True)]
    )
    if known.sum() < MIN_PROMPTS:
        return []
    cut = reference.on([p for p, asked in zip(reference.prompts, known, strict=True) if asked])
    shares = [
        shares_with(located(side.placed, repeated, cut), cut)
        for side, repeated in zip(sides, texts, strict=True)
    ]
    changes = shares[0] - np.max(shares[1:], axis=0)
    finite = [place for place in places if np.isfinite(changes[place])]
    return sorted(finite, key=lambda place: -changes[place])[:_SHOWN]


def _candidate(cohort: Cohort, place: int, shift: ShiftDetails) -> ShiftCandidate:
    least, facts = shift.least, cohort.facts[cohort.models[place]]
    return ShiftCandidate(
        facts.model, facts.developer, facts.released, least.past, least.share, least.change,
        least.low, least.high, shift.reading,
    )  # fmt: skip
