from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.cohorts.calibration import (
    Bounds,
    CalibrationError,
    LogisticFusion,
    auc,
    cllr,
    cluster_bounds,
    elub,
)

UNBOUNDED = Bounds(-1e9, 1e9)


def _sample(seed: int, n_kin: int, n_other: int, width: int = 1, shift: float = 1.0):
    generator = np.random.default_rng(seed)
    kin = generator.normal(shift, 1.0, (n_kin, width))
    other = generator.normal(-shift, 1.0, (n_other, width))
    return np.vstack([kin, other]), np.r_[np.ones(n_kin, bool), np.zeros(n_other, bool)]


def _fit(features, labels, weights=None, **options):
    return LogisticFusion.fit(features, labels, weights, **options).with_bounds(UNBOUNDED)


def test_the_true_llr_of_two_normals_is_found_whatever_the_proportions():
    # N(1, 1) against N(-1, 1) has LLR 2x, and no prior shows in it.
    for n_kin, n_other in [(20_000, 20_000), (20_000, 2_000)]:
        fusion = _fit(*_sample(1, n_kin, n_other))
        assert fusion.llr([-1.0, 0.0, 1.0]) == pytest.approx([-2.0, 0.0, 2.0], abs=0.15)


def test_correlated_scores_are_not_counted_twice():
    features, labels = _sample(2, 4_000, 4_000)
    twice = _fit(np.hstack([features, features]), labels)
    once = _fit(features, labels)
    points = np.linspace(-2, 2, 5)[:, None]
    assert twice.llr(np.hstack([points, points])) == pytest.approx(once.llr(points), abs=0.01)


def test_it_is_scikit_learns_balanced_regression():
    from sklearn.linear_model import LogisticRegression

    features, labels = _sample(3, 40, 300, width=3, shift=0.4)
    ours = _fit(features, labels, ridge=0.5)
    # On standardised features, since the ridge acts on those.
    z = (features - ours.means) / ours.scales
    theirs = LogisticRegression(C=2.0, class_weight="balanced", tol=1e-10, max_iter=1000)
    theirs.fit(z, labels)
    assert ours.coefficients == pytest.approx(theirs.coef_[0], abs=1e-4)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=1e-4)


def test_a_weight_of_k_is_k_pairs():
    features, labels = _sample(4, 12, 30, width=2)
    times = np.random.default_rng(0).integers(0, 4, labels.size)
    weighted = _fit(features, labels, times)
    repeated = _fit(np.repeat(features, times, axis=0), np.repeat(labels, times))
    assert weighted.llr(features) == pytest.approx(repeated.llr(features), abs=1e-5)
    assert weighted.kin_clusters == repeated.n_kin
    assert _fit(features, labels, np.ones(42)) == _fit(features, labels)


def test_only_the_ratio_of_the_weights_within_a_class_is_evidence():
    features, labels = _sample(5, 50, 50)
    tilted = np.where(labels, 1.0, 3.0)
    # The same total, so that the ridge weighs the same.
    tilted *= labels.size / tilted.sum()
    even, odd = _fit(features, labels), _fit(features, labels, tilted)
    assert odd.llr(features) == pytest.approx(even.llr(features), abs=1e-4)


def test_monotone_allows_no_negative_coefficient():
    features, labels = _sample(6, 500, 500, width=2)
    features[:, 1] *= -1.0
    free, bound = _fit(features, labels), _fit(features, labels, monotone=True)
    assert free.coefficients[1] < -1.0
    assert bound.coefficients[1] == 0.0
    assert bound.coefficients[0] > 1.0


def test_separable_classes_stay_finite_and_bounded():
    features, labels = np.r_[np.ones(5), -np.ones(40)], np.r_[np.ones(5), np.zeros(40)]
    fusion = LogisticFusion.fit(features, labels, ridge=1e-6)
    assert np.isfinite(fusion.llr([-1e12, 0.0, 1e12], bounded=False)).all()
    assert fusion.llr([-1e12, 1e12]) == pytest.approx(
        [fusion.bounds.lower, fusion.bounds.upper], abs=1e-12
    )
    assert -math.log(6) - 1e-12 <= fusion.bounds.lower < 0 < fusion.bounds.upper <= math.log(41)


def test_few_clusters_bound_what_many_pairs_seem_to_say():
    features, labels = _sample(7, 500, 500, shift=3.0)
    free = LogisticFusion.fit(features, labels)
    few = LogisticFusion.fit(features, labels, clusters=(4, 9))
    assert free.bounds.upper > math.log(50)
    assert few.bounds == Bounds(-math.log(5), math.log(10))
    assert few.llr([9.0, -9.0]) == pytest.approx([math.log(10), -math.log(5)])


@pytest.mark.parametrize("features", [np.ones((6, 2)), np.full((6, 2), 0.1), np.zeros(6)])
def test_scores_that_never_vary_say_nothing(features):
    fusion = LogisticFusion.fit(features, [1, 0, 1, 0, 0, 0])
    assert fusion.llr(features) == pytest.approx(np.zeros(6))
    assert set(fusion.coefficients) == {0.0}


def test_a_constant_feature_does_not_disturb_the_others():
    features, labels = _sample(8, 60, 60)
    padded = np.hstack([features, np.full((120, 1), 0.1)])
    assert _fit(padded, labels).llr(padded) == pytest.approx(_fit(features, labels).llr(features))


