"""Tippett and DET plots of an evaluation, as SVG files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from forensics.support.files import write_text

_SIZE = 320


def write_plots(figures: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write `tippett.svg` and `det.svg` of what `evaluate` returned; return their paths.

    Raises:
        OutputError: the folder cannot be written.
    """
    from forensics.errors import OutputError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from error
    drawn = {"tippett.svg": _tippett(figures), "det.svg": _det(figures)}
    written = []
    for name, (title, axes, points) in drawn.items():
        path = folder / name
        write_text(path, _svg(title, axes, list(points)))
        written.append(path)
    return written


def _tippett(figures: Mapping[str, Any]) -> tuple[str, tuple[str, str], Iterator[dict[str, Any]]]:
    def points() -> Iterator[dict[str, Any]]:
        curve = (figures.get("curves") or {}).get("tippett")
        if not curve:
            return
        for name in ("kin", "unrelated"):
            for x, y in zip(curve["log10_lr"], curve[name], strict=True):
                yield {"x": x, "y": y, "pairs": name}

    return "Tippett plot: close kinship", ("log10 LR above", "share of pairs"), points()


def _det(figures: Mapping[str, Any]) -> tuple[str, tuple[str, str], Iterator[dict[str, Any]]]:
    def points() -> Iterator[dict[str, Any]]:
        curves = (figures.get("curves") or {}).get("det") or {}
        for name, curve in curves.items():
            for x, y in zip(curve["fpr"], curve["fnr"], strict=True):
                yield {"x": x, "y": y, "pairs": name.replace("_", " ")}

    return "Errors at every threshold", ("false alarms", "misses"), points()


def _svg(title: str, axes: tuple[str, str], points: list[dict[str, Any]]) -> str:
    import vl_convert

    x, y = axes
    specification = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": title,
        "width": _SIZE,
        "height": _SIZE,
        "data": {"values": points},
        "mark": {"type": "line", "interpolate": "step-after"},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "title": x},
            "y": {"field": "y", "type": "quantitative", "title": y},
            "color": {"field": "pairs", "type": "nominal"},
            "order": {"field": "x"},
        },
    }
    svg: str = vl_convert.vegalite_to_svg(json.dumps(specification))
    return svg
