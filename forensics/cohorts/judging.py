"""A pair judged against a cohort: normalised similarity, its interval, and its likelihood ratio."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forensics.case.details.reference import (
    CohortErrorRates,
    KnownAs,
    LikenessDetails,
    MetCondition,
    ReleaseMonths,
)
from forensics.case.evidence import Evidence, Interval, PromptScore
from forensics.case.record import ErrorAtScore
from forensics.cohorts.calibration import to_log10
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.fitting import CLOSE_KIN, Calibration
from forensics.cohorts.learned import against_learned
from forensics.cohorts.lineage.models import clusters
from forensics.cohorts.placed import Placed, excluded_for
from forensics.cohorts.population import Condition, Population
from forensics.cohorts.similarity import (
    MIN_PROMPTS,
    MIN_REFERENCE,
    Flags,
    Floats,
    Row,
    agreement,
    nearest_count,
    normalised,
    view,
)

NAME = "likeness"
TITLE = "Similarity against the cohort"
SCALE = (
    "standard deviations above the similarity of either subject to the reference models most "
    "similar to it (0 = as similar as those)"
)
_RESAMPLES = 400
_OWN_PAIRS = (
    "A subject is one of the cohort's models: pairs of its own lineage cluster are among the "
    "reference scores."
)
_TINY = 1e-6


def judge(a: Placed, b: Placed, cohort: Cohort) -> Evidence:
    """Return what a cohort says of a pair; `details` hold the conditions of the population."""
    rows = np.flatnonzero(np.any(a.rows != 0, axis=1) & np.any(b.rows != 0, axis=1))
    if len(rows) < MIN_PROMPTS:
        reason = (
            f"{len(rows)} prompts of the cohort {cohort.name} have answers of both; "
            f"at least {MIN_PROMPTS} are needed"
        )
        return _without(reason, len(rows), _setting(a, b, cohort))
    similarities = cohort.similarities([("A", a.rows), ("B", b.rows)], rows.tolist())
    reference = ~(excluded_for(a, cohort) | excluded_for(b, cohort))
    if reference.sum() < MIN_REFERENCE:
        reason = f"{reference.sum()} reference models are left; at least {MIN_REFERENCE} are needed"
        return _without(reason, len(rows), _setting(a, b, cohort))
    size = len(cohort.models)
    centred = view(similarities, np.append(reference, [False, False]))
    first, second = centred.row(size), centred.row(size + 1)
    per_prompt = first.cosines[:, size + 1].astype(np.float64)
    score = normalised(per_prompt.mean(), first.with_reference(), second.with_reference())
    draws = _resampled(first, second, per_prompt)
    population = Population((*cohort.traits, a.traits, b.traits), agreement(similarities))
    conditions = population.conditions(size, size + 1, np.append(reference, [False, False]))
    return Evidence(
        comparator=NAME,
        title=TITLE,
        status="ok",
        scale=SCALE,
        score=round(score, 6),
        interval=_interval(draws),
        matched=round(float(per_prompt.mean()), 6),
        n=len(rows),
        log10_lr=_log10_lr(cohort, score, len(rows)),
        reference=cohort.reference.get(NAME),
        per_prompt=tuple(
            PromptScore(
                prompt_sha256=cohort.prompts[row].sha256,
                prompt_id=cohort.prompts[row].id,
                score=round(float(value), 6),
            )
            for row, value in zip(rows, per_prompt, strict=True)
        ),
        caveats=(_OWN_PAIRS,) if cohort.reference and (a.known_as or b.known_as) else (),
        details=_details(a, b, cohort, reference, conditions, draws, score, len(rows)),
    )


def _without(reason: str, n: int, setting: LikenessDetails) -> Evidence:
    return Evidence(
        comparator=NAME, title=TITLE, status="insufficient", reason=reason, n=n, details=setting
    )


def _setting(a: Placed, b: Placed, cohort: Cohort) -> LikenessDetails:
    """Return what it takes to judge the pair once more."""
    return LikenessDetails(
        cohort=cohort.name,
        cohort_sha256=cohort.sha256,
        known_as=KnownAs(a=a.known_as, b=b.known_as),
        released=ReleaseMonths(a=a.traits.released, b=b.traits.released),
    )


def _log10_lr(cohort: Cohort, score: float, prompts: int) -> dict[str, float] | None:
    if cohort.calibration is None:
        return None
    value = round(float(to_log10(cohort.calibration.llr(score, prompts))), 4)
    # One proposition to text: see `fitting`.
    return {str(name): value for name in CLOSE_KIN}


def _resampled(first: Row, second: Row, cosines: Floats) -> Floats:
    """Return normalised similarity over resampled prompts, shape (resamples,)."""
    n = len(cosines)
    weights = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=_RESAMPLES)
    pair = weights @ cosines / n
    sides = [_standardised(row, weights.astype(np.float64), pair) for row in (first, second)]
    draws: Floats = (sides[0] + sides[1]) / 2
    return draws


def _standardised(row: Row, weights: Floats, pair: Floats) -> Floats:
    both = row.both[:, row.in_reference].astype(np.float64)
    sums = weights @ (row.cosines[:, row.in_reference] * both)
    means = sums / np.maximum(weights @ both, 1)
    nearest = np.sort(means, axis=1)[:, ::-1][:, : nearest_count(means.shape[1])]
    standard: Floats = (pair - nearest.mean(axis=1)) / np.maximum(nearest.std(axis=1), _TINY)
    return standard


def _interval(draws: Floats) -> Interval:
    low, high = np.quantile(draws, [0.025, 0.975])
    return Interval(low=round(float(low), 6), high=round(float(high), 6))


def _details(
    a: Placed,
    b: Placed,
    cohort: Cohort,
    reference: Flags,
    conditions: Sequence[Condition],
    draws: Floats,
    score: float,
    prompts: int,
) -> LikenessDetails:
    setting = _setting(a, b, cohort)
    judged = LikenessDetails(
        cohort=setting.cohort,
        cohort_sha256=setting.cohort_sha256,
        known_as=setting.known_as,
        released=setting.released,
        reference_models=int(reference.sum()),
        conditions=tuple(
            MetCondition(met=condition.met, text=condition.text) for condition in conditions
        ),
    )
    if cohort.calibration is None:
        return judged
    bounds = cohort.calibration.nearest(prompts).bounds
    ends = to_log10(np.array([bounds.lower, bounds.upper]))
    calibrated = judged.calibrated(
        interval=_ends(to_log10(cohort.validation.llr(cohort.calibration, draws, prompts))),
        bounds=(round(float(ends[0]), 4), round(float(ends[1]), 4)),
        error_rates=_rates(cohort),
    )
    learned = against_learned(cohort, score, prompts)
    if learned is not None:
        calibrated = calibrated.with_learned(learned)
    error = _error_at(a, b, cohort, cohort.calibration, score, prompts)
    return calibrated if error is None else calibrated.with_error(error)


def _ends(llr: Floats) -> tuple[float, float]:
    low, high = np.quantile(llr, [0.025, 0.975])
    return round(float(low), 4), round(float(high), 4)


def _error_at(
    a: Placed, b: Placed, cohort: Cohort, lines: Calibration, score: float, prompts: int
) -> ErrorAtScore | None:
    """Return how many unrelated pairs of other clusters reach the score, where that is known."""
    cluster_of = _clusters(cohort)
    known = [cohort.place(subject.known_as) for subject in (a, b) if subject.known_as is not None]
    without = np.isin(cluster_of, cluster_of[known])
    return cohort.validation.error_at(lines, score, prompts, cluster_of, without)


def _clusters(cohort: Cohort) -> NDArray[np.intp]:
    numbers = clusters(cohort.facts)
    return np.array([numbers[model] for model in cohort.models], dtype=np.intp)


def _rates(cohort: Cohort) -> CohortErrorRates:
    rates = cohort.error_rates.get("close_descent", {})
    wanted = CohortErrorRates.model_fields
    return CohortErrorRates.model_validate({n: rates[n] for n in wanted if n in rates})
