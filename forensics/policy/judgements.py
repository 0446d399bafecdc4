"""One function a rule: what it says of one reference that was measured.

A rule compares what is *declared* of the subject with what was *measured*. It never passes what
could not be measured, and absence of likeness is no evidence of independence: a pass says only
that the bound was not reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.case.document import Case
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
from forensics.policy.outcomes import ExhibitRef, Status
from forensics.policy.terms import NOT_ADVICE, RestrictedTerms, terms_for
from forensics.support.numbers import number

_LR = "log10 likelihood ratio of close kinship"
_NAMED = "it, or one of its lineage or family, is declared"
_DECLARE = (
    "Declare it (base_model in the model card, or [declared] base_models in the policy); or look "
    "into the exhibits and accept it with [[allow]], a reason and a date."
)
_TERMS = "A person should read the terms and the licence of the weights."
_COPIED = (
    "Ask both again with no cache or proxy in between. If they are one model, declare it; if that "
    "is known and fine, accept it with [[allow]], a reason and a date."
)
_CALIBRATE = (
    'Ask prompts that a cohort has answered (suite = "alpaca-eval") for a likelihood ratio, or set '
    "[rules.max-similarity] limits of your own."
)


@dataclass(frozen=True)
class Known:
    """What every rule looks at besides the measurements."""

    declared: Declarations
    terms: tuple[RestrictedTerms, ...] = ()

    def parent(self, one: Measured) -> DeclaredModel | None:
        """Return the declaration that names a reference."""
        return declared_as((*one.names, *one.kin), self.declared)

    def restricted(self, one: Measured) -> RestrictedTerms | None:
        """Return the terms that a reference falls under."""
        return terms_for(one.names, self.terms)


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
    known: Known, rule: UndeclaredKinship, one: Measured, case: Case
) -> Iterable[Judgement]:
    """Judge close kinship to a model that is not declared."""
    parent = known.parent(one)
    if parent is not None:
        yield Judgement("pass", f"{_NAMED}: {parent.source} names {parent.name}")
        return
    weights = by_weights(case, rule.min_log10_lr)
    if weights is not None and weights.says == "kin":
        message = f"kin by its weights ({weights.words}), and not declared{_scratch(known)}"
        yield Judgement("violated", message, _DECLARE)
        return
    yield _by_likelihood(known, rule, one, case)


def _by_likelihood(known: Known, rule: UndeclaredKinship, one: Measured, case: Case) -> Judgement:
    value, bound = kin_log10_lr(case), rule.min_log10_lr
    if value is None and case.copy_tripwire.tripped:
        return Judgement("review", _copied(case), _COPIED)
    undecided = _undecided(one, case, value)
    if undecided or value is None:
        return Judgement("inconclusive", undecided, _CALIBRATE)
    if one.search is not None and not one.search.named:
        return Judgement("pass", _not_named(one), "", _LR, value, bound)
    if value < bound and case.verdict.status == "inconclusive":
        message = f"log10 LR {value:+.2f} weighs for neither"
        return Judgement("inconclusive", message, "Ask more prompts (limit).", _LR, value, bound)
    if value < bound:
        message = (
            f"log10 LR {value:+.2f} stays below {bound:+.2f}; that is no evidence of independence"
        )
        return Judgement("pass", message, "", _LR, value, bound)
    message = (
        f"log10 LR {value:+.2f} for close kinship ({case.verdict.calibration} calibration), "
        f"allowed below {bound:+.2f}, and not declared{_errors(case)}{_scratch(known)}"
    )
    return Judgement("violated", message, _DECLARE, _LR, value, bound, telling_exhibit(one))


def _undecided(one: Measured, case: Case, value: float | None) -> str:
    """Return why no likelihood ratio may be used, empty where one may."""
    if one.search is not None and one.search.unmet:
        return f"outside the validated population: {'; '.join(one.search.unmet)}"
    if value is not None:
        return ""
    return f"no likelihood ratio: {case.verdict.headline}"


def _copied(case: Case) -> str:
    # Nothing weighs so much, and yet a cache in front of both may be all there is to it.
    return (
        f"{case.copy_tripwire.identical} long answers are identical: the same model, a cache, an "
        "alias or a proxy; no likelihood ratio can be given"
    )


def _not_named(one: Measured) -> str:
    search = one.search
    if search is None:
        return ""
    rate = "unknown" if search.family_wise is None else f"{search.family_wise:.2g}"
    return (
        f"the best of {search.candidates} models of the cohort {search.cohort}, and does not stand "
        f"out from what unrelated models reach (error rate of the search {rate})"
    )


def _errors(case: Case) -> str:
    rate = case.verdict.error_at_score
    if rate is None:
        return ""
    return (
        f"; so high a score is reached by {rate.pairs_in_error} of {rate.pairs} unrelated pairs "
        f"held out ({rate.clusters_in_error} of {rate.clusters} lineage clusters)"
    )


def _scratch(known: Known) -> str:
    said = known.declared.from_scratch
    return f"; the card says it was {said!r}" if said else ""


def max_similarity(
    known: Known, rule: MaxSimilarity, one: Measured, case: Case
) -> Iterable[Judgement]:
    """Judge scores against limits that the policy's author chose."""
    parent = known.parent(one)
    if parent is not None:
        yield Judgement("pass", f"{_NAMED}: {parent.source} names {parent.name}")
        return
    for comparator, bound in rule.limits.items():
        yield _within(one, case, comparator, bound)


