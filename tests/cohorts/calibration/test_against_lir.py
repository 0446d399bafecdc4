"""Our figures beside those of `lir`, the Netherlands Forensic Institute's package."""

from __future__ import annotations

import math

import numpy as np
import pytest

from forensics.cohorts.calibration import (
    LogisticFusion,
    cllr,
    cllr_min,
    elub,
    pav_llr,
)

metrics = pytest.importorskip("lir.metrics", reason="lir is missing")
isotonic = pytest.importorskip("lir.algorithms.isotonic_regression", reason="lir is missing")
logistic = pytest.importorskip("lir.algorithms.logistic_regression", reason="lir is missing")
models = pytest.importorskip("lir.data.models", reason="lir is missing")

LN10 = math.log(10)
# seed, kin pairs, unrelated pairs, half distance of their means, standard deviation
CASES = [
    (1, 40, 300, 2.0, 2.0),
    (2, 15, 15, 1.0, 1.0),
    (3, 200, 2000, 4.0, 2.0),
    (4, 30, 50, 0.1, 3.0),
    (5, 5, 400, 8.0, 1.0),
    (6, 50, 60, -1.0, 1.0),
]


def _sample(seed, n_kin, n_other, shift, spread):
    generator = np.random.default_rng(seed)
    return generator.normal(shift, spread, n_kin), generator.normal(-shift, spread, n_other)


def _theirs(pos, neg):
    labels = np.r_[np.ones(pos.size), np.zeros(neg.size)]
    return models.LLRData(features=np.concatenate([pos, neg]) / LN10, labels=labels)


@pytest.mark.parametrize("case", CASES)
def test_costs(case):
    pos, neg = _sample(*case)
    theirs = _theirs(pos, neg)
    assert cllr(pos, neg) == pytest.approx(metrics.cllr(theirs))
    assert cllr_min(pos, neg) == pytest.approx(metrics.cllr_min(theirs))


@pytest.mark.parametrize("case", CASES)
def test_pav(case):
    # Rounded, so that scores tie.
    pos, neg = (x.round() for x in _sample(*case))
    labels = np.r_[np.ones(pos.size), np.zeros(neg.size)]
    scores = np.concatenate([pos, neg])
    theirs = isotonic.IsotonicCalibrator().fit(scores, labels).transform(scores) * LN10
    ours = np.concatenate(pav_llr(pos, neg))
    # Where one class stands alone theirs may be ±36 for ±inf, a rounding of the probability.
    assert np.clip(ours, -25, 25) == pytest.approx(np.clip(theirs, -25, 25), abs=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_logistic_calibration(case):
    pos, neg = _sample(*case)
    scores, labels = np.concatenate([pos, neg]), np.r_[np.ones(pos.size), np.zeros(neg.size)]
    ours = LogisticFusion.fit(scores, labels, ridge=0.5)
    # Our ridge acts on standardised scores, theirs on what it is given.
    z = (scores[:, None] - ours.means) / ours.scales
    theirs = logistic.LogitCalibrator(C=2.0, tol=1e-9, max_iter=10_000).fit(z, labels)
    expected = theirs.transform(z).ravel() * LN10
    assert ours.llr(scores, bounded=False) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("case", "lower", "upper"),
    list(
        zip(
            CASES,
            [-0.98, -0.47, -1.90, -0.02, -0.77, 0.0],
            [1.30, 0.63, 2.55, 0.03, 2.52, 0.0],
            strict=True,
        )
    ),
)
def test_empirical_bounds(case, lower, upper):
    """Compare with what `lir.algorithms.bayeserror.elub` 1.3.1 gave; it imports matplotlib."""
    bounds = elub(*_sample(*case))
    assert (bounds.lower / LN10, bounds.upper / LN10) == pytest.approx((lower, upper), abs=1e-9)
