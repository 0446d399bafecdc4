from __future__ import annotations

import re

import pytest

from forensics.case.evidence import Neighbourhood
from forensics.report.markdown import MAX_CHARS, code, fenced, prose, render_markdown
from forensics.support.numbers import DASH, number
from tests.report.sample_calibrated import calibrated_case, plan
from tests.report.sample_case import HOSTILE, insufficient_case, sample_case

_FENCED = re.compile(r"^(`{3,})text\n.*?\n\1$", re.M | re.S)
_CODE = re.compile(r"(?<![`\\])(`+)(?!`)(.*?)(?<!`)\1(?!`)", re.S)


def _outside_code(markdown: str) -> str:
    return _CODE.sub("", _FENCED.sub("", markdown))


@pytest.mark.parametrize("case", [sample_case(), insufficient_case()], ids=["full", "insufficient"])
def test_nothing_outside_code_acts(case: object) -> None:
    text = _outside_code(render_markdown(case))  # type: ignore[arg-type]
    assert not re.search(r"<[a-zA-Z/!]", text)
    assert not re.search(r"@\w", text)
    assert not re.search(r"(?<!&)#\d", text)
    assert not re.search(r"https?://|www\.\w", text)
    assert not re.search(r"(?<!\\)[\[\]`~$]", text)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_fence_is_longer_than_any_in_the_text(text: str) -> None:
    lines = fenced(text).splitlines()
    mark = lines[0].removesuffix("text")
    assert set(mark) == {"`"}
    assert lines[-1] == mark
    assert not any(line.strip().startswith(mark) for line in lines[1:-1])


@pytest.mark.parametrize("text", HOSTILE)
def test_prose_and_code_stay_on_their_line(text: str) -> None:
    for shown in (prose(text), code(text), code(text, cell=True)):
        assert "\n" not in shown
        shown.encode("utf-8")
    assert not re.search(r"(?<!\\)\|", code(text, cell=True))
    mark = re.match(r"`+", code(text))
    assert mark and mark.group() not in code(text)[len(mark.group()) : -len(mark.group())]


def test_prose_cannot_begin_a_list_or_heading() -> None:
    assert prose("- item") == "\\- item"
    assert prose("# head") == "\\# head"
    assert prose("1. item") == "1\\. item"
    assert prose("plain 3.5 - text") == "plain 3.5 - text"


def test_it_fits_a_comment_however_long_the_answers() -> None:
    text = render_markdown(sample_case(40, 5000))
    assert len(text) <= MAX_CHARS
    text.encode("utf-8")


def test_what_does_not_fit_is_said() -> None:
    case = sample_case()
    flood = tuple("`" * 300 + f"{i}" for i in range(400))
    verdict = case.verdict.model_copy(update={"limits": flood, "reasons": flood})
    long = case.model_copy(update={"verdict": verdict, "comparability": flood})
    text = render_markdown(long)
    assert len(text) <= MAX_CHARS
    assert "did not fit here" in text


def test_the_table_has_every_piece_of_evidence_and_its_numbers() -> None:
    case = sample_case()
    rows = [line for line in render_markdown(case).splitlines() if line.startswith("| ")]
    for entry in case.evidence:
        row = next(line for line in rows if line.startswith(f"| {entry.title}"))
        assert f"| {number(entry.score)} |" in row
        assert len(re.findall(r"(?<!\\)\|", row)) == 8


def test_the_share_that_length_and_formatting_explain_is_a_column() -> None:
    case = sample_case()
    rows = [line.split(" | ") for line in render_markdown(case).splitlines()]
    shares = {row[0]: row[5] for row in rows if len(row) == 7}
    assert shares["| evidence"] == "explained"
    assert shares["| Shared phrasing"] == "37 %"
    assert shares["| How answers begin"] == DASH


def test_for_and_against_and_status_are_there() -> None:
    text = render_markdown(sample_case())
    assert "**Screening · uncalibrated: no reference cohort**" in text
    assert text.index("### For kinship") < text.index("### Against kinship")
    assert "### Passages that speak for kinship" in text
    assert "### Passages that speak against kinship" in text


def test_the_same_case_gives_the_same_bytes() -> None:
    assert render_markdown(sample_case()) == render_markdown(sample_case())


def test_claims_deviations_and_the_error_rate_are_told() -> None:
    text = render_markdown(calibrated_case(8)).replace("\\", "")
    for words in (
        "about 12 times as probable if the two are one model or of close descent",
        "95 % interval 4.79 to 15.8",
        "Error rate at this score: 4.9 % (2 of 41 lineage clusters).",
        "not testable from outputs; besides outputs it would need API logs; training data",
        "--limit was 40, the plan says 100",
    ):
        assert words in text, words


def test_a_flood_of_claims_fits_a_comment() -> None:
    frozen = plan()
    flooded = frozen.model_copy(
        update={"claims": frozen.claims * 500, "deviations": ("`<" * 400,) * 500}
    )
    assert len(render_markdown(calibrated_case(8, plan=flooded))) <= MAX_CHARS


def test_a_column_says_where_scores_stand_among_unrelated_pairs() -> None:
    case = sample_case()
    assert "among unrelated pairs" not in render_markdown(case)
    near = Neighbourhood(source="x", prompts="other", above=0.9, reaching=70, pairs=700)
    first, *others = case.evidence
    placed = first.model_copy(update={"neighbourhood": near})
    lines = render_markdown(case.model_copy(update={"evidence": (placed, *others)})).splitlines()
    start = next(i for i, line in enumerate(lines) if "among unrelated pairs" in line)
    assert lines[start + 2].endswith("| above 90 % of 700 unrelated pairs, on other prompts |")
    assert lines[start + 3].endswith(f"| {DASH} |")
