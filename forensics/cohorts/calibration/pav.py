"""Pool adjacent violators: the best calibration that keeps the order of the scores.

Brümmer and du Preez, Application-independent evaluation of speaker detection, Computer Speech and
Language 20 (2006); Zadrozny and Elkan, KDD 2002.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensics.cohorts.calibration.observations import Floats, Values, two_classes


@dataclass(frozen=True)
class PavBlocks:
    """The steps of the PAV solution, lowest scores first.

    `first` and `last` (k,) are each step's lowest and highest score, `kin` and `other` (k,) the
    shares of either class in it; each class sums to 1.
    """

    first: Floats
    last: Floats
    kin: Floats
    other: Floats

    def llr(self) -> Floats:
        """Give the natural LLR of each step, (k,); -inf and inf where one class is absent."""
        with np.errstate(divide="ignore"):
            llr = np.log(self.kin) - np.log(self.other)
        # Two steps of one and the same ratio may differ by a rounding error, either way.
        return np.asarray(np.maximum.accumulate(llr), dtype=np.float64)


def pav_blocks(
    scores_pos: Values,
    scores_neg: Values,
    weights_pos: Values | None = None,
    weights_neg: Values | None = None,
) -> PavBlocks:
    """Pool adjacent violators over both classes, each of total weight 1 (prior odds of 1).

    Equal scores are one observation, so the result does not depend on the order of the input.
    Raises `CalibrationError` if a class is empty or a score is NaN.
    """
    from scipy.optimize import isotonic_regression

    pos, neg, share_pos, share_neg = two_classes(scores_pos, scores_neg, weights_pos, weights_neg)
    levels, index = np.unique(np.concatenate([pos, neg]), return_inverse=True)
    kin = np.bincount(index[: pos.size], share_pos, levels.size)
    other = np.bincount(index[pos.size :], share_neg, levels.size)
    fit = isotonic_regression(kin / (kin + other), weights=kin + other)
    start = np.asarray(fit.blocks[:-1], dtype=np.intp)
    end = np.asarray(fit.blocks[1:], dtype=np.intp)
    # Shares are summed per step rather than read off the fit: a step of one class then has an
    # exact 0 of the other.
    return PavBlocks(
        levels[start], levels[end - 1], np.add.reduceat(kin, start), np.add.reduceat(other, start)
    )


def pav_llr(
    scores_pos: Values,
    scores_neg: Values,
    weights_pos: Values | None = None,
    weights_neg: Values | None = None,
) -> tuple[Floats, Floats]:
    """Give each observation the natural LLR of its PAV step.

    Returns (n_pos,) and (n_neg,) LLRs in the order of the input. They fit the labels as well as
    any that rise with the score, so they are for measuring (`cllr_min`), not for new scores.
    Ends are infinite where one class stands alone. Raises `CalibrationError` as `pav_blocks`.
    """
    blocks = pav_blocks(scores_pos, scores_neg, weights_pos, weights_neg)
    values = blocks.llr()

    def look_up(scores: Values) -> Floats:
        array = np.asarray(scores, dtype=np.float64).reshape(-1)
        # A score of weight 0 may lie in a gap or below the first step: it takes the step beneath.
        step = np.searchsorted(blocks.first, array, side="right") - 1
        return values[np.maximum(step, 0)]

    return look_up(scores_pos), look_up(scores_neg)
