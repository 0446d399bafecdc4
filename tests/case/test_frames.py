"""A case in a notebook."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from forensics.case.document import Case, case_to_json, read_case
from forensics.evidence import load_comparators
from forensics.examination.examined import Examined
from forensics.support.files import write_text
from forensics.testing import HOSTILE_TEXTS
from forensics.verdicts.compare import compare
from tests.builders import essays, examined
from tests.report.answered_case import answered_case

ARTEFACTS = Path(__file__).parents[1] / "compatibility" / "frozen" / "artefacts" / "cases"
COLUMNS = ["evidence", "tier", "status", "score", "low", "high", "floor_a", "floor_b", "n"]
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202eevil\ud800\" style='a'"
TAGS = {"div", "p", "strong"}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes += attrs


def _tags(html: str) -> _Tags:
    parser = _Tags()
    parser.feed(html)
    return parser


@pytest.fixture(name="reference_case", scope="module")
def reference_case_fixture(reference: dict[str, Examined]) -> Case:
    comparators = load_comparators(without=["embedding"])
    return compare(reference["vicuna-7b"], reference["vicuna-13b"], comparators)


def test_every_kind_of_evidence_has_its_row(reference_case: Case) -> None:
    frame = reference_case.to_frame()
    assert list(frame.columns) == COLUMNS
    assert list(frame["evidence"]) == [e.comparator for e in reference_case.evidence]
    for evidence, row in zip(reference_case.evidence, frame.to_dict("records"), strict=True):
        assert (row["tier"], row["status"], row["n"]) == (
            evidence.tier,
            evidence.status,
            evidence.n,
        )
        if evidence.score is None:
            assert math.isnan(row["score"])
            continue
        assert row["score"] == evidence.score
        if evidence.interval is not None:
            assert (row["low"], row["high"]) == (evidence.interval.low, evidence.interval.high)
        if evidence.noise_floor is not None:
            assert (row["floor_a"], row["floor_b"]) == (
                evidence.noise_floor.a,
                evidence.noise_floor.b,
            )
    measured = frame.set_index("evidence").loc["phrasing"]
    assert measured["low"] < measured["score"] < measured["high"]


def test_every_prompt_has_its_row_with_scores_and_both_answers(reference_case: Case) -> None:
    frame = reference_case.prompts_frame()
    assert len(frame) == len(reference_case.prompts)
    assert frame["prompt_sha256"].is_unique
    phrasing = next(e for e in reference_case.evidence if e.comparator == "phrasing")
    assert len(phrasing.per_prompt) > 300
    scores = frame.set_index("prompt_sha256")["phrasing"]
    assert {s.prompt_sha256: s.score for s in phrasing.per_prompt} == scores.dropna().to_dict()
    first = reference_case.prompts[0]
    row = frame.iloc[0]
    assert (row["prompt"], row["answer_a"], row["answer_b"]) == (
        first.prompt,
        first.a[0].text,
        first.b[0].text,
    )


@pytest.mark.parametrize("path", sorted(ARTEFACTS.glob("*.json")), ids=lambda path: path.stem)
def test_old_cases_of_every_kind_become_frames(path: Path) -> None:
    case = read_case(path)
    frame = case.to_frame()
    assert list(frame.columns) == COLUMNS
    assert len(frame) == len(case.evidence)
    assert (frame.dtypes[["score", "low", "high", "floor_a", "floor_b"]] == "float64").all()
    scored = {s.prompt_sha256 for e in case.evidence for s in e.per_prompt}
    prompts = case.prompts_frame()
    assert len(prompts) == len(case.prompts or scored)
    assert _tags(case._repr_html_()).seen == TAGS


def test_a_case_without_anything_still_has_its_columns() -> None:
    case = compare(examined([], "a"), examined([], "b"), load_comparators(only=["phrasing"]))
    assert list(case.to_frame().columns) == COLUMNS
    prompts = case.prompts_frame()
    assert prompts.empty
    assert {"prompt_id", "answer_a", "answer_b"} <= set(prompts.columns)


def test_hostile_answers_are_data() -> None:
    answers = [EVIL, *HOSTILE_TEXTS, *essays(12)]
    case = compare(
        examined(answers, "a"), examined(answers[::-1], "b"), load_comparators(only=["phrasing"])
    )
    frame = case.prompts_frame()
    assert EVIL in set(frame["answer_a"])
    shown = frame._repr_html_()
    assert shown is not None
    assert "<script" not in shown


def test_the_answer_in_a_notebook_is_a_few_lines(reference_case: Case) -> None:
    html = reference_case._repr_html_()
    assert "<strong>Are they close relatives?" in html
    assert "vicuna-7b (known)" in html
    assert "Status: screening" in html
    assert len(html) < 4_500
    assert html.count("<p>") <= 6


def test_what_models_and_users_wrote_is_escaped_in_a_notebook(reference_case: Case) -> None:
    sides = {
        side: getattr(reference_case, side).model_copy(update={"name": EVIL}) for side in ("a", "b")
    }
    texts = {"headline": EVIL * 500, "reading": EVIL, "limits": (EVIL,)}
    verdict = reference_case.verdict.model_copy(update=texts)
    html = reference_case.model_copy(update=sides | {"verdict": verdict})._repr_html_()
    tags = _tags(html)
    assert tags.seen == TAGS
    assert tags.attributes == []
    assert not re.search("[\x00-\x08\x1b\u202e\ud800]", html)
    assert len(html) < 12_000
    html.encode("utf-8")


def test_a_notebook_shows_all_four_answers() -> None:
    html = answered_case()._repr_html_()
    assert "<strong>Are they close relatives? supported, strongly</strong>" in html
    for question in ("one model", "learn from the other", "independent"):
        assert question in html


def test_a_blind_case_names_nobody_in_a_notebook(reference_case: Case) -> None:
    blind = reference_case.model_copy(update={"blind": True})
    assert "vicuna" in reference_case._repr_html_()
    assert "vicuna" not in blind._repr_html_()


def test_pandas_is_loaded_when_a_frame_is_asked_for(tmp_path: Path, reference_case: Case) -> None:
    path = tmp_path / "case.json"
    write_text(path, case_to_json(reference_case))
    script = (
        "import sys, pathlib; from forensics.case.document import read_case;"
        "case = read_case(pathlib.Path(sys.argv[1])); case._repr_html_();"
        "assert 'pandas' not in sys.modules; case.to_frame(); assert 'pandas' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)


def test_frames_can_be_worked_with(reference_case: Case) -> None:
    frame = reference_case.to_frame()
    by_tier = frame.groupby("tier")["score"].max()
    assert isinstance(by_tier, pd.Series)
    assert by_tier["text"] == max(e.score for e in reference_case.evidence if e.score is not None)
