"""Other readings of answers, and what a second look confirms, on steps made for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics.cohorts.lineage.models import read_models
from forensics.cohorts.outputs import Outputs, read_outputs
from forensics.evaluation.step_rates import KnownStep, judged_steps, rates, read_steps
from studies.shift.confirmed import by_genre, confirmed, shared_steps
from studies.shift.readings import COUNTED, HABITS
from studies.shift.tried import ALL, chosen, once
from tests.evaluation.test_step_rates import made_files


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outputs, list[KnownStep]]:
    folder: Path = made_files(tmp_path_factory.mktemp("tried"))
    facts = read_models(folder / "models.csv")
    steps = read_steps(folder / "steps.csv", facts)
    return read_outputs([folder / "outputs.jsonl"], facts), steps


def test_readings_of_words_find_the_teacher_and_habits_that_nobody_has_do_not(
    made: tuple[Outputs, list[KnownStep]],
) -> None:
    judged = once(*made)
    assert list(judged) == [*COUNTED, *HABITS, ALL]
    areas = {name: rates(steps, len(made[1]))["auc"] for name, steps in judged.items()}
    assert areas["words and pairs"] == 1.0
    assert areas["function words"] != 1.0  # the made words are none


def test_a_cluster_is_judged_by_what_is_best_on_the_others(
    made: tuple[Outputs, list[KnownStep]],
) -> None:
    judged = once(*made)
    some = {name: judged[name] for name in ("function words", "words and pairs")}
    steps, counts = chosen(some)
    assert counts["words and pairs"] == sum(counts.values())
    assert len(steps) == len(some["words and pairs"])


def test_what_leads_twice_is_counted(made: tuple[Outputs, list[KnownStep]]) -> None:
    outputs, steps = made
    judged = judged_steps(outputs.facts, outputs.similarities(), steps)
    twice = confirmed(judged, judged)
    assert (twice.students, twice.found, twice.again) == (3, 3, 3)
    assert (twice.nulls, twice.wrongly) == (3, 3)  # the same answers confirm anything
    genres = {prompt.id: ("a" if int(prompt.id) < 8 else "b") for prompt in outputs.prompts}
    assert [genre for genre, _ in by_genre(outputs, steps, genres)] == ["a", "b"]


def test_sets_share_the_steps_whose_weights_they_share(
    made: tuple[Outputs, list[KnownStep]],
) -> None:
    outputs, steps = made
    first = (outputs.facts, steps)
    ((_, _, both, students),) = shared_steps({"one": first, "two": first})
    assert (both, students) == (6, 3)
    assert list(shared_steps({"one": first, "two": (outputs.facts, [])})) == [("one", "two", 0, 0)]
