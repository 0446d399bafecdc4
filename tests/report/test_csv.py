from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest

from forensics.case.document import Case
from forensics.report.csv import CsvReport
from tests.report.sample_case import HOSTILE, insufficient_case, sample_case

GOLDEN = Path(__file__).parent / "golden" / "scores.csv"


def rows(case: Case) -> list[list[str]]:
    return list(csv.reader(io.StringIO(CsvReport().render(case))))


def small() -> Case:
    """Four prompts with ids that act in a spreadsheet, and a comparator that measured only two."""
    case = sample_case(4)
    ids = ("=HYPERLINK(0)", "-2+3", "a,b\n@c", "é \ud800")
    prompts = tuple(
        p.model_copy(update={"prompt_id": name}) for p, name in zip(case.prompts, ids, strict=True)
    )
    phrasing, openings, *_ = case.evidence
    openings = openings.model_copy(update={"per_prompt": openings.per_prompt[1:3]})
    return case.model_copy(update={"prompts": prompts, "evidence": (phrasing, openings)})


def test_the_table_is_the_golden_file() -> None:
    assert CsvReport().render(small()) == GOLDEN.read_text(encoding="utf-8")


def test_every_prompt_has_a_row_and_every_measurement_a_column() -> None:
    case = sample_case(40)
    head, *body = rows(case)
    measured = [e.comparator for e in case.evidence if e.per_prompt]
    assert head == ["prompt_sha256", "prompt_id", "category", "language", *measured]
    assert [row[0] for row in body] == [p.prompt_sha256 for p in case.prompts]
    table = pd.read_csv(io.StringIO(CsvReport().render(case)))
    for evidence in case.evidence:
        if evidence.per_prompt:
            assert list(table[evidence.comparator]) == [s.score for s in evidence.per_prompt]


def test_scores_on_prompts_without_answers_have_rows_too() -> None:
    case = sample_case(5)
    assert rows(case.model_copy(update={"prompts": ()}))[1:] == [
        [*row[:2], "", "", *row[4:]] for row in rows(case)[1:]
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_a_formula_or_another_cell(text: str) -> None:
    case = sample_case(1)
    hostile = {"prompt_id": text, "category": text, "language": text}
    case = case.model_copy(update={"prompts": (case.prompts[0].model_copy(update=hostile),)})
    (row,) = rows(case)[1:]
    assert len(row) == 4 + sum(bool(e.per_prompt) for e in case.evidence)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row[:4])
    ",".join(row).encode("utf-8")


def test_nothing_measured_is_a_head_alone() -> None:
    assert rows(insufficient_case()) == [["prompt_sha256", "prompt_id", "category", "language"]]
