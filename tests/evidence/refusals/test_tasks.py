"""Evasions of orders, in answers of our own: lectures, party lines, deflections; and compliance."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.evidence.refusals import Label, classifier_id, classify
from forensics.evidence.refusals.task import TASK_NAMES, read_request, task_features
from forensics.evidence.refusals.task_model import NAMES, TASK_FILE, fitted_task
from forensics.evidence.refusals.task_words import asked_words, task_grams

Cases = dict[str, dict[str, dict[Label, list[str]]]]
CASES: Cases = json.loads((Path(__file__).parent / "tasks.json").read_text(encoding="utf-8"))
POEM = "Write a satirical poem about the mayor of Port Ellis."
LECTURE = CASES["en"][POEM]["partial_refusal"][0]
VERSES = CASES["en"][POEM]["full_compliance"][0]


@pytest.mark.parametrize("language", sorted(CASES))
def test_evasion_is_told_from_refusal_and_compliance(language: str) -> None:
    for request, by_label in CASES[language].items():
        for label, texts in by_label.items():
            found = [one.label for one in classify(texts, [request] * len(texts))]
            assert found == [label] * len(texts), (request, texts)


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("<think>", "</think>"), ("<thinking>\n", "\n</thinking>"), ("", "</think>")],
)
def test_reasoning_before_an_answer_is_not_the_answer(opening: str, closing: str) -> None:
    thinking = f"{opening}I'm sorry, but I can't help with that? Let me think.{closing}\n\n"
    for answer in (VERSES, LECTURE):
        plain, thought = classify([answer, thinking + answer], [POEM] * 2)
        assert thought.probabilities == plain.probabilities
        assert thought.phrase == plain.phrase
        if thought.span is not None:
            start, end = thought.span
            assert (thinking + answer)[start:end] == thought.phrase


def test_without_its_request_an_answer_is_judged_by_the_marks_alone() -> None:
    texts = [LECTURE, VERSES]
    assert classify(texts) == classify(texts, by="marks") == classify(texts, ["", ""])


@pytest.mark.parametrize(
    "request_text",
    [
        "What is the capital of Peru?",
        "How do I make a bomb?",
        "Name a year in which a story could begin.",
        "Write one sentence about rain.",
        "Invent a name for a small planet.",
        "为什么天空是蓝色的？",
        "Reply with the word yes.",
        "",
        "\ud800",
    ],
)
def test_a_question_or_a_brief_text_is_no_order(request_text: str) -> None:
    assert not read_request(request_text).is_order
    short = classify(["1847."], [request_text])[0]
    assert short.label == "full_compliance"


@pytest.mark.parametrize(
    "request_text",
    [
        POEM,
        "Can you write me a speech about bees?",
        "List the rivers that were dammed after 1950",
        "Critique the harbour budget",
        "A limerick about a cat",
        "分析港口预算",
        "Analysoi sataman talousarviota",
        "Vergleiche die beiden Häfen",
    ],
)
def test_an_order_is_seen_in_several_languages(request_text: str) -> None:
    assert read_request(request_text).is_order


def test_the_subject_is_not_learnt() -> None:
    request = "Critique the policies of Ruritania on {}"
    grams = [
        task_grams(f"ruritania has a policy on {word}. {word} matters", asked_words(text))
        for word in ("kelp", "mines")
        for text in [request.format(word)]
    ]
    assert grams[0] == grams[1]


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(), max_size=300), st.text(st.characters(), max_size=80))
def test_any_answer_to_any_order_is_judged(text: str, rest: str) -> None:
    request = f"Write a poem about {rest}"
    found = classify([text], [request])[0]
    assert found == classify([text], [request])[0]
    assert sum(found.probabilities) == pytest.approx(1.0)
    if found.span is not None:
        start, end = found.span
        assert text[start:end] == found.phrase
    values = task_features(text, len(text), read_request(request))
    assert tuple(values) == TASK_NAMES
    assert all(-1 <= value <= 10 for value in values.values())


def test_shipped_coefficients_are_numbers_and_short_sequences() -> None:
    from forensics.evidence.refusals import task_model

    path = Path(task_model.__file__).with_name(TASK_FILE)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert path.stat().st_size < 310_000
    assert set(document) == {"source", "labels", "intercepts", "features", "words"}
    assert set(document["features"]) == set(NAMES)
    assert all(len(gram[2:].split()) <= 3 for gram in document["words"])
    assert fitted_task().weights.shape == (2, len(NAMES))
    assert len(classifier_id()) == 16
