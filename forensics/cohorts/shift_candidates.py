"""Towards which candidates did a model change, where every prompt was answered once?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.lineage.models import ModelFacts, clusters
from forensics.cohorts.similarity import MIN_PROMPTS, Similarities
from forensics.cohorts.teachers import roles
from forensics.evidence.features.matched_prompts import Floats
from forensics.evidence.shift.deviation import towards
from forensics.evidence.shift.margins import Lead, leads

_LEAST_DEVELOPERS = 3  # below it there is no runner-up to speak of


@dataclass(frozen=True, eq=False)
class StepChange:
    """A model's change against its past, towards candidates of other houses.

    `changes` has shape (prompts, candidates), NaN where a candidate gave no answer; `developers`
    are those of the candidates, in the columns' order; `cluster` is the model's.
    """

    model: str
    cluster: int
    developers: tuple[str, ...]
    candidates: tuple[str, ...]
    changes: Floats

    def leads(self) -> tuple[Lead, ...]:
        """Return every developer's lead over the best of the others, the first one first."""
        return leads(self.changes, self.developers)


def candidates_of(
    facts: Mapping[str, ModelFacts], model: ModelFacts, bases: Sequence[ModelFacts]
) -> NDArray[np.intp]:
    """Return who may have taught a model: the numbers of models of other houses.

    Left out are its own lineage and its pasts', models of its developer or on its base family,
    those that are students of somebody themselves, and those released after it.
    """
    numbers = clusters(facts)
    involved = {numbers[fact.model] for fact in (model, *bases) if fact.model in numbers}
    families = {fact.base_family for fact in (model, *bases)} - {"", "?"}
    students = roles(facts).students
    return np.array(
        [
            place
            for place, (name, fact) in enumerate(facts.items())
            if fact.developer
            and fact.developer != model.developer
            and numbers[name] not in involved
            and fact.base_family not in families
            and not students[place]
            and not (model.released and fact.released and fact.released > model.released)
        ],
        dtype=np.intp,
    )


def step_change(
    facts: Mapping[str, ModelFacts],
    similarities: Similarities,
    model: str,
    bases: Sequence[str],
) -> StepChange | None:
    """Return a model's change; None where too few prompts or candidates are there to tell.

    Args:
        facts: of the models, in the order of the similarities.
        similarities: how alike all models are, prompt by prompt.
        model: the questioned model.
        bases: its pasts.
    """
    place = {name: number for number, name in enumerate(similarities.models)}
    candidates = candidates_of(facts, facts[model], [facts[base] for base in bases])
    developers = tuple(facts[similarities.models[number]].developer for number in candidates)
    if len(set(developers)) < _LEAST_DEVELOPERS:
        return None
    changes = towards(
        similarities.cosines,
        similarities.answered,
        place[model],
        [place[base] for base in bases],
        candidates,
    )
    if len(changes) < MIN_PROMPTS:
        return None
    names = tuple(similarities.models[number] for number in candidates)
    return StepChange(model, clusters(facts)[model], developers, names, changes)
