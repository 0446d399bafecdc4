"""Every pair of many models as a page shows it: the tree, and beside it who is like whom."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from forensics.cohorts.tree import RelativesMap
from forensics.report.charts.drawing import draw, labelled
from forensics.report.charts.map_files import specification
from forensics.support.sanitise import one_line

_SHADES = ["var(--q0)", "var(--q1)", "var(--q2)", "var(--q3)", "var(--q4)"]
# Few models are drawn larger: cells and letters in pixels, up to how many models.
_SIZES = ((20, 22, 12), (60, 16, 11), (10_000, 9, 9))
_WIDER = 0.2  # of a letter, by which fonts of readers are wider than the one that was measured
_LETTERS = 44  # of a label at most
_TITLES = {
    "normalised": "similarity (0 = as the most similar unrelated models)",
    "cosine": "similarity (mean cosine after centring)",
}
_NAMED = 5  # pairs that the text alternative tells


def kinship_chart(related: RelativesMap) -> Markup:
    """Return the tree and the matrix of all pairs, in the page's colours, light or dark."""
    cell, size = next((c, s) for most, c, s in _SIZES if len(related.models) <= most)
    drawn = specification(related, cell)
    tree, cells = drawn["hconcat"]
    scale = cells["encoding"]["color"]["scale"]
    # Shades that the page names: one of Vega's own would not follow the reader's scheme.
    cells["encoding"]["color"]["scale"] = {
        "type": "quantize",
        "domain": scale["domain"],
        "range": _SHADES,
    }
    cells["encoding"]["color"]["title"] = _TITLES[related.scale]
    tree["mark"] = {**tree["mark"], "color": "var(--muted)"}
    pairs = "; ".join(
        f"{one_line(related.models[a], 60)} and {one_line(related.models[b], 60)}"
        for a, b, _ in related.closest(_NAMED)
    )
    longest = min(max(map(len, related.models)), _LETTERS)
    room = round(longest * size * _WIDER)
    whole = {
        **drawn,
        "title": "",
        "background": None,
        "padding": {"left": 4, "top": 4, "right": room, "bottom": room},
        "config": _config(drawn["config"], size),
    }
    return labelled(
        draw(whole),
        "kinship",
        "kin",
        f"{len(related.models)} models: who is like whom",
        f"A neighbour-joining tree and a matrix of all pairs. The most alike are {pairs}.",
    )


def _config(config: dict[str, Any], size: int) -> dict[str, Any]:
    text = {"labelColor": "var(--text)", "titleColor": "var(--muted)", "labelFontSize": size}
    axis = {**config["axis"], **text}
    return {**config, "axis": axis, "legend": {**text, "titleFontSize": 12}}
