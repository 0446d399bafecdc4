"""The likelihood ratio on a logarithmic bar."""

from __future__ import annotations

import math
from typing import Any

from markupsafe import Markup

from forensics.report.charts.drawing import draw, label, labelled, layer, specification
from forensics.report.likelihood import Likelihood, likelihood_words

_HEIGHT = 62
_ROW = 34
_LEAST = 2.2  # decades shown on either side, so that a short bar does not look long
_BAND = 0.30103  # log10 2: less than that supports neither side
_RATIOS = (
    "datum.value == 0 ? '1' : datum.value > 4 ? '10^' + datum.value : datum.value < -4 ? "
    "'1/10^' + (-datum.value) : datum.value > 0 ? format(pow(10, datum.value), ',') : "
    "'1/' + format(pow(10, -datum.value), ',')"
)


def likelihood_chart(likelihood: Likelihood) -> Markup:
    """Return the SVG of the ratio with its interval and the bounds the cohort sets."""
    low, high = likelihood.interval or (likelihood.value, likelihood.value)
    bounds = likelihood.bounds or ()
    reach = max([_LEAST, *(abs(x) + 0.4 for x in (low, high, likelihood.value, *bounds))])
    layers = [
        _band(),
        _frame(reach),
        *_bounds(likelihood),
        *_bar(likelihood, low, high),
    ]
    svg = draw(specification(layers, _HEIGHT, top=4))
    return labelled(
        svg, likelihood.path, "likelihood", "Likelihood ratio", likelihood_words(likelihood)
    )


def _axis(reach: float) -> dict[str, Any]:
    top = math.floor(reach)
    step = max(1, math.ceil(top / 3))
    ticks = [x for x in range(-top, top + 1) if x % step == 0]
    return {
        "axis": {"title": None, "values": ticks, "labelExpr": _RATIOS, "labelOverlap": True},
        "scale": {"domain": [round(-reach, 3), round(reach, 3)], "nice": False},
    }


def _frame(reach: float) -> dict[str, Any]:
    rule = {"type": "rule", "color": "var(--line)", "strokeWidth": 1.5}
    line = layer(rule, [{"x": -reach, "x2": reach}], x2={"field": "x2"}, y={"value": _ROW})
    line["encoding"]["x"] |= _axis(reach)
    return line


def _band() -> dict[str, Any]:
    mark = {"type": "rect", "color": "var(--panel)"}
    values = [{"x": -_BAND, "x2": _BAND}]
    return layer(mark, values, x2={"field": "x2"}, y={"value": 16}, y2={"value": _HEIGHT})


def _bounds(likelihood: Likelihood) -> list[dict[str, Any]]:
    if likelihood.bounds is None:
        return []
    rule = {"type": "rule", "color": "var(--muted)", "strokeWidth": 2}
    ends = [{"x": x} for x in likelihood.bounds]
    return [layer(rule, ends, y={"value": _ROW - 13}, y2={"value": _ROW + 13})]


def _bar(likelihood: Likelihood, low: float, high: float) -> list[dict[str, Any]]:
    colour = "var(--accent)"
    rule = {"type": "rule", "color": colour, "strokeWidth": 5, "strokeCap": "round"}
    point = {"type": "point", "filled": True, "color": colour, "size": 150, "opacity": 1}
    words = [
        (label("for independence", "var(--muted)", align="left", baseline="top"), 0),
        (label("for kinship", "var(--muted)", align="right", baseline="top"), 320),
    ]
    return [
        layer(rule, [{"x": low, "x2": high}], x2={"field": "x2"}, y={"value": _ROW}),
        layer(point, [{"x": likelihood.value}], y={"value": _ROW}),
        *(
            {
                "data": {"values": [{}]},
                "mark": mark,
                "encoding": {"x": {"value": x}, "y": {"value": 0}},
            }
            for mark, x in words
        ),
    ]
