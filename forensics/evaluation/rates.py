"""Error rates of scored pairs, by hypothesis: the figures `evaluate` prints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.calibration import (
    CalibrationError,
    auc,
    bootstrap_over_clusters,
    cllr,
    cllr_min,
    cluster_weights,
    count_clusters,
    eer,
    error_rate,
    tpr_at_fpr,
)

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
STRONG = np.log(100.0)  # an LR beyond 100 in favour of kinship, natural logarithm
_RESAMPLES = 300
_PENALTY = 1.0
_TINY = 1e-9
Statistic = Callable[[Floats, Floats, Floats, Floats], float]


@dataclass(frozen=True)
class Scored:
    """Kin pairs of one kind and unrelated pairs, arrays of shape (n,).

    `llr` is None where nothing is calibrated; an abstention counts as LR = 1. `unhubbed` is the
    score less what either model scores against unrelated ones.
    """

    score: Floats
    unhubbed: Floats
    llr: Floats | None
    abstained: Flags
    kin: Flags
    clusters: NDArray[np.intp]

    @property
    def weights(self) -> Floats:
        """Weights by which every pair of clusters counts once in its class."""
        return cluster_weights(self.clusters[:, 0], self.clusters[:, 1], self.kin)

    @property
    def counted_llr(self) -> Floats | None:
        """LLRs with abstentions as LR = 1."""
        return None if self.llr is None else np.where(self.abstained, 0.0, self.llr)


def rates(scored: Scored) -> dict[str, Any]:
    """Return the figures of one hypothesis; None where the data do not give one."""
    kin = scored.kin
    figures: dict[str, Any] = {
        "n_pos": int(kin.sum()),
        "n_neg": int((~kin).sum()),
        "n_clusters": count_clusters(*scored.clusters[kin].T) if kin.any() else 0,
        "n_clusters_neg": count_clusters(*scored.clusters[~kin].T) if (~kin).any() else 0,
        "abstained": _share(scored.abstained),
        "abstained_pos": _share(scored.abstained[kin]),
        "abstained_neg": _share(scored.abstained[~kin]),
    }
    equal = np.ones(len(kin))
    return (
        figures
        | _figures(scored, scored.weights)
        | {"pair_weighted": _figures(scored, equal), "interval": _intervals(scored)}
        | {"lr_above_100": _strong(scored)}
    )


@dataclass(frozen=True)
class HubEffects:
    """How much each model raises the scores of all its pairs, and the mean of all pairs.

    `of_models` has shape (models,); `leverage` (models + 1, models + 1) is the inverse of the fit's
    normal equations.
    """

    of_models: Floats
    mean: float
    leverage: Floats

    def expected(self, pairs: NDArray[np.intp]) -> Floats:
        """Return what two unrelated models with these effects score: shape (pairs,)."""
        scores: Floats = self.mean + self.of_models[pairs].sum(axis=1)
        return scores

    def pull(self, pairs: NDArray[np.intp]) -> Floats:
        """Return how much each fitted pair pulls its own expectation towards itself, 0 to 1."""
        a, b = pairs.T
        last = len(self.of_models)
        hat = self.leverage
        between = hat[a, b] + hat[a, last] + hat[b, last]
        pulls: Floats = hat[a, a] + hat[b, b] + hat[last, last] + 2 * between
        return pulls


def hub_effects(score: Floats, pairs: NDArray[np.intp], size: int | None = None) -> HubEffects:
    """Fit score ≈ mean + effect of the one model + effect of the other, by least squares.

    A two-way additive fit; a small penalty (as much as one pair that scores the mean) settles the
    effect of models with hardly any pair.

    Args:
        score: shape (pairs,), finite.
        pairs: two different model numbers each, shape (pairs, 2).
        size: how many models there are; by default as many as the pairs name.
    """
    models = size or (int(pairs.max()) + 1 if len(pairs) else 0)
    normal = np.diag(np.append(np.full(models, _PENALTY), _TINY))
    right = np.zeros(models + 1)
    a, b = pairs.T
    last = np.full(len(pairs), models)
    for index in (a, b, last):
        np.add.at(right, index, score)
        for other in (a, b, last):
            np.add.at(normal, (index, other), 1.0)
    leverage = np.linalg.inv(normal)
    effects = leverage @ right
    return HubEffects(effects[:-1], float(effects[-1]), leverage)


def without_hubs(score: Floats, pairs: NDArray[np.intp], unrelated: Flags) -> Floats:
    """Subtract from each pair's score what its two models score against unrelated models anyway.

    Some models are everybody's neighbour, which looks like kinship and is none. Effects are fitted
    on unrelated pairs; such a pair does not count in its own correction (the leave-one-out
    residual of a linear fit, residual / (1 − leverage)).

    Args:
        score: shape (pairs,), finite.
        pairs: two model numbers each, shape (pairs, 2).
        unrelated: flags the unrelated pairs, shape (pairs,).
    """
    if not len(pairs):
        return score.copy()
    fitted = hub_effects(score[unrelated], pairs[unrelated], int(pairs.max()) + 1)
    corrected = score - fitted.expected(pairs)
    corrected[unrelated] /= np.maximum(1 - fitted.pull(pairs[unrelated]), _TINY)
    return corrected


def _figures(scored: Scored, weights: Floats) -> dict[str, Any]:
    llr = scored.counted_llr
    return {
        "auc": _measure(auc, scored.score, scored.kin, weights),
        "auc_hub_removed": _measure(auc, scored.unhubbed, scored.kin, weights),
        "eer": _measure(eer, scored.score, scored.kin, weights),
        "tpr_at_fpr": {
            name: _measure(_tpr(float(name)), scored.score, scored.kin, weights)
            for name in ("0.01", "0.001")
        },
        "cllr": None if llr is None else _measure(cllr, llr, scored.kin, weights),
        "cllr_min": _measure(cllr_min, scored.score, scored.kin, weights),
    }


def _tpr(rate: float) -> Statistic:
    def statistic(pos: Floats, neg: Floats, of_pos: Floats, of_neg: Floats) -> float:
        return tpr_at_fpr(pos, neg, rate, of_pos, of_neg)

    return statistic


def _measure(statistic: Statistic, values: Floats, kin: Flags, weights: Floats) -> float | None:
    known = np.isfinite(values)
    pos, neg = known & kin, known & ~kin
    try:
        value = statistic(values[pos], values[neg], weights[pos], weights[neg])
    except CalibrationError:
        return None
    return round(float(value), 6) if np.isfinite(value) else None


def _intervals(scored: Scored) -> dict[str, Any]:
    llr = scored.counted_llr
    wanted: dict[str, tuple[Statistic, Floats | None]] = {
        "auc": (auc, scored.score),
        "tpr_at_0.01": (_tpr(0.01), scored.score),
        "auc_hub_removed": (auc, scored.unhubbed),
        "cllr": (cllr, llr),
    }
    return {
        name: None if values is None else _interval(statistic, values, scored)
        for name, (statistic, values) in wanted.items()
    }


def _interval(statistic: Statistic, values: Floats, scored: Scored) -> list[float] | None:
    known = np.isfinite(values)
    kin, clusters = scored.kin[known], scored.clusters[known]
    if not kin.any() or kin.all():
        return None

    def weighted(weights: Floats) -> float:
        return statistic(values[known][kin], values[known][~kin], weights[kin], weights[~kin])

    interval = bootstrap_over_clusters(
        weighted,
        clusters[:, 0],
        clusters[:, 1],
        scored.weights[known],
        n_resamples=_RESAMPLES,
    )
    if interval.low is None or interval.high is None:
        return None
    return [round(interval.low, 4), round(interval.high, 4)]


def _strong(scored: Scored) -> dict[str, Any] | None:
    """Return how often unrelated pairs get an LR beyond 100, with the limit by clusters."""
    llr = scored.counted_llr
    unrelated = ~scored.kin
    if llr is None or not unrelated.any():
        return None
    misleading = unrelated & (llr > STRONG)
    trials = count_clusters(*scored.clusters[unrelated].T)
    errors = count_clusters(*scored.clusters[misleading].T) if misleading.any() else 0
    return {
        "unrelated_pairs": _share(misleading[unrelated]),
        "clusters_in_error": errors,
        "clusters": trials,
        "upper_95": round(error_rate(errors, trials).upper, 4),
        "kin_pairs": _share((llr > STRONG)[scored.kin]),
    }


def _share(flags: Flags) -> float | None:
    return round(float(flags.mean()), 6) if len(flags) else None
