"""How good likelihood ratios are: Cllr and its parts.

All LLRs are natural logarithms. Weights are relative within a class: each class counts one half,
however many pairs it has.
"""

from __future__ import annotations

import numpy as np

from forensics.cohorts.calibration.observations import Values, two_classes
from forensics.cohorts.calibration.pav import pav_llr

_LN2 = float(np.log(2.0))


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
