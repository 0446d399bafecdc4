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

from forensics.evidence.weights.numerics.alignment import unit_rows
from forensics.evidence.weights.numerics.correspondence import LayerPair, MatchedModels, match_units
from forensics.evidence.weights.numerics.pvalues import fisher, upper_tail
from forensics.evidence.weights.numerics.tensor import Floats

# Evenly spread: assignments of more units in more layers take seconds and change no conclusion.
MOST_LAYERS = 4
MOST_UNITS = 256
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

    def p_value(self, agreement: Agreement) -> float:
        """Return a pair's p-value, widened by the controls."""
        return upper_tail(agreement.z / self.spread)

    @property
    def combined(self) -> float:
        """The p-value over all pairs of layers (Fisher's method)."""
        return fisher([self.p_value(agreement) for agreement in self.layers])


def agreements(matched: MatchedModels) -> Agreements:
    """Return how matchings agree in a few pairs of layers, and in as many that do not correspond.

    Raises:
        InputFileError: weights that cannot be read.
    """
    pairs = [_fewer_units(pair) for pair in _spread_over(matched.correspondence.pairs)]
    parts = (matched.correspondence.matched, matched.correspondence.tested)
    rows_a = [[matched.rows_a(pair, part) for part in parts] for pair in pairs]
    layers, controls = [], []
    for i, pair in enumerate(pairs):  # B's rows are read once and held one layer at a time
        units_b = pair.units_b if pair.same_order else None
        rows_b = [unit_rows(matched.b.parts.matrix(pair.b, part, units_b)) for part in parts]
        layers.append(_agreement(pair, rows_a[i], rows_b))
        if len(pairs) > 1:
            controls.append(_agreement(pairs[i - 1], rows_a[i - 1], rows_b).z)
    return Agreements(tuple(layers), tuple(controls))


def _spread_over(pairs: Sequence[LayerPair]) -> list[LayerPair]:
    chosen = np.unique(np.linspace(0, len(pairs) - 1, min(len(pairs), MOST_LAYERS)).astype(int))
    return [pairs[i] for i in chosen]


def _fewer_units(pair: LayerPair) -> LayerPair:
    """Leave evenly spread units of A, and those of B at the same places where order is the same.

    Which units those are does not depend on the weights; where it would, all of B's are looked at.
    """
    chosen = np.linspace(0, len(pair.units_a) - 1, min(len(pair.units_a), MOST_UNITS)).astype(int)
    return replace(pair, units_a=pair.units_a[chosen], units_b=pair.units_b[chosen])


def _agreement(pair: LayerPair, rows_a: Sequence[Floats], rows_b: Sequence[Floats]) -> Agreement:
    """Match A's units of a pair with units of B, once by each part."""
    first, second = (_order(a, b) for a, b in zip(rows_a, rows_b, strict=True))
    both = (first >= 0) & (second >= 0)
    return Agreement(pair, _spearman(first[both], second[both]), int(both.sum()))


def _order(a: Floats, b: Floats) -> NDArray[np.int64]:
    """Return the unit of B for each of A, -1 where B has too few."""
    rows, columns = match_units(a, b)
    order = np.full(len(a), -1, dtype=np.int64)
    order[rows] = columns
    return order


def _spearman(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Spearman's ρ of numbers none of which stands twice on either side."""
    n = len(first)
    if n <= 2:
        return 0.0
    ranks = [np.argsort(np.argsort(side)) for side in (first, second)]
    return 1 - 6 * float(((ranks[0] - ranks[1]) ** 2).sum()) / (n * (n**2 - 1))
