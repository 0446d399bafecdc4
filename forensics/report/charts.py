"""Charts for the HTML report: Vega-Lite drawn to SVG, coloured by the page's CSS variables.

The specifications go to vl-convert as they are: Altair would write the same JSON, and importing it
takes longer than drawing all charts of a report. The SVG uses presentation attributes only, which
a Content-Security-Policy without inline styles leaves alone.
"""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup, escape

from forensics.evidence import Evidence
from forensics.report import view

_WIDTH = 320
_OPENING = re.compile(r"^<svg [^>]*?(width=\"\d+\") (height=\"\d+\") (viewBox=\"[^\"]+\")>")
# Positions on the y scale: what is drawn in each row of the chart.
_ROWS = {"score": 16, "prompts": 46}
_HEIGHT = 62


def score_chart(evidence: Evidence, path: str) -> Markup:
    """Return the SVG of one comparator's score, interval, noise floor and per-prompt scores.

    Args:
        evidence: measured evidence; without a score there is nothing to draw.
        path: where the evidence lies in the case, for `data-case` and the ids.

    Returns:
        An `<svg role="img">` with title and description, or nothing without a score.
    """
    if evidence.score is None:
        return Markup()
    import vl_convert

    svg = vl_convert.vegalite_to_svg(_specification(evidence))
    return _labelled(svg, path, "Score, interval and noise floor", chart_words(evidence))


def chart_words(evidence: Evidence) -> str:
    """Return what the chart shows, in words."""
    parts = [f"Score {view.number(evidence.score)}"]
    interval, floor = evidence.interval, evidence.noise_floor
    if interval:
        level = f"{interval.level * 100:g} %"
        low, high = view.number(interval.low), view.number(interval.high)
        parts.append(f"{level} interval {low} to {high}")
    if floor:
        parts.append(f"noise floor A {view.number(floor.a)}, B {view.number(floor.b)}")
    scores = [entry.score for entry in evidence.per_prompt]
    if scores:
        lowest, highest = view.number(min(scores)), view.number(max(scores))
        parts.append(f"{len(scores)} prompts from {lowest} to {highest}")
    return "; ".join(parts) + "."


def _labelled(svg: str, path: str, title: str, description: str) -> Markup:
    identifier = "chart-" + path.replace(".", "-")
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" data-case="{path}" '
        rf'aria-labelledby="{identifier}-t {identifier}-d" \1 \2 \3>'
        f'<title id="{identifier}-t">{escape(title)}</title>'
        f'<desc id="{identifier}-d">{escape(description)}</desc>'
    )
    labelled, found = _OPENING.subn(opening, svg, count=1)
    if not found:
        raise ValueError("vl-convert changed how its SVG begins")
    return Markup(labelled)  # noqa: S704 (drawn from numbers only)


def _specification(evidence: Evidence) -> dict[str, Any]:
    layers = [_prompt_ticks(evidence), *_floors(evidence), *_score(evidence)]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": _WIDTH,
        "height": _HEIGHT,
        "padding": {"left": 8, "right": 8, "top": 14, "bottom": 2},
        "autosize": {"type": "pad", "contains": "padding"},
        "layer": layers,
        "config": {
            "aria": False,
            "background": None,
            "view": {"stroke": None},
            "axis": {
                "labelColor": "var(--muted)",
                "labelFontSize": 12,
                "tickColor": "var(--line)",
                "domainColor": "var(--line)",
                "gridColor": "var(--line)",
                "gridOpacity": 0.6,
            },
        },
    }


def _layer(mark: dict[str, Any], values: list[dict[str, float]], **more: Any) -> dict[str, Any]:
    axis = {"title": None, "tickCount": 5, "format": "~g"}
    x = {"field": "x", "type": "quantitative", "axis": axis, "scale": {"zero": True}}
    encoding = {"x": x, **more}
    return {"data": {"values": values}, "mark": {"clip": False, **mark}, "encoding": encoding}


def _row(name: str) -> dict[str, Any]:
    return {"value": _ROWS[name]}


def _prompt_ticks(evidence: Evidence) -> dict[str, Any]:
    mark = {"type": "tick", "color": "var(--muted)", "opacity": 0.45, "size": 18, "thickness": 1.5}
    values = [{"x": entry.score} for entry in evidence.per_prompt]
    return _layer(mark, values, y=_row("prompts"))


def _floors(evidence: Evidence) -> list[dict[str, Any]]:
    floor = evidence.noise_floor
    if floor is None:
        return []
    layers: list[dict[str, Any]] = []
    for letter, value, colour in (("A", floor.a, "var(--a)"), ("B", floor.b, "var(--b)")):
        rule = {"type": "rule", "color": colour, "strokeDash": [5, 3], "strokeWidth": 2}
        upper = letter == "A"
        text = {"type": "text", "color": colour, "fontSize": 12, "fontWeight": "bold"}
        # The letters stand on either side of the plot, so that close floors stay readable.
        label = text | {"text": letter, "baseline": "bottom", "dx": -5 if upper else 5}
        layers.append(_layer(rule, [{"x": value}], y={"value": 0}, y2={"value": 34}))
        layers.append(_layer(label, [{"x": value}], y={"value": -2}))
    return layers


def _score(evidence: Evidence) -> list[dict[str, Any]]:
    layers: list[dict[str, Any]] = []
    if evidence.interval:
        values = [{"x": evidence.interval.low, "x2": evidence.interval.high}]
        rule = {"type": "rule", "color": "var(--accent)", "strokeWidth": 4, "strokeCap": "round"}
        layers.append(_layer(rule, values, x2={"field": "x2"}, y=_row("score")))
    point = {"type": "point", "filled": True, "color": "var(--accent)", "size": 110, "opacity": 1}
    layers.append(_layer(point, [{"x": evidence.score or 0.0}], y=_row("score")))
    return layers
