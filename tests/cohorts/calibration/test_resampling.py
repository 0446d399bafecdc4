from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.cohorts.calibration import (
    CalibrationError,
    auc,
    bootstrap_over_clusters,
    cluster_weights,
    count_clusters,
    percentile_interval,
    pigeonhole_weights,
)

_PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30)


def test_cluster_weights_by_hand():
    weights = cluster_weights([0, 1, 0, 2, 2], [1, 0, 1, 2, 3])
    assert weights == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1.0, 1.0])
    labels = ["kin", "other", "other", "kin", "kin"]
    assert cluster_weights([0, 1, 0, 2, 2], [1, 0, 1, 2, 3], labels) == pytest.approx(
        [1.0, 0.5, 0.5, 1.0, 1.0]
    )
    assert cluster_weights([], []).tolist() == []
    with pytest.raises(CalibrationError, match="2 first but 1 second"):
        cluster_weights([0, 1], [1])


@settings(deadline=None)
@given(_PAIRS)
def test_every_pair_of_clusters_counts_once(pairs):
    a, b = zip(*pairs, strict=True)
    weights = cluster_weights(a, b)
    distinct = {frozenset(pair) for pair in pairs}
    assert weights.sum() == pytest.approx(len(distinct))
    for one in distinct:
        total = sum(w for pair, w in zip(pairs, weights, strict=True) if frozenset(pair) == one)
        assert total == pytest.approx(1.0)
    assert count_clusters(a, b) == len({*a, *b})


def test_a_pair_weighs_what_its_clusters_weigh():
    a, b = [0, 0, 1, 2], [0, 1, 2, 2]
    for w in pigeonhole_weights(a, b, 200, seed=3):
        own_0, cross_01, cross_12, own_2 = w
        own_1 = 3 - own_0 - own_2  # three clusters were drawn
        assert own_0 * own_1 == cross_01
        assert own_1 * own_2 == cross_12


def test_pairs_of_one_and_of_two_clusters_weigh_alike_on_average():
    many = np.mean(list(pigeonhole_weights([0, 0], [0, 1], 20_000, seed=1)), axis=0)
    # Two clusters drawn of two: the product of the counts averages 1 - 1/2.
    assert many == pytest.approx([1.0, 0.5], abs=0.03)
    a, b = zip(*combinations(range(50), 2), strict=True)
    assert np.mean(list(pigeonhole_weights(a, b, 2_000))) == pytest.approx(1 - 1 / 50, abs=0.01)


def test_the_same_seed_gives_the_same_interval():
    a, b = zip(*combinations(range(8), 2), strict=True)
    values = np.arange(28.0)

    def mean(weights):
        return float(np.average(values, weights=weights))

    one = bootstrap_over_clusters(mean, a, b, n_resamples=200, seed=5)
    assert one == bootstrap_over_clusters(mean, a, b, n_resamples=200, seed=5)
    assert one != bootstrap_over_clusters(mean, a, b, n_resamples=200, seed=6)
    assert (one.clusters, one.resamples, one.used, one.level) == (8, 200, 200, 0.95)
    narrow = bootstrap_over_clusters(mean, a, b, n_resamples=200, seed=5, level=0.5)
    assert one.low < narrow.low < values.mean() < narrow.high < one.high


def test_many_pairs_of_few_clusters_are_uncertain():
    """Intervals follow the clusters: the same number of pairs from few is known less well."""
    generator = np.random.default_rng(0)

    def width(clusters: int) -> float:
        effect = generator.normal(size=clusters)
        index = np.repeat(np.arange(clusters), 400 // clusters)
        values = effect[index]

        def mean(weights):
            return float(np.average(values, weights=weights))

        interval = bootstrap_over_clusters(mean, index, index, n_resamples=300)
        return interval.high - interval.low

    assert width(8) > 2 * width(400)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(11)
    covered = 0
    for trial in range(100):
        values = generator.normal(size=40)

        def mean(weights, values=values):
            return float(np.average(values, weights=weights))

        index = np.arange(40)
        interval = bootstrap_over_clusters(
            mean, index, index, n_resamples=200, seed=trial, level=0.9
        )
        covered += interval.low <= 0.0 <= interval.high
    assert 78 <= covered <= 98


def test_base_weights_are_multiplied():
    def total(weights):
        return float(weights.sum())

    index = np.arange(5)
    one = bootstrap_over_clusters(total, index, index, n_resamples=50)
    three = bootstrap_over_clusters(total, index, index, [3.0] * 5, n_resamples=50)
    assert (one.low, one.high, three.low, three.high) == (5.0, 5.0, 15.0, 15.0)


def test_resamples_without_a_class_are_counted_not_hidden():
    # One kin pair, in one of four clusters, which about a third of the resamples miss.
    a, b = [0, 1, 2, 3], [0, 2, 3, 1]
    kin = np.array([True, False, False, False])
    scores = np.array([1.0, 0.0, 2.0, 0.5])

    def area(weights):
        return auc(scores[kin], scores[~kin], weights[kin], weights[~kin])

    interval = bootstrap_over_clusters(area, a, b, n_resamples=400)
    assert 0 < interval.used < 400
    expected = None if interval.used < 200 else 0.0
    assert interval.low == expected


def test_too_little_to_resample_gives_no_interval():
    def one(weights):
        return 1.0

    alone = bootstrap_over_clusters(one, [0, 0], [0, 0], n_resamples=20)
    assert (alone.low, alone.high, alone.clusters, alone.used) == (None, None, 1, 20)
    never = bootstrap_over_clusters(lambda weights: math.nan, [0, 1], [1, 2], n_resamples=20)
    assert (never.low, never.used) == (None, 0)
    assert percentile_interval([1.0] * 9, clusters=5, resamples=20).low is None
    assert percentile_interval([1.0] * 10, clusters=5, resamples=20).low == 1.0
    with pytest.raises(CalibrationError, match="no pair to resample"):
        bootstrap_over_clusters(one, [], [])
