"""What charts of the HTML report share: Vega-Lite to an SVG that the page's colours and policy fit.

The specifications go to vl-convert as they are: Altair would write the same JSON, and importing it
takes longer than drawing all charts of a report. The SVG uses presentation attributes only, which
a Content-Security-Policy without inline styles leaves alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

WIDTH = 320
_OPENING = re.compile(r"^<svg [^>]*?(width=\"\d+\") (height=\"\d+\") (viewBox=\"[^\"]+\")>")
# Counters of the process, which would make the same chart other bytes the second time.
_COUNTED = re.compile(r"\b(gradient_|clip)\d+\b")
# The whole is one picture with one text alternative; roles of its parts would ask for more.
_ROLES = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')
# A hundredth of a pixel is enough, and a page of many charts stays small.
_LONG = re.compile(r"\d+\.\d{3,}(?:e-\d+)?")


def labelled(svg: str, path: str, name: str, title: str, description: str) -> Markup:
    """Return a drawn chart as an element with a text alternative that names its place in the case.

    Args:
        svg: what vl-convert drew.
        path: where in the case the drawn values lie.
        name: what kind of chart it is, for ids that no other chart of `path` has.
        title: what the chart is.
        description: what it shows, in words.

    Raises:
        ValueError: vl-convert writes its SVG in another way than this reads.
    """
    opening = (
        rf"{svg_start(path, name)} \1 \2 \3>"
        rf"{_escaped(alternative(path, name, title, description))}"
    )
    labelled_, count = _OPENING.subn(opening, svg, count=1)
    if not count:
        raise ValueError("vl-convert changed how its SVG begins")
    return Markup(labelled_)  # noqa: S704 (drawn from numbers and our own words)


def svg_start(path: str, name: str) -> str:
    """Return how the tag of a chart begins; its sizes and `>` follow."""
    identifier = _identifier(path, name)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart {name}" role="img" '
        f'data-case="{escape(path)}" aria-labelledby="{identifier}-t {identifier}-d"'
    )


def alternative(path: str, name: str, title: str, description: str) -> str:
    """Return title and description of a chart as SVG."""
    identifier = _identifier(path, name)
    return (
        f'<title id="{identifier}-t">{escape(title)}</title>'
        f'<desc id="{identifier}-d">{escape(description)}</desc>'
    )


def _identifier(path: str, name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", f"{name}-{path}")


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\")


def draw(specification: dict[str, Any]) -> str:
    """Return the SVG of a Vega-Lite specification, the same bytes every time."""
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(json.dumps(specification))
    numbers: dict[str, str] = {}
    svg = _ROLES.sub("", svg)
    svg = _LONG.sub(lambda match: f"{float(match[0]):.2f}", svg)
    return _COUNTED.sub(
        lambda match: numbers.setdefault(match[0], f"{match[1]}{len(numbers)}"), svg
    )


def specification(layers: Sequence[dict[str, Any]], height: int, top: int = 14) -> dict[str, Any]:
    """Return a layered chart of the report's width and manner.

    Args:
        layers: what is drawn, the first at the bottom.
        height: of the plot, in pixels.
        top: room above it, in pixels.
    """
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDTH,
        "height": height,
        "padding": {"left": 8, "right": 8, "top": top, "bottom": 2},
        "autosize": {"type": "pad", "contains": "padding"},
        "layer": list(layers),
        "config": {
            "aria": False,
            "background": None,
            "view": {"stroke": None},
            "axis": {
                "labelColor": "var(--muted)",
                "labelFontSize": 12,
                "titleColor": "var(--muted)",
                "titleFontSize": 12,
                "titleFontWeight": "normal",
                "tickColor": "var(--line)",
                "domainColor": "var(--line)",
                "gridColor": "var(--line)",
                "gridOpacity": 0.6,
            },
        },
    }


def layer(mark: dict[str, Any], values: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Return one layer whose field `x` lies on the chart's scale."""
    # Readers' fonts are wider than the one that vl-convert measures with.
    apart = {"labelOverlap": True, "labelSeparation": 12}
    axis = {"title": None, "tickCount": 5, "format": "~r", **apart}
    x = {"field": "x", "type": "quantitative", "axis": axis, "scale": {"zero": True}}
    encoding = {"x": x, **more}
    return {"data": {"values": list(values)}, "mark": {"clip": False, **mark}, "encoding": encoding}


def label(text: str, colour: str, **more: Any) -> dict[str, Any]:
    """Return a mark that writes our own words."""
    return {"type": "text", "text": text, "color": colour, "fontSize": 12, **more}
