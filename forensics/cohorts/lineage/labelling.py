"""Facts of models → labelled pairs: how every two of them are related, as far as it is documented.

The most specific documented link decides, in this order: the same weights; weights that derive from
the other's; one parent; one developer; outputs that one learned from; one pretrained base. What
facts cannot document is that nothing connects two models: `unrelated` is never `high` here, and
where something speaks against it the pair is `unknown`, which is not counted.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from io import StringIO

from forensics.cohorts.lineage.hypotheses import (
    CONFIDENCES,
    Confidence,
    LabelledPair,
    Relation,
    at_confidence,
    best_confidence,
)
from forensics.cohorts.lineage.models import ModelFacts

# A teacher whose outputs are only part of pretraining data, or who only judged, leaves little.
_WEAK = frozenset({"pretrain", "judge"})
PAIR_COLUMNS = ("model_a", "model_b", "relation", "confidence", "reason", "shared_teachers")


@dataclass(frozen=True)
class PairLabel:
    """How two models are related, how well that is documented, and by what."""

    relation: Relation
    confidence: Confidence
    reason: str
    shared_teachers: tuple[str, ...] = ()


def label_pairs(
    facts: Mapping[str, ModelFacts], unverified: Collection[str] = ()
) -> dict[tuple[str, str], PairLabel]:
    """Label every two models, in the order of the facts.

    Args:
        facts: model → what is known of it.
        unverified: models whose facts nobody checked; their pairs have confidence `low`.
    """
    sides = {model: _side(model, facts) for model in facts}
    labels = {}
    for a, b in itertools.combinations(facts, 2):
        label = _label(sides[a], sides[b])
        if a in unverified or b in unverified:
            label = PairLabel(label.relation, "low", label.reason, label.shared_teachers)
        labels[a, b] = label
    return labels


def labelled_pairs(labels: Mapping[tuple[str, str], PairLabel]) -> tuple[LabelledPair, ...]:
    """Return pairs with their hypotheses; `unrelated` counts at the best confidence that occurs."""
    pairs = [
        LabelledPair(a, b, label.relation, label.confidence, None, {}, label.shared_teachers)
        for (a, b), label in labels.items()
    ]
    return tuple(at_confidence(pairs, best_confidence(pairs)))


def pairs_table(labels: Mapping[tuple[str, str], PairLabel]) -> str:
    """Return the pairs as a CSV that `cohort build --pairs` reads."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(PAIR_COLUMNS)
    for (a, b), label in labels.items():
        shared = ";".join(label.shared_teachers)
        writer.writerow([a, b, label.relation, label.confidence, label.reason, shared])
    return text.getvalue()


@dataclass(frozen=True)
class _Side:
    """A model, the names of all that its weights derive from, and who made what is below it.

    Names are case folded; of developers those are listed who made a model of the table that it
    derives from or whose base it has.
    """

    fact: ModelFacts
    ancestors: frozenset[str]
    below: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        return frozenset({self.fact.model.casefold(), self.fact.weights_id.casefold()})

    @property
    def base(self) -> str:
        return self.fact.base_model.casefold()

    @property
    def developer(self) -> str:
        """Who made it; empty where that is a guess."""
        name = self.fact.developer.casefold()
        return "" if name.endswith("?") else name

    @property
    def family(self) -> str:
        return self.fact.family.casefold()


def _ancestors(model: str, facts: Mapping[str, ModelFacts]) -> frozenset[str]:
    """Return every name above a model, through the rows of the table."""
    by_name = {
        name.casefold(): fact for fact in facts.values() for name in (fact.weights_id, fact.model)
    }
    above: set[str] = set()
    waiting = [parent.casefold() for parent in facts[model].parents()]
    while waiting:
        name = waiting.pop()
        if name in above:
            continue
        above.add(name)
        if name in by_name:
            fact = by_name[name]
            above |= {fact.weights_id.casefold(), fact.model.casefold()}
            waiting += [parent.casefold() for parent in fact.parents()]
    return frozenset(above)


def _side(model: str, facts: Mapping[str, ModelFacts]) -> _Side:
    fact, ancestors = facts[model], _ancestors(model, facts)
    bases = {name.casefold() for name in (fact.base_model, fact.base_family) if name}
    below = {
        other.developer.casefold()
        for other in facts.values()
        if {other.model.casefold(), other.weights_id.casefold()} & ancestors
        or {other.base_model.casefold(), other.base_family.casefold()} & bases
    }
    return _Side(fact, ancestors, frozenset(below))


