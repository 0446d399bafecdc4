"""The study of exposure in tiny students: the null first, then what is found."""

from __future__ import annotations

import pytest
from scipy import stats

from studies.exposure import kept, real
from studies.exposure.growing import LOGS, best_first, by_batch, looked_at
from studies.exposure.page import NULL_RUNS, null_runs, tiny_sections
from studies.exposure.tiny import readings


@pytest.mark.slow
def test_students_of_nothing_served_are_not_found_and_full_students_are(cache):
    read = readings()
    p_values, crossed = null_runs(read)
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    assert crossed <= 0.01 * NULL_RUNS
    rows = [line.strip("| ").split(" | ") for line in tiny_sections(read)]
    p_of = {row[0]: float(row[2]) for row in rows if len(row) == 4 and row[1].isdigit()}
    assert p_of["100%"] < 0.01
    assert p_of["0%"] > 0.01


@pytest.mark.slow
def test_looks_at_growing_logs_of_models_that_saw_nothing_seldom_reach_100():
    seen = looked_at(by_batch)
    assert seen.logs == LOGS >= 1_000
    assert seen.crossed <= 0.01 * LOGS
    assert looked_at(best_first, 200).crossed > 0.01 * 200


def test_kept_readings_of_real_models_show_their_teaching_and_nothing_else():
    runs = real.null_runs()
    assert len(runs) >= 200
    assert stats.kstest([run.p_value for run in runs], "uniform").pvalue > 0.01
    assert sum(run.highest >= 100 for run in runs) <= 0.01 * len(runs)
    assert all(result.p_value > 0.01 for result in real.untuned())
    student = real.student(kept.FULLY_EXPOSED[0])
    assert student.p_value < 0.001
    assert student.highest > 100
    assert student.every.low > 0.1
