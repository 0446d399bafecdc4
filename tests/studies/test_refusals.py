"""Held-out figures on labelled answers; skipped where the data are not there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from forensics.evidence.refusals import classifier as model
from forensics.evidence.refusals import classify, task_model
from studies.refusals import fit as fitting
from studies.refusals.figures import measure
from studies.refusals.held_out import orders_held_out
from studies.refusals.labelled import Answers, Ints, load
from studies.refusals.orders import SPEECH, Orders, fit_orders, load_orders

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FORENSICS_DATA", ROOT / ".." / "shared" / "data"))
needs_xstest = pytest.mark.skipif(
    not (DATA / "xstest_completions.parquet").exists(),
    reason=f"XSTest completions not found in {DATA}; set FORENSICS_DATA",
)
needs_speechmap = pytest.mark.skipif(
    not (DATA / "refusals_speechmap_train.parquet").exists(),
    reason=f"labelled answers to orders not found in {DATA}; set FORENSICS_DATA",
)
needs_alpaca = pytest.mark.skipif(
    not (DATA / "alpaca_eval_outputs.parquet").exists(),
    reason=f"AlpacaEval outputs not found in {DATA}; set FORENSICS_DATA",
)


@pytest.fixture(scope="module")
def answers() -> Answers:
    return load(DATA)


def _accuracies(answers: Answers, predicted: Ints) -> tuple[float, float]:
    figures = fitting.figures(answers, predicted)
    return figures["three_way"]["accuracy"], figures["binary"]["accuracy"]


@needs_xstest
def test_by_prompt(answers: Answers) -> None:
    predicted = fitting.held_out(answers, answers.prompts, 5, fitting.ENGLISH)
    three_way, binary = _accuracies(answers, predicted)
    assert three_way >= 0.91
    assert binary >= 0.955


@needs_xstest
def test_leaving_a_model_out(answers: Answers) -> None:
    predicted = fitting.held_out(answers, answers.models, 5, fitting.ENGLISH)
    three_way, binary = _accuracies(answers, predicted)
    assert three_way >= 0.90
    assert binary >= 0.945


@needs_xstest
def test_patterns_alone_carry_over_to_another_model(answers: Answers) -> None:
    predicted = fitting.held_out(answers, answers.models, 5, fitting.PATTERNS)
    three_way, binary = _accuracies(answers, predicted)
    assert three_way >= 0.87
    assert binary >= 0.92


@needs_xstest
def test_shipped_coefficients_are_those_of_the_committed_command(
    answers: Answers,
) -> None:
    import json

    shipped = json.loads(Path(model.__file__).with_name("model.json").read_text("utf-8"))
    fresh = fitting.document(answers)
    assert shipped["english"]["words"].keys() == fresh["english"]["words"].keys()
    for part in ("english", "any"):
        old = np.array([shipped[part]["features"][name] for name in fitting.FEATURE_NAMES])
        new = np.array([fresh[part]["features"][name] for name in fitting.FEATURE_NAMES])
        np.testing.assert_allclose(old, new, atol=0.05)


@needs_alpaca
def test_harmless_questions_are_rarely_taken_for_refused() -> None:
    import pandas as pd

    table = pd.read_parquet(DATA / "alpaca_eval_outputs.parquet").sample(1_500, random_state=3)
    judged = classify([str(text) for text in table.output], [str(text) for text in table.prompt])
    refused = np.mean([judgement.label != "full_compliance" for judgement in judged])
    assert 0.0005 < refused < 0.03


@pytest.fixture(name="orders", scope="module")
def orders_fixture() -> Orders:
    return load_orders(DATA)


@needs_speechmap
@pytest.mark.slow
@pytest.mark.parametrize(("held_out", "least"), [("requests", 0.88), ("models", 0.85)])
def test_evasion_is_seen_in_answers_held_out(orders: Orders, held_out: str, least: float) -> None:
    groups = getattr(orders, held_out)
    found = orders_held_out(orders, groups, 5)
    rows = np.flatnonzero(orders.sources == SPEECH)
    truth = orders.labels[rows]
    values = measure("", truth, found[rows], [str(one) for one in groups[rows]], "").values
    assert values["macro-F1"][0] >= least
    assert values["evade P"][0] >= 0.72
    assert values["evade R"][0] >= 0.70


@needs_speechmap
@pytest.mark.slow
def test_shipped_coefficients_of_orders_are_those_of_the_committed_command(
    orders: Orders,
) -> None:
    shipped = task_model.fitted_task()
    fresh = fit_orders(orders, np.arange(len(orders.labels)))
    assert shipped.words.keys() == fresh.words.keys()
    np.testing.assert_allclose(shipped.centre, fresh.centre, atol=1e-3)
    np.testing.assert_allclose(shipped.weights, fresh.weights, atol=0.05)


def test_figures_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import cohen_kappa_score, f1_score

    draw = np.random.default_rng(0)
    truth, found = draw.integers(0, 3, (2, 200))
    row = measure("row", truth, found, [str(i % 20) for i in range(200)], "requests")
    assert row.values["macro-F1"][0] == pytest.approx(f1_score(truth, found, average="macro"))
    assert row.values["kappa"][0] == pytest.approx(cohen_kappa_score(truth, found))
    value, low, high = row.values["accuracy"]
    assert low < value < high
    assert row.groups == "20 requests"
