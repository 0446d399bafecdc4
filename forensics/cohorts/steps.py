"""Steps without a foreign teacher: a release after another of its house, or another setting.

What such steps change is the yardstick of any change that is said to come from a teacher.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations

from forensics.cohorts.lineage.models import ModelFacts
from forensics.evidence.text.shared_manner.centring import OwnStep


def own_steps(facts: Mapping[str, ModelFacts]) -> tuple[OwnStep, ...]:
    """Return the steps of models that nobody documents to have had another house's teacher.

    Of two settings of the same weights each is a step from the other; a model steps from earlier
    releases of its developer's family, and from the model its weights were tuned from.
    """
    models = list(facts.values())
    steps = []
    for (number, fact), (past, base) in permutations(enumerate(models), 2):
        if fact.weights_id.casefold() == base.weights_id.casefold():
            steps.append(OwnStep(number, past, setting=True))
        elif _follows(fact, base) and not fact.teachers:
            steps.append(OwnStep(number, past, setting=False))
    return tuple(steps)


def _follows(fact: ModelFacts, base: ModelFacts) -> bool:
    if not fact.developer or fact.developer != base.developer:
        return False
    parents = {name.casefold() for name in (fact.weights_parent,) if name}
    if parents & {base.model.casefold(), base.weights_id.casefold()}:
        return True
    same_family = bool(fact.family) and fact.family == base.family
    return same_family and bool(base.released) and base.released < fact.released
