"""The fitted calibration as a function: its order, its steps, its way to JSON and back."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from forensics.cohorts.finding import find_cohort
from forensics.cohorts.fitting import (
    MIN_KIN_CLUSTERS,
    Calibration,
    Labelled,
    Maxima,
    best_of_unrelated,
    fit,
    fit_line,
)
from tests.cohorts.builders import facts, outputs, pairs
from tests.made_cohort import made_cohort

SCORES = st.floats(-1e3, 1e3)
PROMPTS = st.integers(1, 5_000)


def _calibrations() -> dict[str, Calibration]:
    found = {name: find_cohort(name).calibration for name in ("alpaca-eval", "misguided-attention")}
    return {n: c for n, c in {"made": made_cohort().calibration, **found}.items() if c is not None}


CALIBRATIONS = _calibrations()
ANY = st.sampled_from(sorted(CALIBRATIONS))


@given(ANY, SCORES, SCORES, PROMPTS, st.booleans())
def test_a_higher_score_never_means_a_lower_ratio(name, one, other, prompts, bounded) -> None:
    low, high = sorted((one, other))
    llr = CALIBRATIONS[name].llr(np.array([low, high]), prompts, bounded)
    assert np.isfinite(llr).all()
    assert llr[0] <= llr[1]


@given(ANY, SCORES, PROMPTS)
def test_no_ratio_is_stronger_than_the_bounds_of_some_line(name, score, prompts) -> None:
    calibration = CALIBRATIONS[name]
    bounds = [line.bounds for _, line in calibration.lines]
    value = float(calibration.llr(score, prompts))
    assert min(b.lower for b in bounds) - 1e-9 <= value <= max(b.upper for b in bounds) + 1e-9


@given(ANY, SCORES)
def test_between_two_sizes_lies_a_ratio_between_theirs(name, score) -> None:
    calibration = CALIBRATIONS[name]
    sizes = [size for size, _ in calibration.lines]
    for low, high in pairwise(sizes):
        ends = sorted(float(calibration.llr(score, size)) for size in (low, high))
        for prompts in range(low, high + 1, max(1, (high - low) // 7)):
            assert ends[0] - 1e-9 <= float(calibration.llr(score, prompts)) <= ends[1] + 1e-9


@given(ANY, SCORES)
def test_at_a_size_it_is_that_sizes_line_and_beyond_the_sizes_the_last(name, score) -> None:
    calibration = CALIBRATIONS[name]
    for size, line in calibration.lines:
        assert float(calibration.llr(score, size)) == pytest.approx(
            float(line.llr(np.array([score]), bounded=True)[0]), abs=1e-9
        )
    most = calibration.lines[-1][0]
    assert calibration.llr(score, most * 10) == calibration.llr(score, most)
    least = calibration.lines[0][0]
    assert calibration.llr(score, 1) == calibration.llr(score, least)


@given(st.floats(-50, 50), st.floats(1e-3, 50), SCORES, SCORES)
def test_the_rate_of_best_scores_falls_with_the_score(location, scale, one, other) -> None:
    low, high = sorted((one, other))
    maxima = Maxima(location, scale, 30)
    assert 0 <= maxima.rate(high) <= maxima.rate(low) <= 1


@given(st.lists(st.floats(-10, 10), min_size=5, max_size=60))
def test_a_fitted_distribution_has_the_moments_of_its_scores(best) -> None:
    values = np.array(best)[None]
    assume(values.std() > 1e-3)
    maxima = Maxima.of(values)
    # The rate at the median of a Gumbel distribution is one half.
    assert maxima.rate(maxima.location - maxima.scale * np.log(np.log(2))) == pytest.approx(0.5)
    assert maxima.location + np.euler_gamma * maxima.scale == pytest.approx(values.mean())
    assert maxima.subjects == len(best)


def test_equal_best_scores_still_give_rates() -> None:
    maxima = Maxima.of(np.full((4, 20), 2.0))
    assert 0 <= maxima.rate(2.1) < 0.01 < 0.99 < maxima.rate(1.9) <= 1


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_json_keeps_every_digit(name: str) -> None:
    calibration = CALIBRATIONS[name]
    text = json.dumps(calibration.to_json(), allow_nan=False)
    again = Calibration.from_json(json.loads(text))
    assert again == calibration
    scores = np.linspace(-20, 40, 50)
    for prompts in (1, 8, 33, 120):
        assert np.array_equal(again.llr(scores, prompts), calibration.llr(scores, prompts))
        assert again.family_wise(3.0, prompts) == calibration.family_wise(3.0, prompts)


def test_kin_from_too_few_clusters_calibrate_nothing() -> None:
    few = facts(MIN_KIN_CLUSTERS - 1, 12)
    made = outputs(few, 10)
    assert fit(made.similarities(), made.excluded(), made.labelled(pairs(few))) is None
    enough = facts(MIN_KIN_CLUSTERS, 12)
    made = outputs(enough, 10)
    assert fit(made.similarities(), made.excluded(), made.labelled(pairs(enough))) is not None


def test_one_class_fits_no_line() -> None:
    made = outputs(prompts=8)
    labelled = made.labelled(pairs(made.facts))
    scores = np.linspace(0, 1, len(labelled.pairs))[None]
    for name in ("same_model", "independent"):
        keep = labelled.are(name)
        assert fit_line(scores[:, keep], labelled.where(keep)) is None
    assert fit_line(np.full_like(scores, np.nan), labelled) is None


def test_best_scores_are_those_against_strangers_only() -> None:
    pairs_of = np.array([(i, j) for i in range(24) for j in range(i + 1, 24)])
    kin = np.array([(i, j) == (0, 1) for i, j in pairs_of])
    names = tuple("same_model" if one else "independent" for one in kin)
    labelled = Labelled(pairs_of, names, pairs_of)
    scores = np.where(kin, 99.0, pairs_of[:, 1] / 10)[None]
    best = best_of_unrelated(scores, labelled)
    assert best.shape == (1, 24)
    assert best.max() == pytest.approx(2.3)
