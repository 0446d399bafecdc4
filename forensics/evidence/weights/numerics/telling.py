"""Do a model's numbers tell anything? Weights that are all equal match those of any model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forensics.errors import InsufficientError
from forensics.evidence.weights.numerics.parts import Layer, Part, Parts
from forensics.evidence.weights.numerics.tensor import Tensor
from forensics.support.sanitise import one_line

_ROWS = 64  # looked at, evenly spread
_LARGEST = 1e15  # trained weights stay below 1e4


def telling_layers(
    side: str, parts: Parts, layers: Sequence[Layer], compared: tuple[Part, Part]
) -> list[Layer]:
    """Return the layers whose compared parts tell something.

    Args:
        side: what the model is called in the message.
        parts: the model.
        layers: which to look at, at least one.
        compared: the two parts of a layer that are compared.

    Raises:
        InsufficientError: none does.
        InputFileError: weights that cannot be read.
    """
    faults = [_fault(parts, layer, compared) for layer in layers]
    telling = [layer for layer, fault in zip(layers, faults, strict=True) if not fault]
    if not telling:
        raise InsufficientError(f"{side}'s weights tell nothing: {faults[0]}")
    return telling


def _fault(parts: Parts, layer: Layer, compared: tuple[Part, Part]) -> str:
    for part in compared:
        tensor = parts.weights.tensors[layer.pieces[part].tensor]
        fault = says_nothing(tensor)
        if fault:
            return f"{one_line(tensor.name, 80)} {fault}"
    return ""


def says_nothing(tensor: Tensor) -> str:
    """Return why a matrix tells nothing by a few of its rows, empty where it does.

    Raises:
        InputFileError: weights that cannot be read.
    """
    chosen = np.unique(np.linspace(0, tensor.shape[0] - 1, _ROWS).astype(np.int64))
    rows = tensor.rows(chosen).reshape(len(chosen), -1)
    highest = float(np.abs(rows).max())
    if highest == 0:
        return "is all zeros"
    if highest > _LARGEST:
        return f"has numbers as large as {highest:.0e}, which no trained model has"
    if not np.ptp(rows):
        return "holds one number throughout"
    if len(rows) > 1 and not (np.ptp(rows, axis=0).any() and np.ptp(rows, axis=1).any()):
        return "has rows or columns that are all the same"
    return ""
