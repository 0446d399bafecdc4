from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml, Skipped, TestCase, TestSuite

from forensics.case.document import Case, CasePlan
from forensics.case.evidence import Evidence
from forensics.report.junit import JunitReport
from forensics.report.view import UNPLACED
from tests.report.sample_case import HOSTILE, insufficient_case, sample_case


def parsed(case: Case) -> tuple[JUnitXml, dict[str, TestCase]]:
    found = JUnitXml.fromstring(JunitReport().render(case).encode("utf-8"))
    assert isinstance(found, JUnitXml)
    (suite,) = found
    assert isinstance(suite, TestSuite)
    return found, {test.name: test for test in suite}


def test_every_evidence_is_a_test_and_none_fails() -> None:
    case = sample_case()
    found, tests = parsed(case)
    assert list(tests) == ["verdict", *(e.title for e in case.evidence)]
    assert (found.tests, found.failures, found.errors) == (len(case.evidence) + 1, 0, 0)
    unmeasured = [e for e in case.evidence if e.status != "ok"]
    assert found.skipped == len(unmeasured) == 3
    for evidence in case.evidence:
        test = tests[evidence.title]
        assert test.classname == f"forensics.evidence.{evidence.tier}"
        assert [type(one) for one in test.result] == (
            [] if evidence.status == "ok" else [Skipped]
        ), evidence.title
        if evidence.status == "ok":
            assert f"n = {evidence.n} prompts" in str(test.system_out)
            assert evidence.caveats[0] in str(test.system_out)


def test_the_counts_are_those_of_the_tests_inside() -> None:
    for case in (sample_case(), insufficient_case()):
        found, tests = parsed(case)
        skipped = [t for t in tests.values() if any(isinstance(r, Skipped) for r in t.result)]
        assert (found.tests, found.skipped) == (len(tests), len(skipped))


def test_the_verdict_says_both_sides_and_what_it_is_not() -> None:
    said = str(parsed(sample_case())[1]["verdict"].system_out)
    assert f"{UNPLACED.lower()}: phrasing: Shared phrasing is above the noise floor." in said
    assert "against: style: Writing habits differ" in said
    assert "The result is a measurement of similarity, not a likelihood ratio" in said


def test_too_little_data_skips_the_verdict() -> None:
    (result,) = parsed(insufficient_case())[1]["verdict"].result
    assert isinstance(result, Skipped)
    assert result.message == "There is too little to compare."


def test_deviations_from_a_plan_are_named() -> None:
    plan = CasePlan(path="p", sha256="0" * 64, frozen_at="2026-01-01T00:00:00Z")
    plan = plan.model_copy(update={"deviations": ("Suite: x, where y was planned.",)})
    said = str(parsed(sample_case(plan=plan))[1]["verdict"].system_out)
    assert "deviation from the plan: Suite: x, where y was planned." in said


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    case = sample_case(1)
    evidence = case.evidence[0].model_copy(update={"title": text, "caveats": (text,)})
    broken = Evidence(comparator=text, title=text, status="error", reason=text)
    side = case.a.model_copy(update={"name": text})
    case = case.model_copy(update={"a": side, "evidence": (evidence, broken), "created_at": text})
    root = ElementTree.fromstring(JunitReport().render(case).encode("utf-8"))
    assert {element.tag for element in root.iter()} <= {
        "testsuites", "testsuite", "testcase", "properties", "property", "skipped", "system-out",
    }  # fmt: skip
    assert len(root.findall(".//testcase")) == 3


@given(st.text(st.characters(codec=None)))
def test_any_text_is_well_formed(text: str) -> None:
    case = sample_case(1)
    evidence = case.evidence[0].model_copy(update={"title": text, "caveats": (text,)})
    case = case.model_copy(update={"evidence": (evidence,)})
    JUnitXml.fromstring(JunitReport().render(case).encode("utf-8"))
