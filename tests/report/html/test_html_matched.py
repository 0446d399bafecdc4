"""The report of a case judged against the shipped cohort, made of reference data."""

from __future__ import annotations

from forensics.case.document import Case
from forensics.cohorts.finding import find_cohort
from forensics.evidence import load_comparators
from forensics.examination.examined import Examined
from forensics.report import view
from forensics.report.html.html import render_html
from forensics.report.likelihood import likelihoods
from forensics.report.markdown import MAX_CHARS, render_markdown
from forensics.verdicts.compare import compare
from tests.report.parsed import parse

RELEASED = ("2023-03", "2023-07")


def _case(reference: dict[str, Examined]) -> Case:
    return compare(
        reference["vicuna-13b"],
        reference["vicuna-7b"],
        load_comparators(only=["phrasing", "refusal"]),
        cohort=find_cohort("alpaca-eval"),
        released=RELEASED,
    )


def test_a_matched_calibration_is_shown_with_all_that_qualifies_it(
    reference: dict[str, Examined],
) -> None:
    case = _case(reference)
    assert (case.verdict.status, case.verdict.calibration) == ("calibrated", "matched")
    (found,) = likelihoods(case)
    assert found.interval is not None
    assert found.bounds is not None
    assert found.bounds[0] <= found.interval[0] <= found.interval[1] <= found.bounds[1]
    html = render_html(case)
    assert len(html.encode("utf-8")) < 1_000_000
    page = parse(html)
    for element in page.elements:
        path = element.attributes.get("data-case")
        if path is not None:
            view.lookup(case, path)
    assert any("likelihood" in (e.attributes["class"] or "") for e in page.of("svg"))
    answer = next(e for e in page.of("section") if e.attributes.get("id") == "why").text
    assert "models like those of the cohort alpaca-eval" in answer
    assert f"log10 {found.value:.2f}" in answer
    assert len(render_markdown(case)) <= MAX_CHARS
