"""Do two matrices, each on its own, match the hidden units of two models in the same way?

"Independence Tests for Language Models" (Zhu et al. 2025, arXiv 2502.12292), section 3: match the
units of two gated MLPs once by their gates and once by their `up` rows. Where the models have
nothing in common, the two matchings are two random permutations; Spearman's correlation of the two
is then as of random ranks. Permuting, scaling or turning the sign of units changes neither, and
rotating the residual stream is undone by the alignment. The p-value is not exact: gate and `up`
rows of one model may depend on each other. So layers that do not correspond are put to the same
test, and where they spread more than chance has it, the p-value is widened by as much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forensics.weights.alignment import unit_rows
from forensics.weights.correspondence import LayerPair, Matched, match_units
from forensics.weights.pvalues import fisher, upper_tail

# Evenly spread: assignments of more units in more layers take seconds and change no conclusion.
MOST_LAYERS = 4
MOST_UNITS = 512
_MEDIAN_OF_NORMAL = 0.6745  # of the absolute value


@dataclass(frozen=True)
class Agreement:
    """How two matchings of a pair of layers agree: Spearman's ρ of n units, as z = ρ √(n − 1)."""

    pair: LayerPair
    correlation: float
    n: int

    @property
    def z(self) -> float:
        """Standard deviations from what random permutations give."""
        return self.correlation * math.sqrt(max(self.n - 1, 0))


@dataclass(frozen=True)
class Agreements:
    """Pairs of layers that correspond, and layers that do not (`controls`)."""

    layers: tuple[Agreement, ...]
    controls: tuple[float, ...]

    @property
    def spread(self) -> float:
        """How much wider than chance the controls spread; 1 where they do not."""
        if not self.controls:
            return 1.0
        return max(1.0, float(np.median(np.abs(self.controls))) / _MEDIAN_OF_NORMAL)

    def p_value(self, one: Agreement) -> float:
        """Return a pair's p-value, widened by the controls."""
        return upper_tail(one.z / self.spread)

    @property
    def combined(self) -> float:
        """The p-value over all pairs of layers (Fisher's method)."""
        return fisher([self.p_value(one) for one in self.layers])


def agreements(matched: Matched) -> Agreements:
    """Return how matchings agree in a few pairs of layers, and in as many that do not correspond.

    Raises:
        InputFileError: weights that cannot be read.
    """
    pairs = _spread_over(matched.found.pairs)
    layers = tuple(_agreement(matched, pair, pair) for pair in pairs)
    if len(pairs) < 2:
        return Agreements(layers, ())
    shifted = (*pairs[1:], pairs[0])
    controls = [
        _agreement(matched, one, other).z for one, other in zip(pairs, shifted, strict=True)
    ]
    return Agreements(layers, tuple(controls))


def _spread_over(pairs: Sequence[LayerPair]) -> list[LayerPair]:
    chosen = np.unique(np.linspace(0, len(pairs) - 1, min(len(pairs), MOST_LAYERS)).astype(int))
    return [pairs[i] for i in chosen]


def _agreement(matched: Matched, one: LayerPair, other: LayerPair) -> Agreement:
    """Match A's units of one pair with B's of another (the same, but for controls)."""
    orders = []
    kept = np.linspace(0, len(one.units_a) - 1, min(len(one.units_a), MOST_UNITS)).astype(int)
    one = replace(one, units_a=one.units_a[kept], units_b=one.units_b[kept])
    for part in (matched.found.matched, matched.found.tested):
        rows = unit_rows(matched.b.parts.matrix(other.b, part))
        orders.append(_order(matched.rows_a(one, part), rows))
    both = (orders[0] >= 0) & (orders[1] >= 0)
    return Agreement(one, _spearman(orders[0][both], orders[1][both]), int(both.sum()))


def _order(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the unit of B for each of A, -1 where B has too few."""
    rows, columns = match_units(a, b)
    order = np.full(len(a), -1, dtype=np.int64)
    order[rows] = columns
    return order


def _spearman(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(first, second).statistic) if len(first) > 2 else 0.0
