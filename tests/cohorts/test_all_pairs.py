"""Blocked all pairs against what is computed one pair at a time."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.cohorts import all_pairs
from forensics.cohorts.all_pairs import mean_cosines, normalise
from forensics.cohorts.similarity import normalised, of_rows, view

MODELS, PROMPTS = 45, 20


@pytest.fixture(name="rows", scope="module")
def rows_fixture() -> np.ndarray:
    source = np.random.default_rng(0)
    rows = source.normal(size=(PROMPTS, MODELS, 16)) + source.normal(size=(PROMPTS, 1, 16))
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    rows[source.random((PROMPTS, MODELS)) < 0.1] = 0
    rows[5:, 7] = 0  # one that answered five prompts
    return rows.astype(np.float32)


@pytest.mark.parametrize("block", [7, 2_048])
def test_blocks_give_what_one_pair_at_a_time_gives(rows, block, monkeypatch) -> None:
    monkeypatch.setattr(all_pairs, "_BLOCK", block)
    kept = np.ones(MODELS, dtype=bool)
    kept[:2] = False
    found = mean_cosines(rows, kept)
    centred = view(of_rows([""] * MODELS, [""] * PROMPTS, rows), kept)
    for a, b in ((0, 1), (0, 30), (12, 44), (44, 12)):
        row = centred.row(a)
        assert found[a, b] == pytest.approx(row.cosines[row.both[:, b], b].mean(), abs=1e-5)
    assert np.isnan(found[7]).all()
    assert np.isnan(np.diag(found)).all()


@pytest.mark.parametrize("block", [7, 2_048])
def test_normalising_is_that_of_one_pair(rows, block, monkeypatch) -> None:
    monkeypatch.setattr(all_pairs, "_BLOCK", block)
    means = mean_cosines(rows, np.ones(MODELS, dtype=bool))
    reference = np.random.default_rng(1).random((MODELS, MODELS)) < 0.8
    reference[3] = False
    scores = normalise(means.astype(np.float64), reference)
    for a, b in ((0, 1), (12, 44), (44, 12)):
        sides = [means[x][reference[x] & np.isfinite(means[x])].astype(float) for x in (a, b)]
        assert scores[a, b] == pytest.approx(normalised(means[a, b], *sides), abs=1e-4)
    assert np.isnan(scores[3]).all()
    assert np.isnan(scores[:, 3]).all()
