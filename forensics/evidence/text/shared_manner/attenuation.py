"""The arithmetic of shared manner: centred similarity across models over that within each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.features.matched_prompts import Floats, resample_weights

TINY = 1e-3  # self-similarity at or below it is none: the ratio would be noise


@dataclass(frozen=True, eq=False)
class CentredCosines:
    """Centred mean cosines prompt by prompt, each of shape (prompts,).

    `cross` is between an answer of A and one of B, `own_a` and `own_b` between two answers of one.
    """

    cross: Floats
    own_a: Floats
    own_b: Floats

    def __len__(self) -> int:
        """Return the number of prompts."""
        return len(self.cross)

    def on(self, rows: NDArray[np.intp]) -> CentredCosines:
        """Return the same on some of the prompts."""
        return CentredCosines(self.cross[rows], self.own_a[rows], self.own_b[rows])

    @property
    def floors(self) -> tuple[float, float]:
        """Mean similarity of A and of B to itself."""
        return float(self.own_a.mean()), float(self.own_b.mean())

    @property
    def measurable(self) -> bool:
        """Tell whether each is more like itself than chance has it, whichever prompts were drawn.

        A ratio to a floor near 0 says nothing: 39 of 40 resamples have to lie above it.
        """
        weights = resample_weights(len(self))
        lowest = [np.quantile(weights @ floor, 0.025) for floor in (self.own_a, self.own_b)]
        return float(min(lowest)) > TINY

    @property
    def share(self) -> float:
        """Shared manner: 1 is one model."""
        return float(self.cross.mean() / self.scale)

    @property
    def scores(self) -> Floats:
        """Shared manner by prompt, shape (prompts,): their mean is `share`."""
        scores: Floats = self.cross / self.scale
        return scores

    @property
    def scale(self) -> float:
        """The geometric mean of both floors."""
        a, b = self.floors
        return float(np.sqrt(max(a, TINY) * max(b, TINY)))

    def draws(self) -> Floats:
        """Return shared manner over resampled prompts, shape (resamples,)."""
        weights = resample_weights(len(self))
        floors = np.maximum(weights @ self.own_a, TINY) * np.maximum(weights @ self.own_b, TINY)
        drawn: Floats = weights @ self.cross / np.sqrt(floors)
        return drawn


def interval(draws: Floats, level: float = 0.95) -> tuple[float, float]:
    """Return the central share `level` of draws, shape (resamples,)."""
    rest = (1 - level) / 2
    low, high = np.quantile(draws, [rest, 1 - rest])
    return float(low), float(high)
