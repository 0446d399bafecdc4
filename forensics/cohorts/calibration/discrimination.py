"""How well scores separate kin from unrelated: AUC, EER, operating points, curves, error limits.

Scores may be LLRs or anything that rises with kinship. Weights are relative within a class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensics.cohorts.calibration.observations import (
    CalibrationError,
    Floats,
    Values,
    to_log10,
    two_classes,
)
from forensics.cohorts.calibration.pav import pav_blocks

# Weighted shares add up to 0.01 only within rounding.
_SLACK = 1e-12


def auc(
    scores_pos: Values,
    scores_neg: Values,
    weights_pos: Values | None = None,
    weights_neg: Values | None = None,
) -> float:
    """Compute the area under the ROC curve: P(kin score > other score), ties counting half.

    Without weights it is the Mann-Whitney count over n_pos · n_neg.
    Raises `CalibrationError` if a class is empty or a score is NaN.
    """
    pos, neg, share_pos, share_neg = two_classes(scores_pos, scores_neg, weights_pos, weights_neg)
    order = np.argsort(neg, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(share_neg[order])])
    left = below[np.searchsorted(neg[order], pos, side="left")]
    right = below[np.searchsorted(neg[order], pos, side="right")]
    return float(np.clip(share_pos @ (left + right) / 2.0, 0.0, 1.0))


def eer(
    scores_pos: Values,
    scores_neg: Values,
    weights_pos: Values | None = None,
    weights_neg: Values | None = None,
) -> float:
    """Compute the equal error rate on the convex hull of the ROC curve.

    The hull is the PAV solution, so no interpolation rule has to be chosen (Brümmer and de
    Villiers, The BOSARIS toolkit, 2011). Raises `CalibrationError` as `auc`.
    """
    blocks = pav_blocks(scores_pos, scores_neg, weights_pos, weights_neg)
    false_alarm = np.concatenate([[0.0], np.cumsum(blocks.other[::-1])])
    miss = 1.0 - np.concatenate([[0.0], np.cumsum(blocks.kin[::-1])])
    rate = np.interp(0.0, false_alarm - miss, false_alarm)
    return float(np.clip(rate, 0.0, 1.0))


@dataclass(frozen=True)
class OperatingPoint:
    """Calling kin whatever scores above `threshold`: the shares of kin and of others called so."""

    threshold: float
    tpr: float
    fpr: float


def operating_point(
    scores_pos: Values,
    scores_neg: Values,
    fpr: float,
    weights_pos: Values | None = None,
    weights_neg: Values | None = None,
) -> OperatingPoint:
    """Find the lowest threshold that calls at most the share `fpr` of unrelated pairs kin.

    Empirical, without interpolation: where the negatives are too few to measure `fpr`, the
    threshold is the highest of them. A score must exceed the threshold; a tie with it does not
    count. `threshold` is -inf if `fpr` allows everything. Raises `CalibrationError` as `auc`, and
    if `fpr` is negative.
    """
    pos, neg, share_pos, share_neg = two_classes(scores_pos, scores_neg, weights_pos, weights_neg)
    if not fpr >= 0.0:
        raise CalibrationError(f"false-positive rate {fpr} must be 0 or more")
    levels, index = np.unique(neg, return_inverse=True)
    mass = np.bincount(index, share_neg)
    above = np.concatenate([np.cumsum(mass[::-1])[::-1][1:], [0.0]])
    if fpr >= 1.0:
        return OperatingPoint(-np.inf, 1.0, 1.0)
    first = int(np.argmax(above <= fpr + _SLACK))
    threshold = float(levels[first])
    return OperatingPoint(
        threshold=threshold,
        tpr=float(min(1.0, share_pos[pos > threshold].sum())),
        fpr=float(above[first]),
    )


def tpr_at_fpr(
    scores_pos: Values,
    scores_neg: Values,
    fpr: float,
    weights_pos: Values | None = None,
    weights_neg: Values | None = None,
) -> float:
    """Give the share of kin pairs found where at most the share `fpr` of others is called kin."""
    return operating_point(scores_pos, scores_neg, fpr, weights_pos, weights_neg).tpr


@dataclass(frozen=True)
class TippettCurve:
    """Shares of either class with a log10 LR of at least `log10_lr`; all three are (k,)."""

    log10_lr: Floats
    kin: Floats
    other: Floats


def tippett(
    llr_pos: Values,
    llr_neg: Values,
    weights_pos: Values | None = None,
    weights_neg: Values | None = None,
) -> TippettCurve:
    """Compute the points of a Tippett plot from natural LLRs, one per distinct LLR, rising.

    Meuwly, Reconnaissance de locuteurs en sciences forensiques, 2001, after Evett and Buckleton.
    Raises `CalibrationError` as `auc`.
    """
    pos, neg, share_pos, share_neg = two_classes(llr_pos, llr_neg, weights_pos, weights_neg)
    levels = np.unique(np.concatenate([pos, neg]))
    return TippettCurve(
        to_log10(levels), _at_least(levels, pos, share_pos), _at_least(levels, neg, share_neg)
    )


@dataclass(frozen=True)
class DetCurve:
    """Error rates at every threshold; both are (k,), `fpr` falling."""

    fpr: Floats
    fnr: Floats


def det(
    scores_pos: Values,
    scores_neg: Values,
    weights_pos: Values | None = None,
    weights_neg: Values | None = None,
) -> DetCurve:
    """Compute the detection error trade-off (Martin et al., Eurospeech 1997), scores ≥ threshold.

    Raises `CalibrationError` as `auc`.
    """
    pos, neg, share_pos, share_neg = two_classes(scores_pos, scores_neg, weights_pos, weights_neg)
    levels = np.unique(np.concatenate([pos, neg]))
    return DetCurve(_at_least(levels, neg, share_neg), 1.0 - _at_least(levels, pos, share_pos))


@dataclass(frozen=True)
class ErrorRate:
    """An error rate with its one-sided upper limit, and the text that may be printed of it."""

    errors: float
    trials: float
    rate: float
    upper: float
    confidence: float

    @property
    def text(self) -> str:
        """Give "< x" where no error was seen, else the rate with its limit; in percent."""
        if self.errors == 0:
            return f"< {_percent(self.upper)}"
        return f"{_percent(self.rate)} (below {_percent(self.upper)})"


def error_rate(errors: float, trials: float, confidence: float = 0.95) -> ErrorRate:
    """Compute an error rate and its one-sided Clopper-Pearson upper limit.

    Args:
        errors: how many of the trials were errors; weighted counts need not be whole.
        trials: how many *independent* trials there were: clusters or pairs of clusters, not pairs
            of models.
        confidence: one-sided, 0.95 for the upper 95 % limit.

    With no trial nothing is known: rate 0, limit 1. With no error in n trials the limit is
    1 − (1 − confidence)^(1/n). Raises `CalibrationError` unless 0 ≤ errors ≤ trials.
    """
    from scipy.special import betaincinv

    if not 0 <= errors <= trials < np.inf or not 0 < confidence < 1:
        raise CalibrationError(f"{errors} errors in {trials} trials at {confidence}: not a count")
    if errors == trials:
        return ErrorRate(errors, trials, 1.0 if trials else 0.0, 1.0, confidence)
    upper = float(betaincinv(errors + 1.0, trials - errors, confidence))
    return ErrorRate(errors, trials, errors / trials, upper, confidence)


def _at_least(levels: Floats, values: Floats, share: Floats) -> Floats:
    order = np.argsort(values, kind="stable")
    # Summed from the top, so that the rarest, highest values keep their exact share.
    above = np.concatenate([np.cumsum(share[order][::-1])[::-1], [0.0]])
    reached = above[np.searchsorted(values[order], levels, side="left")]
    return np.asarray(np.minimum(reached, 1.0), dtype=np.float64)


def _percent(share: float) -> str:
    return f"{100.0 * share:.2g} %" if share < 0.995 else "100 %"