def test_it_survives_json_to_the_last_bit():
    features, labels = _sample(9, 20, 20, width=2)
    fusion = LogisticFusion.fit(features, labels, names=("a", "b"), monotone=True)
    again = LogisticFusion.from_json(json.loads(json.dumps(fusion.to_json(), allow_nan=False)))
    assert again == fusion
    assert again.llr(features).tolist() == fusion.llr(features).tolist()


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("coefficients", [1.0]),
        ("intercept", math.nan),
        ("intercept", "much"),
        ("scales", [1.0, 0.0]),
        ("means", None),
        ("bounds", {"lower": 1.0, "upper": 2.0}),
        ("bounds", {"lower": -math.inf, "upper": 2.0}),
        ("bounds", {}),
    ],
)
def test_malformed_json_is_refused(change, value):
    features, labels = _sample(9, 20, 20, width=2)
    values = LogisticFusion.fit(features, labels).to_json() | {change: value}
    with pytest.raises(CalibrationError):
        LogisticFusion.from_json(values)


@pytest.mark.parametrize(
    ("features", "labels", "options", "message"),
    [
        ([1.0, 2.0], [1, 1], {}, "unrelated pairs: no observation"),
        ([1.0, 2.0], [0, 0], {}, "kin pairs: no observation"),
        ([1.0, 2.0], [0, 1], {"weights": [0.0, 1.0]}, "unrelated pairs: no observation"),
        ([1.0, math.nan], [0, 1], {}, "not finite"),
        ([1.0, 1e300], [0, 1], {}, "too large"),
        ([1.0, 2.0], [0, 1, 1], {}, "2 rows of features, 3 labels"),
        ([1.0, 2.0], [0, 1], {"weights": [1.0]}, "1 weights"),
        ([1.0, 2.0], [0, 1], {"names": ("a", "b")}, "1 features but 2 names"),
        ([1.0, 2.0], [0, 1], {"ridge": 0.0}, "ridge 0.0 must be greater"),
        (np.empty((2, 0)), [0, 1], {}, "one row per pair"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_what_cannot_be_fitted_is_said(features, labels, options, message):
    with pytest.raises(CalibrationError, match=message):
        LogisticFusion.fit(features, labels, **options)


def test_scores_of_other_features_are_refused():
    features, labels = _sample(9, 20, 20, width=2)
    fusion = LogisticFusion.fit(features, labels, names=("a", "b"))
    with pytest.raises(CalibrationError, match=r"3 features given, 2 fitted \(a, b\)"):
        fusion.llr(np.ones((4, 3)))
    assert fusion.llr(features[0]).shape == (1,)
    assert fusion.llr(np.empty((0, 2))).shape == (0,)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.floats(-5, 5), st.booleans(), st.floats(0.01, 9)),
        min_size=2,
        max_size=20,
    ).filter(lambda rows: len({row[2] for row in rows}) == 2)
)
def test_a_fit_is_always_finite_and_in_bounds(rows):
    features = np.array([row[:2] for row in rows])
    labels = np.array([row[2] for row in rows])
    weights = np.array([row[3] for row in rows])
    fusion = LogisticFusion.fit(features, labels, weights)
    llr = fusion.llr(features)
    assert (llr >= fusion.bounds.lower).all()
    assert (llr <= fusion.bounds.upper).all()
    # The ridge pulls towards saying nothing, which costs one bit.
    free = fusion.llr(features, bounded=False)
    assert cllr(free[labels], free[~labels], weights[labels], weights[~labels]) <= 1 + 1e-9


def test_bounds_enclose_zero_and_tighten():
    assert Bounds(-3.0, 2.0).within(Bounds(-1.0, 5.0)) == Bounds(-1.0, 2.0)
    assert Bounds(-1.0, 2.0).clip([-9.0, 0.5, math.inf]).tolist() == [-1.0, 0.5, 2.0]
    for wrong in [(1.0, 2.0), (-2.0, -1.0), (-math.inf, 1.0), (0.0, math.nan)]:
        with pytest.raises(CalibrationError):
            Bounds(*wrong)


def test_no_cluster_no_evidence():
    assert cluster_bounds(0, 0) == Bounds(0.0, 0.0)
    assert cluster_bounds(1, 99) == Bounds(-math.log(2), math.log(100))
    with pytest.raises(CalibrationError, match="not counts of clusters"):
        cluster_bounds(-1, 3)
    with pytest.raises(CalibrationError, match="not counts of clusters"):
        cluster_bounds(3, math.nan)


def test_empirical_bounds_by_hand():
    # n kin at LR 1000, m others at 1/1000: a threshold t ≥ 1 costs 1/(n+1) + t/(m+1), so the
    # greatest that is worth it is t = (m+1) n/(n+1); by symmetry downwards.
    n, m = 9, 99
    bounds = elub([math.log(1e3)] * n, [-math.log(1e3)] * m)
    grid = 0.02 * math.log(10)
    assert bounds.upper == pytest.approx(math.log(100 * 9 / 10), abs=grid)
    assert bounds.lower == pytest.approx(-math.log(10 * 99 / 100), abs=grid)


def test_empirical_bounds_count_weights():
    pos, neg = np.array([2.0, 4.0, 7.0]), np.array([-5.0, -3.0, 1.0])
    times = np.array([30, 10, 5])
    assert elub(pos, neg, times, times) == elub(np.repeat(pos, times), np.repeat(neg, times))


def test_llrs_that_mislead_are_given_no_room():
    assert elub([-3.0] * 20, [3.0] * 20) == Bounds(0.0, 0.0)
    assert elub([math.inf] * 20, [-math.inf] * 20).upper <= math.log(21) + 0.03
    with pytest.raises(CalibrationError, match="kin pairs: no observation"):
        elub([], [1.0])


def test_bounding_keeps_the_order_of_scores():
    features, labels = _sample(10, 100, 100)
    fusion = LogisticFusion.fit(features, labels)
    llr = fusion.llr(features, bounded=False)
    assert auc(llr[labels], llr[~labels]) == auc(features[labels, 0], features[~labels, 0])
