"""Tables of steps: models beside their own past, and whose label each row has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from forensics.cohorts.lineage.models import ModelFacts, Teacher, read_models
from forensics.evaluation.step_rates import read_steps
from studies.shift.steps import SETS, house, steps_of, table_of, write_tables

DATA = Path(os.environ.get("FORENSICS_DATA", ""))


def fact(name: str, **known: object) -> ModelFacts:
    base = {"weights_id": name, "base_family": "B", "base_model": "B-7b"}
    return ModelFacts(name, **(base | known))  # type: ignore[arg-type]


def steps(*facts: ModelFacts) -> dict[str, tuple[tuple[str, ...], str, str]]:
    rows = steps_of({entry.model: entry for entry in facts})
    return {row.model: (row.bases, row.teacher, row.kind) for row in rows}


def test_a_past_had_itself_no_teacher_of_the_students() -> None:
    taught = {"teachers": (Teacher("gpt-4", "sft", "high"),), "teachers_known": "listed"}
    first = fact("v1", developer="Lab", family="f", released="2024-01", **taught)
    second = fact("v2", developer="Lab", family="f", released="2024-05", **taught)
    plain = fact("chat", developer="Maker", teachers_known="none known")
    assert steps(first, second, plain)["v2"] == (("chat",), "OpenAI", "student")


def test_an_earlier_release_on_another_base_is_no_past() -> None:
    other = {"base_family": "C", "base_model": "C-9b"}
    makers = [fact("b", developer="X", **other), fact("c", developer="Y")]
    old = fact("old", developer="Lab", family="f", released="2024-01", teachers_known="none known")
    new = fact(
        "new", developer="Lab", family="f", released="2024-05", teachers_known="none known", **other
    )
    assert "new" not in steps(old, new, *makers)


def test_who_does_not_say_is_neither_student_nor_null() -> None:
    old = fact("old", developer="Lab", family="f", released="2024-01")
    new = fact("new", developer="Lab", family="f", released="2024-05", teachers_known="undisclosed")
    assert steps(old, new) == {}


def test_two_settings_are_pseudo_steps() -> None:
    first, second = fact("a", weights_id="w"), fact("b", weights_id="W", setting="thinking")
    assert steps(first, second) == {
        "a": (("b",), "none", "setting"), "b": (("a",), "none", "setting"),
    }  # fmt: skip


@pytest.mark.parametrize(("name", "developer"), [
    ("gpt-4-0613", "OpenAI"), ("o3-mini", "OpenAI"), ("claude2", "Anthropic"), ("unheard-of", ""),
])  # fmt: skip
def test_houses_of_teachers(name: str, developer: str) -> None:
    assert house(name) == developer


def test_the_tables_are_those_that_the_data_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (DATA / "alpaca_eval_models.csv").is_file():
        pytest.skip("needs FORENSICS_DATA")
    published = {name: table_of(name).read_bytes() for name in SETS}
    monkeypatch.setattr("studies.shift.steps.TABLES", tmp_path)
    write_tables(DATA)
    assert {name: table_of(name).read_bytes() for name in SETS} == published
    for name in SETS:
        assert read_steps(table_of(name), read_models(DATA / f"{name}_models.csv"))
