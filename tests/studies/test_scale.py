"""The study of many models, in small: what it measures, and how it extrapolates."""

from __future__ import annotations

import json

import numpy as np
import pytest

from forensics.cohorts.finding import find_cohort
from studies.scale.page import CORES, RayRun, page, ray_run
from studies.scale.pairs import AllPairs, added_model, all_pairs, makespan
from studies.scale.searching import recall, searched
from studies.scale.synthetic import drawn


@pytest.fixture(name="cohort", scope="module")
def cohort_fixture():
    return find_cohort("alpaca-eval")


def test_a_synthetic_model_gives_answers_of_three_real_ones(cohort) -> None:
    made = drawn(cohort, 50, 30)
    assert made.sketches.shape[:2] == (30, 50)
    for model in range(50):
        givers = [
            {
                real
                for real in range(len(cohort.models))
                if np.array_equal(cohort.sketches[prompt, real], made.sketches[prompt, model])
            }
            for prompt in range(30)
        ]
        assert all(givers)
        distinct = {min(giver) for giver in givers}
        assert len(distinct) <= 3 + sum(len(giver) > 1 for giver in givers)
    assert np.array_equal(drawn(cohort, 50, 30).sketches, made.sketches)
    assert not np.array_equal(drawn(cohort, 50, 30, seed=1).sketches, made.sketches)


def test_blocks_go_to_whoever_is_free_first() -> None:
    assert makespan([3, 1, 1, 1], 1) == 6
    assert makespan([3, 1, 1, 1], 2) == 3
    assert makespan([1, 1, 1, 3], 2) == 4
    assert makespan([3, 1, 1, 1], 64) == 3


def test_the_page_says_what_was_measured_and_what_bounds_it(cohort) -> None:
    population = drawn(cohort, 300, 12)
    pairs = all_pairs(population)
    assert len(pairs.centring) == 12
    assert len(pairs.tiles) == 1
    one_more = added_model(population, ["Some words of an answer. " * 20] * 12)
    found = recall(cohort, 400, 12, 5)
    some = searched(cohort, 400, 12, 5)
    assert min(found.shares) >= 0.9
    assert len(some.searches) == 5
    lines = list(page("2026-01-01", pairs, one_more, found, [some], [RayRun(1.1, 1.2)]))
    text = " ".join(" ".join(lines).split())
    assert "44,850 pairs" in text
    assert "| 1 | 10.0 % | 20.0 % |" in text
    assert "at most 15 % more time: met" in text


def test_more_nodes_are_bounded_by_the_longest_tile_and_by_what_travels() -> None:
    slow = AllPairs(10_000, 100, (0.1,) * 100, (5.0,) * 14 + (9.0,), (0.1,) * 20, 1.0, 10, 10)
    text = "\n".join(page("d", slow, *_nothing(slow)))
    assert f"| 1 | {100 * 0.1 / CORES + 44 + 1.0:.1f} s" in text
    assert "| 64 | 9.2 s | 0.0 s | 1.0 s | 10.2 s | the longest tile |" in text
    heavy = AllPairs(10_000, 100, (), (0.1,) * 15, (), 0.1, 10**9, 10**8)
    assert "| transfer |" in "\n".join(page("d", heavy, *_nothing(heavy)))


def _nothing(_: AllPairs):
    from studies.scale.pairs import AddedModel
    from studies.scale.searching import Recall, Searched

    return (
        AddedModel(100, 0.1, 0.1),
        Recall(10, (1.0,)),
        [Searched(10, 1.0, 10, 0.1, (0.001,))],
        [],
    )


def test_a_run_of_rays_benchmark_is_read(tmp_path) -> None:
    path = tmp_path / "ray.json"
    about = {"clock": 1.25, "processors": 1.05}
    path.write_text(json.dumps({"benchmarks": [{"extra_info": about}]}))
    assert ray_run(path) == RayRun(1.25, 1.05)
