"""Every report introduces every tier, and says what was measured of it, what not and why."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from forensics.case.document import Case
from forensics.case.evidence import Evidence
from forensics.case.tier_names import TIER_NAMES
from forensics.report.html.html import HtmlReport
from forensics.report.markdown import render_markdown
from forensics.report.terminal import render_terminal
from forensics.report.tiers import tier_summaries
from tests.report.parsed import parse
from tests.report.sample_case import HOSTILE, sample_case


def row(tier: str, status: str = "ok", reason: str = "", title: str = "X") -> Evidence:
    score = 0.5 if status == "ok" else None
    scale = "x" if status == "ok" else ""
    return Evidence(
        comparator=f"{tier} {title}",
        title=title,
        tier=tier,
        status=status,
        scale=scale,
        reason=reason,
        score=score,
        n=7 if status == "ok" else 0,
    )


EVIDENCE = (
    row("text"),
    row("logprobs", title="Next tokens"),
    row("logprobs", "insufficient", "2 controls; 3 are needed.", "Mutual fit"),
    row("logprobs", "insufficient", "2 controls; 3 are needed.", "Student fit"),
    row("weights", "not_measured", "B (openai) gives no weights", "Weights"),
)


def case() -> Case:
    made = sample_case(8).model_copy(update={"evidence": EVIDENCE})
    readings = {"behaviour": "Token probabilities leave kinship open.", "weights": "Not tested."}
    verdict = made.verdict.model_copy(update={"readings": readings})
    return made.model_copy(update={"verdict": verdict})


EXPECTED = (
    ("text", "Measured: 1 kind of evidence."),
    (
        "logprobs",
        "Measured: 1 kind of evidence. Not measured: 2 controls; 3 are needed.",
    ),
    ("tokenizer", "Not part of this run."),
    ("weights", "Not measured: B (openai) gives no weights."),
)


def test_all_tiers_are_told_in_order_with_reasons() -> None:
    found = tier_summaries(case())
    assert tuple((one.tier, one.outcome) for one in found) == EXPECTED
    assert [one.reading for one in found] == ["", "Token probabilities leave kinship open.", "", ""]


def test_different_reasons_keep_their_titles() -> None:
    evidence = (
        row("text", "error", "broke", "Style"),
        row("text", "insufficient", "few", "Habits"),
    )
    [text, *_] = tier_summaries(case().model_copy(update={"evidence": evidence}))
    assert text.outcome == "Not measured: style (broke); habits (few)."


def _terminal(shown: Case) -> str:
    page = io.StringIO()
    render_terminal(shown, Console(width=80, file=page))
    return page.getvalue()


def _html(shown: Case) -> str:
    html = HtmlReport().render(shown)
    text = html if isinstance(html, str) else html.decode("utf-8")
    return " ".join(one.text for one in parse(text).of("section"))


@pytest.mark.parametrize("render", [_terminal, render_markdown, _html])
def test_every_format_introduces_every_tier(render) -> None:
    said = re.sub(r"\s+", " ", render(case()))
    for one in tier_summaries(case()):
        assert one.asks in said, one.tier
        assert one.outcome in said.replace("\\", ""), one.tier
        assert one.reading in said
        assert TIER_NAMES[one.tier] in said.lower()


def test_hostile_reasons_do_not_act() -> None:
    reason = f"\x1b[31m [bold] {' '.join(HOSTILE)}"
    hostile = case().model_copy(update={"evidence": (row("weights", "error", reason),)})
    assert "\x1b" not in _terminal(hostile) and "[bold]" in _terminal(hostile)
    for said in (render_markdown(hostile), str(HtmlReport().render(hostile))):
        assert "\x1b" not in said
        assert "<script>document" not in said and "<img src=x" not in said
