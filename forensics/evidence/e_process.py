"""An e-process: the capital of somebody who bets against a hypothesis, and what it proves.

Each bet is fixed before its outcome is seen. If the hypothesis holds no strategy wins on average,
so a capital of 100 occurs with a chance of at most 1 % at any time, however often one looks (Ville
1939; Shafer 2021, "Testing by betting"; Ramdas, Grünwald, Vovk and Shafer 2023, "Game-theoretic
statistics and safe anytime-valid inference").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class EProcess:
    """Capital after each bet, from 1; `highest` is its maximum."""

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
        """Return after how many bets the capital first reached 1/level, None if never."""
        needed = 1.0 / level
        return next((i for i, e in enumerate(self.capital, 1) if e >= needed), None)


def mean_capital(processes: Sequence[EProcess]) -> float:
    """Return the e-value of several processes together, whatever their dependence.

    The mean of e-values is one (Vovk and Wang 2021, "E-values: calibration, combination and
    applications").
    """
    return float(np.mean([process.final for process in processes])) if processes else 1.0
