"""Shared manner on its scale: 0 % as alike as unrelated models, 100 % one model."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from forensics.case.details.shared_manner import MannerDetails
from forensics.report.charts.drawing import draw, label, labelled, layer, specification

_HEIGHT = 58
_ROW = 30
_LEAST, _MOST = -10.0, 110.0


def manner_chart(details: MannerDetails, path: str) -> Markup:
    """Return the SVG of a pair's shared manner between unrelated models and one model.

    Args:
        details: of shared manner, centred over a cohort.
        path: where they lie in the case.
    """
    low, value, high = (100 * x for x in (details.low, details.share, details.high))
    usual = _usual(details)
    ends = [_LEAST, _MOST, low, high, *usual]
    layers = [*_band(usual), _scale(min(ends), max(ends)), *_pair(low, value, high)]
    svg = draw(specification(layers, _HEIGHT, top=4))
    return labelled(svg, path, "manner", "Shared manner", manner_words(details))


def manner_words(details: MannerDetails) -> str:
    """Return what the chart shows, in words."""
    low, value, high = (f"{100 * x:.0f}" for x in (details.low, details.share, details.high))
    words = f"Shared manner {value} % (95 % interval {low} to {high} %)"
    population = details.unrelated
    if population is None:
        return f"{words}."
    most = f"{100 * population.p95:.0f}"
    return f"{words}; 95 of 100 unrelated pairs share less than {most} %."


def _usual(details: MannerDetails) -> tuple[float, ...]:
    """Return between which shares, in per cent, nine of ten unrelated pairs lie, if known.

    The median and the 95th percentile are on record; the lower end mirrors the upper one.
    """
    population = details.unrelated
    if population is None:
        return ()
    return 100 * (2 * population.median - population.p95), 100 * population.p95


def _band(usual: tuple[float, ...]) -> list[dict[str, Any]]:
    if not usual:
        return []
    low, high = usual
    mark = {"type": "rect", "color": "var(--other)", "opacity": 0.45}
    values = [{"x": low, "x2": high}]
    return [
        layer(mark, values, x2={"field": "x2"}, y={"value": _ROW - 11}, y2={"value": _ROW + 11})
    ]


def _scale(least: float, most: float) -> dict[str, Any]:
    rule = {"type": "rule", "color": "var(--line)", "strokeWidth": 1.5}
    line = layer(rule, [{"x": least, "x2": most}], x2={"field": "x2"}, y={"value": _ROW})
    expression = (
        "datum.value == 0 ? 'unrelated' : datum.value == 100 ? 'one model' : datum.value + ' %'"
    )
    line["encoding"]["x"] |= {
        "axis": {"title": None, "values": [0, 25, 50, 75, 100], "labelExpr": expression},
        "scale": {"domain": [round(least, 2), round(most, 2)], "nice": False},
    }
    return line


def _pair(low: float, value: float, high: float) -> list[dict[str, Any]]:
    colour = "var(--accent)"
    rule = {"type": "rule", "color": colour, "strokeWidth": 5, "strokeCap": "round"}
    point = {"type": "point", "filled": True, "color": colour, "size": 150, "opacity": 1}
    said = label(f"{value:.0f} %", colour, baseline="bottom", fontWeight="bold")
    return [
        layer(rule, [{"x": low, "x2": high}], x2={"field": "x2"}, y={"value": _ROW}),
        layer(point, [{"x": value}], y={"value": _ROW}),
        layer(said, [{"x": value}], y={"value": _ROW - 9}),
    ]
