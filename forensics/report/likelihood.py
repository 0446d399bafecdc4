"""The likelihood ratio of a case, with everything a reader needs to weigh it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from forensics.case.details.reference import Judged, LikenessDetails, Range
from forensics.case.document import Case
from forensics.case.evidence import Evidence
from forensics.cohorts.calibration.verbal import Tier, verbal_tier
from forensics.cohorts.lineage.hypotheses import PREDICATES

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Likelihood:
    """A log10 likelihood ratio against independence, and where it lies in the case.

    `hypotheses` are those to which the evidence gives this one value; `interval` and `bounds` are
    log10 as well, None where they were not measured.
    """

    hypotheses: tuple[str, ...]
    value: float
    path: str
    interval: Range | None = None
    interval_path: str = ""
    bounds: Range | None = None
    bounds_path: str = ""

    @property
    def tier(self) -> Tier:
        """The verbal tier (ENFSI), without its direction."""
        return verbal_tier(self.value).tier

    @property
    def proposition(self) -> str:
        """What it speaks of, to follow "the two are"."""
        return " or ".join(PREDICATES.get(name, name) for name in self.hypotheses)

    @property
    def at_bound(self) -> bool:
        """Whether more or other pairs in the cohort could have made it more extreme."""
        return self.bounds is not None and not (
            self.bounds[0] + 1e-3 < self.value < self.bounds[1] - 1e-3
        )


def likelihoods(case: Case) -> tuple[Likelihood, ...]:
    """Return the likelihood ratios of the verdict, hypotheses of one value together."""
    groups: dict[float, list[str]] = {}
    for name, value in (case.verdict.log10_lr or {}).items():
        groups.setdefault(value, []).append(name)
    return tuple(_likelihood(case, value, tuple(names)) for value, names in groups.items())


def _likelihood(case: Case, value: float, names: tuple[str, ...]) -> Likelihood:
    # A key with a dot cannot be named by a path; then the whole table is.
    path = "verdict.log10_lr" if "." in names[0] else f"verdict.log10_lr.{names[0]}"
    index = next((i for i, e in enumerate(case.evidence) if _gave(e, names[0], value)), None)
    if index is None:
        return Likelihood(names, value, path)
    details, where = case.evidence[index].details, f"evidence.{index}.details"
    if not isinstance(details, Judged):
        return Likelihood(names, value, path)
    return Likelihood(
        names,
        value,
        path,
        interval=details.log10_lr_interval,
        interval_path=f"{where}.log10_lr_interval",
        bounds=details.log10_lr_bounds,
        bounds_path=f"{where}.log10_lr_bounds",
    )


def _gave(evidence: Evidence, name: str, value: float) -> bool:
    given = (evidence.log10_lr or {}).get(name)
    return given is not None and math.isclose(given, value, abs_tol=1e-6)


def ratio(log10_lr: float) -> str:
    """Return a likelihood ratio as people read it: `12`, `1/3.4`."""
    size = abs(log10_lr)
    # Beyond that a float has no more digits to give.
    shown = f"{10**size:,.3g}" if size < 5 else f"10^{size:.1f}"
    return shown if log10_lr >= 0 or shown == "1" else f"1/{shown}"


def plain(likelihood: Likelihood) -> str:
    """Return what the ratio says in plain words, and whether its interval leaves that open."""
    kin, other = f"if the two are {likelihood.proposition}", "if they are independent"
    low, high = likelihood.interval or (likelihood.value, likelihood.value)
    is_open = (
        " The interval includes 1, so which of the two holds is not settled."
        if low < 0 < high
        else ""
    )
    if likelihood.tier == "no support":
        return f"What was measured is about as probable {kin} as {other}.{is_open}"
    more, less = (kin, other) if likelihood.value > 0 else (other, kin)
    times = ratio(abs(likelihood.value))
    return f"What was measured is about {times} times as probable {more} as {less}.{is_open}"


def support(likelihood: Likelihood) -> str:
    """Return the verbal tier with its direction."""
    if likelihood.tier == "no support":
        return likelihood.tier
    side = "kinship" if likelihood.value > 0 else "independence"
    return f"{likelihood.tier} support for {side}"


def interval_words(interval: Range) -> str:
    """Return an interval of log10 likelihood ratios as people read it."""
    low, high = map(ratio, interval)
    return f"{low} to {high}" if low != high else f"{low} in every draw"


def likelihood_words(likelihood: Likelihood) -> str:
    """Return the ratio with its interval, bounds and tier, on one line."""
    parts = [f"Likelihood ratio {ratio(likelihood.value)} (log10 {likelihood.value:.2f})"]
    if likelihood.interval:
        parts.append(f"95 % interval {interval_words(likelihood.interval)}")
    if likelihood.bounds:
        low, high = likelihood.bounds
        parts.append(f"the cohort allows {ratio(low)} to {ratio(high)}")
    parts.append(f"in words: {support(likelihood)}")
    return "; ".join(parts) + "."


def error_words(case: Case) -> str:
    """Return how often unrelated pairs score as high as this one, in one sentence."""
    error = case.verdict.error_at_score
    if error is None:
        return "The error rate at this score was not measured."
    if not error.clusters:
        return "No lineage cluster was left on which to measure the error rate at this score."
    pairs = f"{error.pairs_in_error:,} of {error.pairs:,} unrelated pairs"
    seen = f"{error.clusters_in_error} of {error.clusters} lineage clusters"
    if max((case.verdict.log10_lr or {}).values(), default=0.0) < 0:
        return (
            f"In {seen} an unrelated pair scores at least this high ({pairs}): such a score is not "
            "a sign of kinship."
        )
    return (
        f"At this score {seen} are in error: one of their unrelated pairs scores as high ({pairs})."
    )


def error_rate(case: Case) -> str:
    """Return the share of lineage clusters in error at this score, in a few words.

    Where none was, the rate is given as below its upper limit: with 0 of n seen, the one-sided 95 %
    limit of a binomial share is 1 - 0.05^(1/n) (Clopper and Pearson, Biometrika 26, 1934).
    """
    error = case.verdict.error_at_score
    if error is None or not error.clusters:
        return "not measured"
    seen = f"{error.clusters_in_error} of {error.clusters} lineage clusters"
    if not error.clusters_in_error:
        limit = 1 - (1 - _CONFIDENCE) ** (1 / error.clusters)
        return f"< {100 * limit:.2g} % ({seen}; 95 % confidence)"
    return f"{100 * error.clusters_in_error / error.clusters:.2g} % ({seen})"


def population_words(case: Case) -> str:
    """Return which models and settings the ratio holds for, to follow "It holds for"."""
    details = (entry.details for entry in case.evidence)
    judged = next((record for record in details if isinstance(record, LikenessDetails)), None)
    if judged is None:
        return "these two sets of answers, with the settings recorded below"
    sides = (("A", judged.released.a), ("B", judged.released.b))
    released = " and ".join(f"{letter} ({month})" for letter, month in sides if month)
    months = f", released within about a year of {released}" if released else ""
    return (
        f"models like those of the cohort {judged.cohort}{months}, asked with the "
        "settings recorded below"
    )
