"""What several weight comparators say in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forensics.case.details.details_record import LayerRow
from forensics.case.evidence import Interval
from forensics.evidence.features.matched_prompts import bootstrap_mean
from forensics.evidence.weights.numerics.correspondence import LayerPair, MatchedModels


def layer_interval(values: NDArray[np.float64]) -> Interval | None:
    """Return the interval of the mean under resampling of layers, None of a single layer."""
    if len(values) < 2:
        return None
    interval = bootstrap_mean(values)
    return interval.model_copy(update={"method": "percentile bootstrap over layers"})


def layer_rows(
    pairs: Sequence[LayerPair],
    similarity: NDArray[np.float64],
    p_values: Sequence[float | None],
) -> tuple[LayerRow, ...]:
    """Return one record a pair of layers, for the heat map."""
    return tuple(
        LayerRow(a=pair.a.label, b=pair.b.label, similarity=round(float(value), 6), p_value=p_value)
        for pair, value, p_value in zip(pairs, similarity, p_values, strict=True)
    )


def unmatched_layers(matched: MatchedModels, side: Literal["a", "b"]) -> str:
    """Return the layers of one model that no layer of the other was matched with."""
    opened = matched.a if side == "a" else matched.b
    used = {(pair.a if side == "a" else pair.b).label for pair in matched.correspondence.pairs}
    return ", ".join(
        layer.label
        for layer in opened.parts.layers
        if matched.correspondence.matched in layer.pieces and layer.label not in used
    )
