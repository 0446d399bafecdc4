"""What several weight comparators say in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case.evidence import Interval
from forensics.evidence.features.matched_prompts import bootstrap_mean
from forensics.evidence.weights.numerics.correspondence import LayerPair, Matched


def layer_interval(values: NDArray[np.float64]) -> Interval | None:
    """Return the interval of the mean under resampling of layers, None of a single layer."""
    if len(values) < 2:
        return None
    found = bootstrap_mean(values)
    return found.model_copy(update={"method": "percentile bootstrap over layers"})


def layer_rows(
    pairs: Sequence[LayerPair],
    similarity: NDArray[np.float64],
    p_values: Sequence[float | None],
) -> list[dict[str, Any]]:
    """Return one record a pair of layers, for the heat map."""
    return [
        {"a": pair.a.label, "b": pair.b.label, "similarity": round(float(value), 6), "p_value": p}
        for pair, value, p in zip(pairs, similarity, p_values, strict=True)
    ]


def left_over(matched: Matched) -> dict[str, str]:
    """Return the layers of either model that no layer of the other was matched with."""
    pairs, part = matched.found.pairs, matched.found.matched
    used = {"a": {pair.a.label for pair in pairs}, "b": {pair.b.label for pair in pairs}}
    return {
        f"unmatched_layers_{side}": ", ".join(
            layer.label
            for layer in opened.parts.layers
            if part in layer.pieces and layer.label not in used[side]
        )
        for side, opened in (("a", matched.a), ("b", matched.b))
    }
