"""p-values of the weights tier: exact tails, and how they combine.

By the functions that scipy.stats itself calls: loading it takes longer than a small comparison.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

SMALLEST = 1e-300  # a float goes no lower; smaller p-values are given as this


def sign_test(positive: int, n: int) -> float:
    """Return the chance that `n` fair coins show `positive` heads or more (exact binomial tail).

    Args:
        positive: signs that agree.
        n: signs in all; with none the p-value is 1.
    """
    from scipy.special import betainc

    if positive == 0 or n == 0:
        return 1.0
    return max(SMALLEST, float(betainc(positive, n - positive + 1, 0.5)))


def fisher(p_values: Sequence[float]) -> float:
    """Combine independent p-values: −2 Σ ln p follows χ² with 2k degrees (Fisher 1925)."""
    from scipy.special import chdtrc

    if not p_values:
        return 1.0
    statistic = -2 * sum(math.log(max(p, SMALLEST)) for p in p_values)
    return max(SMALLEST, float(chdtrc(2 * len(p_values), statistic)))


def upper_tail(z: float) -> float:
    """Return the chance that a standard normal number is `z` or more."""
    from scipy.special import ndtr

    return max(SMALLEST, float(ndtr(-z)))
