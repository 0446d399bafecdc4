"""Normalised similarity → likelihood ratio, fitted on pairs of known lineage.

How far apart kin and unrelated pairs lie depends on how many prompts were asked, so one line is
fitted for each of several numbers of prompts, and the LLR read off between the two that enclose a
case's.
Text does not tell one model under two settings from two models of close descent: 26 pairs of the
one and 67 of the other score alike. Both are therefore fitted as one proposition, *close kinship*,
against independence. What is between them and independence (one teacher, one base, one developer)
is not fitted: its scores overlap with those of unrelated pairs, or come from models that are
everybody's neighbour. But kin are also fitted against models that learned from one another's
answers or from one model's (`fit_learned`): likeness that both show alike is no sign of descent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.calibration import (
    LogisticFusion,
    cluster_bounds,
    cluster_weights,
    count_clusters,
)
from forensics.cohorts.lineage.hypotheses import Hypothesis
from forensics.cohorts.similarity import Flags, Floats, Similarities, pair_scores
from forensics.support.block_mapping import Mapper, in_a_loop

CLOSE_KIN: tuple[Hypothesis, ...] = ("same_model", "close_descent")
TAUGHT: Hypothesis = "common_teacher"
PROMPT_COUNTS = (8, 16, 25, 50, 100, 200, 400)
MIN_KIN_CLUSTERS = 6
MIN_UNRELATED = 20  # the best of fewer says little about the best of a whole cohort
MIN_SUBJECTS = 20
_DRAWS = 4  # subsets of prompts for every number of them
_RIDGE = 0.1


@dataclass(frozen=True)
class Labelled:
    """Pairs with a documented relation: model numbers (n, 2), hypotheses, clusters (n, 2)."""

    pairs: NDArray[np.intp]
    hypotheses: tuple[Hypothesis, ...]
    clusters: NDArray[np.intp]

    def where(self, keep: Flags) -> Labelled:
        """Return some of the pairs."""
        chosen = np.flatnonzero(keep)
        names = tuple(self.hypotheses[i] for i in chosen)
        return Labelled(self.pairs[chosen], names, self.clusters[chosen])

    def are(self, *hypotheses: Hypothesis) -> Flags:
        """Flag the pairs of these hypotheses, shape (n,)."""
        return np.array([hypothesis in hypotheses for hypothesis in self.hypotheses], dtype=bool)


@dataclass(frozen=True)
class Maxima:
    """A Gumbel distribution of best scores, fitted by moments to so many subjects'.

    Maxima of many scores tend to one (Gumbel 1958, Statistics of Extremes, chapter 5); a few dozen
    subjects alone could not show a rate of one in a hundred.
    """

    location: float
    scale: float
    subjects: int

    @classmethod
    def of(cls, best: Floats) -> Maxima:
        """Fit to best scores, shape (draws of prompts, subjects); at least two subjects."""
        scale = max(float(best.std()) * np.sqrt(6) / np.pi, 1e-6)
        return cls(float(best.mean()) - float(np.euler_gamma) * scale, scale, best.shape[1])

    def rate(self, score: float) -> float:
        """Return how often a best score is as high."""
        # Far below the location the rate is 1 long before the exponent overflows.
        exponent = min((self.location - score) / self.scale, 700.0)
        return float(-np.expm1(-np.exp(exponent)))


@dataclass(frozen=True)
class Calibration:
    """Fitted lines by number of prompts, in ascending order; at least one.

    `best_of_unrelated` has, by number of prompts, the distribution of the best score that a model
    reaches among models unrelated to it.
    """

    lines: tuple[tuple[int, LogisticFusion], ...]
    best_of_unrelated: tuple[tuple[int, Maxima], ...] = ()

    def llr(self, score: float | Floats, prompts: int, bounded: bool = True) -> Floats:
        """Return natural LLRs of close kinship against independence, in the shape of `score`.

        Args:
            score: normalised similarity.
            prompts: how many prompts it was measured on.
            bounded: no stronger than the number of lineage clusters allows.
        """
        values = np.asarray(score, dtype=np.float64)
        flat = values.reshape(-1)
        mixed = np.zeros(len(flat))
        for place, share in self.shares(prompts):
            mixed += share * self.lines[place][1].llr(flat, bounded=bounded)
        shaped: Floats = mixed.reshape(values.shape)
        return shaped

    def shares(self, prompts: int) -> tuple[tuple[int, float], ...]:
        """Return which lines count for how much with so many prompts: (place, share), one or two.

        Between two lines the shares follow the logarithm of the number of prompts.
        """
        sizes = np.log([size for size, _ in self.lines])
        place = float(np.interp(np.log(max(prompts, 1)), sizes, np.arange(len(self.lines))))
        low = int(place)
        share = place - low
        return ((low, 1 - share), (low + 1, share)) if share else ((low, 1.0),)

    def nearest(self, prompts: int) -> LogisticFusion:
        """Return the line fitted for about as many prompts."""
        return min(self.lines, key=lambda line: abs(np.log(line[0] / max(prompts, 1))))[1]

    def family_wise(self, score: float, prompts: int) -> float | None:
        """Return how often an unrelated subject's best score is as high; None if not measured."""
        if not self.best_of_unrelated:
            return None
        nearest_size = min(
            self.best_of_unrelated, key=lambda maxima: abs(np.log(maxima[0] / max(prompts, 1)))
        )
        return nearest_size[1].rate(score)

    def to_json(self) -> dict[str, Any]:
        """Give the calibration as plain JSON values."""
        return {
            "lines": [{"prompts": size, "line": line.to_json()} for size, line in self.lines],
            "best_of_strangers": [
                {"prompts": size, **asdict(maxima)} for size, maxima in self.best_of_unrelated
            ],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Calibration:
        """Read what `to_json` gave."""
        lines = (
            (int(entry["prompts"]), LogisticFusion.from_json(entry["line"]))
            for entry in values["lines"]
        )
        maxima = (
            (int(entry["prompts"]), Maxima(entry["location"], entry["scale"], entry["subjects"]))
            for entry in values.get("best_of_strangers", ())
        )
        return cls(tuple(lines), tuple(maxima))


def fit(
    similarities: Similarities,
    excluded: Flags,
    labelled: Labelled,
    sizes: Sequence[int] | None = None,
    seed: int = 0,
) -> Calibration | None:
    """Fit a line for each number of prompts; None where the kin come from too few clusters.

    Args:
        similarities: of all models of the cohort.
        excluded: who may not be a reference for whom, see `pair_scores`.
        labelled: pairs with a documented relation; those of other hypotheses are passed over.
        sizes: numbers of prompts to fit for; by default those of `PROMPT_COUNTS` there are.
        seed: of the choice of prompts.
    """
    used = labelled.where(labelled.are(*CLOSE_KIN, "independent"))
    return fit_scores(scores_by_size(similarities, excluded, used, sizes, seed), used)


def fit_learned(
    similarities: Similarities,
    excluded: Flags,
    labelled: Labelled,
    seed: int = 0,
    mapper: Mapper = in_a_loop,
) -> Calibration | None:
    """Fit close kin against pairs of which one learned from the other, or both from one model.

    The arguments are those of `fit`. None where either comes from too few clusters.
    """
    used = labelled.where(labelled.are(*CLOSE_KIN, TAUGHT))
    if count_clusters(*used.clusters[used.are(TAUGHT)].T) < MIN_KIN_CLUSTERS:
        return None
    scores = scores_by_size(similarities, excluded, used, seed=seed, mapper=mapper)
    fitted = ((size, fit_line(drawn, used, against=TAUGHT)) for size, drawn in scores)
    lines = tuple((size, line) for size, line in fitted if line is not None)
    return Calibration(lines) if lines else None


def scores_by_size(
    similarities: Similarities,
    excluded: Flags,
    labelled: Labelled,
    sizes: Sequence[int] | None = None,
    seed: int = 0,
    mapper: Mapper = in_a_loop,
) -> tuple[tuple[int, Floats], ...]:
    """Return (number of prompts, scores of shape (draws, pairs), NaN where there is none).

    The arguments are those of `fit`; a block is a draw of prompts.
    """
    total = len(similarities.prompts)
    chosen = sizes or _sizes(total)
    draws = {size: list(_draws(total, size, seed)) for size in chosen}
    task = _Drawn(similarities, excluded, labelled.pairs)
    scores = mapper(_scores_on, task, (rows for size in chosen for rows in draws[size]))
    return tuple((size, np.array([next(scores) for _ in draws[size]])) for size in chosen)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """What is scored on every draw of prompts; see `pair_scores`."""

    similarities: Similarities
    excluded: Flags
    pairs: NDArray[np.intp]


def _scores_on(task: _Drawn, rows: NDArray[np.intp]) -> Floats:
    return pair_scores(task.similarities.on(rows), task.excluded, task.pairs).score


def fit_scores(scores: Sequence[tuple[int, Floats]], labelled: Labelled) -> Calibration | None:
    """Fit as `fit` does, to what `scores_by_size` returned for these pairs."""
    lines, maxima = [], []
    for size, drawn in scores:
        line = fit_line(drawn, labelled)
        if line is not None:
            lines.append((size, line))
        best = best_of_unrelated(drawn, labelled)
        if best.shape[1] >= MIN_SUBJECTS:
            maxima.append((size, Maxima.of(best)))
    return Calibration(tuple(lines), tuple(maxima)) if lines else None


def best_of_unrelated(scores: Floats, labelled: Labelled) -> Floats:
    """Return each model's best score among models unrelated to it: shape (draws, subjects).

    Models with fewer than `MIN_UNRELATED` such pairs are left out.

    Args:
        scores: shape (draws, pairs), NaN where there is none.
        labelled: the pairs.
    """
    unrelated = labelled.are("independent")
    pairs = labelled.pairs[unrelated]
    best_of_models = []
    for model in np.unique(pairs):
        scores_of_model = np.nan_to_num(
            scores[:, unrelated][:, (pairs == model).any(axis=1)], nan=-np.inf
        )
        if scores_of_model.shape[1] >= MIN_UNRELATED:
            best_of_models.append(scores_of_model.max(axis=1))
    best = np.array(best_of_models).T.reshape(len(scores), -1)
    return best[:, np.isfinite(best).all(axis=0)]


def fit_line(
    scores: Floats,
    labelled: Labelled,
    times: Floats | None = None,
    against: Hypothesis = "independent",
) -> LogisticFusion | None:
    """Fit close kinship against independence, every pair of clusters counting the same.

    Args:
        scores: shape (draws, pairs), NaN where there is none.
        labelled: the pairs.
        times: how often each pair counts, shape (pairs,); once each if None.
        against: the hypothesis that takes the place of independence.

    Returns None where kin pairs come from too few clusters, or no pair is unrelated.
    """
    kin, unrelated = labelled.are(*CLOSE_KIN), labelled.are(against)
    keep = (kin | unrelated) & np.isfinite(scores).all(axis=0)
    if not (keep & unrelated).any() or not (keep & kin).any():
        return None
    low, high = labelled.clusters[keep].T
    of_kin = kin[keep]
    clusters = count_clusters(low[of_kin], high[of_kin])
    if clusters < MIN_KIN_CLUSTERS:
        return None
    weights = cluster_weights(low, high, of_kin) * (1.0 if times is None else times[keep])
    if not weights[of_kin].any() or not weights[~of_kin].any():
        return None
    others = count_clusters(low[~of_kin], high[~of_kin])
    draws = len(scores)
    line = LogisticFusion.fit(
        scores[:, keep].reshape(-1),
        np.tile(of_kin, draws),
        np.tile(weights / draws, draws),
        names=("likeness",),
        ridge=_RIDGE,
        monotone=True,
        clusters=(clusters, others),
    )
    return line.with_bounds(cluster_bounds(clusters, others))


def _sizes(prompts: int) -> tuple[int, ...]:
    below = tuple(size for size in PROMPT_COUNTS if size < prompts)
    return (*below, prompts)


def _draws(prompts: int, size: int, seed: int) -> Iterator[NDArray[np.intp]]:
    random = np.random.default_rng([seed, size])
    for _ in range(1 if size == prompts else _DRAWS):
        yield np.sort(random.permutation(prompts)[:size])
