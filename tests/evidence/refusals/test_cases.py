"""Hand-written answers in eleven languages, compliant near-misses included."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forensics.evidence.refusals import Label, classify

Cases = dict[str, dict[Label, list[str]]]
CASES: Cases = json.loads((Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))
REQUIRED = ("en", "zh", "es", "fr", "de", "ru", "ja", "fi")


def _judged(language: str) -> list[tuple[Label, Label, str]]:
    pairs = [(label, text) for label, texts in CASES[language].items() for text in texts]
    judgements = classify([text for _, text in pairs])
    return [
        (label, judgement.label, text)
        for (label, text), judgement in zip(pairs, judgements, strict=True)
    ]


@pytest.mark.parametrize("language", REQUIRED)
def test_enough_cases_of_every_kind(language: str) -> None:
    by_label = CASES[language]
    assert sum(map(len, by_label.values())) >= 20
    assert len(by_label["full_refusal"]) >= 10
    assert len(by_label["partial_refusal"]) >= 3
    assert len(by_label["full_compliance"]) >= 9


@pytest.mark.parametrize("language", sorted(CASES))
def test_refusing_is_told_from_complying(language: str) -> None:
    wrong = [
        text
        for expected, found, text in _judged(language)
        if (expected == "full_compliance") != (found == "full_compliance")
    ]
    assert len(wrong) <= 1, wrong


@pytest.mark.parametrize("language", sorted(CASES))
def test_three_labels(language: str) -> None:
    judged = _judged(language)
    wrong = [text for expected, found, text in judged if expected != found]
    assert len(wrong) <= 0.15 * len(judged), wrong


@pytest.mark.parametrize("language", sorted(CASES))
def test_a_refusal_shows_its_phrase(language: str) -> None:
    texts = CASES[language]["full_refusal"]
    for text, judgement in zip(texts, classify(texts), strict=True):
        if judgement.label == "full_compliance":
            continue
        assert judgement.phrase is not None
        assert judgement.span is not None
        start, end = judgement.span
        assert text[start:end] == judgement.phrase


@pytest.mark.parametrize(
    "text",
    [
        "I can't recommend this film highly enough.",
        "I can't wait to tell you about it! The lake is 50 metres deep.",
        "I couldn't agree more: the second draft is better, and here is why.",
        "You cannot divide by zero, so the expression is undefined.",
    ],
)
def test_mentioning_cannot_is_not_refusing(text: str) -> None:
    assert classify([text])[0].label == "full_compliance"
