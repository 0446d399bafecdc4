"""The answers of a case in words: plain, and never more than was measured."""

from __future__ import annotations

import itertools
import re

import pytest

import forensics
from forensics.case.answer_labels import LABELS, SHORT_QUESTIONS, label
from forensics.case.details.shared_manner import MannerDetails
from forensics.case.document import Case, CopyTripwire, Overlap, case_to_json
from forensics.case.evidence import Evidence, Interval, NoiseFloor
from forensics.case.questions import QuestionAnswer
from forensics.custody.blinding import blinded
from forensics.verdicts.answer_records import answers_of
from forensics.verdicts.ratio_wording import times
from forensics.verdicts.verdict import decide, decide_in_cohort
from tests.report.sample_calibrated import likeness
from tests.report.sample_case import sample_case

CASE: Case = sample_case(4)
SHARED = Overlap(a=60, b=60, both=60)
QUIET = CopyTripwire(identical=0, compared=50, limit=10, min_chars=200, tripped=False)
COPIED = QUIET.model_copy(update={"identical": 40, "tripped": True})
# What a judge or a journalist would have to look up; commands are left aside.
TERMS = re.compile(
    r"proposition|cllr|\btiers?\b|log10|e-value|cohort|screening|stolen|unauthori|secret", re.I
)


def _tested(tier: str, p_value: float) -> Evidence:
    return Evidence(
        comparator=f"{tier}_test",
        title=tier.title(),
        tier=tier,
        status="ok",
        scale="x",
        score=0.5,
        n=7,
        p_value=p_value,
    )


def _tensors(identical: int) -> Evidence:
    return Evidence(
        comparator="weights_tensors",
        title="Identical tensors",
        tier="weights",
        status="ok",
        scale="x",
        score=identical / 10,
        n=10,
        details={
            "identical_tensors": identical,
            "tensors_b": 10,
            "identical_weights": identical * 100,
            "direction_reason": "",
            "architecture_a": "a",
            "architecture_b": "a",
        },
    )


def _repeated(kind: int, high: float) -> Evidence:
    return Evidence(
        comparator=f"kind_{kind}",
        title=f"Kind {kind}",
        status="ok",
        scale="x",
        score=high - 0.1,
        interval=Interval(low=high - 0.2, high=high),
        noise_floor=NoiseFloor(a=0.6, b=0.6, method="repeat_samples"),
        n=60,
    )


def _ratio(value: float, learned: float | None = None, **error: int) -> Evidence:
    found = likeness(value)
    bounds = (-2.0, max(value, 1.0))
    details = found.details.written() | {
        "log10_lr_interval": [value - 0.4, value],
        "log10_lr_bounds": bounds,
        "error_at_score": {"pairs": 2551, **error} if error else None,
        "log10_lr_learned": learned,
    }
    return found.model_validate(found.model_dump() | {"details": details})


def _answers(*evidence: Evidence, tripwire: CopyTripwire = QUIET) -> dict[str, QuestionAnswer]:
    found = answers_of(decide(evidence, SHARED, tripwire), evidence, CASE.a, CASE.b)
    return {answer.question: answer for answer in found}


WEIGHTS = (None, 1e-20, 1e-3, 0.4)
SIGNS = list(
    itertools.product(
        WEIGHTS,
        WEIGHTS,
        (None, 0, 4, 10),
        ((None, None), (-1.14, None), (0.5, 0.2), (1.93, 1.7), (1.93, 0.6), (1.93, None)),
        (None, 0.3, 0.9),
        (0, 1),
    )
)


