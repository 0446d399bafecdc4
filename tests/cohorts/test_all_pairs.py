"""Blocked all pairs against what is computed one pair at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from forensics.cohorts import all_pairs
from forensics.cohorts.all_pairs import PackedRows, added, mean_cosines, normalise
from forensics.cohorts.similarity import normalised, of_rows, view
from forensics.support.block_mapping import in_a_loop
from tests.made_cohort import made_cohort

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


def test_packed_rows_give_what_restored_ones_give() -> None:
    cohort = made_cohort()
    everybody = np.ones(len(cohort.models), dtype=bool)
    packed = mean_cosines(PackedRows(cohort.sketches, cohort.scales), everybody)
    np.testing.assert_array_equal(packed, mean_cosines(cohort.rows(), everybody))


@dataclass
class _Counting:
    """Computes in a loop, and keeps which tiles were asked for."""

    tiles: list[tuple[slice, slice]] = field(default_factory=list)

    def __call__(self, work, shared, blocks):
        for block in blocks:
            if isinstance(block, tuple):
                self.tiles.append(block)
            yield from in_a_loop(work, shared, [block])


@pytest.mark.parametrize("block", [7, 2_048])
def test_an_added_model_costs_its_own_row(rows, block, monkeypatch) -> None:
    monkeypatch.setattr(all_pairs, "_BLOCK", block)
    known = MODELS - 3
    reference = np.arange(MODELS) < known
    before = mean_cosines(rows[:, :known], reference[:known])
    counting = _Counting()
    grown = added(before, rows, reference, counting)
    np.testing.assert_array_equal(grown[:known, :known], before)
    np.testing.assert_allclose(grown, mean_cosines(rows, reference), atol=1e-6)
    pairs = sum((a.stop - a.start) * (b.stop - b.start) for a, b in counting.tiles)
    assert pairs == 3 * MODELS  # of MODELS², the square of all
    assert all(part.start >= known for part, _ in counting.tiles)


def test_an_added_model_is_no_reference(rows) -> None:
    everybody = np.ones(MODELS, dtype=bool)
    with pytest.raises(ValueError, match="cannot be a reference"):
        added(np.zeros((MODELS - 1, MODELS - 1), np.float32), rows, everybody)
