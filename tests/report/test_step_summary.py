from __future__ import annotations

import re

import pytest

from forensics.case.document import CasePlan
from forensics.case.evidence import Evidence
from forensics.report.step_summary import StepSummaryReport
from tests.report.sample_case import HOSTILE, insufficient_case, sample_case


def test_it_is_short_and_says_the_answer_first() -> None:
    text = StepSummaryReport().render(sample_case(120, 400))
    assert text.startswith("### These two models answer more alike")
    assert len(text) < 6_000
    assert "Screening" in text
    assert "| Shared phrasing | 0.3" in text
    assert "not a likelihood ratio" in text


def test_it_stays_short_whatever_a_plugin_floods_it_with() -> None:
    case = sample_case(2)
    flood = tuple(
        Evidence(comparator=f"c{i}", title="t" * 900, status="error", reason="r" * 9_000)
        for i in range(500)
    )
    verdict = case.verdict.model_copy(update={"reasons": ("x" * 5_000,) * 500})
    text = StepSummaryReport().render(
        case.model_copy(update={"evidence": flood, "verdict": verdict})
    )
    assert len(text) < 20_000
    assert "and 490 more" in text


def test_nothing_measured_reads_as_finished() -> None:
    text = StepSummaryReport().render(insufficient_case())
    assert text.startswith("### There is too little to compare.")
    assert "insufficient data: all answers of B are empty" in text


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_acts(text: str) -> None:
    case = sample_case(1)
    broken = Evidence(comparator=text, title=text, status="error", reason=text)
    side = case.a.model_copy(update={"name": text})
    plan = CasePlan(path=text, sha256=text, frozen_at=text)
    plan = plan.model_copy(update={"deviations": (text,)})
    shown = StepSummaryReport().render(
        case.model_copy(update={"a": side, "evidence": (broken,), "plan": plan})
    )
    shown.encode("utf-8")
    outside = re.sub(r"(?<![`\\])(`+)(?!`)(.*?)(?<!`)\1(?!`)", "", shown, flags=re.S)
    assert re.findall(r"<[a-zA-Z/!][^>]*>", outside) == [
        "<details>", "<summary>", "</summary>", "</details>",
    ]  # fmt: skip
    assert not re.search(r"https?://|@\w|(?<!\\)[\[\]`~$]", outside)
