"""`trace --base`: which models of a cohort did a subject change towards?"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from forensics import trace
from forensics.cohorts.shift_trace import ShiftTrace
from tests.cli.cli import forensics

_COHORT = "misguided-attention"
_STUDENT = f"cohort:{_COHORT}/ll3.3-nemotron-49b-v1-thk"
_PAST = f"cohort:{_COHORT}/llama-3.3-70b-instruct"


def test_a_documented_students_teacher_is_among_those_named() -> None:
    shift = trace(_STUDENT, bases=[_PAST]).shift
    assert shift is not None
    assert "deepseek-r1" in shift.named
    assert shift.candidates[0].change >= shift.candidates[-1].change
    assert shift.searched > 20
    assert shift.group == ("deepseek-r1", "QwQ-32b")
    assert "stands apart from all others is deepseek-r1, QwQ-32b" in shift.statement
    assert "cannot be told from one another" in shift.statement
    assert {entry.developer for entry in shift.candidates} & {"Meta", "NVIDIA"} == set()


def test_a_release_after_another_names_nobody() -> None:
    subject, past = (
        f"cohort:{_COHORT}/{name}" for name in ("claude-sonnet-4", "claude-3.7-sonnet")
    )
    shift = trace(subject, bases=[past]).shift
    assert shift is not None
    assert (shift.named, shift.group) == ((), ())
    assert "not evidence that it learned from none" in shift.statement


def test_a_group_is_as_narrow_as_the_margin_allows() -> None:
    shift = ShiftTrace(("past",), 30, (), ("a",))
    assert "No group of up to 8 stands apart" in shift.statement
    alone = replace(shift, group=("a",))
    assert "a stands apart from all others" in alone.statement
    assert "cannot be told" not in alone.statement


def test_a_subject_as_its_own_past_and_answers_given_once_are_told_so() -> None:
    same = trace(_STUDENT, bases=[_STUDENT]).shift
    assert same is not None and "same answers" in same.reason
    once = trace("cohort:vicuna-13b", bases=["cohort:vicuna-7b"]).shift
    assert once is not None and "--samples 3" in once.reason


def test_the_verb_prints_a_table_and_json(tmp_path: Path) -> None:
    ran = forensics("trace", _STUDENT, "--base", _PAST, cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert "changed towards" in ran.out and "deepseek-r1" in ran.out
    written = forensics("trace", _STUDENT, "--base", _PAST, "--json", "-", cwd=tmp_path)
    assert "deepseek-r1" in json.loads(written.out)["shift"]["named"]
    without = forensics("trace", _STUDENT, "--json", "-", cwd=tmp_path)
    assert json.loads(without.out)["shift"] is None
