"""Pair scores against a plain implementation written from the description."""

from __future__ import annotations

import math

import numpy as np
import pytest

from forensics.cohorts.similarity import (
    MIN_REFERENCE,
    Similarities,
    nearest_count,
    of_rows,
    of_texts,
    pair_scores,
    view,
)
from tests.cohorts.builders import facts, outputs


def slow_score(rows, answered, kept, a, b):
    """Centre, take cosines, normalise: one prompt and one pair at a time."""
    prompts, models, _ = rows.shape
    centred = {}
    for p in range(prompts):
        inside = [m for m in range(models) if kept[m] and answered[p, m]]
        mean = sum(rows[p, m].astype(np.float64) for m in inside) / len(inside)
        centred[p] = [rows[p, m] - mean for m in range(models)]

    def likeness(x, y):
        both = [p for p in range(prompts) if answered[p, x] and answered[p, y]]
        cosines = []
        for p in both:
            one, two = centred[p][x], centred[p][y]
            cosines.append(one @ two / (np.linalg.norm(one) * np.linalg.norm(two)))
        return float(np.mean(cosines)) if cosines else 0.0

    def standard(x):
        reference = sorted((likeness(x, m) for m in range(models) if kept[m]), reverse=True)
        nearest = reference[: max(20, len(reference) // 4)]
        return (likeness(a, b) - np.mean(nearest)) / np.std(nearest)

    return likeness(a, b), (standard(a) + standard(b)) / 2


def _random_rows(prompts: int, models: int, seed: int, missing: float = 0.0):
    source = np.random.default_rng(seed)
    rows = source.normal(size=(prompts, models, 16)).astype(np.float32)
    rows += source.normal(size=(prompts, 1, 16)).astype(np.float32)  # what the question brings
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    rows[source.random((prompts, models)) < missing] = 0
    return rows


@pytest.mark.parametrize(("models", "missing"), [(12, 0.0), (12, 0.15), (90, 0.1)])
def test_scores_are_those_of_a_plain_loop(models, missing):
    rows = _random_rows(12, models, seed=models, missing=missing)
    names = [f"m{i}" for i in range(models)]
    similarities = of_rows(names, [str(p) for p in range(12)], rows)
    excluded = np.eye(models, dtype=bool)
    excluded[0, 2] = excluded[2, 0] = excluded[1, 3] = excluded[3, 1] = True
    pairs = np.array([(0, 1), (2, 3), (0, 2), (4, 5)])
    found = pair_scores(similarities, excluded, pairs)
    for place, (a, b) in enumerate(pairs):
        kept = ~(excluded[a] | excluded[b])
        cosine, score = slow_score(rows, similarities.answered, kept, a, b)
        assert found.cosine[place] == pytest.approx(cosine, abs=2e-4)
        assert found.score[place] == pytest.approx(score, abs=5e-3)
        assert found.reference[place] == kept.sum()
        both = similarities.answered[:, a] & similarities.answered[:, b]
        assert found.prompts[place] == both.sum()


def test_an_excluded_model_changes_nothing():
    rows = _random_rows(10, 14, seed=3)
    names = [f"m{i}" for i in range(14)]
    prompts = [str(p) for p in range(10)]
    excluded = np.eye(14, dtype=bool)
    excluded[0, 13] = excluded[13, 0] = excluded[1, 12] = excluded[12, 1] = True
    whole = pair_scores(of_rows(names, prompts, rows), excluded, np.array([(0, 1)]))
    # The copies of both subjects, which sit on top of them, may be anything at all.
    rows[:, 13], rows[:, 12] = rows[:, 0], -rows[:, 5]
    other = pair_scores(of_rows(names, prompts, rows), excluded, np.array([(0, 1)]))
    less = pair_scores(
        of_rows(names[:12], prompts, rows[:, :12]), excluded[:12, :12], np.array([(0, 1)])
    )
    assert whole.score == pytest.approx(other.score, abs=1e-4)
    assert whole.score == pytest.approx(less.score, abs=1e-4)
    assert whole.reference == less.reference == 10


def test_a_pair_of_kin_stands_out_and_the_order_of_a_pair_does_not_matter():
    found = outputs()
    similarities, excluded = found.similarities(), found.excluded()
    pairs = np.array([(0, 1), (1, 0), (0, 2), (12, 13)])
    scores = pair_scores(similarities, excluded, pairs).score
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)
    assert scores[0] > 10 > max(scores[2], scores[3])


def test_identical_answers_of_everybody_give_numbers():
    similarities = of_texts(
        [f"m{i}" for i in range(8)], [str(p) for p in range(9)], [[("same words",)] * 8] * 9
    )
    found = pair_scores(similarities, np.eye(8, dtype=bool), np.array([(0, 1)]))
    assert not np.isinf(found.score).any()
    # Nothing is rare among identical answers: no row is left to compare.
    assert np.isnan(found.score).all()
    assert found.prompts[0] == 0


def test_a_model_that_copies_its_neighbours_gives_finite_scores():
    rows = _random_rows(9, 12, seed=4)
    rows[:, 1:] = rows[:, :1]  # eleven identical models
    similarities = of_rows([f"m{i}" for i in range(12)], [str(p) for p in range(9)], rows)
    found = pair_scores(similarities, np.eye(12, dtype=bool), np.array([(0, 1), (2, 3)]))
    assert np.isfinite(found.score).all()
    assert np.isfinite(found.cosine).all()


@pytest.mark.parametrize(
    ("models", "prompts"), [(MIN_REFERENCE + 1, 20), (MIN_REFERENCE + 2, 7), (3, 3)]
)
def test_too_little_gives_no_score(models, prompts):
    rows = _random_rows(prompts, models, seed=5)
    names, asked = [str(i) for i in range(models)], [str(i) for i in range(prompts)]
    found = pair_scores(of_rows(names, asked, rows), np.eye(models, dtype=bool), np.array([(0, 1)]))
    assert math.isnan(found.score[0])
    assert found.reference[0] == models - 2


def test_a_model_with_nine_blank_answers_in_ten_has_no_score():
    rows = _random_rows(30, 12, seed=6)
    rows[3:, 0] = 0
    similarities = of_rows([str(i) for i in range(12)], [str(i) for i in range(30)], rows)
    found = pair_scores(similarities, np.eye(12, dtype=bool), np.array([(0, 1), (1, 2)]))
    assert found.prompts.tolist() == [3, 30]
    assert np.isnan(found.score[0])
    assert np.isfinite(found.score[1])


def test_samples_of_one_prompt_count_as_one_answer():
    one = outputs(facts(3, 6), prompts=8)
    twice = [[samples * 2 for samples in row] for row in one.texts]
    similarities = of_texts(one.models, [p.sha256 for p in one.prompts], twice)
    assert similarities.answered.all()
    assert np.allclose(np.einsum("pnn->pn", similarities.cosines), 1, atol=1e-4)


def test_parts_are_parts():
    whole = of_rows(list("abcdef"), list("123456789"), _random_rows(9, 6, seed=7))
    part = whole.on([1, 4]).of([5, 0])
    assert (part.models, part.prompts) == (("f", "a"), ("2", "5"))
    assert part.cosines[1, 0, 1] == whole.cosines[4, 5, 0]
    assert isinstance(part, Similarities)


def test_a_row_against_the_reference_has_its_size():
    whole = of_rows(list("abcdef"), list("123456789"), _random_rows(9, 6, seed=8))
    kept = np.array([False, True, True, True, True, False])
    assert view(whole, kept).row(0).with_reference().shape == (4,)


def test_how_many_reference_models_normalise():
    assert [nearest_count(n) for n in (5, 20, 40, 100, 160)] == [5, 20, 20, 25, 40]
