"""Weighted observations: the checks that every figure of this package makes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from forensics.errors import ForensicsError

Floats: TypeAlias = NDArray[np.float64]
Values: TypeAlias = Sequence[float] | NDArray[np.floating] | NDArray[np.integer]
_LN10 = float(np.log(10.0))


class CalibrationError(ForensicsError):
    """The labelled scores do not allow what was asked of them (one class only, no number, …)."""


def to_log10(llr: Values) -> Floats:
    """Turn natural-log likelihood ratios into log10 ones; the package itself computes in natural.

    Only what is shown to people is log10: verbal tiers and Tippett plots take or give it.
    """
    return np.asarray(np.asarray(llr, dtype=np.float64) / _LN10, dtype=np.float64)


def observed(values: Values, weights: Values | None, what: str) -> tuple[Floats, Floats]:
    """Check one class of observations; drop those of weight 0; leave the weights as they are.

    Args:
        values: (n,) scores or LLRs; infinite ones are allowed, NaN is not.
        weights: (n,) weights ≥ 0, or None for 1 each.
        what: what to call them in the error message.

    Returns the values and the weights, (m,) each, m ≤ n.
    Raises `CalibrationError` if nothing is left, on NaN, and on weights that are no weights.
    """
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    weight = np.ones_like(array) if weights is None else np.asarray(weights, dtype=np.float64)
    if weight.shape != array.shape:
        raise CalibrationError(
            f"{what}: {array.size} values but weights of shape {weight.shape}; give one for each"
        )
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise CalibrationError(f"{what}: a weight is negative or not a number; give weights ≥ 0")
    array, weight = array[weight > 0], weight[weight > 0]
    if array.size == 0:
        raise CalibrationError(f"{what}: no observation; both classes need at least one")
    if np.isnan(array).any():
        raise CalibrationError(f"{what}: a value is NaN; leave pairs without a score out")
    return array, weight


def shares(values: Values, weights: Values | None, what: str) -> tuple[Floats, Floats]:
    """Do as `observed`, with the weights scaled to sum to 1."""
    array, weight = observed(values, weights, what)
    return array, weight / weight.sum()


def two_classes(
    pos: Values, neg: Values, weights_pos: Values | None, weights_neg: Values | None
) -> tuple[Floats, Floats, Floats, Floats]:
    """Check kin and non-kin observations; give (pos, neg, shares of pos, shares of neg)."""
    kin, kin_share = shares(pos, weights_pos, "kin pairs")
    other, other_share = shares(neg, weights_neg, "unrelated pairs")
    return kin, other, kin_share, other_share
