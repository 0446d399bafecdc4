from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from forensics.cohorts.calibration import (
    CalibrationError,
    auc,
    cllr,
    cllr_min,
    det,
    eer,
    error_rate,
    operating_point,
    pav_llr,
    tippett,
    to_log10,
    tpr_at_fpr,
    verbal_tier,
)

INF = math.inf
FIGURES = [auc, cllr, cllr_min, eer]
# Small whole numbers make ties, which is where rank statistics go wrong.
_SCORES = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=12)
_WEIGHTED = st.lists(
    st.tuples(st.integers(-4, 4).map(float), st.integers(1, 4)), min_size=1, max_size=8
)


def _repeat(weighted):
    return [value for value, times in weighted for _ in range(times)]


def test_saying_nothing_costs_one_bit():
    assert cllr([0.0] * 3, [0.0] * 7) == pytest.approx(1.0)
    assert cllr_min([0.0] * 3, [0.0] * 7) == pytest.approx(1.0)


def test_cllr_by_hand():
    # Kin: LR 1 and 3 → log2(2), log2(4/3). Others: LR 1/3 → log2(4/3).
    expected = 0.5 * ((1 + math.log2(4 / 3)) / 2 + math.log2(4 / 3))
    assert cllr([0.0, math.log(3)], [-math.log(3)]) == pytest.approx(expected)


def test_perfect_and_hopeless_certainty():
    assert cllr([INF], [-INF]) == 0.0
    assert cllr([-INF], [-INF]) == INF
    assert cllr([800.0], [-800.0]) == pytest.approx(0.0)
    assert cllr([-800.0], [-800.0]) == pytest.approx(400 / math.log(2))


def test_pav_by_hand():
    # Scores 1 2 3 4, kin at 2 and 4: the violators are 2 (kin) and 3 (other), pooled to LR 1.
    pos, neg = pav_llr([2.0, 4.0], [1.0, 3.0])
    assert pos.tolist() == [0.0, INF]
    assert neg.tolist() == [-INF, 0.0]
    assert cllr_min([2.0, 4.0], [1.0, 3.0]) == pytest.approx(0.5)
    assert eer([2.0, 4.0], [1.0, 3.0]) == pytest.approx(0.25)
    assert auc([2.0, 4.0], [1.0, 3.0]) == 0.75


def test_separated_classes_cost_nothing_at_best():
    assert cllr_min([5.0, 6.0], [1.0, 2.0]) == 0.0
    assert eer([5.0, 6.0], [1.0, 2.0]) == 0.0
    assert auc([5.0, 6.0], [1.0, 2.0]) == 1.0
    assert auc([1.0, 2.0], [5.0, 6.0]) == 0.0
    # Scores that point the wrong way are no better than none, whatever the threshold.
    assert eer([1.0, 2.0], [5.0, 6.0]) == pytest.approx(0.5)


@settings(deadline=None)
@given(_SCORES, _SCORES)
def test_auc_is_the_mann_whitney_count(pos, neg):
    wins = sum((p > n) + 0.5 * (p == n) for p in pos for n in neg)
    assert auc(pos, neg) == pytest.approx(wins / (len(pos) * len(neg)))


@settings(deadline=None)
@given(_WEIGHTED, _WEIGHTED)
def test_a_weight_of_k_is_k_observations(kin, other):
    pos, weights_pos = zip(*kin, strict=True)
    neg, weights_neg = zip(*other, strict=True)
    for figure in FIGURES:
        weighted = figure(pos, neg, weights_pos, weights_neg)
        assert weighted == pytest.approx(figure(_repeat(kin), _repeat(other)), abs=1e-9)
    for rate in (0.0, 0.1, 0.5, 1.0):
        weighted = tpr_at_fpr(pos, neg, rate, weights_pos, weights_neg)
        assert weighted == pytest.approx(tpr_at_fpr(_repeat(kin), _repeat(other), rate))


