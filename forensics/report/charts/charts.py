"""Where a pair falls, per kind of evidence: its score, or its score among a cohort's pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from forensics.case.evidence import Evidence, ReferenceScores
from forensics.report import view
from forensics.report.charts.drawing import draw, label, labelled, layer, specification
from forensics.support.numbers import counted, number

# Positions on the y scale: what is drawn in each row of the chart of a score.
_SCORE_ROW = 16
_HEIGHT = 62
# The same for the chart of distributions: where each one stands, and how high it may be.
_STANDS = {"related": 54, "unrelated": 110}
_BAR = 34
_PAIR_ROW = 126
_TALL = 138


def score_chart(evidence: Evidence, path: str, name: str = "distribution") -> Markup:
    """Return the SVG of one comparator's score, interval and noise floor.

    With the cohort's pairs (`Evidence.reference`) these stand behind it as distributions, without
    them the scores on single prompts.

    Args:
        evidence: measured evidence; without a score there is nothing to draw.
        path: where the evidence lies in the case, for `data-case` and the ids.
        name: of the kind of chart, where a page shows the same one twice.

    Returns:
        An `<svg role="img">` with title and description, or nothing without a score.
    """
    if evidence.score is None:
        return Markup()
    words = chart_words(evidence)
    if not view.has_reference(evidence):
        layers = [_prompt_ticks(evidence), *_floors(evidence, 34), *_score(evidence, _SCORE_ROW)]
        svg = draw(specification(layers, _HEIGHT))
        return labelled(svg, path, "score", "Score, interval and noise floor", words)
    layers = [
        *_distributions(evidence.reference),
        *_floors(evidence, _TALL),
        _pair_line(evidence.score),
        *_score(evidence, _PAIR_ROW),
    ]
    # Distributions far from zero would shrink to a spike if the scale had to reach it.
    for drawn_layer in layers:
        drawn_layer["encoding"]["x"].get("scale", {})["zero"] = False
    svg = draw(specification(layers, _TALL))
    return labelled(svg, path, name, "This pair among pairs whose relation is known", words)


def chart_words(evidence: Evidence) -> str:
    """Return what the chart shows, in words."""
    parts = [f"Score {number(evidence.score)}"]
    interval, floor = evidence.interval, evidence.noise_floor
    if interval:
        level = f"{interval.level * 100:g} %"
        low, high = number(interval.low), number(interval.high)
        parts.append(f"{level} interval {low} to {high}")
    if floor:
        parts.append(f"noise floor A {number(floor.a)}, B {number(floor.b)}")
    scores = _single_prompts(evidence)
    if view.has_reference(evidence):
        parts.append(view.among_pairs(evidence))
    elif scores:
        lowest, highest = number(min(scores)), number(max(scores))
        parts.append(f"{len(scores)} prompts from {lowest} to {highest}")
    return "; ".join(parts) + "."


def _single_prompts(evidence: Evidence) -> list[float]:
    """Return the per-prompt scores where they can lie on the score's own scale.

    A score beyond all of them is no average of theirs: it was standardised afterwards.
    """
    scores = [entry.score for entry in evidence.per_prompt]
    is_within = bool(scores) and min(scores) <= (evidence.score or 0.0) <= max(scores)
    return scores if is_within else []


def _prompt_ticks(evidence: Evidence) -> dict[str, Any]:
    # One path for all, a comb that stands on the axis: as marks of their own, a hundred prompts of
    # a dozen comparators would take a fifth of the page.
    mark = {"type": "line", "color": "var(--muted)", "opacity": 0.5, "strokeWidth": 1.5}
    scores = sorted(_single_prompts(evidence))
    values = [
        {"x": score, "y": y, "order": 3 * place + step}
        for place, score in enumerate(scores)
        for step, y in enumerate((_HEIGHT, _HEIGHT - 18, _HEIGHT))
    ]
    y = {"field": "y", "type": "quantitative", "scale": None, "axis": None}
    return layer(mark, values, y=y, order={"field": "order"})


def _floors(evidence: Evidence, bottom: int) -> list[dict[str, Any]]:
    floor = evidence.noise_floor
    if floor is None:
        return []
    layers: list[dict[str, Any]] = []
    for letter, value, colour in (("A", floor.a, "var(--a)"), ("B", floor.b, "var(--b)")):
        rule = {"type": "rule", "color": colour, "strokeDash": [5, 3], "strokeWidth": 2}
        # The letters stand on either side of the line, so that close floors stay readable.
        shift = -5 if (letter == "A") == (floor.a <= floor.b) else 5
        mark = label(letter, colour, fontWeight="bold", baseline="bottom", dx=shift)
        layers.append(layer(rule, [{"x": value}], y={"value": 0}, y2={"value": bottom}))
        layers.append(layer(mark, [{"x": value}], y={"value": -2}))
    return layers


def _score(evidence: Evidence, row: int) -> list[dict[str, Any]]:
    layers: list[dict[str, Any]] = []
    if evidence.interval:
        values = [{"x": evidence.interval.low, "x2": evidence.interval.high}]
        rule = {"type": "rule", "color": "var(--accent)", "strokeWidth": 4, "strokeCap": "round"}
        layers.append(layer(rule, values, x2={"field": "x2"}, y={"value": row}))
    point = {"type": "point", "filled": True, "color": "var(--accent)", "size": 110, "opacity": 1}
    layers.append(layer(point, [{"x": evidence.score or 0.0}], y={"value": row}))
    return layers


def _pair_line(score: float) -> dict[str, Any]:
    rule = {"type": "rule", "color": "var(--accent)", "strokeWidth": 2}
    return layer(rule, [{"x": score}], y={"value": 0}, y2={"value": _PAIR_ROW})


def _distributions(reference: ReferenceScores | None) -> list[dict[str, Any]]:
    if reference is None:
        return []
    rows = (
        ("related", "close relatives", reference.related, "var(--kin)"),
        ("unrelated", "unrelated", reference.unrelated, "var(--other)"),
    )
    layers: list[dict[str, Any]] = []
    for name, words, counts, colour in rows:
        stand = _STANDS[name]
        bars = _bars(reference.edges, counts, stand)
        pixels = {"type": "quantitative", "scale": None, "axis": None}
        layers.append(
            layer(
                {"type": "rect", "color": colour},
                bars,
                x2={"field": "x2"},
                y={"field": "y", **pixels},
                y2={"field": "y2"},
            )
        )
        said = label(f"{words}, {counted(sum(counts), 'pair')}", "var(--muted)", align="left")
        layers.append(_words(said, stand - _BAR - 11))
    return layers


def _bars(edges: Sequence[float], counts: Sequence[int], stand: int) -> list[dict[str, float]]:
    most = max(max(counts, default=0), 1)
    return [
        {"x": low, "x2": high, "y": stand, "y2": round(stand - _BAR * count / most, 2)}
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
        if count
    ]


def _words(mark: dict[str, Any], y: int) -> dict[str, Any]:
    encoding = {"x": {"value": 0}, "y": {"value": y}}
    return {"data": {"values": [{}]}, "mark": mark, "encoding": encoding}
