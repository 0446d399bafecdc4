"""The first screen: both names, the question, the answer, how sure; in words that anybody knows."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console

from forensics.case.document import Case
from forensics.case.questions import QuestionAnswer
from forensics.report.card import render_card
from forensics.report.first_screen import first_screen
from forensics.report.html.html import render_brief, render_html
from forensics.report.terminal_screen import render_screen
from forensics.support.sanitise import visible
from tests.report.answered_case import answered_case
from tests.report.parsed import parse
from tests.report.sample_case import sample_case

_JARGON = re.compile(r"\b(?:proposition|Cllr|tier|log10|e-value|cohort|screening)", re.IGNORECASE)


def _printed(case: Case, width: int = 80) -> str:
    page = StringIO()
    render_screen(case, Console(file=page, width=width, color_system=None, force_terminal=False))
    return page.getvalue()


def _first(case: Case) -> str:
    return next(e.text for e in parse(render_html(case)).of("section"))


@pytest.mark.parametrize("claims", [0, 1, 3])
@pytest.mark.parametrize("width", [80, 60, 200])
def test_a_terminal_shows_the_answer_on_fifteen_lines(claims: int, width: int) -> None:
    lines = _printed(answered_case(claims=claims), width).splitlines()
    assert len(lines) <= 15
    assert max(map(len, lines)) <= min(width, 80)


def test_a_long_answer_is_cut_before_what_would_settle_it() -> None:
    long = QuestionAnswer(
        question="close_relatives",
        answer="supported",
        strength="moderate",
        reasons=("word " * 600,),
        next_step=answered_case().verdict.answers[1].next_step,
    )
    text = _printed(answered_case(long))
    assert len(text.splitlines()) <= 15
    assert "forensics compare hf:a/one hf:b/two --tiers weights" in text
    assert "Independent?" in text


def test_what_is_wrong_with_the_answers_stands_on_the_first_screen() -> None:
    case = answered_case(claims=2)
    changed = f"{'long-' * 9}name.jsonl, line 1: it was edited"
    a = case.a.model_copy(update={"warnings": (changed, "another")})
    case = case.model_copy(update={"a": a})
    assert f"Answers of A: {changed}" in _first(case)
    printed = _printed(case)
    assert len(printed.splitlines()) <= 15
    assert "! Answers of A: long-" in printed


def test_the_page_begins_with_names_question_and_answer() -> None:
    case = answered_case()
    page = parse(render_html(case))
    heading = page.of("h1")[0].text
    for words in (visible(case.a.name), visible(case.b.name), "Are they close relatives?"):
        assert words in heading
    assert "supported, strongly" in heading
    assert page.of("title")[0].text == first_screen(case).title
    current = [e for e in page.of("li") if e.attributes.get("aria-current") == "true"]
    assert [e.text for e in current] == ["strong"]


def test_a_claim_stands_before_all_with_its_answer() -> None:
    case = answered_case(claims=1)
    said = _first(case)
    claim, answer = said.index("B was <i>distilled</i> from A"), said.index("cannot be told")
    assert claim < answer < said.index(visible(case.a.name))
    assert "Are they close relatives?" in parse(render_html(case)).of("h1")[0].text
    assert "the log of what A was asked and answered" in said
    lines = _printed(case).splitlines()
    assert "Claim: " in lines[1]
    assert "CANNOT BE TOLD" in lines[2]


@pytest.mark.parametrize("claims", [0, 1])
def test_the_first_screen_needs_no_dictionary(claims: int) -> None:
    case = answered_case(claims=claims)
    commands = " ".join(first_screen(case).commands)
    names = f"{case.a.name} {case.b.name}"
    for text in (_first(case), _printed(case)):
        assert not _JARGON.search(text.replace(commands, "").replace(names, "")), text


def test_a_case_of_an_earlier_version_has_its_headline_for_an_answer() -> None:
    case = sample_case()
    screen = first_screen(case)
    assert screen.lead.label == case.verdict.headline
    assert screen.others == ()
    assert len(_printed(case).splitlines()) <= 15


def test_the_brief_page_is_the_first_screen_with_its_limits_and_runs_nothing() -> None:
    html = render_brief(answered_case(claims=1))
    page = parse(html)
    assert not page.of("script")
    assert page.of("section")[0].attributes["id"] == "answer"
    assert "The result cannot show how, when or with whose permission" in html
    assert len(html) < 60_000


def test_a_card_names_a_base_only_where_weights_show_one() -> None:
    by_text = answered_case()
    assert "base_model" not in render_card(by_text)
    kin = by_text.verdict.answers[1].model_copy(update={"evidence": ("weights",)})
    a = by_text.a.model_copy(update={"kind": "hf", "spec": "hf:org/base-7b@main"})
    card = render_card(answered_case(kin).model_copy(update={"a": a}))
    assert card.startswith("```yaml\nbase_model: org/base-7b\n")
    hostile = a.model_copy(update={"spec": "hf:org/x: [a]\ny"})
    assert "base_model" not in render_card(answered_case(kin).model_copy(update={"a": hostile}))
