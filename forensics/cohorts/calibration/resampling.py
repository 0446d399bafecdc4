"""Weights and intervals that respect lineage clusters: a pair of models involves two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forensics.cohorts.calibration.observations import CalibrationError, Floats, Values

# An interval from fewer usable resamples than this share would describe the lucky ones.
MIN_USABLE = 0.5


def cluster_weights(
    clusters_a: ArrayLike, clusters_b: ArrayLike, labels: ArrayLike | None = None
) -> Floats:
    """Weight pairs so that every unordered pair of clusters counts once in all.

    Args:
        clusters_a: (n,) cluster of each pair's first model.
        clusters_b: (n,) cluster of its second.
        labels: (n,) classes; if given, a pair of clusters counts once in each class it occurs in.

    Returns (n,) weights; those of one pair of clusters sum to 1. Their sum is the number of
    cluster pairs.
    """
    low, high = _ordered(clusters_a, clusters_b)
    columns = [low, high]
    if labels is not None:
        _, codes = np.unique(np.asarray(labels), return_inverse=True)
        columns.append(codes)
    _, index, count = np.unique(
        np.column_stack(columns), axis=0, return_inverse=True, return_counts=True
    )
    return np.asarray(1.0 / count[index.reshape(-1)], dtype=np.float64)


def count_clusters(clusters_a: ArrayLike, clusters_b: ArrayLike) -> int:
    """Count the distinct clusters among pairs."""
    low, high = _ordered(clusters_a, clusters_b)
    return int(np.union1d(low, high).size)


@dataclass(frozen=True)
class ResampledInterval:
    """A percentile interval, `low` and `high` None where too few resamples could be used.

    `used` of `resamples` resamples gave a number; one that draws no kin pair gives none.
    """

    low: float | None
    high: float | None
    level: float
    clusters: int
    resamples: int
    used: int


def pigeonhole_weights(
    clusters_a: ArrayLike, clusters_b: ArrayLike, n_resamples: int, seed: int = 0
) -> Iterator[Floats]:
    """Draw clusters with replacement and give the (n,) weights of all pairs, resample by resample.

    A pair between two clusters weighs the product of how often each was drawn (Owen, The
    pigeonhole bootstrap, Annals of Applied Statistics 1 (2007); Owen and Eckles, 6 (2012)). A pair
    within one cluster weighs how often that one was drawn: it was drawn once, not twice, and the
    square would weigh it double on average.
    """
    low, high = _ordered(clusters_a, clusters_b)
    names, index = np.unique(np.concatenate([low, high]), return_inverse=True)
    first, second = index[: low.size], index[low.size :]
    within = first == second
    generator = np.random.default_rng(seed)
    for _ in range(n_resamples):
        drawn = np.bincount(generator.integers(0, names.size, names.size), minlength=names.size)
        times = drawn.astype(np.float64)
        yield np.where(within, times[first], times[first] * times[second])


def bootstrap_over_clusters(
    statistic: Callable[[Floats], float],
    clusters_a: ArrayLike,
    clusters_b: ArrayLike,
    weights: Values | None = None,
    *,
    n_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> ResampledInterval:
    """Compute the percentile interval of a weighted statistic over resamples of the clusters.

    Args:
        statistic: (n,) weights → number; it may raise `CalibrationError` or give a number that is
            not finite where the weights leave it nothing to work on (no kin pair drawn).
        clusters_a: (n,) cluster of each pair's first model.
        clusters_b: (n,) cluster of its second.
        weights: (n,) weights that are multiplied by how often a pair is drawn; 1 each if None.
        n_resamples: how many times to resample.
        level: coverage, two-sided.
        seed: of the random draws; the same seed gives the same interval.

    Raises `CalibrationError` if there is no pair.
    """
    clusters = count_clusters(clusters_a, clusters_b)
    if clusters == 0:
        raise CalibrationError("no pair to resample; give at least one")
    base = 1.0 if weights is None else np.asarray(weights, dtype=np.float64)
    values: list[float] = []
    for times in pigeonhole_weights(clusters_a, clusters_b, n_resamples, seed):
        try:
            value = float(statistic(base * times))
        except CalibrationError:
            continue
        if np.isfinite(value):
            values.append(value)
    return percentile_interval(values, clusters=clusters, resamples=n_resamples, level=level)


def percentile_interval(
    values: Values, *, clusters: int, resamples: int, level: float = 0.95
) -> ResampledInterval:
    """Make an interval of the numbers that the usable ones of `resamples` resamples gave.

    It is empty (None) with fewer than two clusters, which leave nothing to vary, or if less than
    half of the resamples were usable.
    """
    array = np.asarray(values, dtype=np.float64)
    if clusters < 2 or array.size == 0 or array.size < MIN_USABLE * resamples:
        return ResampledInterval(None, None, level, clusters, resamples, int(array.size))
    low, high = np.quantile(array, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return ResampledInterval(float(low), float(high), level, clusters, resamples, int(array.size))


def _ordered(
    clusters_a: ArrayLike, clusters_b: ArrayLike
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    a = np.asarray(clusters_a, dtype=np.int64).reshape(-1)
    b = np.asarray(clusters_b, dtype=np.int64).reshape(-1)
    if a.shape != b.shape:
        raise CalibrationError(f"{a.size} first but {b.size} second clusters; give one of each")
    return np.minimum(a, b), np.maximum(a, b)
