"""Margins between candidates: who leads, and which group a lead separates."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.evidence.shift.deviation import towards
from forensics.evidence.shift.margins import leads, not_separated, paired_t


def unit_rows(seed: int, prompts: int, models: int, size: int = 32) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(prompts, models, size))
    return rows / np.linalg.norm(rows, axis=2, keepdims=True)


def cosines(rows: np.ndarray) -> np.ndarray:
    return np.einsum("pmd,pnd->pmn", rows, rows)


def test_a_model_mixed_with_a_candidates_rows_moves_towards_it_and_no_other() -> None:
    rows = unit_rows(1, 60, 8)
    learned = rows[:, 0] + 0.6 * rows[:, 4]  # model 1 is model 0, mixed with candidate 4
    rows[:, 1] = learned / np.linalg.norm(learned, axis=1, keepdims=True)
    answered = np.ones(rows.shape[:2], dtype=bool)
    candidates = np.arange(2, 8)
    change = towards(cosines(rows), answered, 1, [0], candidates)
    names = [f"house {number}" for number in candidates]
    first, second, *_ = leads(change, names)
    assert first.name == "house 4"
    assert first.margin > 5 > 0 > second.margin
    assert not_separated(change, names, 3.5) == ("house 4",)


def test_candidates_that_answer_alike_are_one_group() -> None:
    rows = unit_rows(2, 60, 8)
    rows[:, 5] = rows[:, 4] + 0.05 * unit_rows(3, 60, 1)[:, 0]
    rows[:, 1] = rows[:, 0] + 0.6 * rows[:, 4]
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    answered = np.ones(rows.shape[:2], dtype=bool)
    change = towards(cosines(rows), answered, 1, [0], np.arange(2, 8))
    group = not_separated(change, [str(n) for n in range(2, 8)], 3.5)
    assert set(group) == {"4", "5"}


def test_a_model_that_did_not_change_moves_towards_nobody() -> None:
    rows = unit_rows(4, 30, 6)
    rows[:, 1] = rows[:, 0]
    answered = np.ones(rows.shape[:2], dtype=bool)
    change = towards(cosines(rows), answered, 1, [0], np.arange(2, 6))
    assert np.abs(change).max() < 1e-12
    assert all(lead.margin == 0 for lead in leads(change, ["a", "b", "c", "d"]))


def test_prompts_that_a_past_did_not_answer_do_not_count() -> None:
    rows = unit_rows(5, 30, 6)
    answered = np.ones(rows.shape[:2], dtype=bool)
    answered[:10, 0] = False
    answered[25, 3] = False
    change = towards(cosines(rows), answered, 1, [0], np.arange(2, 6))
    assert change.shape == (20, 4)
    assert np.isnan(change).sum() == 1


def test_paired_t_is_that_of_scipy() -> None:
    from scipy import stats

    first, second = np.random.default_rng(6).normal(size=(2, 25))
    assert paired_t(first, second) == pytest.approx(stats.ttest_rel(first, second).statistic)
