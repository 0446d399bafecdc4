"""Refits over clusters, and unrelated pairs that no line has seen."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.cohorts.calibration import count_clusters
from forensics.cohorts.fitting import Calibration, Labelled, fit_line, fit_scores
from forensics.cohorts.validation import REFITS, Validation, held_out_llr, validate

CLUSTERS = 24
ALL = np.arange(2 * CLUSTERS) // 2  # two models each


def _labelled() -> Labelled:
    pairs = [(a, b) for a in range(len(ALL)) for b in range(a + 1, len(ALL))]
    kin = [ALL[a] == ALL[b] for a, b in pairs]
    chosen = np.array(pairs, dtype=np.intp)
    names = tuple("same_model" if one else "independent" for one in kin)
    return Labelled(chosen, names, ALL[chosen])


LABELLED = _labelled()


def _scores(size: int) -> np.ndarray:
    draw = np.random.default_rng(size)
    apart = np.where(LABELLED.are("same_model"), 4.0, 0.0)
    return apart + draw.normal(size=(2, len(LABELLED.pairs)))


@pytest.fixture(name="calibration", scope="module")
def calibration_fixture() -> Calibration:
    found = fit_scores([(16, _scores(16)), (64, _scores(64))], LABELLED)
    assert found is not None
    return found


@pytest.fixture(name="validation", scope="module")
def validation_fixture(calibration: Calibration) -> Validation:
    return validate([(16, _scores(16)), (64, _scores(64))], LABELLED, calibration)


def test_every_line_is_refitted_to_the_same_clusters(calibration, validation):
    assert validation.refits.shape == (2, REFITS, 2)
    for (_, line), refits in zip(calibration.lines, validation.refits, strict=True):
        low, high = np.quantile(refits[:, 0] + 2.0 * refits[:, 1], [0.025, 0.975])
        assert low < float(line.llr([2.0], bounded=False)[0]) < high
        assert 0 < high - low < 5
    again = validate([(16, _scores(16)), (64, _scores(64))], LABELLED, calibration)
    assert np.array_equal(again.refits, validation.refits)


def test_the_choice_of_clusters_widens_an_interval(calibration, validation):
    draws = np.full(400, 1.5)  # prompts that all say the same
    spread = validation.llr(calibration, draws, 40)
    bounds = calibration.lines[0][1].bounds
    assert np.ptp(calibration.llr(draws, 40)) < 1e-9
    assert np.ptp(spread) > 0.5
    assert bounds.lower - 1e-9 <= spread.min() <= spread.max() <= bounds.upper + 1e-9
    at_bound = validation.llr(calibration, np.full(400, 50.0), 40)
    assert np.ptp(at_bound) < 1e-9


def test_without_refits_the_lines_are_used_as_they_are(calibration):
    draws = np.linspace(-1, 5, 7)
    assert np.array_equal(Validation.none().llr(calibration, draws, 20), calibration.llr(draws, 20))


def test_strangers_at_a_score_are_counted(calibration, validation):
    nobody = np.zeros(len(ALL), dtype=bool)
    found = validation.error_at(calibration, -99.0, 64, ALL, nobody)
    assert found.pairs == found.pairs_in_error == LABELLED.are("independent").sum()
    assert found.clusters == found.clusters_in_error == CLUSTERS
    none = validation.error_at(calibration, 99.0, 64, ALL, nobody)
    assert (none.pairs_in_error, none.clusters_in_error) == (0, 0)
    some = validation.error_at(calibration, 1.0, 64, ALL, nobody)
    reached = _scores(64)[0][LABELLED.are("independent")] >= 1.0
    # A line fitted to others lies a little beside the whole one.
    assert some.pairs_in_error == pytest.approx(reached.sum(), rel=0.3)
    fewer = validation.error_at(calibration, 2.5, 64, ALL, nobody)
    assert 0 < fewer.pairs_in_error < some.pairs_in_error


def test_pairs_of_a_subjects_own_cluster_do_not_count(calibration, validation):
    own = ALL == 3
    found = validation.error_at(calibration, -99.0, 64, ALL, own)
    assert found.clusters == CLUSTERS - 1
    assert found.pairs == 4 * count_pairs(CLUSTERS - 1)
    assert validation.error_at(calibration, 0.0, 64, ALL, np.ones(len(ALL), dtype=bool)) is None
    assert Validation.none().error_at(calibration, 0.0, 64, ALL, own) is None


def count_pairs(n: int) -> int:
    return n * (n - 1) // 2


def test_a_pair_is_judged_by_lines_that_saw_neither_cluster():
    scores = _scores(64)[0]
    changed = scores.copy()
    touched = (LABELLED.clusters == 5).any(axis=1)
    changed[touched] += 100.0
    before, after = (held_out_llr(one, LABELLED, bounded=False) for one in (scores, changed))
    rows = LABELLED.pairs[touched][:3]
    assert count_clusters(*ALL[rows].T) >= 2
    # What cluster 5 scores changes every line but those that judge its own pairs.
    slope = (after - before)[touched] / 100.0
    assert (slope > 0).all()
    line = fit_line(scores[None], LABELLED)
    assert slope.mean() == pytest.approx(line.coefficients[0] / line.scales[0], rel=0.3)


def test_too_few_kin_clusters_leave_nothing_held_out(calibration):
    few = LABELLED.where((LABELLED.clusters < 6).all(axis=1))
    scores = [(s, _scores(s)[:, (LABELLED.clusters < 6).all(axis=1)]) for s in (16, 64)]
    found = validate(scores, few, calibration)
    assert len(found.held_out) == len(found.strangers) == 0
    assert found.refits.shape == (2, REFITS, 2)
