"""The study of exposure in tiny students: the null first, then what is found."""

from __future__ import annotations

import pytest
from scipy import stats

from studies.exposure.page import NULL_RUNS, null_runs, page
from studies.exposure.tiny import readings


@pytest.mark.slow
def test_students_of_nothing_served_are_not_found_and_full_students_are(cache):
    read = readings()
    p_values, crossed = null_runs(read)
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    assert crossed <= 0.01 * NULL_RUNS
    rows = [line.strip("| ").split(" | ") for line in page(read, "today").splitlines()]
    p_of = {row[0]: float(row[2]) for row in rows if len(row) == 4 and row[1].isdigit()}
    assert p_of["100%"] < 0.01
    assert p_of["0%"] > 0.01
