"""How alike the weights of two models are, layer by layer."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from forensics.case.details.kinds import WithLayers
from forensics.case.evidence import Evidence
from forensics.report.charts.drawing import WIDTH, draw, labelled, specification
from forensics.support.numbers import number

_LEVELS = 5
_MOST = 20_000  # cells; the largest public models have some 130 layers
_SIGNIFICANT = 0.05


@dataclass(frozen=True)
class LayerSimilarity:
    """A layer of A, one of B, their similarity, and how likely chance gives as much."""

    a: int
    b: int
    similarity: float
    p_value: float | None


def layer_pairs(evidence: Evidence) -> tuple[LayerSimilarity, ...]:
    """Return the pairs of layers that were compared, as far as layers are numbered."""
    details = evidence.details
    rows = details.layers[:_MOST] if isinstance(details, WithLayers) else ()
    numbered = ((_number(row.a), _number(row.b), row) for row in rows)
    return tuple(
        LayerSimilarity(a, b, row.similarity, row.p_value)
        for a, b, row in numbered
        if a is not None and b is not None
    )


def _number(label: int | str) -> int | None:
    # Models number their layers, adapters name the modules they change.
    return int(label) if re.fullmatch("[0-9]{1,6}", str(label)) else None


def layers_words(pairs: Sequence[LayerSimilarity]) -> str:
    """Return what the heat map shows, in words."""
    best = max(pairs, key=lambda pair: pair.similarity)
    lowest = min(pair.similarity for pair in pairs)
    parts = [
        f"{len(pairs)} pairs of layers, similarity {number(lowest)} to {number(best.similarity)}",
        f"most alike: layer {best.a} of A and layer {best.b} of B",
    ]
    tested = [pair for pair in pairs if pair.p_value is not None]
    if tested:
        beyond_chance = _beyond_chance(tested)
        parts.append(
            f"{len(beyond_chance)} pairs beyond chance (p < {_SIGNIFICANT} after Bonferroni's "
            f"correction for {len(tested)})"
        )
    return "; ".join(parts) + "."


def _beyond_chance(pairs: Sequence[LayerSimilarity]) -> list[LayerSimilarity]:
    tested = sum(pair.p_value is not None for pair in pairs)
    return [p for p in pairs if p.p_value is not None and p.p_value * tested < _SIGNIFICANT]


def layers_chart(evidence: Evidence, path: str) -> Markup:
    """Return the SVG of a heat map: rows are layers of A, columns those of B.

    Pairs of layers beyond chance bear a dot, so that colour alone says nothing.
    """
    pairs = layer_pairs(evidence)
    if not pairs:
        return Markup()
    svg = draw(_specification(pairs))
    title = "Similarity of weights, layer by layer"
    return labelled(svg, f"{path}.details.layers", "layers", title, layers_words(pairs))


def _specification(pairs: Sequence[LayerSimilarity]) -> dict[str, Any]:
    least = min(pair.similarity for pair in pairs)
    step = (max(pair.similarity for pair in pairs) - least) / _LEVELS
    rows, columns = (sorted({getattr(p, side) for p in pairs}) for side in ("a", "b"))
    values = [
        {"a": p.a, "b": p.b, "level": min(int((p.similarity - least) / step), _LEVELS - 1)}
        for p in pairs
        if step
    ] or [{"a": p.a, "b": p.b, "level": _LEVELS - 1} for p in pairs]
    colour = {
        "field": "level",
        "type": "ordinal",
        "legend": None,
        "scale": {
            "domain": list(range(_LEVELS)),
            "range": [f"var(--q{level})" for level in range(_LEVELS)],
        },
    }
    place = {"x": _side("b", "layer of B", columns), "y": _side("a", "layer of A", rows)}
    dots = [{"a": p.a, "b": p.b} for p in _beyond_chance(pairs)]
    dot = {"type": "point", "filled": True, "color": "var(--mark-line)", "opacity": 1}
    size = WIDTH / max(len(rows), len(columns))
    layers = [
        {
            "data": {"values": values},
            "mark": {"type": "rect"},
            "encoding": {**place, "color": colour},
        },
        {
            "data": {"values": dots},
            "mark": {**dot, "size": max(2.0, size * size / 8)},
            "encoding": place,
        },
    ]
    height = round(WIDTH * len(rows) / max(len(columns), 1))
    return specification(layers, min(max(height, 40), 2 * WIDTH), top=4)


def _side(field: str, title: str, layers: Sequence[int]) -> dict[str, Any]:
    every = max(1, math.ceil(len(layers) / 12))
    axis = {"title": title, "labelAngle": 0, "grid": False, "values": list(layers[::every])}
    scale = {"domain": list(layers), "padding": 0}
    return {"field": field, "type": "ordinal", "axis": axis, "scale": scale}
