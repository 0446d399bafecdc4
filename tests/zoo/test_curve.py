"""The detection curve's arithmetic, and that a student of nothing else is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from forensics.zoo.build import SMALLEST
from forensics.zoo.curve import Curve, Point, _beyond, detection_curve


def _point(share: float, p_value: float) -> Point:
    return Point(share, 0, 0.0, p_value)


@pytest.mark.parametrize(
    ("p_values", "smallest"),
    [
        ({0.001: 0.5, 0.01: 0.2, 0.1: 0.005, 1.0: 1e-6}, 0.1),
        ({0.001: 0.001, 0.01: 0.2, 0.1: 0.005, 1.0: 1e-6}, 0.1),  # luck below does not count
        ({0.1: 0.5, 1.0: 0.5}, None),
        ({1.0: 1e-6}, 1.0),
    ],
)
def test_the_limit_is_where_detection_begins_and_stays(p_values, smallest):
    curve = Curve(tuple(_point(share, p) for share, p in p_values.items()), ())
    assert curve.smallest == smallest


def test_p_values_among_equals_are_uniform():
    """n = 2000 draws of a gain and five controls from one distribution."""
    dice = np.random.default_rng(0)
    values = [_beyond(draw[0], list(draw[1:])) for draw in dice.normal(3, 0.1, size=(2000, 6))]
    for level in (0.01, 0.05, 0.5):
        hits = sum(p <= level for p in values)
        assert binomtest(hits, len(values), level).pvalue > 1e-3


@pytest.mark.slow
def test_a_student_of_nothing_but_the_teacher_is_found(zoo: dict[str, Path]):
    folder = zoo["tiny-base"].parents[1]
    curve = detection_curve(folder, replace(SMALLEST, steps=160), (0.001, 1.0), lambda _: None)
    assert [point.share for point in curve.points if point.detected] == [1.0]
    assert (folder / "detection_curve.csv").read_text().count("\n") == 8
