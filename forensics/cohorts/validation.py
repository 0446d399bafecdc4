"""How far to trust a calibration: lines fitted to other clusters, and pairs no line has seen.

The lines of a calibration come from a few dozen lineage clusters. Fitted again to resampled
clusters they say how much a likelihood ratio owes to the choice of these; and unrelated pairs,
judged by lines that saw neither of their clusters, say how often unrelated pairs reach one as high.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.case.record import ErrorAtScore
from forensics.cohorts.calibration import LogisticFusion, count_clusters, pigeonhole_weights
from forensics.cohorts.fitting import Calibration, Labelled, fit_line
from forensics.cohorts.similarity import Flags, Floats
from forensics.support.block_mapping import Mapper, in_a_loop

FOLDS = 8
REFITS = 200
_MOST_DRAWS = 2 * REFITS  # some draw no cluster that holds kin


@dataclass(frozen=True, eq=False)
class Validation:
    """What a calibration's lines are when fitted to other clusters; empty arrays: not measured.

    `refits`, shape (lines, refits, 2), holds intercept and slope of the natural LLR in the score,
    one refit using the same clusters for every line. `strangers`, shape (pairs, 2), are the model
    numbers of unrelated pairs, `held_out`, shape (lines, pairs), their unbounded natural LLRs.
    """

    refits: NDArray[np.float32]
    strangers: NDArray[np.uint16]
    held_out: NDArray[np.float16]

    @classmethod
    def none(cls) -> Validation:
        """Return what there is without a calibration."""
        return cls(
            np.zeros((0, 0, 2), np.float32), np.zeros((0, 2), np.uint16), np.zeros((0, 0), "f2")
        )

    def llr(self, calibration: Calibration, draws: Floats, prompts: int) -> Floats:
        """Return bounded natural LLRs of resampled scores, each by another refit.

        Args:
            calibration: whose lines were refitted; they are used as they are without refits.
            draws: scores over resampled prompts, shape (resamples,).
            prompts: how many prompts there were.
        """
        count = self.refits.shape[1]
        if not count:
            return calibration.llr(draws, prompts)
        used = np.arange(len(draws)) % count
        mixed = np.zeros(len(draws))
        for place, share in calibration.shares(prompts):
            intercept, slope = self.refits[place, used].astype(np.float64).T
            bounds = calibration.lines[place][1].bounds
            mixed += share * bounds.clip(intercept + slope * draws)
        return mixed

    def error_at(
        self,
        calibration: Calibration,
        score: float,
        prompts: int,
        clusters: NDArray[np.intp],
        without: Flags,
    ) -> ErrorAtScore | None:
        """Count the unrelated pairs whose held-out LLR is as high as a score's; None without any.

        Args:
            calibration: the lines.
            score: normalised similarity of a pair.
            prompts: how many prompts it was measured on.
            clusters: lineage cluster of every model, shape (models,).
            without: models whose pairs do not count, shape (models,).
        """
        reached = float(calibration.llr(score, prompts, bounded=False))
        return self.error_from(calibration, reached, prompts, clusters, without)

    def error_from(
        self,
        calibration: Calibration,
        llr: float,
        prompts: int,
        clusters: NDArray[np.intp],
        without: Flags,
    ) -> ErrorAtScore | None:
        """Count the unrelated pairs whose held-out LLR reaches `llr`, a natural one; see above."""
        used = ~without[self.strangers].any(axis=1)
        if not len(self.held_out) or not used.any():
            return None
        shares = calibration.shares(prompts)
        held_out = sum(share * self.held_out[i, used].astype(np.float64) for i, share in shares)
        # Half precision must not count a tie as a lower score.
        reached = np.float16(llr)
        sides = clusters[self.strangers[used]]
        in_error = np.asarray(held_out >= float(reached))
        return ErrorAtScore(
            pairs=int(used.sum()),
            pairs_in_error=int(in_error.sum()),
            clusters=count_clusters(*sides.T),
            clusters_in_error=count_clusters(*sides[in_error].T) if in_error.any() else 0,
        )


def validate(
    scores: Sequence[tuple[int, Floats]],
    labelled: Labelled,
    calibration: Calibration,
    seed: int = 0,
    mapper: Mapper = in_a_loop,
) -> Validation:
    """Fit a calibration's lines to resampled clusters, and without each pair's own clusters.

    Args:
        scores: what `scores_by_size` returned.
        labelled: the pairs they belong to.
        calibration: fitted to them.
        seed: of the resampling.
        mapper: has every refit, and every fold of held-out pairs, computed.
    """
    by_size = dict(scores)
    drawn = [by_size[size] for size, _ in calibration.lines]
    refits = _refits(drawn, labelled, seed, mapper)
    return Validation(refits, *_held_out(drawn, labelled, mapper))


def _refits(
    drawn: Sequence[Floats], labelled: Labelled, seed: int, mapper: Mapper
) -> NDArray[np.float32]:
    """Fit all lines to clusters drawn with replacement: shape (lines, refits, 2)."""
    refits: list[list[tuple[float, float]]] = []
    low, high = labelled.clusters.T
    times = enumerate(pigeonhole_weights(low, high, _MOST_DRAWS, seed))
    for known in mapper(_refit, (drawn, labelled), times):
        if len(known) == len(drawn):
            refits.append(known)
        if len(refits) == REFITS:
            break
    return np.array(refits, np.float32).reshape(-1, len(drawn), 2).transpose(1, 0, 2)


def _refit(
    given: tuple[Sequence[Floats], Labelled], block: tuple[int, Floats]
) -> list[tuple[float, float]]:
    """Return the lines that can be fitted to clusters drawn so often."""
    drawn, labelled = given
    number, times = block
    # One draw of prompts each: their differences belong to what a refit may vary by.
    lines = [fit_line(s[[number % len(s)]], labelled, times) for s in drawn]
    return [_straight(line) for line in lines if line is not None]


def _straight(line: LogisticFusion) -> tuple[float, float]:
    slope = line.coefficients[0] / line.scales[0]
    return line.intercept - slope * line.means[0], slope


def _held_out(
    drawn: Sequence[Floats], labelled: Labelled, mapper: Mapper
) -> tuple[NDArray[np.uint16], NDArray[np.float16]]:
    held_out = [held_out_llr(scores[0], labelled, False, mapper) for scores in drawn]
    known = [ratios for ratios in held_out if ratios is not None]
    nothing = Validation.none()
    if len(known) < len(held_out):
        return nothing.strangers, nothing.held_out
    scored = np.all([np.isfinite(scores[0]) for scores in drawn], axis=0)
    used = labelled.are("independent") & scored
    return labelled.pairs[used].astype(np.uint16), np.array(known)[:, used].astype(np.float16)


def held_out_llr(
    score: Floats, labelled: Labelled, bounded: bool = True, mapper: Mapper = in_a_loop
) -> Floats | None:
    """Return natural LLRs from lines that saw no pair of either cluster; None where none is fitted.

    Args:
        score: shape (pairs,), NaN where there is none, which gets what a score of 0 would.
        labelled: the pairs.
        bounded: no stronger than the number of clusters allows.
        mapper: has the pairs between every two folds judged.
    """
    if len(labelled.pairs) == 0:
        return None
    folds = np.random.default_rng(0).integers(0, FOLDS, int(labelled.clusters.max()) + 1)
    fold = np.sort(folds[labelled.clusters], axis=1)
    task = _Folds(score, labelled, fold, bounded)
    llr = np.zeros(len(score))
    two_folds = np.unique(fold, axis=0)
    for (first, second), judged in zip(two_folds, mapper(_judged, task, two_folds), strict=True):
        if judged is None:
            return None
        llr[_between(fold, first, second)] = judged
    return llr


@dataclass(frozen=True, eq=False)
class _Folds:
    """Pairs and the folds of their clusters, shape (pairs, 2), ascending."""

    score: Floats
    labelled: Labelled
    fold: NDArray[np.int64]
    bounded: bool


def _between(fold: NDArray[np.int64], first: int, second: int) -> Flags:
    flags: Flags = (fold[:, 0] == first) & (fold[:, 1] == second)
    return flags


def _judged(task: _Folds, two_folds: NDArray[np.int64]) -> Floats | None:
    """Return LLRs of the pairs between two folds, from a line that saw no pair of either."""
    apart = np.asarray(~np.isin(task.fold, two_folds).any(axis=1))
    line = fit_line(task.score[None, apart], task.labelled.where(apart))
    if line is None:
        return None
    inside = _between(task.fold, *two_folds)
    return line.llr(np.nan_to_num(task.score[inside]), bounded=task.bounded)