def test_no_answer_holds_a_term_of_art_or_an_accusation() -> None:
    seen = set()
    for weights, probabilities, tensors, (ratio, learned), floor, copied in SIGNS:
        evidence = [
            *([_tested("weights", weights)] if weights else []),
            *([_tested("logprobs", probabilities)] if probabilities else []),
            *([_tensors(tensors)] if tensors is not None else []),
            *([_repeated(kind, floor) for kind in range(3)] if floor else [_repeated(0, 0.2)]),
            *([_ratio(ratio, learned)] if ratio is not None else []),
        ]
        for answer in _answers(*evidence, tripwire=COPIED if copied else QUIET).values():
            line = label(answer.answer, answer.strength)
            said = [line, answer.brief, *answer.reasons]
            assert len(f"{SHORT_QUESTIONS[answer.question]} {line}: {answer.brief}") <= 76
            assert answer.brief or answer.answer == "no"
            said += [answer.next_step.material, answer.next_step.cost] if answer.next_step else []
            assert answer.reasons
            seen.add((answer.question, answer.answer))
            assert not [line for line in said if TERMS.search(line)]
            assert all(line.endswith(".") for line in answer.reasons)
    assert {answer for _, answer in seen} == set(LABELS)


def test_an_unrelated_pair_is_told_by_how_many_unrelated_lineages_score_higher() -> None:
    found = _answers(
        _repeated(0, 0.2), _ratio(-1.14, pairs_in_error=2400, clusters=84, clusters_in_error=81)
    )
    related = found["close_relatives"]
    assert label(related.answer) == "not supported"
    assert related.reasons[0] == "81 of 84 unrelated lineages score higher."
    assert related.reasons[1].startswith(
        "A similarity this low is 14 times as likely between unrelated models"
    )
    assert (related.log10_lr, related.evidence) == (-1.14, ("likeness",))
    assert found["independent"].answer == "no sign of kinship"
    assert "known cases" in found["independent"].reasons[0]


def test_support_says_how_many_times_and_names_the_rivals_that_were_not_weighed() -> None:
    ratio = _ratio(1.9345, 1.756, pairs_in_error=0, clusters=84, clusters_in_error=0)
    related = _answers(_repeated(0, 0.2), ratio)["close_relatives"]
    assert (related.answer, related.strength) == ("supported", "moderate")
    assert label(related.answer, related.strength) == "supported, moderately"
    assert related.reasons[0] == (
        "A similarity this high is 86 times as likely between relatives as between unrelated "
        "models (the most that 84 lineages can show)."
    )
    assert "same_base" in related.not_weighed
    assert "common_teacher" not in related.not_weighed
    assert (related.log10_lr, related.log10_lr_rival) == (1.9345, 1.756)
    assert related.reasons[1] == (
        "It is 57 times as likely between relatives as between models that learned from one "
        "another's answers."
    )


@pytest.mark.parametrize(
    ("learned", "said"),
    [
        (None, "How similar models become by learning from one another's answers is not known"),
        (-0.2, "Models that learned from one another's answers are just as similar."),
        (0.6, "It is only 4 times as likely between relatives as between models that learned"),
    ],
)
def test_likeness_that_learning_explains_as_well_is_not_called_kinship(
    learned: float | None, said: str
) -> None:
    found = _answers(_repeated(0, 0.2), _ratio(1.9345, learned))
    related = found["close_relatives"]
    assert (related.answer, related.strength) == ("points to it", "moderate")
    assert label(related.answer, related.strength) == "relatives, or one learned from the other"
    assert "text cannot tell" in related.reasons[0]
    assert related.reasons[1].startswith(said)
    assert (found["learned"].answer, found["independent"].answer) == ("points to it", "no")


def test_a_documented_student_is_not_called_a_relative_and_a_fine_tune_is() -> None:
    taught = forensics.compare("cohort:phi-4-reasoning-plus", "cohort:o3-mini")
    assert _said(taught) == ("points to it", "points to it", "no")
    tuned = forensics.compare("cohort:Meta-Llama-3-8B-Instruct", "cohort:REBEL-Llama-3-8B-Instruct")
    assert _said(tuned) == ("supported", "cannot be told", "no")


def _said(case: Case) -> tuple[str, ...]:
    return tuple(answer.answer for answer in case.verdict.answers[1:])


def test_weights_that_contradict_kinship_say_what_was_compared_and_would_have_been_seen() -> None:
    related = _answers(_tensors(0), _tested("weights", 0.4))["close_relatives"]
    assert related.answer == "contradicted"
    assert related.reasons[0] == (
        "Neither was made from the other: their weights agree no more than expected by chance in "
        "1 test (weights)."
    )
    assert "would have been detected" in related.reasons[1]


