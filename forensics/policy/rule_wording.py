"""What a policy's rules say, in sentences; `judgements` decides what they say."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.case.details.shift import ShiftDetails
from forensics.case.document import CopyTripwire, Verdict
from forensics.case.evidence import Evidence
from forensics.policy.declarations import DeclaredModel
from forensics.policy.measured import Search
from forensics.policy.terms import NOT_ADVICE, RestrictedTerms
from forensics.support.numbers import number

LIKELIHOOD_RATIO = "log10 likelihood ratio of close kinship"
DECLARE = (
    "Declare it (base_model in the model card, or [declared] base_models in the policy); or look "
    "into the exhibits and accept it with [[allow]], a reason and a date."
)
READ_TERMS = "A person should read the terms and the licence of the weights."
READ_EXHIBITS = "A person should read the exhibits and the terms, and ask where the data came from."
ALLOW = "Accept it with [[allow]], a reason and a date."
ASK_AGAIN = (
    "Ask both again with no cache or proxy in between. If they are one model, declare it; if that "
    "is known and fine, accept it with [[allow]], a reason and a date."
)
CALIBRATE = (
    "Ask prompts that a cohort of models of their time has answered (forensics cohort list) for a "
    "likelihood ratio, or set [rules.max-similarity] limits of your own."
)
MORE_PROMPTS = "Ask more prompts (limit)."
MORE_SAMPLES = "Ask more prompts (limit) or samples: the interval narrows."
OTHER_COMPARATOR = "Ask more prompts (limit), or name another comparator in limits."
GIVE_WEIGHTS = "Give both models as local folders or hub ids (hf:), with their weights."
CORRECT_CARD = "Correct base_model in the card, or check that the right files were published."
NO_PARENT = "no parent is declared: nothing to contradict"


def declared(parent: DeclaredModel) -> str:
    """Say which declaration names a reference."""
    return f"it, or one of its lineage or family, is declared: {parent.source} names {parent.name}"


def too_few_answered(subject: str, cohort: str, answered: int, prompts: int, needed: int) -> str:
    """Say that a cohort was not searched, as a subject answered too few of its prompts."""
    share = f"{answered} of" if answered else "none of"
    return (
        f"nothing could be searched: {subject} answered {share} the {prompts} prompts of the "
        f"cohort {cohort}, and {needed} are needed"
    )


def no_candidate(cohort: str) -> str:
    """Say that a cohort was not searched, as none of its models can be judged."""
    return f"nothing could be searched: the cohort {cohort} has too few models to judge one by"


def ask_cohort(suite: str | None) -> str:
    """Say what makes a cohort searchable; `suite` has its prompts, where there is one."""
    if suite is None:
        return "Ask it prompts that the cohort answered."
    return f"Ask it the cohort's prompts: forensics probe MODEL --suite {suite}."


def kin_by_weights(by: str, from_scratch: str) -> str:
    """Say that weights show an undeclared kinship.

    Args:
        by: what the weights say.
        from_scratch: what the card says of training from scratch, empty where it does not.
    """
    return f"a close relative by its weights ({by}), and not declared{_scratch(from_scratch)}"


def kin_by_ratio(verdict: Verdict, value: float, bound: float, from_scratch: str) -> str:
    """Say that a likelihood ratio shows an undeclared kinship."""
    return (
        f"log10 LR {value:+.2f} for close kinship ({verdict.calibration} calibration), allowed "
        f"below {bound:+.2f}, and not declared{_errors(verdict)}{_scratch(from_scratch)}"
    )


def _scratch(said: str) -> str:
    return f"; the card says it was {said!r}" if said else ""


def _errors(verdict: Verdict) -> str:
    rate = verdict.error_at_score
    if rate is None:
        return ""
    return (
        f"; so high a score is reached by {rate.pairs_in_error} of {rate.pairs} unrelated pairs "
        f"held out ({rate.clusters_in_error} of {rate.clusters} lineage clusters)"
    )


def below(value: float, bound: float) -> str:
    """Say that a likelihood ratio stays below the bound, and what that does not mean."""
    return f"log10 LR {value:+.2f} stays below {bound:+.2f}; this is not evidence of independence"


def for_neither(value: float) -> str:
    """Say that a likelihood ratio speaks neither for kinship nor against it."""
    return f"log10 LR {value:+.2f} supports neither side"


def not_reached(value: float, bound: float) -> str:
    """Say that a likelihood ratio does not reach the bound."""
    return f"log10 LR {value:+.2f} does not reach {bound:+.2f}"


def kin_by_text(value: float) -> str:
    """Say what text alone shows."""
    return f"log10 LR {value:+.2f} for close kinship, on text alone"


def no_ratio(verdict: Verdict) -> str:
    """Say that there is no likelihood ratio."""
    return f"no likelihood ratio: {verdict.headline}"


def outside(unmet: Sequence[str]) -> str:
    """Say which conditions of the population do not hold."""
    return f"outside the validated population: {'; '.join(unmet)}"


def changed_towards(shift: ShiftDetails) -> str:
    """Say that the subject, against its own past, changed towards a reference."""
    least, others = shift.least, shift.others
    beside = f" than {others.less} of {others.models} other models" if others is not None else ""
    return (
        f"against its past {least.base} the subject changed more towards it{beside} "
        f"({100 * least.change:.0f} % of a model's manner): a sign of learning from its answers, "
        "or from what both learned from"
    )


def copied(tripwire: CopyTripwire) -> str:
    """Say what identical answers mean.

    Nothing weighs so much, and yet a cache in front of both may be all there is to it.
    """
    return (
        f"{tripwire.identical} long answers are identical: the same model, a cache, an alias or a "
        "proxy; no likelihood ratio can be given"
    )


def not_named(search: Search) -> str:
    """Say that the best model of a search does not stand out."""
    rate = "unknown" if search.family_wise is None else f"{search.family_wise:.2g}"
    return (
        f"the best of {search.candidates} models of the cohort {search.cohort}, and does not stand "
        f"out from what unrelated models reach (error rate of the search {rate})"
    )


def no_score(comparator: str, evidence: Evidence | None) -> str:
    """Say why a limit could not be held against a score."""
    reason = "it was not run" if evidence is None else evidence.reason
    return f"{comparator} gave no score with an interval: {reason}"


def above_limit(evidence: Evidence, bound: float) -> str:
    """Say that a score lies above the policy's limit."""
    return f"{_score(evidence)} lies above {bound:g}, the policy's own, uncalibrated limit"


