"""Normalised likeness → likelihood ratio, fitted on pairs of known lineage.

How far apart kin and strangers lie depends on how many prompts were asked, so one line is fitted
for each of several numbers of prompts, and the LLR read off between the two that enclose a case's.
Text does not tell one model under two settings from two models of close descent: 26 pairs of the
one and 67 of the other score alike. Both are therefore fitted as one proposition, *close kinship*,
against independence. What is between them and independence (one teacher, one base, one developer)
is not fitted: its scores overlap with those of strangers, or come from models that are everybody's
neighbour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.calibration import (
    LogisticFusion,
    cluster_bounds,
    cluster_weights,
    count_clusters,
)
from forensics.cohorts.likeness import Flags, Floats, Likenesses, pair_scores
from forensics.hypotheses import Hypothesis

CLOSE_KIN: tuple[Hypothesis, ...] = ("same_model", "close_descent")
PROMPT_COUNTS = (8, 16, 25, 50, 100, 200, 400)
MIN_KIN_CLUSTERS = 5
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
        return np.array([one in hypotheses for one in self.hypotheses], dtype=bool)


@dataclass(frozen=True)
class Calibration:
    """Fitted lines by number of prompts, in ascending order; at least one."""

    lines: tuple[tuple[int, LogisticFusion], ...]

    def llr(self, score: float | Floats, prompts: int, bounded: bool = True) -> Floats:
        """Return natural LLRs of close kinship against independence, in the shape of `score`.

        Args:
            score: normalised likeness.
            prompts: how many prompts it was measured on.
            bounded: no stronger than the number of lineage clusters allows.
        """
        values = np.asarray(score, dtype=np.float64)
        sizes = np.log([size for size, _ in self.lines])
        place = float(np.interp(np.log(max(prompts, 1)), sizes, np.arange(len(self.lines))))
        low = int(place)
        share = place - low
        flat = values.reshape(-1)
        mixed = (1 - share) * self.lines[low][1].llr(flat, bounded=bounded)
        if share:
            mixed = mixed + share * self.lines[low + 1][1].llr(flat, bounded=bounded)
        shaped: Floats = mixed.reshape(values.shape)
        return shaped

    def to_json(self) -> list[dict[str, Any]]:
        """Give the calibration as plain JSON values."""
        return [{"prompts": size, "line": line.to_json()} for size, line in self.lines]

    @classmethod
    def from_json(cls, values: Sequence[Mapping[str, Any]]) -> Calibration:
        """Read what `to_json` gave."""
        lines = ((int(one["prompts"]), LogisticFusion.from_json(one["line"])) for one in values)
        return cls(tuple(lines))


def fit(
    likenesses: Likenesses,
    excluded: Flags,
    labelled: Labelled,
    sizes: Sequence[int] | None = None,
    seed: int = 0,
) -> Calibration | None:
    """Fit a line for each number of prompts; None where the kin come from too few clusters.

    Args:
        likenesses: of all models of the cohort.
        excluded: who may not be a reference for whom, see `pair_scores`.
        labelled: pairs with a documented relation; those of other hypotheses are passed over.
        sizes: numbers of prompts to fit for; by default those of `PROMPT_COUNTS` there are.
        seed: of the choice of prompts.
    """
    used = labelled.where(labelled.are(*CLOSE_KIN, "independent"))
    lines = []
    for size in sizes or _sizes(len(likenesses.prompts)):
        draws = _draws(len(likenesses.prompts), size, seed)
        scores = [pair_scores(likenesses.on(rows), excluded, used.pairs).score for rows in draws]
        line = fit_line(np.array(scores), used)
        if line is not None:
            lines.append((size, line))
    return Calibration(tuple(lines)) if lines else None


def fit_line(scores: Floats, labelled: Labelled) -> LogisticFusion | None:
    """Fit close kinship against independence, every pair of clusters counting the same.

    Args:
        scores: shape (draws, pairs), NaN where there is none.
        labelled: the pairs.

    Returns None where kin pairs come from too few clusters, or no pair is unrelated.
    """
    kin, strangers = labelled.are(*CLOSE_KIN), labelled.are("independent")
    keep = (kin | strangers) & np.isfinite(scores).all(axis=0)
    if not (keep & strangers).any() or not (keep & kin).any():
        return None
    low, high = labelled.clusters[keep].T
    of_kin = kin[keep]
    clusters = count_clusters(low[of_kin], high[of_kin])
    if clusters < MIN_KIN_CLUSTERS:
        return None
    weights = cluster_weights(low, high, of_kin)
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
