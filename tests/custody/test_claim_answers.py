"""A claim is answered by the question that it comes to; only weights contradict."""

from __future__ import annotations

import itertools

import pytest

from forensics.case.evidence import Evidence
from forensics.case.questions import AnswerWord, ClaimAnswer, NextStep, Question, QuestionAnswer
from forensics.custody.claim_answers import claim_answers
from forensics.custody.claim_wording import material_words
from forensics.custody.claims import KINDS, claim, kind_of

WEIGHTS = Evidence(comparator="weights_units", title="Units", tier="weights", status="ok", n=4)
STEP = NextStep(material="weights", commands=("forensics compare A B --tiers weights",))


def _answers(by: str = "likeness", **words: AnswerWord) -> list[QuestionAnswer]:
    usual: dict[Question, AnswerWord] = {
        "one_model": "cannot be told",
        "close_relatives": "cannot be told",
        "learned": "cannot be told",
        "independent": "cannot be told",
    }
    return [
        QuestionAnswer(
            question=question,
            answer=words.get(question, usual[question]),
            evidence=(by,),
            reasons=(f"Why {question}.",),
            next_step=STEP if question not in words else None,
        )
        for question in usual
    ]


def _answered(kind: str, answers: list[QuestionAnswer]) -> ClaimAnswer:
    (found,) = claim_answers([claim("B is A", kind, "a post", "2026-01-02")], answers, [WEIGHTS])
    return found


@pytest.mark.parametrize(
    ("kind", "by", "words", "said"),
    [
        ("fine-tuned", "likeness", {"close_relatives": "supported"}, "supported"),
        ("fine-tuned", "likeness", {"close_relatives": "speaks against"}, "cannot be told"),
        ("fine-tuned", "weights_units", {"close_relatives": "contradicted"}, "contradicted"),
        ("same-model", "shared_manner", {"one_model": "indistinguishable"}, "supported"),
        ("same-model", "shared_manner", {"one_model": "not one model"}, "cannot be told"),
        ("same-model", "weights_units", {"one_model": "not one model"}, "contradicted"),
        ("distilled", "likeness", {"close_relatives": "supported"}, "cannot be told"),
        ("distilled", "mutual_fit", {"learned": "supported"}, "supported"),
        ("distilled", "mutual_fit", {"learned": "points to it"}, "cannot be told"),
        ("copied-weights", "likeness", {"close_relatives": "supported"}, "cannot be told"),
        ("copied-weights", "weights_units", {"close_relatives": "supported"}, "supported"),
        ("trained-from-scratch", "likeness", {"close_relatives": "supported"}, "cannot be told"),
        ("trained-from-scratch", "weights_units", {"close_relatives": "supported"}, "contradicted"),
        (
            "trained-from-scratch",
            "weights_units",
            {"independent": "no sign of kinship"},
            "cannot be told",
        ),
    ],
)
def test_what_claims_come_to(kind: str, by: str, words: dict, said: str) -> None:
    found = _answered(kind, _answers(by, **words))
    assert (found.claim, found.answer) == ("B is A", said)
    assert found.reason


def test_only_weights_contradict_any_claim() -> None:
    every: tuple[AnswerWord, ...] = (
        "indistinguishable",
        "not one model",
        "supported",
        "contradicted",
        "not supported",
        "no",
    )
    for kind, (first, second) in itertools.product(KINDS, itertools.product(every, every)):
        words = {"one_model": first, "close_relatives": second, "independent": second}
        found = _answered(kind, _answers("likeness", **words))
        assert found.answer != "contradicted", (kind, first, second)


def test_a_claim_that_nothing_here_can_test_says_so_and_what_would() -> None:
    found = _answered("terms-broken", _answers(close_relatives="supported"))
    assert (found.question, found.answer) == (None, "cannot be told")
    assert found.next_step is not None and "API logs" in found.next_step.material
    assert "not testable" in material_words(KINDS["terms-broken"])


def test_what_cannot_be_told_says_what_would_settle_it() -> None:
    found = _answered("fine-tuned", _answers())
    assert found.next_step == STEP
    last = _answered("distilled", _answers(learned="cannot be told"))
    assert last.next_step is not None and "API logs" in last.next_step.material


def test_claims_frozen_before_kinds_were_recorded_are_known_by_what_they_need() -> None:
    for name in ("distilled", "trained-from-scratch", "terms-broken"):
        old = claim("B is A", name, "a post", "2026-01-02").model_copy(update={"kind": ""})
        assert kind_of(old) == KINDS[name]


def test_a_case_without_answers_answers_no_claim() -> None:
    assert claim_answers([claim("B is A", "distilled", "a post", "2026-01-02")], [], []) == ()


def test_kinds_are_testable_only_where_this_version_can_support_them() -> None:
    assert [name for name, kind in KINDS.items() if kind.testable] == [
        "related",
        "same-model",
        "fine-tuned",
    ]
    assert material_words(KINDS["distilled"]) == (
        "testable from token probabilities and weights, not from answers alone"
    )
