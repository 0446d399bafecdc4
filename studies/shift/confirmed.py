"""Does a candidate that leads on one genre lead on another one too, frozen in between?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forensics.cohorts.lineage.models import ModelFacts
from forensics.cohorts.outputs import Outputs
from forensics.evaluation.step_rates import JudgedStep, KnownStep, judged_steps


@dataclass(frozen=True)
class Confirmed:
    """Steps that were judged twice: how many have a teacher, and what became of the first leader.

    `found` students put their teacher's house first the first time, `again` of them the second
    time too; of `nulls` steps without a teacher `wrongly` put the same house first both times.
    """

    students: int
    found: int
    again: int
    nulls: int
    wrongly: int


def confirmed(first: Sequence[JudgedStep], second: Sequence[JudgedStep]) -> Confirmed:
    """Return what became of the leaders of steps, which stand in one order in both."""
    pairs = list(zip(first, second, strict=True))
    taught = [(a, b) for a, b in pairs if a.step.teacher]
    nulls = [(a, b) for a, b in pairs if not a.step.teacher]
    found = [(a, b) for a, b in taught if a.first == a.step.teacher]
    return Confirmed(
        len(taught),
        len(found),
        sum(b.first == b.step.teacher for _, b in found),
        len(nulls),
        sum(a.first == b.first for a, b in nulls),
    )


def by_genre(
    outputs: Outputs, steps: Sequence[KnownStep], genres: Mapping[str, str]
) -> Iterator[tuple[str, Confirmed]]:
    """Yield each genre's name with: found on it, then asked on all the others.

    Args:
        outputs: of one set.
        steps: of the same set.
        genres: prompt id → genre.
    """
    similarities = outputs.similarities()
    of = np.array([genres.get(prompt.id, "") for prompt in outputs.prompts])
    for genre in sorted(set(of.tolist()) - {""}):
        sides = [
            judged_steps(outputs.facts, similarities.on(np.flatnonzero(rows)), steps)
            for rows in (of == genre, (of != genre) & (of != ""))
        ]
        yield genre, _twice(sides[0], sides[1], (steps, steps))


def by_past(outputs: Outputs, steps: Sequence[KnownStep]) -> Confirmed:
    """Return what a second past says of the house that leads by the first one."""
    several = [step for step in steps if len(step.bases) > 1]
    similarities = outputs.similarities()
    asked = [
        [KnownStep(step.model, (step.bases[place],), step.teacher) for step in several]
        for place in (0, 1)
    ]
    sides = [judged_steps(outputs.facts, similarities, steps) for steps in asked]
    return _twice(sides[0], sides[1], (asked[0], asked[1]))


def _twice(
    first: Sequence[JudgedStep],
    second: Sequence[JudgedStep],
    asked: tuple[Sequence[KnownStep], Sequence[KnownStep]],
) -> Confirmed:
    """Return what became of the steps that were judged both times, of those asked."""
    sides = [
        {steps.index(entry.step): entry for entry in judged}
        for judged, steps in zip((first, second), asked, strict=True)
    ]
    both = [place for place in sides[0] if place in sides[1]]
    return confirmed([sides[0][place] for place in both], [sides[1][place] for place in both])


def shared_steps(
    sets: Mapping[str, tuple[Mapping[str, ModelFacts], Sequence[KnownStep]]],
) -> Iterator[tuple[str, str, int, int]]:
    """Yield every two sets with how many steps they share, and how many of these are students.

    Args:
        sets: of each the models and the steps. A step is shared if its model and one of its pasts
            have the same weights in both.
    """
    every = {
        name: {
            (facts[step.model].weights_id.casefold(), facts[base].weights_id.casefold()): step
            for step in steps
            for base in step.bases
            if facts[step.model].weights_id.casefold() != facts[base].weights_id.casefold()
        }
        for name, (facts, steps) in sets.items()
    }
    for one, other in itertools.combinations(every, 2):
        both = {model for model, _ in every[one].keys() & every[other].keys()}
        students = {
            model
            for (model, base), step in every[one].items()
            if step.teacher and (model, base) in every[other]
        }
        yield one, other, len(both), len(students)
