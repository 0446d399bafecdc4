"""How alike the query and key matrices of corresponding layers are.

AWM ("Accurate Weight-Matrix Fingerprint for Large Language Models", arXiv 2510.06738): align the
coordinates of the residual stream by the embeddings of shared tokens, then take the unbiased CKA of
W_Q and of W_K, which scaling, permuting or rotating heads leaves as it is.

Layers that do not correspond are the null distribution: they went through the same alignment, and
through whatever else makes two unrelated models of one kind alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.weights.numerics.cka import grams, unbiased_cka
from forensics.evidence.weights.numerics.correspondence import LayerPair, MatchedModels, Opened
from forensics.evidence.weights.numerics.parts import Part
from forensics.evidence.weights.numerics.pvalues import SMALLEST

MOST_COORDINATES = 256  # the estimate is unbiased whichever coordinates are taken
_LEAST_COORDINATES = 16
_LEAST_CONTROLS = 6


@dataclass(frozen=True)
class Attention:
    """CKA of corresponding layers, and of all others (`controls`); `pairs` as in the rows."""

    pairs: tuple[LayerPair, ...]
    similarity: NDArray[np.float64]
    controls: NDArray[np.float64]

    @property
    def p_value(self) -> float | None:
        """An approximate p-value, None where there are too few controls to have one.

        Of the t-test that corresponding layers are more alike than others by more than one standard
        deviation: layers of one depth do alike work in any two models, which is no kinship.
        """
        from scipy.special import stdtr

        n = len(self.controls)
        if n < _LEAST_CONTROLS:
            return None
        spread = max(float(self.controls.std(ddof=1)), 1e-6)
        beyond = float(self.similarity.mean() - self.controls.mean()) / spread - 1.0
        statistic = beyond / np.sqrt(1 / len(self.similarity) + 1 / n)
        return float(max(stdtr(n - 1, -statistic), SMALLEST))


def compare_attention(matched: MatchedModels) -> Attention | None:
    """Return the CKA of query and key matrices, layer by layer; None where there are none to take.

    Raises:
        InputFileError: weights that cannot be read.
    """
    pairs = [
        pair
        for pair in matched.correspondence.pairs
        if all({"q", "k"} <= set(x.pieces) for x in (pair.a, pair.b))
    ]
    coordinates = _coordinates(matched)
    pairs = [pair for pair in pairs if _are_wide(matched, pair)]
    if not pairs or len(coordinates) < _LEAST_COORDINATES:
        return None
    parts: tuple[Part, ...] = ("q", "k")
    both = np.mean([_all_pairs(matched, pairs, part, coordinates) for part in parts], axis=0)
    others = ~np.eye(len(pairs), dtype=bool)
    return Attention(tuple(pairs), np.diag(both), both[others])


def _are_wide(matched: MatchedModels, pair: LayerPair) -> bool:
    """Tell whether query and key matrices read the stream that the matched units read."""
    part = matched.correspondence.matched
    return all(
        side.parts.width(layer, x) == side.parts.width(layer, part)
        for side, layer in ((matched.a, pair.a), (matched.b, pair.b))
        for x in ("q", "k")
    )


def _coordinates(matched: MatchedModels) -> NDArray[np.int64]:
    alignment = matched.correspondence.alignment
    coordinates = np.arange(_width(matched.b))
    if alignment.signs is not None:
        coordinates = coordinates[alignment.signs != 0]
    if len(coordinates) > MOST_COORDINATES:
        coordinates = coordinates[
            np.linspace(0, len(coordinates) - 1, MOST_COORDINATES).astype(np.int64)
        ]
    return coordinates


def _width(model: Opened) -> int:
    layer = next((x for x in model.parts.layers if "q" in x.pieces), None)
    return 0 if layer is None else model.parts.matrix(layer, "q", np.zeros(1, np.int64)).shape[1]


def _all_pairs(
    matched: MatchedModels, pairs: list[LayerPair], part: Part, coordinates: NDArray[np.int64]
) -> NDArray[np.float64]:
    columns, turn = matched.correspondence.alignment.only(coordinates)
    first = (turn.apply(matched.a.parts.matrix(p.a, part, columns=columns)) for p in pairs)
    second = (matched.b.parts.matrix(p.b, part, columns=coordinates) for p in pairs)
    return unbiased_cka(grams(first), grams(second))