def straddles_limit(evidence: Evidence, bound: float) -> str:
    """Say that an interval holds the policy's limit."""
    return f"{_score(evidence)} straddles the limit {bound:g}"


def within_limit(evidence: Evidence, bound: float) -> str:
    """Say that a score stays within the policy's limit, and what that does not mean."""
    return f"{_score(evidence)} stays within {bound:g}; this is not evidence of independence"


def _score(evidence: Evidence) -> str:
    interval = evidence.interval
    span = f" [{number(interval.low)}, {number(interval.high)}]" if interval else ""
    return f"{evidence.title} {number(evidence.score)}{span}"


def declares(parent: DeclaredModel) -> str:
    """Say who declares which parent."""
    return f"{parent.source} declares {parent.name}"


def no_weights(parent: DeclaredModel) -> str:
    """Say that a declared parent could not be checked."""
    return f"{declares(parent)}; no weights of both were compared, and text cannot contradict it"


def contradicted(parent: DeclaredModel, by: str) -> str:
    """Say that the weights contradict a declared parent."""
    return f"{declares(parent)}, but the weights show no kinship ({by})"


def left_open(parent: DeclaredModel, by: str) -> str:
    """Say that the weights leave a declared parent open."""
    return f"{declares(parent)}; {by}"


def confirmed(parent: DeclaredModel, by: str) -> str:
    """Say that the weights show a declared parent."""
    return f"{declares(parent)}, as the weights show ({by})"


def not_a_reference(parent: DeclaredModel) -> str:
    """Say that a declared parent is not among the policy's references."""
    return f"{declares(parent)}, which is not among [[against]]"


def add_reference(parent: DeclaredModel) -> str:
    """Say how to check a declared parent."""
    return f'Add [[against]] with subject = "hf:{parent.name}".'


def with_terms(message: str, terms: RestrictedTerms) -> str:
    """Return a message with the terms that a reference falls under."""
    return (
        f"{message.rstrip('.')}. {terms.developer}'s terms of {terms.as_of} ({terms.source}): "
        f"{terms.terms}. {NOT_ADVICE}"
    )


def descends(by: str) -> str:
    """Say that the weights show descent."""
    return f"a close relative by its weights ({by})"


def descends_as_declared(by: str, parent: DeclaredModel) -> str:
    """Say that the weights show a declared descent, and what they do not tell."""
    return (
        f"a close relative by its weights ({by}), as {parent.source} declares; weights do not "
        "tell whether outputs were trained on"
    )
