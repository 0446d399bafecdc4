"""The nearest of many models by index, against an exact ranking of all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forensics.cohorts.all_pairs import PackedRows, mean_cosines
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.finding import find_cohort
from forensics.cohorts.nearest_models import IndexSearch, ModelIndex, index_of
from forensics.errors import UsageError
from studies.scale.synthetic import drawn

MODELS, PROMPTS = 1_500, 40


@pytest.fixture(name="many", scope="module")
def many_fixture() -> Cohort:
    return drawn(find_cohort("alpaca-eval"), MODELS, PROMPTS)


@pytest.fixture(name="index", scope="module")
def index_fixture(many: Cohort) -> ModelIndex:
    return index_of(many)


@pytest.fixture(name="exact", scope="module")
def exact_fixture(many: Cohort) -> np.ndarray:
    rows = PackedRows(many.sketches, many.scales)
    return mean_cosines(rows, np.ones(MODELS, dtype=bool))


@pytest.mark.parametrize("place", [0, 700, 1_499])
def test_what_is_listed_is_compared_exactly_and_in_order(index, exact, place) -> None:
    name = index.models[place]
    near = IndexSearch(index).nearest(index.row(name), 30, without=name)
    assert len(near) == 30
    assert name not in {model.model for model in near}
    listed = [index.models.index(model.model) for model in near]
    assert [model.similarity for model in near] == pytest.approx(exact[place, listed], abs=1e-4)
    assert near == sorted(near, key=lambda model: -model.similarity)


def test_nearly_all_of_the_nearest_are_found(index, exact) -> None:
    search, shares = IndexSearch(index), []
    for place in range(0, MODELS, 50):
        order = np.argsort(-np.nan_to_num(exact[place], nan=-np.inf))
        best = {index.models[i] for i in order[:20]}
        name = index.models[place]
        near = search.nearest(index.row(name), 20, shortlist=200, without=name)
        shares.append(len(best & {model.model for model in near}) / 20)
    assert np.mean(shares) >= 0.98


def test_a_shortlist_of_all_models_is_an_exact_ranking_and_a_bare_one_is_worse(
    index, exact
) -> None:
    search, name = IndexSearch(index), index.models[3]
    order = np.argsort(-np.nan_to_num(exact[3], nan=-np.inf))[:20]
    best = [index.models[i] for i in order]
    every = search.nearest(index.row(name), 20, shortlist=MODELS, without=name)
    few = search.nearest(index.row(name), 20, shortlist=21, without=name)
    assert {model.model for model in every} == set(best)
    assert sum(m.similarity for m in few) < sum(m.similarity for m in every)


def test_a_model_of_few_answers_is_not_listed_and_one_of_half_is_compared_on_its_own(many) -> None:
    scales = many.scales.copy()
    scales[5:, 10] = 0
    scales[20:, 11] = 0
    index = index_of(replace(many, scales=scales))
    name = index.models[11]
    near = IndexSearch(index).nearest(index.row(name), MODELS, shortlist=MODELS, without=name)
    assert len(near) == MODELS - 2
    expected = mean_cosines(PackedRows(many.sketches, scales), np.ones(MODELS, dtype=bool))[11]
    listed = [index.models.index(model.model) for model in near]
    assert [model.similarity for model in near] == pytest.approx(expected[listed], abs=1e-4)
    assert max(model.prompts for model in near) == 20
    assert index.models[10] not in {model.model for model in near}


def test_the_same_cohort_gives_the_same_index(many, index) -> None:
    again = index_of(many)
    assert again.folded.tobytes() == index.folded.tobytes()
    assert again.sketches.tobytes() == index.sketches.tobytes()


def test_an_unknown_model_is_named_with_those_spelt_like_it(index) -> None:
    with pytest.raises(UsageError, match="has no model 'm00100O'; did you mean m00"):
        index.row("m00100O")
