"""How fast answers are sketched, against scikit-learn's vectoriser in the same run, and traced."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from forensics.cohorts.finding import find_cohort
from forensics.evidence.features.sketches import CHARS, count_sequences, document_frequency, weigh

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

DOCUMENTS = 1_024


@pytest.fixture(name="texts", scope="module")
def texts_fixture(data_folder: Path) -> list[str]:
    """Give real answers: made-up words repeat fewer sequences."""
    import pandas as pd

    table = pd.read_parquet(data_folder / "alpaca_eval_outputs.parquet", columns=["output"])
    return [text[:CHARS] for text in table["output"].sample(DOCUMENTS, random_state=0)]


def test_sketching(benchmark: BenchmarkFixture, texts: list[str]) -> None:
    def sketch() -> None:
        for start in range(0, len(texts), 256):
            counts = count_sequences(texts[start : start + 256])
            weigh(counts, document_frequency(counts), len(counts))

    benchmark(sketch)
    size = sum(len(text.encode()) for text in texts)
    benchmark.extra_info["megabytes_per_second"] = size / 1e6 / benchmark.stats["mean"]


def test_hashing_vectoriser(benchmark: BenchmarkFixture, texts: list[str]) -> None:
    from sklearn.feature_extraction.text import HashingVectorizer

    vectoriser = HashingVectorizer(analyzer="char", ngram_range=(4, 4), n_features=8_192)
    benchmark.pedantic(lambda: vectoriser.transform(texts), rounds=3)


def test_trace(benchmark: BenchmarkFixture) -> None:
    from forensics.cohorts.placed import place_member
    from forensics.cohorts.trace import trace

    cohort = find_cohort("alpaca-eval")
    benchmark(lambda: trace(place_member("vicuna-13b", cohort), cohort))


def test_compare_of_two_cohort_models(benchmark: BenchmarkFixture) -> None:
    """The whole process, imports and report included."""
    command = [sys.executable, "-m", "forensics", "compare"]
    command += ["cohort:vicuna-13b", "cohort:vicuna-7b"]
    done = benchmark.pedantic(
        subprocess.run, (command,), {"capture_output": True, "check": True}, rounds=3
    )
    assert b"Likeness" in done.stdout or b"likeness" in done.stdout
