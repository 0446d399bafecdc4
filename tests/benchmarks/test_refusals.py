"""How long an answer takes to judge: at most 2 ms on average."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.evidence.refusals import classify

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

ANSWERS = 600
MOST = 0.002


def test_classifying(benchmark: BenchmarkFixture, data_folder: Path) -> None:
    import pandas as pd

    table = pd.read_parquet(data_folder / "refusals_speechmap_train.parquet")
    table = table.sample(ANSWERS, random_state=0)
    texts, prompts = list(map(str, table.output)), list(map(str, table.prompt))
    classify(texts[:5], prompts[:5])  # loads the coefficients
    benchmark.pedantic(classify, args=(texts, prompts), rounds=5)
    per_answer = benchmark.stats["min"] / ANSWERS
    benchmark.extra_info["milliseconds_per_answer"] = 1_000 * per_answer
    assert per_answer <= MOST
