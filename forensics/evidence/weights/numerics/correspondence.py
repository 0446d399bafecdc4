"""Which layers of two models correspond, and which hidden units in them.

Cheap first: where units stand in the same order in both, a few rows show it and nothing is
searched. Otherwise coordinates are aligned by the embeddings, layers by their most alike units,
and units by linear assignment. Only one of the two matrices that read into a unit is looked at
here (the gate, or what attention writes), and never its sign, so that the other is still free to be
tested.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.weights.numerics.alignment import (
    SAME_ORDER,
    Alignment,
    alignments,
    unit_rows,
)
from forensics.evidence.weights.numerics.parts import Layer, Part, Parts, adapter_parts, find_parts
from forensics.evidence.weights.numerics.products import product
from forensics.evidence.weights.numerics.reader import open_weights, stamp
from forensics.evidence.weights.numerics.shared_tokens import shared_rows
from forensics.evidence.weights.numerics.telling import says_nothing, telling_layers
from forensics.evidence.weights.numerics.tensor import Floats
from forensics.subjects.model_files.folder import ModelFiles

MOST_UNITS = 1024  # of A in each layer; more signs would not change any conclusion
_PROBED_UNITS = 64
_SEARCHED_UNITS = 16
_SAME = 0.5  # mean cosine of rows that are the same unit; unrelated rows stay below 0.1


@dataclass(frozen=True)
class Opened:
    """A model whose headers were read: its files and parts."""

    files: ModelFiles
    parts: Parts


@dataclass(frozen=True)
class LayerPair:
    """Two layers that correspond, and the units matched in them (rows of A, rows of B)."""

    a: Layer
    b: Layer
    units_a: NDArray[np.int64]
    units_b: NDArray[np.int64]
    same_order: bool


@dataclass(frozen=True)
class Correspondence:
    """What corresponds to what; `matched` and `tested` name the two parts of a unit."""

    alignment: Alignment
    pairs: tuple[LayerPair, ...]
    matched: Part
    tested: Part


@dataclass(frozen=True)
class MatchedModels:
    """Two opened models and what corresponds in them."""

    a: Opened
    b: Opened
    correspondence: Correspondence

    def rows_a(self, pair: LayerPair, part: Part) -> Floats:
        """Return a part of A's matched units in B's coordinates, rows of length one."""
        rows = self.a.parts.matrix(pair.a, part, pair.units_a)
        return unit_rows(self.correspondence.alignment.apply(rows))

    def cosines(self, pair: LayerPair, part: Part) -> NDArray[np.float64]:
        """Return the cosine of a part of every matched unit of A and of B; 0 of rows of zeros."""
        first = self.correspondence.alignment.apply(self.a.parts.matrix(pair.a, part, pair.units_a))
        second = self.b.parts.matrix(pair.b, part, pair.units_b)
        products = (
            np.einsum("ij,ij->i", x, y).astype(np.float64)
            for x, y in ((first, second), (first, first), (second, second))
        )
        between, of_a, of_b = products
        values: NDArray[np.float64] = np.zeros(len(between))
        # A sign is taken even of lengths whose product a float cannot hold.
        np.divide(between, np.sqrt(of_a) * np.sqrt(of_b), out=values, where=(of_a > 0) & (of_b > 0))
        return values


def open_model(files: ModelFiles) -> Opened:
    """Open a model's weights and find its parts.

    Raises:
        InputFileError: see `reader.open_weights`.
    """
    weights = open_weights(files)
    return Opened(files, adapter_parts(weights) if files.adapter else find_parts(weights, files))


def correspond(a: ModelFiles, b: ModelFiles) -> MatchedModels | None:
    """Put two models into correspondence; None where they have no kind of unit in common.

    Layers whose numbers tell nothing (all equal, or as large as no trained model has them) are left
    out.

    The last result is kept: every comparator of a run asks for the same.

    Raises:
        InputFileError: weights that cannot be read.
        InsufficientError: no layer of one of them tells anything.
    """
    return _corresponding(a, b, (*stamp(a), *stamp(b)))


@lru_cache(maxsize=1)
def _corresponding(
    files_a: ModelFiles, files_b: ModelFiles, _: tuple[tuple[int, int], ...]
) -> MatchedModels | None:
    a, b = open_model(files_a), open_model(files_b)
    if files_a.adapter or files_b.adapter:
        return _adapters(a, b) if files_a.adapter and files_b.adapter else None
    for matched, tested in _KINDS:
        layers = [_of_one_stream(side.parts, matched, tested) for side in (a, b)]
        if layers[0] and layers[1]:
            first = telling_layers("A", a.parts, layers[0], (matched, tested))
            second = telling_layers("B", b.parts, layers[1], (matched, tested))
            correspondence = _correspond(a, b, first, second, matched, tested)
            return MatchedModels(a, b, correspondence)
    return None


def _adapters(a: Opened, b: Opened) -> MatchedModels | None:
    """Match two LoRA adapters: modules of one name, and ranks as if they were hidden units."""
    matched, tested = ADAPTER_PARTS
    others = {layer.label: layer for layer in _having(b.parts, matched, tested)}
    pairs = tuple(
        _pair(a.parts, b.parts, layer, others[layer.label], matched, SAME_ORDER, 0.0)
        for layer in _having(a.parts, matched, tested)
        if layer.label in others
        and all(
            a.parts.width(layer, part) == b.parts.width(others[layer.label], part)
            for part in ADAPTER_PARTS
        )
    )
    return (
        MatchedModels(a, b, Correspondence(SAME_ORDER, pairs, matched, tested)) if pairs else None
    )


# What one rank of an adapter writes and reads; turning both signs changes nothing.
ADAPTER_PARTS: tuple[Part, Part] = ("lora_b", "lora_a")

# Gated MLPs; else the value channels of attention, one a column of the output projection.
_KINDS: tuple[tuple[Part, Part], ...] = (("gate", "up"), ("o", "v"))


def _having(parts: Parts, matched: Part, tested: Part) -> list[Layer]:
    return [
        layer
        for layer in parts.layers
        if {matched, tested} <= set(layer.pieces)
        and parts.units(layer, matched) == parts.units(layer, tested)
    ]


def _of_one_stream(parts: Parts, matched: Part, tested: Part) -> list[Layer]:
    """Return the layers with both parts, of the width that most have: one stream runs through."""
    layers_with_both = [
        layer
        for layer in _having(parts, matched, tested)
        if parts.width(layer, matched) == parts.width(layer, tested) == _read_width(parts, layer)
    ]
    widths = Counter(parts.width(layer, matched) for layer in layers_with_both)
    usual = max(widths, key=lambda width: widths[width], default=0)
    return [layer for layer in layers_with_both if parts.width(layer, matched) == usual]


def _read_width(parts: Parts, layer: Layer) -> int:
    """Return the length of the norms in a layer, or of any unit where it has none."""
    for norm in ("attention_norm", "mlp_norm"):
        if norm in layer.pieces:
            return parts.weights.tensors[layer.pieces[norm].tensor].shape[0]
    return parts.width(layer, next(iter(layer.pieces)))


def _correspond(
    a: Opened, b: Opened, layers_a: list[Layer], layers_b: list[Layer], matched: Part, tested: Part
) -> Correspondence:
    similarity = _same_place(a.parts, b.parts, layers_a, layers_b, matched)
    rows, columns = _assign(similarity)
    if np.median(similarity[rows, columns]) > _SAME:
        alignment = SAME_ORDER
    else:
        alignment = _best_alignment(a, b, layers_a, layers_b, matched)
        searched = _nearest_similarity(a.parts, b.parts, layers_a, layers_b, matched, alignment)
        rows, columns = _assign(searched)
    pairs = tuple(
        _pair(a.parts, b.parts, layers_a[i], layers_b[j], matched, alignment, similarity[i, j])
        for i, j in zip(rows, columns, strict=True)
    )
    return Correspondence(alignment, pairs, matched, tested)


def _assign(similarity: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(similarity, maximize=True)
    return rows, columns


def _same_place(
    a: Parts, b: Parts, layers_a: Sequence[Layer], layers_b: Sequence[Layer], part: Part
) -> NDArray[np.float64]:
    """Return, for each pair of layers, the mean |cosine| of units at the same place."""
    similarity = np.zeros((len(layers_a), len(layers_b)))
    first, second = (
        {layer.label: _probe(parts, layer, part) for layer in layers}
        for parts, layers in ((a, layers_a), (b, layers_b))
    )
    for i, layer_a in enumerate(layers_a):
        for j, layer_b in enumerate(layers_b):
            x, y = first[layer_a.label], second[layer_b.label]
            if x.shape == y.shape and a.units(layer_a, part) == b.units(layer_b, part):
                similarity[i, j] = float(np.abs(np.einsum("ij,ij->i", x, y)).mean())
    return similarity


def _probe(parts: Parts, layer: Layer, part: Part) -> Floats:
    return unit_rows(parts.matrix(layer, part, _spread(parts.units(layer, part), _PROBED_UNITS)))


def _spread(units: int, most: int) -> NDArray[np.int64]:
    """Return at most `most` unit numbers, evenly spread."""
    return np.unique(np.linspace(0, units - 1, min(units, most)).astype(np.int64))


def _best_alignment(
    a: Opened, b: Opened, layers_a: Sequence[Layer], layers_b: Sequence[Layer], part: Part
) -> Alignment:
    middle = [layers_a[0], layers_a[len(layers_a) // 2]]
    best, highest = None, -1.0
    for candidate in alignments(*_embedding_rows(a, b)):
        similarity = _nearest_similarity(a.parts, b.parts, middle, layers_b, part, candidate)
        score = float(similarity.max(axis=1).mean())
        if score > highest:
            best, highest = candidate, score
        if score > _SAME:  # the next one costs more and finds no more
            break
    return best or Alignment("rotated", rotation=_cut(a, b, layers_a[0], layers_b[0], part))


def _embedding_rows(a: Opened, b: Opened) -> tuple[Floats, Floats]:
    empty = np.zeros((0, 0), dtype=np.float32)
    if a.parts.embedding is None or b.parts.embedding is None:
        return empty, empty
    first = a.parts.weights.tensors[a.parts.embedding]
    second = b.parts.weights.tensors[b.parts.embedding]
    if says_nothing(first) or says_nothing(second):
        return empty, empty
    rows_a, rows_b = shared_rows(a.files, b.files, first.shape[0], second.shape[0])
    return first.rows(rows_a), second.rows(rows_b)


def _cut(a: Opened, b: Opened, layer_a: Layer, layer_b: Layer, part: Part) -> Floats:
    # Other widths and no tokens in common: the first coordinates stand for each other.
    probes = (a.parts.matrix(layer_a, part, _FIRST), b.parts.matrix(layer_b, part, _FIRST))
    return np.eye(probes[0].shape[1], probes[1].shape[1], dtype=np.float32)


_FIRST = np.zeros(1, dtype=np.int64)


def _nearest_similarity(
    a: Parts,
    b: Parts,
    layers_a: Sequence[Layer],
    layers_b: Sequence[Layer],
    part: Part,
    alignment: Alignment,
) -> NDArray[np.float64]:
    """Return, for each pair of layers, how alike a few of A's units are to their nearest in B."""
    probes = [
        unit_rows(
            alignment.apply(a.matrix(layer, part, _spread(a.units(layer, part), _SEARCHED_UNITS)))
        )
        for layer in layers_a
    ]
    ends = np.cumsum([len(probe) for probe in probes])[:-1]
    stacked = np.concatenate(probes)
    similarity = np.empty((len(layers_a), len(layers_b)))
    for j, layer in enumerate(layers_b):
        nearest = np.abs(product(stacked, unit_rows(b.matrix(layer, part)).T)).max(axis=1)
        similarity[:, j] = [units.mean() for units in np.split(nearest, ends)]
    return similarity


def _pair(
    a: Parts,
    b: Parts,
    layer_a: Layer,
    layer_b: Layer,
    part: Part,
    alignment: Alignment,
    same_place: float,
) -> LayerPair:
    units = a.units(layer_a, part)
    if same_place > _SAME:
        rows = _spread(units, MOST_UNITS)
        return LayerPair(layer_a, layer_b, rows, rows, True)
    # Which units are left out must not depend on the weights: any fixed choice will do.
    rows = _spread(units, MOST_UNITS)
    first = unit_rows(alignment.apply(a.matrix(layer_a, part, rows)))
    matched_a, matched_b = match_units(first, unit_rows(b.matrix(layer_b, part)))
    return LayerPair(layer_a, layer_b, rows[matched_a], matched_b, False)


def match_units(a: Floats, b: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Match units one to one so that the sum of their |cosines| is largest (linear assignment).

    Args:
        a, b: rows of length one, shapes (units, width).

    Returns:
        Rows of A and of B that belong together, as many as the smaller side has.
    """
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(np.abs(product(a, b.T)), maximize=True)
    return rows, columns
