"""How good likelihood ratios are: Cllr and its parts, empirical cross-entropy.

All LLRs are natural logarithms. Weights are relative within a class: each class counts one half,
however many pairs it has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensics.cohorts.calibration.observations import Floats, Values, two_classes
from forensics.cohorts.calibration.pav import pav_llr

_LN2 = float(np.log(2.0))
PRIOR_LOG10_ODDS: tuple[float, ...] = tuple(round(x / 10, 1) for x in range(-30, 31))


def cllr(
    llr_pos: Values,
    llr_neg: Values,
    weights_pos: Values | None = None,
    weights_neg: Values | None = None,
) -> float:
    """Compute the log-likelihood-ratio cost in bits.

    0 is perfect, 1 is what saying LR = 1 to everything costs. Brümmer and du Preez,
    Computer Speech and Language 20 (2006).

    Args:
        llr_pos: (n,) natural LLRs of kin pairs.
        llr_neg: (m,) natural LLRs of unrelated pairs.
        weights_pos: (n,) weights, 1 each if None.
        weights_neg: (m,) weights.

    Infinite if an LLR is infinite on the wrong side; bounded LLRs never are.
    Raises `CalibrationError` if a class is empty or an LLR is NaN.
    """
    pos, neg, share_pos, share_neg = two_classes(llr_pos, llr_neg, weights_pos, weights_neg)
    miss = share_pos @ np.logaddexp(0.0, -pos)
    false_alarm = share_neg @ np.logaddexp(0.0, neg)
    return float(0.5 * (miss + false_alarm) / _LN2)


def cllr_min(
    scores_pos: Values,
    scores_neg: Values,
    weights_pos: Values | None = None,
    weights_neg: Values | None = None,
) -> float:
    """Compute the cost after the best order-preserving calibration: discrimination alone.

    Takes scores or LLRs; Brümmer and du Preez 2006. Between 0 and 1.
    Raises `CalibrationError` as `cllr`.
    """
    pos, neg = pav_llr(scores_pos, scores_neg, weights_pos, weights_neg)
    return cllr(pos, neg, weights_pos, weights_neg)


def cllr_cal(
    llr_pos: Values,
    llr_neg: Values,
    weights_pos: Values | None = None,
    weights_neg: Values | None = None,
) -> float:
    """Compute what miscalibration costs: `cllr` − `cllr_min`, ≥ 0, in bits."""
    arguments = (llr_pos, llr_neg, weights_pos, weights_neg)
    return max(0.0, cllr(*arguments) - cllr_min(*arguments))


@dataclass(frozen=True)
class EceCurve:
    """Empirical cross-entropy in bits over prior log10 odds; all four are (k,).

    `observed` belongs to the LLRs as they are, `calibrated` to the same after PAV, `neutral` to
    LR = 1. Where `observed` exceeds `neutral`, the LLRs mislead a user with that prior.
    """

    prior_log10_odds: Floats
    observed: Floats
    calibrated: Floats
    neutral: Floats


def ece(
    llr_pos: Values,
    llr_neg: Values,
    weights_pos: Values | None = None,
    weights_neg: Values | None = None,
    *,
    prior_log10_odds: Values = PRIOR_LOG10_ODDS,
) -> EceCurve:
    """Compute the empirical cross-entropy over a range of prior odds.

    Ramos and Gonzalez-Rodriguez, Reliable support: measuring calibration of likelihood ratios,
    Forensic Science International 230 (2013). At odds of 1 it equals `cllr`.
    Raises `CalibrationError` as `cllr`.
    """
    pos, neg, share_pos, share_neg = two_classes(llr_pos, llr_neg, weights_pos, weights_neg)
    best_pos, best_neg = pav_llr(pos, neg, share_pos, share_neg)
    odds = np.asarray(prior_log10_odds, dtype=np.float64)
    nothing = np.zeros(1)
    one = np.ones(1)
    return EceCurve(
        prior_log10_odds=odds,
        observed=_cross_entropy(pos, neg, share_pos, share_neg, odds),
        calibrated=_cross_entropy(best_pos, best_neg, share_pos, share_neg, odds),
        neutral=_cross_entropy(nothing, nothing, one, one, odds),
    )


def _cross_entropy(
    pos: Floats, neg: Floats, share_pos: Floats, share_neg: Floats, log10_odds: Floats
) -> Floats:
    log_odds = log10_odds * np.log(10.0)
    prior = 1.0 / (1.0 + np.exp(-log_odds))
    miss = np.array([share_pos @ np.logaddexp(0.0, -(pos + o)) for o in log_odds])
    false_alarm = np.array([share_neg @ np.logaddexp(0.0, neg + o) for o in log_odds])
    return np.asarray((prior * miss + (1.0 - prior) * false_alarm) / _LN2, dtype=np.float64)
