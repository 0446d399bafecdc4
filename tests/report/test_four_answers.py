"""Every format begins with the claim, word for word, and shows the answers."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from forensics.case.document import Case, CasePlan, case_to_json
from forensics.custody.claim_answers import claim_answers
from forensics.custody.claims import claim
from forensics.report.csv import CsvReport
from forensics.report.cyclonedx import CycloneDxReport
from forensics.report.four_answers import shown_answers, shown_claims
from forensics.report.html.html import HtmlReport
from forensics.report.junit import JunitReport
from forensics.report.markdown import MarkdownReport
from forensics.report.step_summary import StepSummaryReport
from forensics.report.terminal import TextReport
from forensics.verdicts.answer_records import answers_of
from forensics.verdicts.verdict import decide
from tests.report.parsed import parse
from tests.report.sample_calibrated import likeness, plan
from tests.report.sample_case import sample_case

CLAIM = "B was distilled from A"
TERMS = re.compile(r"proposition|cllr|\btiers?\b|log10|e-value|cohort|screening", re.I)


def answered_case(*, claimed: bool = True) -> Case:
    """Return a case of an unrelated pair with answers, and with a claim of distillation."""
    case = sample_case(12)
    ratio = likeness(-1.14)
    error = {"pairs": 2551, "pairs_in_error": 2400, "clusters": 84, "clusters_in_error": 81}
    details = ratio.details.written() | {"error_at_score": error, "log10_lr_bounds": [-2.0, 1.9]}
    judged = ratio.model_validate(ratio.model_dump() | {"details": details})
    evidence = (*case.evidence, judged)
    decision = decide(evidence, case.overlap, case.copy_tripwire)
    answers = answers_of(decision, evidence, case.a, case.b)
    changes: dict[str, Any] = {
        "evidence": evidence,
        "verdict": case.verdict.model_copy(update={"answers": answers}),
    }
    if claimed:
        claims = (claim(CLAIM, "distilled", "a post", "2026-01-02"),)
        found = claim_answers(claims, answers, evidence)
        changes["plan"] = plan().model_copy(update={"claims": claims, "answers": found})
    return case.model_copy(update=changes)


CASE = answered_case()
FORMATS = {
    "text": TextReport(),
    "markdown": MarkdownReport(),
    "html": HtmlReport(),
    "step-summary": StepSummaryReport(),
    "junit": JunitReport(),
    "csv": CsvReport(),
    "cyclonedx": CycloneDxReport(),
}


def _said(name: str, case: Case) -> str:
    text = FORMATS[name].render(case)
    if name == "html":
        text = parse(text).of("main")[0].text
    return " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize("name", ["text", "markdown", "html", "step-summary"])
def test_what_people_read_begins_with_the_claim_and_its_answer(name: str) -> None:
    said = _said(name, CASE)
    order = (CLAIM, "CANNOT BE TOLD FROM THIS MATERIAL", "CLOSE RELATIVES? NOT SUPPORTED")
    place = [said.upper().find(text.upper()) for text in order]
    assert -1 not in place and place == sorted(place)
    assert place[0] < 120
    assert said.find("What would settle it:") > place[1]


@pytest.mark.parametrize("name", ["text", "markdown", "html", "step-summary"])
def test_an_unrelated_pair_is_not_supported_by_the_lineages_that_score_higher(name: str) -> None:
    said = _said(name, answered_case(claimed=False))
    # The heading and its reasons may stand on two lines.
    flat = said.lower().replace("not supported:", "not supported").replace(" !", "")
    assert "not supported 81 of 84 unrelated lineages score higher" in flat
    assert flat.index("not supported") < 200


def test_the_first_screen_holds_no_term_of_art() -> None:
    text = TextReport().render(CASE)
    page = parse(HtmlReport().render(CASE)).of("section")[0].text
    for shown in (text[: text.index("╰")], page):
        assert not TERMS.search(re.sub(r"--[a-z]+", "", shown))  # options of commands


def test_machines_read_the_answers_too() -> None:
    suite = ElementTree.fromstring(JunitReport().render(CASE))
    found = {p.get("name"): p.get("value") for p in suite.iter("property")}
    assert found["answer.close_relatives"] == "not supported"
    rows = list(csv.DictReader(io.StringIO(CsvReport().render(CASE))))
    assert {row["answer.independent"] for row in rows} == {"no sign of kinship"}
    bom = json.loads(CycloneDxReport().render(CASE))
    facts = {p["name"]: p["value"] for p in bom["properties"]}
    assert facts["model-forensics:answer.one_model"] == "cannot be told"
    assert any("Cannot be told" in one["reasoning"] for one in bom["declarations"]["claims"])
    document = json.loads(case_to_json(CASE))
    assert [one["question"] for one in document["verdict"]["answers"]] == [
        "one_model",
        "close_relatives",
        "learned",
        "independent",
    ]
    assert document["plan"]["answers"][0]["answer"] == "cannot be told"


def test_one_model_leads_where_it_is_told() -> None:
    first, *others = CASE.verdict.answers
    answers = (first.model_copy(update={"answer": "indistinguishable"}), *others)
    verdict = CASE.verdict.model_copy(update={"answers": answers})
    lead, *_ = shown_answers(CASE.model_copy(update={"verdict": verdict}))
    assert lead.headline == "Are they one model? INDISTINGUISHABLE FROM ONE MODEL"


def test_what_was_learned_leads_where_the_past_was_given() -> None:
    verdict = CASE.verdict
    learned = verdict.answers[2].model_copy(
        update={"answer": "points to it", "evidence": ("shift",)}
    )
    answers = (*verdict.answers[:2], learned, verdict.answers[3])
    case = CASE.model_copy(update={"verdict": verdict.model_copy(update={"answers": answers})})
    assert shown_answers(case)[0].question == "Did one learn from the other's answers?"
    related = verdict.answers[1].model_copy(update={"answer": "supported"})
    answers = (verdict.answers[0], related, learned, verdict.answers[3])
    case = CASE.model_copy(update={"verdict": verdict.model_copy(update={"answers": answers})})
    assert shown_answers(case)[0].question == "Are they close relatives?"


@pytest.mark.parametrize("name", FORMATS)
def test_cases_of_earlier_versions_have_no_answers_and_render(name: str) -> None:
    old = sample_case(4).model_copy(update={"plan": plan()})
    assert shown_answers(old) == () and shown_claims(old) == ()
    assert "In numbers" not in FORMATS[name].render(old)


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_claims_and_reasons_do_nothing(name: str) -> None:
    hostile = "<script>alert(1)</script>\x1b[2J\ud800::error::x"
    first = CASE.verdict.answers[1].model_copy(update={"reasons": (hostile,)})
    answers = (CASE.verdict.answers[0], first, *CASE.verdict.answers[2:])
    assert isinstance(CASE.plan, CasePlan)
    told = CASE.plan.answers[0].model_copy(update={"claim": hostile, "reason": hostile})
    stated = CASE.plan.claims[0].model_copy(update={"text": hostile})
    case = CASE.model_copy(
        update={
            "verdict": CASE.verdict.model_copy(update={"answers": answers}),
            "plan": CASE.plan.model_copy(update={"claims": (stated,), "answers": (told,)}),
        }
    )
    text = FORMATS[name].render(case)
    assert "\x1b" not in text and "\ud800" not in text
    if name in ("html", "markdown", "step-summary", "junit"):
        assert "<script>alert" not in text
