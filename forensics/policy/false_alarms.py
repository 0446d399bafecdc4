"""How many of 100 models that are innocent a policy would flag; "unknown" is an answer.

A likelihood ratio of 10^b or more comes from at most one stranger in 10^b, where the calibration
holds (Markov's inequality: its mean over strangers is 1; Royall 2000, On the Probability of
Observing Misleading Statistical Evidence, JASA 95). A search of a cohort is held to its
family-wise limit, which counts every candidate. Rates of several references add up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forensics.declarations import Declarations
from forensics.policy.measured import Measured, kin_log10_lr
from forensics.policy.model import Drift, Policy, RestrictedTeacher, UndeclaredKinship
from forensics.policy.names import declared_as
from forensics.policy.outcomes import FalseAlarms
from forensics.tracing import FAMILY_WISE


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
        one
        for one in measured
        if one.search is not None or declared_as((*one.names, *one.kin), declared) is None
    ]
    return tuple(_each(policy, counted))


def _each(policy: Policy, measured: Sequence[Measured]) -> Iterator[FalseAlarms]:
    for name, rule in policy.rules.named().items():
        if isinstance(rule, UndeclaredKinship | RestrictedTeacher):
            limit, basis = _kinship(rule.min_log10_lr, measured)
            yield FalseAlarms(rule=name, upper=limit, basis=basis)
        elif isinstance(rule, Drift):
            basis = "the level of the two-sample test, for an endpoint that did not change"
            yield FalseAlarms(rule=name, per_100=100 * rule.level, basis=basis)
        else:
            basis = "uncalibrated: nobody measured how often innocent models exceed these limits"
            if name == "contradicted-declaration":
                basis = "not measured on models with correct declarations"
            yield FalseAlarms(rule=name, basis=basis)


def _kinship(bound: float, measured: Sequence[Measured]) -> tuple[float | None, str]:
    calibrated = [m for m in measured if m.case is not None and kin_log10_lr(m.case) is not None]
    searched = {m.search.cohort for m in calibrated if m.search is not None}
    pairs = sum(m.search is None for m in calibrated)
    if not calibrated:
        return None, "no reference was judged with a calibration"
    parts = []
    if pairs:
        parts.append(
            f"{pairs} x {100 * 10**-bound:.3g} by the bound of the likelihood ratio, where its "
            "calibration holds"
        )
    if searched:
        parts.append(f"{len(searched)} x {100 * FAMILY_WISE:.3g} by the limit of a search")
    total = pairs * 10**-bound + len(searched) * FAMILY_WISE
    return min(100.0, 100 * total), "; ".join(parts)
