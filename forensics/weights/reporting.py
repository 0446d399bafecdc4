"""What several weight comparators say in the same way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.evidence import Interval
from forensics.matching import bootstrap_mean
from forensics.weights.correspondence import Correspondence
from forensics.weights.parts import Parts


def layer_interval(values: NDArray[np.float64]) -> Interval | None:
    """Return the interval of the mean under resampling of layers, None of a single layer."""
    if len(values) < 2:
        return None
    found = bootstrap_mean(values)
    return found.model_copy(update={"method": "percentile bootstrap over layers"})


def left_over(a: Parts, b: Parts, found: Correspondence) -> dict[str, Any]:
    """Return the layers of either model that no layer of the other was matched with."""
    used_a = {pair.a.label for pair in found.pairs}
    used_b = {pair.b.label for pair in found.pairs}
    rest_a = [x.label for x in a.layers if found.matched in x.pieces and x.label not in used_a]
    rest_b = [x.label for x in b.layers if found.matched in x.pieces and x.label not in used_b]
    return {"unmatched_layers_a": ", ".join(rest_a), "unmatched_layers_b": ", ".join(rest_b)}