def _within(one: Measured, case: Case, comparator: str, bound: float) -> Judgement:
    evidence = next((e for e in case.evidence if e.comparator == comparator), None)
    if evidence is None or evidence.score is None or evidence.interval is None:
        reason = "it was not run" if evidence is None else evidence.reason
        failed = evidence is not None and evidence.status == "error"
        message = f"{comparator} gave no score with an interval: {reason}"
        step = "Ask more prompts (limit), or name another comparator in limits."
        return Judgement("error" if failed else "not_measured", message, step, comparator)
    score, low, high = evidence.score, evidence.interval.low, evidence.interval.high
    where = f"{evidence.title} {number(score)} [{number(low)}, {number(high)}]"
    if low > bound:
        message = f"{where} lies above {bound:g}, the policy's own, uncalibrated limit"
        exhibit = telling_exhibit(one, [comparator]) or telling_exhibit(one)
        return Judgement("violated", message, _DECLARE, comparator, score, bound, exhibit)
    if high > bound:
        step = "Ask more prompts (limit) or samples: the interval narrows."
        message = f"{where} straddles the limit {bound:g}"
        return Judgement("inconclusive", message, step, comparator, score, bound)
    message = f"{where} stays within {bound:g}; that is no evidence of independence"
    return Judgement("pass", message, "", comparator, score, bound)


def contradicted_declaration(
    known: Known, rule: ContradictedDeclaration, one: Measured, case: Case
) -> Iterable[Judgement]:
    """Judge a declared parent by the weights; text cannot contradict a declaration."""
    parent = known.parent(one)
    if parent is None:
        return
    said = f"{parent.source} declares {parent.name}"
    weights = by_weights(case, rule.min_log10_lr)
    if weights is None:
        message = f"{said}; no weights of both were compared, and text cannot contradict it"
        step = "Give both models as local folders or hub ids (hf:), with their weights."
        yield Judgement("not_measured", message, step)
    elif weights.says == "independent":
        message = f"{said}, but the weights show no kinship ({weights.words})"
        step = "Correct base_model in the card, or check that the right files were published."
        yield Judgement("violated", message, step)
    elif weights.says == "undecided":
        yield Judgement("inconclusive", f"{said}; {weights.words}")
    else:
        yield Judgement("pass", f"{said}, as the weights show ({weights.words})")


def undeclared_parents(
    known: Known, measured: Sequence[Measured]
) -> Iterable[tuple[str, Judgement]]:
    """Yield what `contradicted-declaration` says of parents that are no reference, by name."""
    if not known.declared.base_models:
        yield "–", Judgement("pass", "no parent is declared: nothing to contradict")
    for parent in known.declared.base_models:
        if any(same_name(parent.name, name) for one in measured for name in (*one.names, *one.kin)):
            continue
        message = f"{parent.source} declares {parent.name}, which is not among [[against]]"
        step = f'Add [[against]] with subject = "hf:{parent.name}".'
        yield parent.name, Judgement("not_measured", message, step)


def restricted_teacher(
    known: Known, rule: RestrictedTeacher, one: Measured, case: Case
) -> Iterable[Judgement]:
    """Judge kinship to a model whose terms forbid training on its outputs.

    On text alone it is at most `review`: text cannot tell training on a model's outputs from
    descent, nor from a page that both have read.
    """
    terms = known.restricted(one)
    if terms is None:
        return
    about = (
        f"{terms.developer}'s terms of {terms.as_of} ({terms.source}): {terms.terms}. {NOT_ADVICE}"
    )
    weights = by_weights(case, rule.min_log10_lr)
    if weights is not None and weights.says == "kin":
        yield _by_descent(known.parent(one), weights.words, about)
        return
    value, bound = kin_log10_lr(case), rule.min_log10_lr
    undecided = _undecided(one, case, value)
    if value is None and case.copy_tripwire.tripped:
        yield Judgement("review", f"{_copied(case)}. {about}", _COPIED)
    elif undecided or value is None:
        yield Judgement("inconclusive", f"{undecided.rstrip('.')}. {about}", _CALIBRATE)
    elif one.search is not None and not one.search.named:
        yield Judgement("pass", _not_named(one), "", _LR, value, bound)
    elif value < bound:
        message = f"log10 LR {value:+.2f} does not reach {bound:+.2f}"
        yield Judgement("pass", message, "", _LR, value, bound)
    else:
        message = f"log10 LR {value:+.2f} for close kinship, on text alone. {about}"
        step = "A person should read the exhibits and the terms, and ask where the data came from."
        yield Judgement("review", message, step, _LR, value, bound, telling_exhibit(one))


def _by_descent(parent: DeclaredModel | None, words: str, about: str) -> Judgement:
    if parent is None:
        return Judgement("violated", f"kin by its weights ({words}). {about}", _TERMS)
    # A declared descendant is what a licence of weights is for; outputs leave no trace in them.
    message = (
        f"kin by its weights ({words}), as {parent.source} declares; they do not tell whether "
        f"outputs were trained on. {about}"
    )
    return Judgement("review", message, f"{_TERMS} Accept it with [[allow]], a reason and a date.")


Judge = Callable[[Known, Any, Measured, Case], Iterable[Judgement]]
JUDGES: Mapping[RuleName, Judge] = {
    "undeclared-kinship": undeclared_kinship,
    "contradicted-declaration": contradicted_declaration,
    "restricted-teacher": restricted_teacher,
    "max-similarity": max_similarity,
}
