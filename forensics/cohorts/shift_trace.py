"""Towards which of a cohort's models did a subject change, against its own past?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.case.details.shift import ShiftDetails, ShiftReading
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.lineage.models import ModelFacts
from forensics.cohorts.manner import asked_twice, located, manner_reference
from forensics.cohorts.manner_shift import InCohort, manner_shift
from forensics.cohorts.placed import place_member
from forensics.cohorts.shift_candidates import candidates_of
from forensics.evidence.comparator import MIN_PROMPTS
from forensics.evidence.features.matched_prompts import Floats
from forensics.evidence.shift.manner_change import scores_with
from forensics.evidence.shift.margins import not_separated
from forensics.evidence.text.shared_manner.repeated import Repeated

_SHOWN = 8  # candidates with the largest change, which are measured to the end
# A paired t over prompts. Of 22 lineages without a teacher none leads its runner-up house by 2; a
# student's teacher and the model nearest to it are within 2 of each other (reports/SHIFT.md).
_SEPARATED = 3.5


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

    `named` are those that the change points to; `group` is the smallest group of candidates that
    the lead of the first separates from all others, empty where nobody is named. `reason` says why
    nothing could be measured.
    """

    bases: tuple[str, ...]
    searched: int
    candidates: tuple[ShiftCandidate, ...]
    named: tuple[str, ...]
    reason: str = ""
    group: tuple[str, ...] = ()

    @property
    def statement(self) -> str:
        """What may be said of it."""
        past = ", ".join(self.bases)
        if self.reason:
            return f"Change against {past}: not measured ({self.reason})."
        if not self.named:
            return (
                f"Change against {past}: it does not point to any of {self.searched} models of "
                "other developers, which is not evidence that it learned from none."
            )
        return (
            f"Change against {past}: it points to {', '.join(self.named)}, of {self.searched} "
            f"models of other developers. {self._level} They come from a search of these answers: "
            "confirm on other prompts, or with another past."
        )

    @property
    def _level(self) -> str:
        """How narrow the group is that may be named."""
        alike = "cannot be told from one another, nor from a model that taught them and the subject"
        if not self.group or len(self.group) > _SHOWN:
            return f"No group of up to {_SHOWN} stands apart from the rest: these {alike}."
        if len(self.group) == 1:
            return (
                f"{self.group[0]} stands apart from all others of the cohort; a model outside it "
                "may be as similar."
            )
        return (
            f"The smallest group that stands apart from all others is {', '.join(self.group)}: "
            f"these {alike}."
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
    changes = _changes(subject, bases, cohort)
    ranked = _most_changed(changes, [int(place) for place in places])
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
    group = _group(changes, ranked, places, cohort) if named else ()
    return ShiftTrace(names, len(places), tuple(measured), named, group=group)


def _facts(side: InCohort, cohort: Cohort) -> ModelFacts:
    """Return what is known of a model; of one that is not the cohort's, its name and month."""
    known = side.placed.known_as
    if known is not None:
        return cohort.facts[known]
    return ModelFacts(side.name, side.name, released=side.placed.traits.released)


def _changes(subject: InCohort, bases: Sequence[InCohort], cohort: Cohort) -> list[Floats]:
    """Return the change against each past by prompt, shape (prompts, models), NaN where unknown.

    Empty where too few prompts were asked repeatedly of the subject and its pasts.
    """
    reference = manner_reference(cohort)
    sides = (subject, *bases)
    texts = [Repeated.of(side.answers) if side.answers else None for side in sides]
    known = np.logical_and.reduce(
        [asked_twice(s.placed, t, reference) for s, t in zip(sides, texts, strict=True)]
    )
    if known.sum() < MIN_PROMPTS:
        return []
    cut = reference.on([p for p, asked in zip(reference.prompts, known, strict=True) if asked])
    now, *pasts = (
        scores_with(located(side.placed, repeated, cut), cut)
        for side, repeated in zip(sides, texts, strict=True)
    )
    return [now - past for past in pasts]


def _most_changed(changes: Sequence[Floats], places: Sequence[int]) -> list[int]:
    """Return the candidates of the largest changes, the largest first; empty where none is."""
    if not changes:
        return []
    least = np.min([_means(change) for change in changes], axis=0)
    finite = [place for place in places if np.isfinite(least[place])]
    return sorted(finite, key=lambda place: -least[place])[:_SHOWN]


def _means(change: Floats) -> Floats:
    known = np.isfinite(change)
    count = known.sum(axis=0)
    means: Floats = np.where(known, change, 0).sum(axis=0) / np.maximum(count, 1)
    return np.where(count > 0, means, np.nan)


def _group(
    changes: Sequence[Floats], ranked: Sequence[int], places: NDArray[np.intp], cohort: Cohort
) -> tuple[str, ...]:
    """Return whom the first candidate cannot be told from by every past, itself first."""
    rest = [int(p) for p in places if p not in ranked and np.isfinite(changes[0][:, p]).any()]
    columns = [*ranked, *rest]
    names = [cohort.models[place] for place in columns]
    groups = [not_separated(change[:, columns], names, _SEPARATED) for change in changes]
    return tuple(dict.fromkeys(name for group in groups for name in group))


def _candidate(cohort: Cohort, place: int, shift: ShiftDetails) -> ShiftCandidate:
    least, facts = shift.least, cohort.facts[cohort.models[place]]
    return ShiftCandidate(
        facts.model, facts.developer, facts.released, least.past, least.share, least.change,
        least.low, least.high, shift.reading,
    )  # fmt: skip
