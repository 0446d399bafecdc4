"""How strong a likelihood ratio the data can support, however far a model extrapolates.

All bounds are natural LLRs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from forensics.cohorts.calibration.observations import CalibrationError, Floats, Values, observed

_STEP = 0.01  # of the search over log10 thresholds
_EXTREME = 9.0  # stands for an infinite log10 LR


@dataclass(frozen=True)
class Bounds:
    """The least and the greatest natural LLR that may be stated; `lower` ≤ 0 ≤ `upper`."""

    lower: float
    upper: float

    def __post_init__(self) -> None:
        """Refuse bounds that do not enclose 0: they would turn no evidence into evidence."""
        if not (math.isfinite(self.lower) and math.isfinite(self.upper)):
            raise CalibrationError(f"bounds {self.lower} and {self.upper} must be finite")
        if not self.lower <= 0.0 <= self.upper:
            raise CalibrationError(f"bounds {self.lower} and {self.upper} must enclose 0")

    def within(self, other: Bounds) -> Bounds:
        """Give the tighter of both on either side."""
        return Bounds(max(self.lower, other.lower), min(self.upper, other.upper))

    def clip(self, llr: Values) -> Floats:
        """Move (n,) LLRs beyond a bound to it."""
        return np.clip(np.asarray(llr, dtype=np.float64), self.lower, self.upper)


def cluster_bounds(n_kin: float, n_other: float) -> Bounds:
    """Bound LLRs by the number of independent observations of either class.

    With n independent observations of unrelated subjects, none of which scored so high, an LR
    above n + 1 is extrapolation (one more, misleading, would refute it); so LR ≤ n_other + 1 and,
    the other way, LR ≥ 1 / (n_kin + 1). Vergeer et al. 2016 use the same limit for the search.

    Args:
        n_kin: number of independent kin observations: lineage clusters that hold kin pairs (or
            pairs of clusters, where kin live in different clusters).
        n_other: number of independent unrelated observations, counted likewise.

    Raises `CalibrationError` on a negative or infinite number.
    """
    if not (0 <= n_kin < math.inf and 0 <= n_other < math.inf):
        raise CalibrationError(f"{n_kin} and {n_other} are not counts of clusters")
    return Bounds(-math.log1p(n_kin), math.log1p(n_other))


def elub(
    llr_pos: Values,
    llr_neg: Values,
    weights_pos: Values | None = None,
    weights_neg: Values | None = None,
) -> Bounds:
    """Find the empirical lower and upper bound of natural LLRs.

    At each threshold t a decision by the LLRs, with one misleading observation added to either
    class, must cost no more than a decision without them; the bounds are where that first fails.
    Vergeer, van Es, de Jongh, Alberink and Stoel, Science & Justice 56 (2016) 482-491, in the
    form and with the grid (0.01 in log10) of the `lir` package.

    Weights are counts here: their sum is the number of independent observations, to which the
    misleading one is added. With cluster weights that is the number of cluster pairs.

    Raises `CalibrationError` if a class is empty or an LLR is NaN.
    """
    pos, weight_pos = _log10(llr_pos, weights_pos, "kin pairs")
    neg, weight_neg = _log10(llr_neg, weights_neg, "unrelated pairs")
    n_pos, n_neg = weight_pos.sum(), weight_neg.sum()
    low = max(min(pos.min(), neg.min()), -math.log10(n_pos + 1.0))
    high = min(max(pos.max(), neg.max()), math.log10(n_neg + 1.0))
    first, last = min(0, int(low // _STEP)), max(0, int(high // _STEP) + 1)
    log_t = np.linspace(first * _STEP, last * _STEP, last - first + 1)
    t = 10.0**log_t
    detected = _above(pos, weight_pos, t) / (n_pos + 1.0)
    misleading = (_above(neg, weight_neg, t) + 1.0) / (n_neg + 1.0)
    worse = (1.0 - detected) + t * misleading > np.minimum(1.0, t)
    lower = np.max(log_t[worse & (log_t <= 0)] + _STEP, initial=log_t[0])
    upper = np.min(log_t[worse & (log_t >= 0)] - _STEP, initial=log_t[-1])
    ln10 = math.log(10.0)
    return Bounds(min(float(lower), 0.0) * ln10, max(float(upper), 0.0) * ln10)


def _log10(llr: Values, weights: Values | None, what: str) -> tuple[Floats, Floats]:
    values, weight = observed(llr, weights, what)
    return np.clip(values / math.log(10.0), -_EXTREME, _EXTREME), weight


def _above(log10_lr: Floats, weight: Floats, thresholds: Floats) -> Floats:
    """Sum the weights of the LRs above each threshold."""
    lr = 10.0**log10_lr
    order = np.argsort(lr, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(weight[order])])
    passed = below[-1] - below[np.searchsorted(lr[order], thresholds, side="right")]
    return np.asarray(passed, dtype=np.float64)
