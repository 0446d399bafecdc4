"""Watching while pairs come in: an e-process from bets on who is ahead.

A bet on the next prompt is fixed before it is seen. If answers are exchangeable no strategy wins on
average, so a capital of 100 occurs with a chance of at most 1 % at any time, however often one
looks (Ville 1939; Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by
betting"). The order of prompts is fixed by a hash, so nobody can choose it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.evidence.exposure.arrangements import Floats

_WIDTH = 3.0  # a difference of so many typical ones counts as the largest possible
_PRIOR = 1.0  # keeps first bets small, as so much variance seen would
_LARGEST_BET = 0.9


@dataclass(frozen=True)
class EProcess:
    """Capital after each prompt, from 1; `highest` is its maximum."""

    capital: tuple[float, ...]

    @property
    def final(self) -> float:
        """Capital at the end: an e-value."""
        return self.capital[-1] if self.capital else 1.0

    @property
    def highest(self) -> float:
        """Largest capital at any time."""
        return max(self.capital, default=1.0)

    @property
    def p_value(self) -> float:
        """1 over the largest capital, valid at any time (Ville's inequality)."""
        return min(1.0, 1.0 / self.highest)

    def crossed(self, level: float) -> int | None:
        """Return after how many prompts the capital first reached 1/level, None if never."""
        needed = 1.0 / level
        return next((i for i, e in enumerate(self.capital, 1) if e >= needed), None)


def betting(units: Sequence[Floats]) -> EProcess:
    """Return the capital of who bets on the served side, prompt after prompt.

    Each difference is taken less its mean over all ways to deal, and divided by the largest of
    them, or by three typical ones of the prompts so far if that is more: a number in [-1, 1] with
    mean zero under the null. The share staked is its mean over its mean square so far, shrunk.

    Args:
        units: in the order of their keys; see `permutation_test`.
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


def mean_capital(processes: Sequence[EProcess]) -> float:
    """Return the e-value of several tiers or accounts together, whatever their dependence.

    The mean of e-values is one (Vovk and Wang 2021, "E-values: calibration, combination and
    applications").
    """
    return float(np.mean([process.final for process in processes])) if processes else 1.0
