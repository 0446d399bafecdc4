"""Details of evidence from weights."""

from __future__ import annotations

from forensics.case.details.details_record import Details, LayerRow
from forensics.case.record import Finite, ModelText


class TensorsDetails(Details):
    """How many of B's tensors stand in A byte for byte, and what tells who came first."""

    identical_tensors: int
    tensors_b: int
    identical_weights: int
    direction_reason: ModelText
    architecture_a: ModelText
    architecture_b: ModelText


class UnitsDetails(Details):
    """Signs of matched hidden units, layer by layer; layers without a partner are named."""

    units: str
    agreeing_signs: int
    signs: int
    coordinates: str
    units_in_same_order: bool
    layers: tuple[LayerRow, ...]
    unmatched_layers_a: ModelText
    unmatched_layers_b: ModelText


class MatchingDetails(Details):
    """Rank correlations of two matchings; `controls_z` are those of layers that do not belong."""

    p_value_is_approximate: bool
    coordinates: str
    controls_z: tuple[Finite, ...]
    layers: tuple[LayerRow, ...]


class AttentionDetails(Details):
    """Likeness of attention in corresponding layers, beside mean and deviation of all others."""

    p_value_is_approximate: bool
    coordinates: str
    other_layers_mean: Finite | None
    other_layers_sd: Finite | None
    layers: tuple[LayerRow, ...]
