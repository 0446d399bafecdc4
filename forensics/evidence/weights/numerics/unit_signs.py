"""An exact test that two models' hidden units have nothing in common but chance.

In a gated MLP, down(act(gate·x) * (up·x)), turning the sign of a unit's `up` row and of its `down`
column changes nothing. Common random initialisations are symmetric in sign, and SGD, Adam and
their kin keep the symmetry. So, if one of two models was initialised independently of the other,
the signs of its `up` rows are fair coins, independent of everything that turning them leaves as it
was: of the gates, embeddings, norms and attention of both models. Units may therefore be matched by
their gates in any way at all, and of matched units the sign of the cosine of their `up` rows is
still a fair coin. The same holds of a value channel of attention and its output column.

The construction follows "Independence Tests for Language Models" (Zhu et al. 2025, arXiv
2502.12292): symmetries of training give exact p-values (section 2), and matching units by one
matrix and testing another makes them hold up when units were permuted (section 3). Signs in the
place of its permutations make the test exact and robust to permutation at once. It does not see a
copy whose signs were turned on purpose; `unit_matching` does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.weights.numerics.correspondence import LayerPair, MatchedModels
from forensics.evidence.weights.numerics.pvalues import sign_test


@dataclass(frozen=True)
class LayerSigns:
    """Two layers' units: `cosines` of the tested rows of matched units, and the test on them."""

    pair: LayerPair
    cosines: NDArray[np.float64]

    @property
    def decided(self) -> int:
        """How many have a sign at all."""
        return int(np.count_nonzero(self.cosines))

    @property
    def positive(self) -> int:
        """How many point the same way."""
        return int(np.count_nonzero(self.cosines > 0))

    @property
    def similarity(self) -> float:
        """The mean cosine; 0 is expected of independent models."""
        return float(self.cosines.mean())

    @property
    def p_value(self) -> float:
        """The exact p-value of this pair of layers."""
        return sign_test(self.positive, self.decided)


def layer_signs(matched: MatchedModels) -> list[LayerSigns]:
    """Return the signs of matched units, layer by layer.

    Raises:
        InputFileError: weights that cannot be read.
    """
    tested = matched.correspondence.tested
    return [
        LayerSigns(pair, matched.cosines(pair, tested)) for pair in matched.correspondence.pairs
    ]


def all_signs(layers: list[LayerSigns]) -> float:
    """Return the exact p-value over all layers, whose coins are independent of each other.

    A layer of A stands in one pair only, and so does each of its units: the coins are A's. Where A
    holds copies of a layer (depth-upscaled, experts made of one MLP) they are B's; where both do,
    coins repeat and the p-value is too small.
    """
    return sign_test(sum(x.positive for x in layers), sum(x.decided for x in layers))
