"""How many of 100 models that are innocent a policy would flag; "unknown" is an answer.

The rate at a likelihood ratio's bound is counted on unrelated pairs that the calibration did not
see; its upper limit takes lineage clusters, not pairs, as trials. Where nothing was held out, a
ratio of 10^b or more comes from at most one unrelated model in 10^b, if the calibration holds
(Markov's inequality: its mean over unrelated models is 1; Royall 2000, On the Probability of
Observing Misleading Statistical Evidence, JASA 95). A search of a cohort is held to its family-wise
limit, which counts every candidate. Rates of several references add up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from forensics.case.details.reference import LikenessDetails
from forensics.case.document import Case
from forensics.case.evidence import Evidence
from forensics.case.record import ErrorAtScore
from forensics.cohorts.calibration import error_rate
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.finding import find_cohort
from forensics.cohorts.judging import NAME as LIKENESS
from forensics.cohorts.lineage.models import clusters
from forensics.cohorts.trace import FAMILY_WISE
from forensics.cohorts.transferred import NAME as TRANSFERRED
from forensics.cohorts.transferred import shipped
from forensics.errors import ForensicsError
from forensics.policy.declarations import Declarations
from forensics.policy.measured import Measured, kin_log10_lr
from forensics.policy.model import Drift, Policy, RestrictedTeacher, RuleName, UndeclaredKinship
from forensics.policy.names import declared_as
from forensics.policy.outcomes import FalseAlarms
from forensics.verdicts.tier_readings import KIN, read_tiers

_BY_WEIGHTS = "the limit of the tests of weights, for models that are independent"


def false_alarms(
    policy: Policy, measured: Sequence[Measured], declared: Declarations
) -> tuple[FalseAlarms, ...]:
    """Return what to expect of every rule that applies.

    Args:
        policy: with the bounds.
        measured: the references, to tell which were judged with a calibration.
        declared: kin that are declared raise no alarm.
    """
    counted = [
        reference
        for reference in measured
        if reference.search is not None
        or declared_as((*reference.names, *reference.kin), declared) is None
    ]
    return tuple(_each(policy, counted))


def _each(policy: Policy, measured: Sequence[Measured]) -> Iterator[FalseAlarms]:
    for name, rule in policy.rules.named().items():
        if isinstance(rule, UndeclaredKinship | RestrictedTeacher):
            yield _kinship(name, rule.min_log10_lr, measured)
        elif isinstance(rule, Drift):
            basis = "the level of the two-sample test, for an endpoint that did not change"
            yield FalseAlarms(rule=name, per_100=100 * rule.level, basis=basis)
        else:
            basis = "uncalibrated: nobody measured how often innocent models exceed these limits"
            if name == "contradicted-declaration":
                basis = "not measured on models with correct declarations"
            yield FalseAlarms(rule=name, basis=basis)


@dataclass(frozen=True)
class _FlaggedShare:
    """The share of unrelated models that are flagged, its upper limit, and where both come from."""

    share: float | None
    upper: float
    basis: str


def _kinship(name: RuleName, bound: float, measured: Sequence[Measured]) -> FalseAlarms:
    calibrated = [m for m in measured if m.case is not None and kin_log10_lr(m.case) is not None]
    rates = [_at_bound(m.case, bound, m.cohort) for m in calibrated if m.case and m.search is None]
    for cohort in dict.fromkeys(m.search.cohort for m in calibrated if m.search is not None):
        basis = f"the limit of a search of {cohort}"
        rates.append(_FlaggedShare(FAMILY_WISE, FAMILY_WISE, basis))
    weighed = [m for m in measured if m.case and read_tiers(m.case.evidence)[0].e_value is not None]
    rates += [_FlaggedShare(None, 1 / KIN, _BY_WEIGHTS) for _ in weighed]
    if not rates:
        return FalseAlarms(rule=name, basis="no reference was judged with a calibration")
    shares = [rate.share for rate in rates if rate.share is not None]
    return FalseAlarms(
        rule=name,
        per_100=min(100.0, 100 * sum(shares)) if len(shares) == len(rates) else None,
        upper=min(100.0, 100 * sum(rate.upper for rate in rates)),
        basis="; ".join(dict.fromkeys(rate.basis for rate in rates)),
    )


def _at_bound(case: Case, bound: float, cohort: Cohort | None) -> _FlaggedShare:
    held_out = _held_out(case, bound, cohort)
    if held_out is None or not held_out.pairs or not held_out.clusters:
        basis = "the bound of the likelihood ratio, where its calibration holds"
        return _FlaggedShare(None, 10**-bound, basis)
    share = held_out.pairs_in_error / held_out.pairs
    limit = error_rate(share * held_out.clusters, held_out.clusters).upper
    basis = (
        f"{held_out.pairs_in_error} of {held_out.pairs} unrelated pairs held out reach the bound, "
        f"from {held_out.clusters_in_error} of {held_out.clusters} lineage clusters"
    )
    return _FlaggedShare(share, limit, basis)


def _held_out(case: Case, bound: float, cohort: Cohort | None) -> ErrorAtScore | None:
    """Count the pairs held out of the case's calibration that reach the bound, None without any."""
    llr = bound * log(10)
    for evidence in case.evidence:
        if evidence.comparator == LIKENESS and evidence.status == "ok":
            return _in_cohort(evidence, llr, cohort)
        if evidence.comparator == TRANSFERRED and evidence.status == "ok":
            known = shipped()
            return known.error_at(llr, evidence.n) if known else None
    return None


def _named(cohort: str) -> Cohort | None:
    """Return a cohort that was chosen by the prompts, None where its name does not find it."""
    try:
        return find_cohort(cohort)
    except ForensicsError:
        return None


def _in_cohort(evidence: Evidence, llr: float, given: Cohort | None) -> ErrorAtScore | None:
    judged = evidence.details
    if not isinstance(judged, LikenessDetails):
        return None
    cohort = given or _named(judged.cohort)
    if cohort is None or cohort.calibration is None or cohort.sha256 != judged.cohort_sha256:
        return None
    numbers = clusters(cohort.facts)
    of_models = np.array([numbers[model] for model in cohort.models], dtype=np.intp)
    known = [name for name in (judged.known_as.a, judged.known_as.b) if name]
    without = np.isin(of_models, [numbers[k] for k in known])
    return cohort.validation.error_from(cohort.calibration, llr, evidence.n, of_models, without)
