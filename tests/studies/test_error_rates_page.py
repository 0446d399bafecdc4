"""The page of error rates, measured on small tables and held against worked figures."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from forensics.cohorts.fitting import Labelled
from forensics.cohorts.lineage.hypotheses import read_pairs
from forensics.cohorts.lineage.models import read_models
from forensics.cohorts.outputs import read_outputs
from forensics.evaluation.evaluate import evaluate
from studies.error_rates.page import page
from studies.error_rates.study import Study, false_alarms, separation, study
from tests.cohorts.builders import facts, outputs, pairs

SETTINGS = ((None, None), (8, None), (12, 10))


@pytest.fixture(name="folder", scope="module")
def folder_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the tables of 24 models, under the names the page reads."""
    import pandas as pd

    folder = tmp_path_factory.mktemp("data")
    models = facts(8, 8)
    made = outputs(models, prompts=16)
    rows = [
        {"model": model, "prompt_id": p.id, "prompt": p.messages[0].content, "output": samples[0]}
        for p, row in zip(made.prompts, made.texts, strict=True)
        for model, samples in zip(models, row, strict=True)
    ]
    pd.DataFrame(rows).to_parquet(folder / "alpaca_eval_outputs.parquet")
    with (folder / "alpaca_eval_models.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("model", "weights_id", "released"))
        table.writerows((f.model, f.weights_id, f.released) for f in models.values())
    with (folder / "alpaca_eval_pairs.csv.gz").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("model_a", "model_b", "relation", "confidence"))
        table.writerows((p.a, p.b, p.relation, p.confidence) for p in pairs(models))
    return folder


@pytest.fixture(name="found", scope="module")
def found_fixture(folder: Path) -> Study:
    return study(folder, None, (), SETTINGS)


def test_every_setting_is_what_evaluate_gives(found: Study, folder: Path) -> None:
    assert list(found.settings) == [(16, None), (8, None), (12, 10)]
    models = read_models(folder / "alpaca_eval_models.csv")
    labelled = read_pairs(folder / "alpaca_eval_pairs.csv.gz", models)
    read = read_outputs([folder / "alpaca_eval_outputs.parquet"], models)
    again = evaluate(read, labelled, 8)
    assert found.settings[8, None]["hypotheses"] == again["hypotheses"]


def test_the_first_draw_is_the_figure_measured(found: Study) -> None:
    for key, drawn in found.draws.items():
        whole = found.settings[key]["hypotheses"]["same_model"]["pair_weighted"]
        area, rate = drawn["same_model"][0]
        assert area == pytest.approx(whole["auc"], abs=1e-6)
        assert rate == pytest.approx(whole["tpr_at_fpr"]["0.01"], abs=1e-6)
    assert len(found.draws[16, None]["same_model"]) == 1
    assert len(found.draws[8, None]["same_model"]) == 5


def test_baselines_are_measured_on_the_same_pairs(found: Study) -> None:
    assert list(found.baselines) == [16]
    methods = found.baselines[16]
    assert methods["this project"]["same_model"] == found.draws[16, None]["same_model"][0]
    assert len(methods) == 4


def test_the_page_says_what_was_measured(found: Study) -> None:
    text = page(found, "2026-01-02")
    assert "on 2026-01-02" in text
    assert "24 models in 16 lineage clusters" in text
    assert "make error-rates" in text
    rows = [line for line in text.splitlines() if line.startswith("| same model | 8 prompts")]
    assert len(rows) == 3
    assert all(row.count("|") == 8 for row in rows)
    assert not {"≥", "≤", "goal", "goals", "reached"} & set(text.lower().replace("*", " ").split())
    assert "Not measured: no documented teachers." in text
    assert "## Teachers" in text
    assert "nan" not in text.lower().split()
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)
    assert page(found, "2026-01-02") == text
    assert ", on " not in page(found, "").split("Do not edit")[0]


def test_a_figure_short_of_perfect_says_what_limits_it(found: Study) -> None:
    rates = found.settings[8, None]["hypotheses"]["same_model"]

    def line(auc: float) -> str:
        changed = {**rates, "pair_weighted": {**rates["pair_weighted"], "auc": auc}}
        hypotheses = {**found.settings[8, None]["hypotheses"], "same_model": changed}
        eight = {**found.settings[8, None], "hypotheses": hypotheses}
        shown = Study(
            {**found.settings, (8, None): eight}, found.draws, found.baselines, None, None
        )
        return next(
            row
            for row in page(shown, "").splitlines()
            if row.startswith("| same model | 8 prompts | AUC |")
        )

    assert "| 0.900 |" in line(0.9)
    assert "| on so few prompts some related pairs score as unrelated pairs do |" in line(0.9)
    assert "| 1.000 |" in line(1.0)
    assert line(1.0).endswith("|  |")


def labelled(models: int, kin: int = 0) -> Labelled:
    every = [(a, b) for a in range(models) for b in range(a + 1, models)]
    names = tuple("close_descent" if i < kin else "independent" for i in range(len(every)))
    return Labelled(np.array(every), names, np.array(every))


def test_separation_counts_every_pair_once() -> None:
    given = labelled(4, kin=2)
    scores = np.array([3.0, 1.0, 2.0, 0.0, np.nan, -1.0])
    assert separation(scores, given) == {"close_descent": (pytest.approx(5 / 6), 0.5)}


def test_a_model_that_is_everybodys_neighbour_raises_an_alarm() -> None:
    given = labelled(40)
    random = np.random.default_rng(0)
    scores = random.uniform(size=len(given.pairs))
    calm = false_alarms(scores, given, 100)
    assert calm is not None
    assert calm["subjects"] == calm["clusters"] == calm["candidates"] == 40
    assert calm["alarms"] == 0
    # The pair is an alarm for both of its models; each is judged without its own cluster's scores.
    scores[0] = 30.0
    found = false_alarms(scores, given, 100)
    assert found is not None
    assert found["alarms"] == 2
    assert found["clusters_in_error"] == 2
    assert found["upper_95"] > found["rate"]


def test_too_few_strangers_measure_no_alarms() -> None:
    given = labelled(10)
    assert false_alarms(np.zeros(len(given.pairs)), given, 8) is None
