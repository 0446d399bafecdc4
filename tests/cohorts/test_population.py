"""The relevant population: each condition met and failed, in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forensics.cohorts.lineage.models import ModelFacts
from forensics.cohorts.population import (
    MIN_PEERS,
    Population,
    Traits,
    measured,
    month,
    traits_of,
)

ONE = Traits("2024-03", 900.0, 20.0)


def _failed(first: Traits, second: Traits, reference: list[Traits]) -> list[str]:
    population = Population((first, second, *reference))
    kept = np.array([False, False, *([True] * len(reference))])
    found = population.conditions(0, 1, kept)
    met = population.met(np.array([(0, 1)]), [kept])
    assert met[0] == all(one.met for one in found)
    return [one.text for one in found if not one.met]


def test_a_pair_among_its_like_is_covered():
    assert _failed(ONE, ONE, [ONE] * MIN_PEERS) == []


def test_too_few_models_of_the_time():
    old = replace(ONE, released="2022-01")
    texts = _failed(ONE, old, [ONE] * MIN_PEERS)
    assert len(texts) == 1
    assert "0 reference models" in texts[0]
    assert "months of B (2022-01)" in texts[0]
    assert len(_failed(ONE, ONE, [ONE] * (MIN_PEERS - 1))) == 2


def test_a_year_apart_is_near_and_a_month_more_is_not():
    reference = [ONE] * MIN_PEERS
    assert _failed(ONE, replace(ONE, released="2025-03"), reference) == []
    assert len(_failed(ONE, replace(ONE, released="2025-04"), reference)) == 1


def test_an_unknown_date_is_said():
    assert _failed(replace(ONE, released=""), ONE, [ONE] * MIN_PEERS) == [
        "the release date of A is not known"
    ]


@pytest.mark.parametrize(
    ("changed", "says"),
    [({"length": 90.0}, "median answer length"), ({"markup": 300.0}, "layout marks")],
)
def test_outside_the_range_of_length_or_layout(changed, says):
    texts = _failed(ONE, replace(ONE, **changed), [ONE] * MIN_PEERS)
    assert len(texts) == 1
    assert says in texts[0]
    assert "lies outside" in texts[0]


def test_models_without_answers_do_not_widen_the_range():
    silent = replace(ONE, length=0.0, markup=0.0)
    assert _failed(replace(ONE, length=50.0), ONE, [ONE] * MIN_PEERS + [silent])


def test_shown_reasoning_needs_its_like():
    thinking = replace(ONE, reasoning=True)
    assert "show their reasoning" in _failed(thinking, ONE, [ONE] * MIN_PEERS)[0]
    assert _failed(thinking, ONE, [thinking] * MIN_PEERS) == []


def test_one_system_prompt_for_both_needs_its_like():
    terse = replace(ONE, system_prompt="concise")
    assert "one system prompt" in _failed(terse, terse, [ONE] * MIN_PEERS)[0]
    assert _failed(terse, ONE, [ONE] * MIN_PEERS) == []
    assert _failed(terse, terse, [terse] * 30) == []


def test_no_reference_at_all_fails_without_an_error():
    assert len(_failed(ONE, ONE, [])) >= 2


def test_traits_are_measured_on_answers_that_are_not_blank():
    assert measured(["", "  \n", "abcd", "ab**cd**ef\n"]) == (7.5, pytest.approx(3_000 / 22))
    assert measured([]) == measured(["", " "]) == (0.0, 0.0)
    facts = ModelFacts("m", "m", released="2024-05", system_prompt="none")
    assert traits_of(facts, ["abcd"], True) == Traits("2024-05", 4.0, 0.0, "", True)


def test_months():
    assert month("2024-02") - month("2023-12") == 2
    assert month("") is None
