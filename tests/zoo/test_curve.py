"""The detection curve's table, and that a student of nothing else is read as alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from forensics.errors import InputFileError
from forensics.zoo import training
from forensics.zoo.curve import FILE, Design, Point, as_csv, detection_curve, read_points
from studies.detection.false_alarms import FILE as ALARMS
from studies.detection.false_alarms import false_alarms
from studies.detection.study import SIZE, summarised

# Half a minute a model; the study's own take a minute and more.
SHORT = replace(SIZE, steps=300, tuning_steps=30)
POINTS = (
    Point(1, 0.0, 0, -0.004, 0.7, "no", "no"),
    Point(1, 0.001, 200, 0.01, 0.2, "no", "no"),
    Point(1, 1.0, 200_000, 0.25, 2e-8, "no", "yes"),
    Point(2, 1.0, 200_000, None, None, "open", "not_measured"),
)


def test_the_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(as_csv(POINTS))
    assert read_points(tmp_path / FILE) == POINTS


@pytest.mark.parametrize("text", ["", "share\n1\n", as_csv(POINTS).replace("yes", "maybe")])
def test_another_table_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    if not text:
        assert read_points(tmp_path / FILE) == ()
        return
    with pytest.raises(InputFileError, match="not a table of a detection curve"):
        read_points(tmp_path / FILE)


@pytest.mark.parametrize("text", ["a,b\nx,y\n", "a,b,p_value\nx,y,no\n"])
def test_another_table_of_false_alarms_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / ALARMS).write_text(text)
    with pytest.raises(InputFileError, match="not a table of false alarms"):
        false_alarms(tmp_path)


def test_the_summary_counts_students_by_share() -> None:
    strangers = (("a", "b", 0.5), ("a", "c", 0.005), ("b", "c", 0.2))
    found = summarised(POINTS, "2026-11-22", strangers)
    assert (found.pairs, found.alarms) == (3, 1)
    assert [rate.share for rate in found.rates] == [0.0, 0.001, 1.0]
    whole = found.rates[-1]
    assert (whole.n, whole.detected, whole.pointed, whole.alike) == (2, 1, 1, 1)
    assert whole.shares_weights == 0
    assert found.teachers == 2


def test_the_size_told_is_the_models(tmp_path: Path) -> None:
    tokenizer = training.make_tokenizer(tmp_path, SIZE, training.texts("prose", 20_000))
    model = training.untrained(SIZE, tokenizer, 1)
    weights = {k: v for k, v in model.tensors.items() if k != "lm_head.weight"}  # tied
    assert sum(values.numel() for values in weights.values()) == summarised(POINTS, "").weights


def test_the_teachers_own_matter_is_in_no_docstring() -> None:
    prose, own = (training.texts(kind, 200_000) for kind in ("prose", "reference"))
    paragraphs = [part for part in own.split("\n\n") if len(part) > 100]
    assert len(paragraphs) > 100
    assert sum(part in prose for part in paragraphs) == 0


@pytest.mark.slow
@pytest.mark.usefixtures("cache")
def test_a_student_of_nothing_but_the_teacher_shows_and_strangers_do_not(tmp_path: Path) -> None:
    sample = "\n\n".join(
        training.texts(kind, SHORT.tokens // 2) for kind in ("prose", "reference", "code")
    )
    tokenizer = training.make_tokenizer(tmp_path / "tokenizer", SHORT, sample)
    design = Design((1.0,), students=1, controls=7, seed=12)
    (student,) = detection_curve(tmp_path, tokenizer, SHORT, design, lambda _: None)
    assert student.p_value is not None and student.p_value < 0.001, student
    assert (student.weights, student.behaviour) in (("no", "open"), ("no", "yes")), student
    assert read_points(tmp_path / FILE) == (student,)
    pairs = false_alarms(tmp_path)
    assert len(pairs) == 7 * 6 / 2
    assert sum(p_value < 0.01 for *_, p_value in pairs) <= 2
    assert false_alarms(tmp_path) == pairs  # read, not made again
