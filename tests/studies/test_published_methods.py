"""Published methods, against figures worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.cohorts.lineage.models import ModelFacts
from forensics.cohorts.outputs import Outputs
from studies.error_rates.published_methods import (
    BASELINES,
    first_characters,
    opening_alleles,
    raw_cosine,
    shared_alleles,
)
from tests.cohorts.builders import facts, outputs, prompt


def answered(*rows: tuple[tuple[str, ...], ...]) -> Outputs:
    names = [f"m{i}" for i in range(len(rows[0]))]
    models = {name: ModelFacts(name, name) for name in names}
    return Outputs(models, tuple(prompt(i) for i in range(len(rows))), rows)


def test_one_answer_a_prompt_gives_the_share_of_same_beginnings() -> None:
    found = answered(
        (("Sure, here",), ("Sure, there",), ("No way",)),
        (("Well then",), ("Well now",), ("Well then",)),
    )
    shares = opening_alleles(found, found.similarities())
    assert shares == pytest.approx(np.array([[1, 0, 0.5], [0, 1, 0], [0.5, 0, 1]]))
    shares = first_characters(found, found.similarities())
    assert shares == pytest.approx(np.array([[1, 1, 0.5], [1, 1, 0.5], [0.5, 0.5, 1]]))


def test_several_answers_are_compared_by_nei() -> None:
    found = answered((("a", "a", "b", "c"), ("a", "b", "b", "b")))
    p, q = np.array([0.5, 0.25, 0.25]), np.array([0.25, 0.75, 0])
    expected = p @ q / np.sqrt((p @ p) * (q @ q))
    assert shared_alleles(found, str)[0, 1] == pytest.approx(expected)


def test_prompts_that_only_one_answered_do_not_count() -> None:
    found = answered((("a",), ("a",)), (("x",), ()), ((), ("y",)))
    assert shared_alleles(found, str) == pytest.approx(np.ones((2, 2)))


def test_models_without_a_common_prompt_are_not_alike() -> None:
    found = answered((("a",), ()), ((), ("a",)))
    assert shared_alleles(found, str)[0, 1] == 0


def test_the_raw_cosine_is_that_of_the_answers_both_gave() -> None:
    found = answered(
        (("one two three",), ("one two three",), ("quite other",)), (("x y z",), (), ())
    )
    cosines = raw_cosine(found, found.similarities())
    assert cosines[0, 1] == pytest.approx(1.0, abs=1e-5)
    assert cosines[0, 2] < 0.5


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_gives_finite_symmetric_numbers(name: str) -> None:
    found = outputs(facts(2, 4), prompts=8)
    scores = BASELINES[name](found, found.similarities())
    assert scores.shape == (8, 8)
    assert np.isfinite(scores).all()
    assert scores == pytest.approx(scores.T)