def test_one_sample_asks_for_three_with_the_command_that_would_answer() -> None:
    found = _answers(_repeated(0, 0.2), _ratio(-1.14))["one_model"]
    assert (found.answer, "--samples 3 is needed" in found.reasons[0]) == ("cannot be told", True)
    assert found.next_step is not None
    (command,) = found.next_step.commands
    assert command.startswith("forensics compare ") and command.endswith(
        "--samples 3 --temperature 0.7"
    )
    assert found.next_step.cost == "360 answers (60 prompts, 3 times, 2 models)"


def test_repeats_far_below_a_models_likeness_to_itself_are_not_one_model() -> None:
    apart = _answers(*(_repeated(kind, 0.3) for kind in range(3)))["one_model"]
    assert (apart.answer, "In 3 of 3 kinds" in apart.reasons[0]) == ("not one model", True)
    near = _answers(*(_repeated(kind, 0.9) for kind in range(3)))["one_model"]
    assert near.answer == "cannot be told"


def test_copies_are_one_model_and_a_cache_is_named() -> None:
    found = _answers(_repeated(0, 0.9), tripwire=COPIED)
    assert found["one_model"].answer == "indistinguishable"
    assert "cache or a proxy" in " ".join(found["one_model"].reasons)
    assert found["close_relatives"].answer == "supported"
    assert found["independent"].answer == "no"


@pytest.mark.parametrize("met", [True, False])
def test_outside_the_population_and_unjudged_pairs_are_told_in_plain_words(met: bool) -> None:
    found = likeness(1.0)
    conditions = [{"met": met, "text": "the cohort's screening"}]
    details = found.details.written() | {"conditions": conditions}
    outside = found.model_validate(found.model_dump() | {"details": details})
    unjudged = found.model_copy(update={"status": "insufficient", "reason": "the cohort has none"})
    for judged in (outside, unjudged):
        related = _answers(_repeated(0, 0.2), judged)["close_relatives"]
        assert (met and judged is outside) or related.answer == "cannot be told"
        assert not TERMS.search(" ".join(related.reasons))


def test_a_cohorts_own_models_are_answered_too() -> None:
    ratio = _ratio(-1.14)
    found = answers_of(decide_in_cohort(ratio, SHARED, QUIET), [ratio], CASE.a, CASE.b)
    assert [answer.question for answer in found] == [
        "one_model",
        "close_relatives",
        "learned",
        "independent",
    ]


@pytest.mark.parametrize(
    ("log10_lr", "said"),
    [(0.0, "1"), (0.643, "4.4"), (1.14, "14"), (1.9345, "86"), (3.09, "1,200"), (-1.3, "20")],
)
def test_numbers_are_plain(log10_lr: float, said: str) -> None:
    assert times(log10_lr) == said


def test_two_settings_of_one_model_of_a_cohort_are_told_to_be_one() -> None:
    case = forensics.compare("cohort:gemini-2.5-pro-high", "cohort:gemini-2.5-pro-low")
    answers = {answer.question: answer for answer in case.verdict.answers}
    assert answers["one_model"].answer == "indistinguishable"
    assert "near relatives" in " ".join(answers["one_model"].reasons)
    assert answers["close_relatives"].answer == "supported"
    assert answers["independent"].answer == "no"


def test_unrelated_models_of_a_cohort_are_neither_one_nor_kin() -> None:
    case = forensics.compare("cohort:command-a-03-2025", "cohort:olmo-2-0325-32b")
    answers = {answer.question: answer.answer for answer in case.verdict.answers}
    assert answers["one_model"] == "not one model"
    assert answers["close_relatives"] in ("speaks against", "not supported")
    assert answers["independent"] != "no"


def test_a_blind_case_does_not_name_the_near_relatives() -> None:
    case = forensics.compare("cohort:gemini-2.5-pro-high", "cohort:gemini-2.5-pro-low")
    (details,) = (e.details for e in case.evidence if isinstance(e.details, MannerDetails))
    text = case_to_json(blinded(case))
    assert "[ANOTHER MODEL]" in text
    for foil in details.one_model.foils:
        assert foil.a not in text
        assert foil.b not in text