def _label(a: _Side, b: _Side) -> PairLabel:
    for judge in (_of_weights, _of_developer, _of_teachers, _of_base):
        label = judge(a, b)
        if label is not None:
            return label
    return _of_strangers(a, b)


def _of_weights(a: _Side, b: _Side) -> PairLabel | None:
    if a.fact.weights_id.casefold() == b.fact.weights_id.casefold():
        return PairLabel("same_model_other_setting", "high", f"the same weights, {_settings(a, b)}")
    if a.names & b.ancestors or b.names & a.ancestors:
        return PairLabel("finetune_parent", "high", "the weights of one derive from the other's")
    shared = (a.ancestors & b.ancestors) - {a.base, b.base}
    if shared:
        reason = f"the weights of both derive from {min(shared)}"
        return PairLabel("siblings_same_instruct_parent", "high", reason)
    return None


def _settings(a: _Side, b: _Side) -> str:
    return " and ".join(side.fact.setting or "no setting named" for side in (a, b))


def _of_developer(a: _Side, b: _Side) -> PairLabel | None:
    if not a.developer or a.developer != b.developer:
        return None
    sure: Confidence = "high" if a.family and a.family == b.family else "medium"
    return PairLabel("same_family_developer", sure, f"one developer: {a.fact.developer}")


def _of_teachers(a: _Side, b: _Side) -> PairLabel | None:
    lessons = [*_lessons(a, b), *_lessons(b, a)]
    strong = [confidence for confidence, is_weak in lessons if not is_weak]
    if strong:
        best = min(strong, key=CONFIDENCES.index)
        return PairLabel("distilled_teacher", best, "one learned from the other's outputs")
    taught, taught_b = _taught_by(a), _taught_by(b)
    shared = sorted(set(taught) & set(taught_b))
    if shared:
        least = max((taught[name] for name in shared), key=CONFIDENCES.index)
        least = max((least, *(taught_b[name] for name in shared)), key=CONFIDENCES.index)
        reason = f"both learned from outputs of {', '.join(shared)}"
        return PairLabel("same_teacher", least, reason, tuple(shared))
    if lessons or _of_line(a, b) or _of_line(b, a):
        return PairLabel("unknown", "low", "a teacher is of the other's line, or left little")
    return None


def _lessons(student: _Side, teacher: _Side) -> list[tuple[Confidence, bool]]:
    """Return how well it is documented that a model learned from another, and whether weakly."""
    return [
        (_confidence(entry.confidence), entry.how in _WEAK)
        for entry in student.fact.teachers
        if entry.name.casefold() in teacher.names
    ]


def _confidence(word: str) -> Confidence:
    return next((level for level in CONFIDENCES if level == word), "medium")


def _taught_by(side: _Side) -> dict[str, Confidence]:
    return {
        entry.name.casefold(): _confidence(entry.confidence)
        for entry in side.fact.teachers
        if entry.how not in _WEAK
    }


def _of_line(student: _Side, other: _Side) -> bool:
    """Tell whether a teacher is, by its name, another model of the other's family."""
    family = other.family
    return bool(family) and any(
        teacher.name.casefold().startswith(family) for teacher in student.fact.teachers
    )


def _of_base(a: _Side, b: _Side) -> PairLabel | None:
    if a.base and a.base == b.base:
        reason = f"both were tuned from {a.fact.base_model}"
        return PairLabel("same_base_different_tuning", "high", reason)
    family = a.fact.base_family.casefold()
    if family and family == b.fact.base_family.casefold():
        reason = f"bases of one line: {a.fact.base_family}"
        return PairLabel("same_base_family_other_size", "high", reason)
    return None


def _of_strangers(a: _Side, b: _Side) -> PairLabel:
    if not (a.developer and b.developer):
        return PairLabel("unknown", "low", "a developer is not known")
    if a.family and a.family == b.family:
        return PairLabel("unknown", "low", "one family, several developers")
    if a.developer in b.below or b.developer in a.below:
        return PairLabel("unknown", "low", "one has a base that the other's developer tuned too")
    if a.fact.teachers_known == b.fact.teachers_known == "undisclosed":
        return PairLabel("unknown", "low", "what either learned from is undisclosed")
    return PairLabel("unrelated", "medium", "another developer and, as far as known, other data")
