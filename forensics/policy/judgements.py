"""One function a rule: what it says of one reference that was measured.

A rule compares what is *declared* of the subject with what was *measured*. It never passes what
could not be measured, and absence of likeness is no evidence of independence: a pass says only
that the bound was not reached. The sentences are in `rule_wording`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.case.document import Case
from forensics.policy import rule_wording as words
from forensics.policy.declarations import Declarations, DeclaredModel
from forensics.policy.measured import Measured, by_weights, kin_log10_lr, telling_exhibit
from forensics.policy.model import (
    ContradictedDeclaration,
    MaxSimilarity,
    RestrictedTeacher,
    RuleName,
    UndeclaredKinship,
)
from forensics.policy.names import declared_as, same_name
from forensics.policy.outcomes import NO_REFERENCE, ExhibitRef, Status
from forensics.policy.terms import RestrictedTerms, terms_for
from forensics.verdicts.shifting import shift_of


@dataclass(frozen=True)
class Known:
    """What every rule looks at besides the measurements."""

    declared: Declarations
    terms: tuple[RestrictedTerms, ...] = ()

    def parent(self, reference: Measured) -> DeclaredModel | None:
        """Return the declaration that names a reference."""
        return declared_as((*reference.names, *reference.kin), self.declared)

    def restricted(self, reference: Measured) -> RestrictedTerms | None:
        """Return the terms that a reference falls under."""
        return terms_for(reference.names, self.terms)


@dataclass(frozen=True)
class Judgement:
    """What a rule says: the fields of `Outcome` that it decides."""

    status: Status
    message: str
    next_step: str = ""
    measure: str = ""
    value: float | None = None
    bound: float | None = None
    exhibit: ExhibitRef | None = None


def undeclared_kinship(
    known: Known, rule: UndeclaredKinship, reference: Measured, case: Case
) -> Iterable[Judgement]:
    """Judge close kinship to a model that is not declared."""
    parent = known.parent(reference)
    if parent is not None:
        yield Judgement("pass", words.declared(parent))
        return
    weights = by_weights(case, rule.min_log10_lr)
    if weights is not None and weights.says == "kin":
        message = words.kin_by_weights(weights.words, known.declared.from_scratch)
        yield Judgement("violated", message, words.DECLARE)
        return
    yield _by_likelihood(known, rule, reference, case)


def _by_likelihood(
    known: Known, rule: UndeclaredKinship, reference: Measured, case: Case
) -> Judgement:
    value, bound = kin_log10_lr(case), rule.min_log10_lr
    if value is None and case.copy_tripwire.tripped:
        return Judgement("review", words.copied(case.copy_tripwire), words.ASK_AGAIN)
    undecided = _undecided(reference, case, value)
    if undecided or value is None:
        return Judgement("inconclusive", undecided, words.CALIBRATE)
    measure = (words.LIKELIHOOD_RATIO, value, bound)
    if reference.search is not None and not reference.search.named:
        return Judgement("pass", words.not_named(reference.search), "", *measure)
    if value < bound and case.verdict.status == "inconclusive":
        return Judgement("inconclusive", words.for_neither(value), words.MORE_PROMPTS, *measure)
    if value < bound:
        return Judgement("pass", words.below(value, bound), "", *measure)
    message = words.kin_by_ratio(case.verdict, value, bound, known.declared.from_scratch)
    return Judgement("violated", message, words.DECLARE, *measure, telling_exhibit(reference))


def _undecided(reference: Measured, case: Case, value: float | None) -> str:
    """Return why no likelihood ratio may be used, empty where one may."""
    if reference.search is not None and reference.search.unmet:
        return words.outside(reference.search.unmet)
    return "" if value is not None else words.no_ratio(case.verdict)


def max_similarity(
    known: Known, rule: MaxSimilarity, reference: Measured, case: Case
) -> Iterable[Judgement]:
    """Judge scores against limits that the policy's author chose."""
    parent = known.parent(reference)
    if parent is not None:
        yield Judgement("pass", words.declared(parent))
        return
    for comparator, bound in rule.limits.items():
        yield _within(reference, case, comparator, bound)


