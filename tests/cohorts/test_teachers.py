"""What may be said of a subject's teacher: only what holds for the cohort's own models."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np

from forensics.cohorts.lineage.models import ModelFacts, Teacher
from forensics.cohorts.teacher_level import ASSISTANT_STYLE, HeldOut
from forensics.cohorts.teachers import (
    TeacherFinding,
    apart,
    contrasts,
    finding,
    held_out,
    roles,
)

STUDENTS, OTHERS = 20, 40


def _facts(released: str = "2024-05") -> dict[str, ModelFacts]:
    """Give 20 students of one assistant, 40 models that had no teacher, and the assistant."""
    rows = [
        ModelFacts(
            f"s{i}",
            f"s{i}",
            developer=f"ds{i}",
            teachers=(Teacher("big-1", "sft", "high"),),
            teachers_known="listed",
            released=released,
        )
        for i in range(STUDENTS)
    ]
    rows += [
        ModelFacts(
            f"o{i}", f"o{i}", developer=f"do{i}", teachers_known="none known", released=released
        )
        for i in range(OTHERS)
    ]
    rows.append(
        ModelFacts("Big-1-0314", "b", developer="B", teachers_known="none known", released=released)
    )
    return {row.model: row for row in rows}


def _agreement(leaning: float, subject: float) -> np.ndarray:
    """Give cosines in which students are `leaning` more alike, and a subject to students."""
    size = STUDENTS + OTHERS + 2
    noise = np.random.default_rng(0).normal(scale=0.01, size=(size, size))
    found = 0.1 + (noise + noise.T) / 2
    found[:STUDENTS, :STUDENTS] += leaning
    found[-1, :STUDENTS] += subject
    found[:STUDENTS, -1] += subject
    return found


def _finding(
    leaning: float, subject: float, released: str = "2024-06", kin: np.ndarray | None = None
) -> TeacherFinding:
    facts = _facts()
    nobody = np.zeros(len(facts), dtype=bool) if kin is None else kin
    found = finding(
        _agreement(leaning, subject), facts, np.eye(len(facts), dtype=bool), nobody, released
    )
    json.dumps(asdict(found), allow_nan=False)
    return found


def test_roles_are_what_is_documented_and_whoever_taught_others_has_none() -> None:
    known = roles(_facts())
    assert known.students.tolist() == [True] * STUDENTS + [False] * (OTHERS + 1)
    assert known.others.tolist() == [False] * STUDENTS + [True] * OTHERS + [False]


def test_a_model_taught_by_its_own_developers_is_no_student() -> None:
    facts = {
        "Big-1": ModelFacts("Big-1", "Big-1", developer="B"),
        "big-mini": ModelFacts("big-mini", "big-mini", developer="B", teachers=(Teacher("big-1"),)),
        "small": ModelFacts("small", "small", developer="S", teachers=(Teacher("big-1"),)),
        "nameless": ModelFacts("nameless", "nameless", teachers=(Teacher("123"),)),
    }
    assert roles(facts).students.tolist() == [False, False, True, True]


def test_a_contrast_is_the_one_mean_less_the_other() -> None:
    facts = _facts()
    known = roles(facts)
    agreement = np.zeros((1, len(facts)))
    agreement[0, :STUDENTS], agreement[0, STUDENTS : STUDENTS + OTHERS] = 0.5, 0.2
    everybody = np.ones_like(agreement, dtype=bool)
    assert contrasts(agreement, everybody, known).tolist() == [0.3]
    # A model that is everybody's neighbour gains nothing by it.
    assert np.isclose(contrasts(agreement + 0.4, everybody, known)[0], 0.3)
    assert np.isnan(contrasts(agreement, everybody & known.students, known)[0])


def test_nobody_is_held_against_kin_or_models_of_its_own_developer() -> None:
    facts = {
        "a": ModelFacts("a", "a", developer="D"),
        "b": ModelFacts("b", "b", developer="D"),
        "c": ModelFacts("c", "c"),
        "d": ModelFacts("d", "d"),
    }
    excluded = np.eye(4, dtype=bool)
    excluded[2, 0] = True
    found = apart(facts, excluded)
    assert found.tolist() == found.T.tolist()
    assert not found[0, 1]
    assert not found[0, 2]
    assert found[0, 3]
    assert found[2, 3]  # unknown developers are not one developer


def test_where_students_stand_out_a_subject_like_them_is_said_to_be_of_their_style() -> None:
    found = _finding(leaning=0.2, subject=0.2)
    assert found.level == ASSISTANT_STYLE
    assert found.leans
    assert found.statement.startswith(f"Teacher: {ASSISTANT_STYLE}: none of {OTHERS} lineage")
    assert "No model, family or developer is named" in found.statement
    assert (found.held_out.found, found.held_out.others) == (STUDENTS, OTHERS)
    assert found.limit is not None
    assert found.limit < 0.15


def test_a_subject_unlike_students_is_named_no_teacher_and_not_cleared() -> None:
    found = _finding(leaning=0.2, subject=0.0)
    assert (found.level, found.leans) == ("none", False)
    assert "not evidence that it had no teacher" in found.statement


def test_where_students_do_not_stand_out_nothing_is_said_of_anybody() -> None:
    found = _finding(leaning=0.0, subject=0.2)
    assert found.leans
    assert found.level == "none"
    assert not found.held_out.holds
    assert f"{found.held_out.found} of {STUDENTS} documented students" in found.statement
    assert "that does not identify students" in found.statement


def test_only_models_of_the_subjects_time_bound_the_error() -> None:
    for released in ("", "2027-01"):
        found = _finding(leaning=0.2, subject=0.2, released=released)
        assert (found.level, found.leans, found.limit, found.clusters) == ("none", None, None, 0)
        assert "no model of the subject's time" in found.statement


def test_outside_the_population_no_style_is_claimed() -> None:
    facts = _facts()
    nobody = np.zeros(len(facts), dtype=bool)
    agreement = _agreement(0.2, 0.2)
    found = finding(agreement, facts, np.eye(len(facts), dtype=bool), nobody, "2024-06", False)
    assert (found.level, found.leans) == ("none", None)
    assert "outside the validated population" in found.statement


def test_the_subjects_kin_are_left_out() -> None:
    kin = np.zeros(len(_facts()), dtype=bool)
    kin[STUDENTS : STUDENTS + 28] = True
    found = _finding(leaning=0.2, subject=0.2, kin=kin)
    assert found.clusters == OTHERS - 28
    # Twelve clusters, none in error, do not bound it at 20 %.
    assert (found.level, found.leans) == ("none", False)


def test_a_cohort_without_documented_teachers_says_nothing() -> None:
    facts = {f"m{i}": ModelFacts(f"m{i}", f"m{i}", released="2024-01") for i in range(5)}
    nobody = np.zeros(5, dtype=bool)
    found = finding(np.ones((6, 6)), facts, np.eye(5, dtype=bool), nobody, "2024-01")
    assert found.level == "none"
    assert found.held_out == HeldOut(0, 0, 0, 0)
    assert not found.held_out.holds


def test_models_held_out_are_judged_as_subjects_are() -> None:
    facts = _facts()
    agreement = _agreement(0.2, 0.0)
    size = len(facts)
    excluded = np.eye(size, dtype=bool)
    tried = held_out(agreement[:-1, :-1], facts, excluded)
    model = 3
    order = [*range(size), model]
    again = finding(agreement[np.ix_(order, order)], facts, excluded, excluded[model], "2024-05")
    assert again.leans
    assert again.held_out == tried