@settings(deadline=None)
@given(_SCORES, _SCORES)
def test_weights_of_one_change_nothing_and_weight_zero_is_absence(pos, neg):
    one_pos, one_neg = [1.0] * len(pos), [1.0] * len(neg)
    for figure in FIGURES:
        assert figure(pos, neg, one_pos, one_neg) == figure(pos, neg)
        padded = figure([*pos, 9.0], [*neg, -9.0], [*one_pos, 0.0], [*one_neg, 0.0])
        assert padded == pytest.approx(figure(pos, neg))


# Steps of one ratio, which rounding would put into the wrong order.
@example([0.0] * 7 + [1.0] * 3 + [-1.0, 2.0], [0.0] * 5 + [1.0] * 4 + [-1.0, 2.0, 2.0])
@settings(deadline=None)
@given(_SCORES, _SCORES)
def test_pav_rises_with_the_score_and_cannot_be_improved(pos, neg):
    best_pos, best_neg = pav_llr(pos, neg)
    llr = np.concatenate([best_pos, best_neg])
    order = np.argsort([*pos, *neg], kind="stable")
    assert all(a <= b for a, b in zip(llr[order], llr[order][1:], strict=False))
    least = cllr_min(pos, neg)
    assert 0.0 <= least <= 1.0 + 1e-12
    assert least <= cllr(pos, neg) + 1e-12
    assert cllr(best_pos, best_neg) == pytest.approx(least)
    assert cllr_min(best_pos, best_neg) == pytest.approx(least)


@settings(deadline=None)
@given(_SCORES, _SCORES)
def test_ranks_are_all_that_discrimination_sees(pos, neg):
    stretched = [math.exp(x) for x in pos], [math.exp(x) for x in neg]
    for figure in (auc, eer, cllr_min):
        assert figure(*stretched) == pytest.approx(figure(pos, neg))
    assert 0.0 <= eer(pos, neg) <= 0.5 + 1e-12
    assert auc(neg, pos) == pytest.approx(1.0 - auc(pos, neg))


@settings(deadline=None)
@given(_SCORES, _SCORES, st.sampled_from([0.0, 0.01, 0.2, 0.5, 0.99]))
def test_an_operating_point_does_what_it_says(pos, neg, rate):
    point = operating_point(pos, neg, rate)
    assert point.fpr == pytest.approx(np.mean(np.array(neg) > point.threshold))
    assert point.tpr == pytest.approx(np.mean(np.array(pos) > point.threshold))
    assert point.fpr <= rate + 1e-9
    lower = [n for n in neg if n < point.threshold]
    if lower:
        assert np.mean(np.array(neg) > max(lower)) > rate


def test_operating_points_by_hand():
    neg = [float(x) for x in range(100)]
    assert operating_point([98.5, 99.5], neg, 0.01).threshold == 98.0
    assert tpr_at_fpr([98.5, 99.5], neg, 0.01) == 1.0
    # A hundred strangers cannot show 0.1 %: one must beat them all.
    assert tpr_at_fpr([98.5, 99.0, 99.5, 100.0], neg, 0.001) == 0.5
    assert operating_point([0.0], neg, 1.0).tpr == 1.0
    with pytest.raises(CalibrationError, match="0 or more"):
        operating_point([0.0], neg, -0.1)


def test_tippett_by_hand():
    ten = math.log(10)
    curve = tippett([ten, 2 * ten], [0.0, ten], weights_neg=[3.0, 1.0])
    assert curve.log10_lr == pytest.approx([0.0, 1.0, 2.0])
    assert curve.kin == pytest.approx([1.0, 1.0, 0.5])
    assert curve.other == pytest.approx([1.0, 0.25, 0.0])
    assert to_log10([ten]).tolist() == [1.0]


def test_det_by_hand():
    curve = det([1.0, 2.0], [0.0, 1.0])
    assert curve.fpr.tolist() == [1.0, 0.5, 0.0]
    assert curve.fnr.tolist() == [0.0, 0.0, 0.5]