def _within(reference: Measured, case: Case, comparator: str, bound: float) -> Judgement:
    evidence = next((e for e in case.evidence if e.comparator == comparator), None)
    if evidence is None or evidence.score is None or evidence.interval is None:
        failed = evidence is not None and evidence.status == "error"
        message = words.no_score(comparator, evidence)
        return Judgement(
            "error" if failed else "not_measured", message, words.OTHER_COMPARATOR, comparator
        )
    low, high = evidence.interval.low, evidence.interval.high
    measure = (comparator, evidence.score, bound)
    if low > bound:
        exhibit = telling_exhibit(reference, [comparator]) or telling_exhibit(reference)
        message = words.above_limit(evidence, bound)
        return Judgement("violated", message, words.DECLARE, *measure, exhibit)
    if high > bound:
        message = words.straddles_limit(evidence, bound)
        return Judgement("inconclusive", message, words.MORE_SAMPLES, *measure)
    return Judgement("pass", words.within_limit(evidence, bound), "", *measure)


def contradicted_declaration(
    known: Known, rule: ContradictedDeclaration, reference: Measured, case: Case
) -> Iterable[Judgement]:
    """Judge a declared parent by the weights; text cannot contradict a declaration."""
    parent = known.parent(reference)
    if parent is None:
        return
    weights = by_weights(case, rule.min_log10_lr)
    if weights is None:
        yield Judgement("not_measured", words.no_weights(parent), words.GIVE_WEIGHTS)
    elif weights.says == "independent":
        message = words.contradicted(parent, weights.words)
        yield Judgement("violated", message, words.CORRECT_CARD)
    elif weights.says == "undecided":
        yield Judgement("inconclusive", words.left_open(parent, weights.words), measure="weights")
    else:
        yield Judgement("pass", words.confirmed(parent, weights.words))


def undeclared_parents(
    known: Known, measured: Sequence[Measured]
) -> Iterable[tuple[str, Judgement]]:
    """Yield what `contradicted-declaration` says of parents that are no reference, by name."""
    if not known.declared.base_models:
        yield NO_REFERENCE, Judgement("pass", words.NO_PARENT)
    for parent in known.declared.base_models:
        if any(
            same_name(parent.name, name)
            for reference in measured
            for name in (*reference.names, *reference.kin)
        ):
            continue
        message, step = words.not_a_reference(parent), words.add_reference(parent)
        yield parent.name, Judgement("not_measured", message, step)


def restricted_teacher(
    known: Known, rule: RestrictedTeacher, reference: Measured, case: Case
) -> Iterable[Judgement]:
    """Judge kinship to a model whose terms forbid training on its outputs.

    On text alone it is at most `review`: text cannot tell training on a model's outputs from
    descent, nor from a page that both have read.
    """
    terms = known.restricted(reference)
    if terms is None:
        return
    weights = by_weights(case, rule.min_log10_lr)
    if weights is not None and weights.says == "kin":
        yield _by_descent(known.parent(reference), weights.words, terms)
        return
    value, bound = kin_log10_lr(case), rule.min_log10_lr
    shift = shift_of(case.evidence)
    if shift is not None and shift.reading == "points" and (value is None or value < bound):
        message = words.with_terms(words.changed_towards(shift), terms)
        yield Judgement("review", message, words.READ_EXHIBITS)
        return
    undecided = _undecided(reference, case, value)
    if value is None and case.copy_tripwire.tripped:
        message = words.with_terms(words.copied(case.copy_tripwire), terms)
        yield Judgement("review", message, words.ASK_AGAIN)
        return
    if undecided or value is None:
        yield Judgement("inconclusive", words.with_terms(undecided, terms), words.CALIBRATE)
        return
    measure = (words.LIKELIHOOD_RATIO, value, bound)
    if reference.search is not None and not reference.search.named:
        yield Judgement("pass", words.not_named(reference.search), "", *measure)
    elif value < bound:
        yield Judgement("pass", words.not_reached(value, bound), "", *measure)
    else:
        message = words.with_terms(words.kin_by_text(value), terms)
        yield Judgement(
            "review", message, words.READ_EXHIBITS, *measure, telling_exhibit(reference)
        )


def _by_descent(parent: DeclaredModel | None, by: str, terms: RestrictedTerms) -> Judgement:
    if parent is None:
        message = words.with_terms(words.descends(by), terms)
        return Judgement("violated", message, words.READ_TERMS)
    # A declared descendant is what a licence of weights is for; outputs leave no trace in them.
    message = words.with_terms(words.descends_as_declared(by, parent), terms)
    return Judgement("review", message, f"{words.READ_TERMS} {words.ALLOW}")


Judge = Callable[[Known, Any, Measured, Case], Iterable[Judgement]]
JUDGES: Mapping[RuleName, Judge] = {
    "undeclared-kinship": undeclared_kinship,
    "contradicted-declaration": contradicted_declaration,
    "restricted-teacher": restricted_teacher,
    "max-similarity": max_similarity,
}
