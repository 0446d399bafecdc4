"""The public case: claims word for word, the program's own answers, short passages, no conduct."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from forensics.cohorts.finding import find_cohort
from forensics.report.markdown import prose
from studies.case_study.claims import answered, read_claims
from studies.case_study.exhibits import exhibit_section, shown
from studies.case_study.measure import Measured, measured, towards_all
from studies.case_study.page import NAME
from studies.case_study.pairs import (
    CENTRAL,
    DOCUMENTED,
    ELSEWHERE,
    PUZZLES,
    PUZZLES_FILE,
    R1,
    V3,
    Pair,
)
from studies.case_study.standing import Scale, by_house, place_of
from studies.case_study.tables import LABELS, change, labels, share

DATA = Path(os.environ.get("FORENSICS_DATA", ""))
PAGE = Path(__file__).parents[3] / "reports" / "cases" / f"{NAME}.md"
CONDUCT = re.compile(
    r"\b(st[eo]al\w*|stole\w*|theft\w*|thie\w+|illegal\w*|illicit\w*|unlawful\w*|unauthori[sz]ed"
    r"|secret\w*|suspect\w*|cheat\w*|plagiari\w*|exfiltrat\w*|pirat\w*|scrap(ed|ing)|guilt\w*"
    r"|culprit\w*|violat\w*|infring\w*|launder\w*|copied|copying|caught|accus\w*|wrongdo\w*)\b",
    re.IGNORECASE,
)
FIGURE = re.compile(r"-?\d[\d,.]*")


@pytest.fixture(name="page", scope="module")
def page_fixture() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture(name="central", scope="module")
def central_fixture() -> Measured:
    return measured(CENTRAL[0])


@pytest.fixture(name="student", scope="module")
def student_fixture() -> Measured:
    return measured(DOCUMENTED[1])


def test_every_claim_stands_word_for_word_with_who_said_it(page: str) -> None:
    lines = page.splitlines()
    for claim in read_claims().values():
        cells = (claim.date, prose(claim.by), prose(claim.text), prose(claim.offered))
        assert any(all(cell in line for cell in cells) for line in lines), claim.id
        assert prose(claim.source) in page


def test_the_page_names_no_conduct(page: str) -> None:
    without_passages = re.sub(r"`+[^`]*`+", "", page)
    assert not CONDUCT.findall(without_passages)
    assert CONDUCT.search("the answers were copied")


def test_the_page_links_what_it_says_to_how_it_is_measured(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page):
        assert (PAGE.parent / target).is_file(), target


@pytest.mark.parametrize("pair", [*CENTRAL, *DOCUMENTED, *ELSEWHERE], ids=lambda p: p.questioned)
def test_every_pair_stands_on_the_page(page: str, pair: Pair) -> None:
    rows = [line for line in page.splitlines() if pair.questioned in line and pair.known in line]
    assert rows


def test_what_the_page_says_is_what_the_program_answers(
    page: str, central: Measured, student: Measured
) -> None:
    (row,) = (
        line
        for line in page.splitlines()
        if line.startswith(f"| {student.pair.questioned} (") and student.pair.known in line
    )
    assert share(student) in row
    assert change(student) in row
    assert row.endswith(f"| {' | '.join(labels(student))} |")
    section = page.split(f"### {R1} (questioned) beside {CENTRAL[0].known} (known)")[1]
    # Sentences may be reworded between two makings of the page; labels and figures may not differ.
    for answer in central.answers:
        said = section.split(f"- **{prose(answer.question)} {prose(answer.label)}.** ")[1]
        line = said.split("\n")[0]
        assert FIGURE.findall(line) == FIGURE.findall(prose(" ".join(answer.reasons)))
    assert f"`{central.pair.command}`" in section


def test_the_answers_are_four_in_the_order_of_the_columns(central: Measured) -> None:
    assert tuple(answer.short.lower() for answer in central.answers) == LABELS


def test_a_documented_student_is_pointed_to_and_the_central_pair_is_not(
    central: Measured, student: Measured
) -> None:
    assert student.answers[2].answer == "points to it"
    assert central.answers[2].answer == "cannot be told"


def test_no_answer_tells_whose_accounts_were_used(central: Measured) -> None:
    claim = read_claims()["microsoft-exfiltration-2024"]
    answer = answered(claim, central.case)
    assert answer.answer == "cannot be told"
    assert answer.question is None


def test_candidates_are_of_other_houses_and_came_before() -> None:
    cohort = find_cohort(PUZZLES)
    rows = towards_all(R1, V3, cohort)
    facts = [cohort.facts[row.pair.known] for row in rows]
    assert {fact.developer for fact in facts} >= {"OpenAI", "Anthropic", "Google", "Meta"}
    assert all(fact.developer != "DeepSeek" and fact.released <= "2025-01" for fact in facts)
    changes = [row.shift.least.change for row in rows if row.shift is not None]
    assert changes == sorted(changes, reverse=True)
    assert len(changes) == len(rows)


def test_ranks_and_percentiles_are_among_other_houses() -> None:
    scale = Scale.of(find_cohort(PUZZLES))
    place = place_of(scale, "phi-4-reasoning-plus", "o3-mini")
    assert (place.rank, scale.shares) == (1, True)
    assert place.above == (scale.unrelated > place.score).mean() < 0.01
    houses = by_house(scale, R1)
    assert "DeepSeek" not in {row.house for row in houses}
    assert [row.score for row in houses] == sorted((r.score for r in houses), reverse=True)


def test_passages_are_short_and_each_has_its_counterpart(page: str) -> None:
    if not (DATA / PUZZLES_FILE).is_file():
        pytest.skip("needs FORENSICS_DATA")
    made = shown(CENTRAL[0], DATA)
    *sides, drawn = made.passages
    assert [p.side for p in sides] == ["**alike**", "**unlike**"] * (len(sides) // 2)
    assert drawn.side == "drawn at random"
    assert len(sides) >= 2
    for alike, unlike in zip(sides[::2], sides[1::2], strict=True):
        assert alike.evidence == unlike.evidence
        assert alike.score > unlike.score
    assert all(len(text) <= 160 for p in made.passages for text in (p.known, p.questioned))
    assert exhibit_section([made]) in page
