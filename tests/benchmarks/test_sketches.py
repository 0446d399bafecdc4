"""How fast answers are sketched, against scikit-learn's vectoriser, and all pairs scored."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from forensics.cohorts.finding import find_cohort
from forensics.cohorts.likeness import of_texts, pair_scores
from forensics.cohorts.sketches import CHARS, count_sequences, document_frequency, weigh

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

DOCUMENTS = 1_024
MODELS, PROMPTS = 163, 40


@pytest.fixture(name="texts", scope="module")
def texts_fixture() -> list[str]:
    source = random.Random(0)
    words = ["".join(source.choices("etaoinshrdlu", k=source.randint(2, 9))) for _ in range(5_000)]
    return [" ".join(source.choices(words, k=260))[:CHARS] for _ in range(DOCUMENTS)]


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


def test_sketch_and_all_pairs(benchmark: BenchmarkFixture, texts: list[str]) -> None:
    """A tenth of the reference data: 163 models on 40 prompts."""
    source = random.Random(1)
    rows = [[(source.choice(texts),) for _ in range(MODELS)] for _ in range(PROMPTS)]
    names = [str(model) for model in range(MODELS)]
    pairs = np.array(np.triu_indices(MODELS, 1)).T
    excluded = np.eye(MODELS, dtype=bool)

    def score() -> None:
        pair_scores(of_texts(names, [str(p) for p in range(PROMPTS)], rows), excluded, pairs)

    benchmark.pedantic(score, rounds=1)


def test_trace(benchmark: BenchmarkFixture) -> None:
    from forensics.cohorts.subject import place_member
    from forensics.tracing import trace

    cohort = find_cohort("alpaca-eval")
    benchmark(lambda: trace(place_member("vicuna-13b", cohort), cohort))
