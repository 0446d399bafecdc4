"""Change in shared manner against a model's own past, on the shipped cohort of repeats."""

from __future__ import annotations

import pytest

from forensics.case.details.shift import ShiftDetails
from forensics.case.evidence import Evidence
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.finding import find_cohort
from forensics.cohorts.manner_shift import InCohort, manner_shift, release_order
from forensics.cohorts.placed import place_member
from forensics.cohorts.steps import own_steps


@pytest.fixture(scope="module")
def puzzles() -> Cohort:
    return find_cohort("misguided-attention")


def shift(cohort: Cohort, known: str, questioned: str, *bases: str) -> Evidence:
    a, b, *pasts = (InCohort(place_member(name, cohort)) for name in (known, questioned, *bases))
    return manner_shift(a, b, pasts, cohort)


def details(evidence: Evidence) -> ShiftDetails:
    assert isinstance(evidence.details, ShiftDetails), evidence.reason
    return evidence.details


def test_documented_students_point_to_their_teacher_and_not_to_others(puzzles: Cohort) -> None:
    for student, past in (
        ("DeepHermes-3-Mistral-24B-Pre", "mistral-small-3"),
        ("ll3.3-nemotron-49b-v1-thk", "llama-3.3-70b-instruct"),
    ):
        of_teacher = details(shift(puzzles, "deepseek-r1", student, past))
        assert of_teacher.reading == "points"
        assert of_teacher.least.share > 0.4 > 0.0 > of_teacher.least.past
        assert of_teacher.others is not None
        assert of_teacher.others.less == of_teacher.others.models >= 30
        for other in ("claude-3.7-sonnet", "gpt-4o-2024-11-20", "command-a-03-2025"):
            assert details(shift(puzzles, other, student, past)).reading == "silent"


def test_a_release_after_another_and_another_setting_point_to_nobody(puzzles: Cohort) -> None:
    for later, past in (
        ("claude-sonnet-4", "claude-3.7-sonnet"),
        ("qwen3-30b-a3b-think", "qwen3-30b-a3b-nothink"),
    ):
        assert details(shift(puzzles, "deepseek-r1", later, past)).reading == "silent"


def test_change_is_the_difference_of_two_shares_with_its_interval(puzzles: Cohort) -> None:
    evidence = shift(puzzles, "deepseek-r1", "QwQ-32b", "qwen-max")
    least = details(evidence).least
    assert least.change == pytest.approx(least.share - least.past, abs=2e-4)
    assert least.low < least.change < least.high
    scores = [entry.score for entry in evidence.per_prompt]
    assert sum(scores) / len(scores) == pytest.approx(least.change, abs=1e-3)


def test_pasts_must_agree(puzzles: Cohort) -> None:
    """Against a past that had r1's manner already nothing changed."""
    student = "DeepHermes-3-Mistral-24B-Pre"
    found = details(shift(puzzles, "deepseek-r1", student, "mistral-small-3", "QwQ-32b"))
    assert found.reading == "disagree"
    assert found.least.base == "QwQ-32b"


def test_a_questioned_model_that_came_first_learned_nothing(puzzles: Cohort) -> None:
    assert details(shift(puzzles, "QwQ-32b", "deepseek-r1", "DeepSeek-V3")).reading == "too_early"
    assert release_order("2025-03", "2025-01") == "before"
    assert release_order("", "2025-01") == "unknown"


@pytest.mark.parametrize("base", ["QwQ-32b", "deepseek-r1"])
def test_a_base_that_is_one_of_the_two_is_refused_by_name(puzzles: Cohort, base: str) -> None:
    evidence = shift(puzzles, "deepseek-r1", "QwQ-32b", base)
    assert evidence.status == "insufficient"
    assert base in evidence.reason and "--base" in evidence.reason


def test_models_asked_once_are_to_be_asked_again() -> None:
    evidence = shift(find_cohort("alpaca-eval"), "vicuna-33b-v1.3", "vicuna-13b", "vicuna-7b")
    assert evidence.status == "insufficient"
    assert "--samples 3" in evidence.reason and "vicuna-7b 0" in evidence.reason


def test_own_steps_have_no_documented_teacher(puzzles: Cohort) -> None:
    facts = list(puzzles.facts.values())
    steps = own_steps(puzzles.facts)
    assert len(steps) > 50
    for step in steps:
        model, past = facts[step.model], facts[step.base]
        same = model.weights_id.casefold() == past.weights_id.casefold()
        assert step.setting == same
        assert same or (model.developer == past.developer and not model.teachers)
