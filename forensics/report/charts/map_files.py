"""A map of relatives as files: CSV and SVG. Models' names are hostile text in both."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import numpy as np

from forensics.cohorts.newick import distinct, leaf_names
from forensics.cohorts.tree import RelativesMap
from forensics.support.sanitise import cell

_COUNTED = re.compile(r"\b(gradient_|clip)\d+\b")
_LABEL = 44
_CELL = 9
_TREE_WIDTH = 180
_TITLES = {
    "normalised": "similarity (0 = as the most similar unrelated models)",
    "cosine": "similarity (mean cosine after centring)",
}
_BLANK = {
    "normalised": "no more similar than the most similar unrelated models",
    "cosine": "no more similar than half of all pairs",
}


def matrix(related: RelativesMap) -> str:
    """Return the scores as CSV, models in the tree's order; a cell is empty where none is known."""
    names = [cell(name) for name in leaf_names(related.models)]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["model", *(names[i] for i in related.order)])
    for row in related.order:
        scores = (related.scores[row, column] for column in related.order)
        table.writerow([names[row], *(f"{x:.4f}" if np.isfinite(x) else "" for x in scores)])
    return text.getvalue()


def heat_map(related: RelativesMap) -> str:
    """Return an SVG: the tree, and beside it every pair that is more alike than models usually are.

    It uses presentation attributes only.
    """
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(json.dumps(specification(related)))
    # Counters of the process, which would make the same map other bytes the second time.
    numbers: dict[str, str] = {}
    return _COUNTED.sub(
        lambda match: numbers.setdefault(match[0], f"{match[1]}{len(numbers)}"), svg
    )


def specification(related: RelativesMap, cell: int = _CELL) -> dict[str, Any]:
    """Return the Vega-Lite specification of `heat_map`, with cells of some pixels."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": {
            "text": f"How similar {len(related.models)} models are, on {related.prompts} prompts",
            "subtitle": f"blank: {_BLANK[related.scale]}; left: neighbour-joining tree, no root",
            "anchor": "start",
        },
        "background": "white",
        "spacing": 2,
        "hconcat": [_drawn_tree(related, cell), _cells(related, cell)],
        "config": {
            "aria": False,
            "view": {"stroke": None},
            "axis": {"labelFontSize": 9, "labelLimit": 400, "domain": False, "ticks": False},
        },
    }


def _cells(related: RelativesMap, cell: int) -> dict[str, Any]:
    labels = distinct(related.models, _LABEL)
    names = [labels[i] for i in related.order]
    least, most = _range(related)
    values = [
        {"a": labels[i], "b": labels[j], "s": round(float(related.scores[i, j]), 2)}
        for i in related.order
        for j in related.order
        if related.scores[i, j] > least
    ]
    axis = {"title": None, "grid": False}
    side = {"type": "ordinal", "scale": {"domain": names, "padding": 0}}
    return {
        "width": cell * len(names),
        "height": cell * len(names),
        "data": {"values": values},
        "mark": {"type": "rect"},
        "encoding": {
            "y": {"field": "a", **side, "axis": axis | {"orient": "right"}},
            "x": {"field": "b", **side, "axis": axis | {"orient": "bottom", "labelAngle": -90}},
            "color": {
                "field": "s",
                "type": "quantitative",
                "title": _TITLES[related.scale],
                "scale": {"scheme": "blues", "domain": [least, most], "clamp": True},
                "legend": {"orient": "top", "gradientLength": 240, "titleLimit": 400},
            },
        },
    }


def _range(related: RelativesMap) -> tuple[float, float]:
    """Return the score above which a pair is drawn, and the one of the darkest colour.

    The latter is not the highest: a pair of copies must not pale all others.
    """
    known = related.scores[np.isfinite(related.scores)]
    if not len(known):
        return 0.0, 1.0
    least = 0.0 if related.scale == "normalised" else round(float(np.median(known)), 4)
    return least, max(round(float(np.quantile(known, 0.995)), 4), least + 0.01)


def _drawn_tree(related: RelativesMap, cell: int) -> dict[str, Any]:
    size = len(related.models)
    across = {"type": "quantitative", "axis": None, "scale": {"nice": False, "zero": False}}
    down = {
        "type": "quantitative",
        "axis": None,
        "scale": {"domain": [0, size], "reverse": True, "nice": False},
    }
    return {
        "width": _TREE_WIDTH,
        "height": cell * size,
        "data": {"values": _lines(related)},
        "mark": {"type": "rule", "color": "#555", "strokeWidth": 0.8},
        "encoding": {
            "x": {"field": "x", **across},
            "x2": {"field": "x2"},
            "y": {"field": "y", **down},
            "y2": {"field": "y2"},
        },
    }


def _lines(related: RelativesMap) -> list[dict[str, float]]:
    """Return the tree's branches: along, as long as they are; across, from child to child."""
    heights: list[float] = []
    place = 0
    for node in related.nodes:
        if node.model is None:
            ends = [heights[child] for child in node.children]
            heights.append((min(ends) + max(ends)) / 2)
        else:
            heights.append(place + 0.5)
            place += 1
    depths = [0.0] * len(related.nodes)
    lines = []
    for number in range(len(related.nodes) - 1, -1, -1):
        node = related.nodes[number]
        for child in node.children:
            depths[child] = depths[number] + max(related.nodes[child].length, 0.0)
            at, to, y = depths[number], depths[child], heights[child]
            lines.append({"x": at, "x2": to, "y": y, "y2": y})
        if node.children:
            ends = [heights[child] for child in node.children]
            x = depths[number]
            lines.append({"x": x, "x2": x, "y": min(ends), "y2": max(ends)})
    return [{key: round(value, 4) for key, value in line.items()} for line in lines]
