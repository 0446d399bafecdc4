"""All pairs at the size of the reference data, and of cohorts far larger than any we have."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest

from forensics.cohorts.all_pairs import mean_cosines, normalise
from forensics.cohorts.finding import find_cohort
from forensics.cohorts.lineage.models import read_models
from forensics.cohorts.outputs import Outputs, read_outputs
from forensics.cohorts.similarity import pair_scores
from forensics.evidence.features.sketches import DIMENSIONS, Floats32

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

PROMPTS = 100


@pytest.fixture(name="outputs", scope="module")
def outputs_fixture(data_folder: Path) -> Outputs:
    models = read_models(data_folder / "alpaca_eval_models.csv")
    return read_outputs([data_folder / "alpaca_eval_outputs.parquet"], models)


def test_sketch_and_all_pairs_of_the_reference_data(
    benchmark: BenchmarkFixture, outputs: Outputs
) -> None:
    """66,009 answers; every pair keeps a reference of its own."""
    size = len(outputs.models)
    pairs = np.array(np.triu_indices(size, 1)).T

    def score() -> int:
        found = pair_scores(outputs.similarities(), outputs.excluded(), pairs)
        return int(np.isfinite(found.score).sum())

    assert benchmark.pedantic(score, rounds=1) == len(pairs) == 13_203


def _resampled(models: int) -> Iterator[Floats32]:
    """Yield, prompt by prompt, a shipped cohort's rows drawn with replacement, with noise."""
    cohort = find_cohort("alpaca-eval")
    source = np.random.default_rng(0)
    drawn = source.integers(len(cohort.models), size=models)
    for prompt in range(PROMPTS):
        rows = cohort.rows([prompt])[0][drawn]
        rows += source.standard_normal(rows.shape, dtype=np.float32) / DIMENSIONS
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        yield rows


@pytest.mark.parametrize("models", [500, 1_000, 2_000])
def test_blocked_all_pairs(benchmark: BenchmarkFixture, models: int) -> None:
    """Sketches that are there already, one centring for all; the work grows with the square.

    Held at the most: the scores and the counts of shared prompts (6 bytes a pair), who is a
    reference for whom (1 byte), and blocks.
    """
    rows = list(_resampled(models))

    def score() -> Floats32:
        means = mean_cosines(rows, np.ones(models, dtype=bool))
        return normalise(means, np.isfinite(means))

    scores = benchmark.pedantic(score, rounds=1)
    assert np.isfinite(scores).sum() == models * (models - 1)
    tracemalloc.start()
    score()
    benchmark.extra_info["bytes_per_pair"] = tracemalloc.get_traced_memory()[1] / models**2
    tracemalloc.stop()
