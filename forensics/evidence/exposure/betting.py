"""Watching while pairs come in: an e-process from bets on who is ahead.

A bet on the next prompt is fixed before it is seen. If answers are exchangeable no strategy wins on
average, so a capital of 100 occurs with a chance of at most 1 % at any time, however often one
looks (Ville 1939; Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by
betting"). The order of prompts is fixed by a hash, within the batches in which
they arrived, so nobody can choose it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forensics.evidence.e_process import EProcess
from forensics.evidence.exposure.arrangements import Floats

_WIDTH = 3.0  # a difference of so many typical ones counts as the largest possible
_PRIOR = 1.0  # keeps first bets small, as so much variance seen would
_LARGEST_BET = 0.9


def betting(units: Sequence[Floats]) -> EProcess:
    """Return the capital of who bets on the served side, prompt after prompt.

    Each difference is taken less its mean over all ways to deal, and divided by the largest of
    them, or by three typical ones of the prompts so far if that is more: a number in [-1, 1] with
    mean zero under the null. The share staked is its mean over its mean square so far, shrunk.

    Args:
        units: in the order of their places; see `permutation_test`.
    """
    capital, path, sizes = 1.0, [], []
    gained = squares = 0.0
    for unit in units:
        centred = unit - unit.mean()
        size = float(np.abs(centred).max())
        sizes.append(size)
        bound = max(size, _WIDTH * float(np.median(sizes)))
        value = float(centred[0]) / bound if bound > 0 else 0.0
        stake = min(_LARGEST_BET, max(0.0, gained / (squares + _PRIOR)))
        capital *= 1.0 + stake * value
        gained, squares = gained + value, squares + value * value
        path.append(capital)
    return EProcess(tuple(path))