@settings(deadline=None)
@given(_SCORES, _SCORES)
def test_curves_are_finite_and_fall(pos, neg):
    curve = det(pos, neg)
    assert np.isfinite([curve.fpr, curve.fnr]).all()
    assert (np.diff(curve.fpr) <= 0).all()
    assert (np.diff(curve.fnr) >= -1e-12).all()
    shares = tippett(pos, neg)
    assert (np.diff(shares.kin) <= 0).all()
    assert shares.other[0] == pytest.approx(1.0)


@pytest.mark.parametrize("figure", [*FIGURES, pav_llr, tippett, det])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [1.0]), "kin pairs: no observation"),
        (([1.0], []), "unrelated pairs: no observation"),
        (([1.0], [math.nan]), "unrelated pairs: a value is NaN"),
        (([1.0], [1.0], [0.0], [1.0]), "kin pairs: no observation"),
        (([1.0], [1.0], [-1.0], [1.0]), "kin pairs: a weight is negative"),
        (
            ([1.0], [1.0], [1.0], [math.nan]),
            "unrelated pairs: a weight is negative or not a number",
        ),
        (([1.0], [1.0], [1.0], [1.0, 2.0]), "unrelated pairs: 1 values but weights of shape"),
    ],
)
def test_what_cannot_be_measured_is_said(figure, arguments, message):
    with pytest.raises(CalibrationError, match=message):
        figure(*arguments)


@pytest.mark.parametrize(
    ("errors", "trials", "limit"),
    [(0, 0, 1.0), (5, 5, 1.0), (0, 1, 0.95), (0, 59, 0.0495), (0, 299, 0.00997), (1, 10, 0.3942)],
)
def test_upper_limits_of_clopper_and_pearson(errors, trials, limit):
    assert error_rate(errors, trials).upper == pytest.approx(limit, abs=1e-4)


@settings(deadline=None)
@given(st.integers(0, 30), st.integers(1, 200))
def test_at_the_limit_so_few_errors_are_seen_once_in_twenty(errors, extra):
    trials = errors + extra
    limit = error_rate(errors, trials).upper
    chance = sum(
        math.comb(trials, k) * limit**k * (1 - limit) ** (trials - k) for k in range(errors + 1)
    )
    assert chance == pytest.approx(0.05, rel=1e-6)


def test_error_rates_in_words():
    assert error_rate(0, 299).text == "< 1 %"
    assert error_rate(0, 0).text == "< 100 %"
    assert error_rate(1, 10).text == "10 % (below 39 %)"
    for wrong in [(-1, 3), (4, 3), (math.nan, 3), (0, INF)]:
        with pytest.raises(CalibrationError, match="not a count"):
            error_rate(*wrong)


@pytest.mark.parametrize(
    ("lr", "tier"),
    [
        (1.0, "no support"),
        (1.99, "no support"),
        (2.0, "weak"),
        (9.99, "weak"),
        (10.0, "moderate"),
        (100.0, "moderately strong"),
        (1e3, "strong"),
        (1e4, "very strong"),
        (1e6, "very strong"),
        (1.01e6, "extremely strong"),
        (INF, "extremely strong"),
    ],
)
def test_verbal_tiers_in_both_directions(lr, tier):
    log10_lr = math.log10(lr) if lr < INF else INF
    up, down = verbal_tier(log10_lr, "A", "B"), verbal_tier(-log10_lr, "A", "B")
    assert up.tier == down.tier == tier
    if tier == "no support":
        assert up == down
        assert up.direction == "neither"
        return
    assert (up.direction, down.direction) == ("first", "second")
    words = f"The findings provide {tier} support for the proposition that"
    assert up.sentence == f"{words} A, rather than that B."
    assert down.sentence == f"{words} B, rather than that A."


def test_no_number_has_no_tier():
    with pytest.raises(ValueError, match="no verbal tier"):
        verbal_tier(math.nan)
