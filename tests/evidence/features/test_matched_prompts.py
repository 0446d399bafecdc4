from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse, stats

from forensics.evidence.features.matched_prompts import (
    bootstrap_mean,
    group_by_prompt,
    match,
    mean_score,
    percentile_interval,
    prompt_rows,
    resample_weights,
)
from forensics.transcripts.answers import Answer


def _answers(prompts: list[str], sample: int = 0) -> list[Answer]:
    return [Answer(p, p, "q", "c", sample, f"text {p} {sample}", True) for p in prompts]


def _vectors(n: int, seed: int, d: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def _brute_force(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The whole n x n table, and from it what each prompt's two answers share with all others."""
    table = a.astype(float) @ b.astype(float).T
    n = len(table)
    expected = [
        (np.delete(table[i], i).mean() + np.delete(table[:, i], i).mean()) / 2 for i in range(n)
    ]
    return np.diag(table), np.array(expected)


@pytest.mark.parametrize("n", [2, 3, 17])
@pytest.mark.parametrize("as_sparse", [False, True])
def test_the_baseline_is_that_of_the_whole_table(n, as_sparse):
    prompts = [f"p{i:02d}" for i in range(n)]
    a, b = _vectors(n, 1), _vectors(n, 2)
    wrap = sparse.csr_array if as_sparse else np.asarray
    rows = [prompt_rows(_answers(prompts), wrap(vectors)) for vectors in (a, b)]
    matched = match(*rows)
    similarity, expected = _brute_force(a, b)
    np.testing.assert_allclose(matched.similarity, similarity, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(matched.expected, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(matched.scores, similarity - expected, rtol=1e-4, atol=1e-5)


def test_only_common_prompts_count_whatever_their_order():
    prompts = [f"p{i:02d}" for i in range(9)]
    a, b = _vectors(9, 1), _vectors(9, 2)
    order = np.random.default_rng(3).permutation(9)
    shuffled = prompt_rows(_answers([prompts[i] for i in order]), b[order])
    rest = prompt_rows(_answers([*prompts[2:], "zz"]), np.vstack([a[2:], _vectors(1, 9)]))
    matched = match(rest, shuffled)
    similarity, expected = _brute_force(a[2:], b[2:])
    assert matched.prompts == tuple(prompts[2:])
    np.testing.assert_allclose(matched.similarity, similarity, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(matched.expected, expected, rtol=1e-4, atol=1e-5)


def test_samples_are_averaged_over_all_pairs():
    prompts = ["p0", "p1", "p2"]
    a1, a2, b1, b2 = (_vectors(3, seed) for seed in range(4))
    a = prompt_rows(_answers(prompts) + _answers(prompts, 1), np.vstack([a1, a2]))
    b = prompt_rows(_answers(prompts) + _answers(prompts, 1), np.vstack([b1, b2]))
    pairs = [np.einsum("ij,ij->i", x.astype(float), y) for x in (a1, a2) for y in (b1, b2)]
    np.testing.assert_allclose(match(a, b).similarity, np.mean(pairs, axis=0), rtol=1e-4, atol=1e-5)


def test_the_noise_floor_comes_from_repeats_where_there_are_any():
    prompts = ["p0", "p1", "p2"]
    a1, a2 = _vectors(3, 1), _vectors(3, 2)
    twice = prompt_rows(_answers(prompts) + _answers(prompts, 1), np.vstack([a1, a2]))
    floor = match(twice, twice).noise_floor
    baseline = match(twice, twice).expected.mean()
    own = np.einsum("ij,ij->i", a1.astype(float), a2).mean()
    assert floor.method == "repeat_samples"
    assert floor.a == floor.b == pytest.approx(own - baseline, abs=1e-5)


def test_the_noise_floor_falls_back_to_other_prompts():
    prompts = ["p0", "p1", "p2", "p3"]
    a, b = _vectors(4, 1), _vectors(4, 2)
    matched = match(prompt_rows(_answers(prompts), a), prompt_rows(_answers(prompts), b))
    table = a.astype(float) @ a.T
    off = (table.sum() - np.trace(table)) / 12
    assert matched.noise_floor.method == "resampled_prompts"
    assert matched.noise_floor.a == pytest.approx(off - matched.expected.mean(), abs=1e-5)


def test_a_model_against_itself_with_repeats_scores_its_noise_floor_or_more():
    prompts = [f"p{i}" for i in range(12)]
    base = _vectors(12, 1)
    noisy = [base + 0.1 * _vectors(12, seed) for seed in (5, 6)]
    rows = prompt_rows(_answers(prompts) + _answers(prompts, 1), np.vstack(noisy))
    matched = match(rows, rows)
    assert matched.scores.mean() >= matched.noise_floor.a


def test_answers_group_by_prompt_in_order_of_sample():
    shuffled = [_answers(["b"], 1)[0], _answers(["a"])[0], _answers(["b"])[0]]
    groups = group_by_prompt(shuffled)
    assert list(groups) == ["a", "b"]
    assert [x.sample for x in groups["b"]] == [0, 1]


@pytest.mark.parametrize("n", [8, 60, 400])
def test_the_interval_is_the_percentile_bootstrap_of_scipy(n):
    scores = np.random.default_rng(n).gamma(1.0, 0.3, size=n)
    ours = bootstrap_mean(scores)
    theirs = stats.bootstrap(
        (scores,), np.mean, n_resamples=4000, method="percentile", random_state=1
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.1 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.1 * width)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    draw = np.random.default_rng(0)
    hits = 0
    for _ in range(60):
        interval = bootstrap_mean(draw.normal(0.5, 1.0, size=60))
        hits += interval.low <= 0.5 <= interval.high
    assert 0.85 <= hits / 60 < 1


def test_resampling_is_seeded_and_each_row_sums_to_one():
    weights = resample_weights(30, seed=3, resamples=50)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    np.testing.assert_array_equal(weights, resample_weights(30, seed=3, resamples=50))
    assert not np.array_equal(weights, resample_weights(30, seed=4, resamples=50))


def test_draws_without_a_value_are_left_out_of_the_interval():
    draws = np.array([np.nan, 1.0, 2.0, 3.0, np.inf])
    assert (percentile_interval(draws).low, percentile_interval(draws).high) == (1.05, 2.95)


@pytest.mark.parametrize("as_sparse", [False, True])
def test_the_quick_mean_is_that_of_all_scores(as_sparse):
    prompts = [f"p{i}" for i in range(9)]
    first, second = (sparse.csr_array(v) if as_sparse else v for v in map(_vectors, (9, 9), (3, 4)))
    a, b = prompt_rows(_answers(prompts), first), prompt_rows(_answers(prompts[::-1]), second)
    assert mean_score(a, b) == pytest.approx(match(a, b).scores.mean(), abs=1e-6)
    assert mean_score(a, prompt_rows(_answers(prompts[:1]), second[:1])) is None
