"""Permutation, betting and residuals against enumeration, scipy, and runs without exposure."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from forensics.evidence.e_process import mean_capital
from forensics.evidence.exposure.arrangements import Unit, arrangements
from forensics.evidence.exposure.betting import betting
from forensics.evidence.exposure.detectable import (
    FullEffect,
    detectable_share,
    pairs_needed,
    power_of,
)
from forensics.evidence.exposure.exposure_test import Scores, measured
from forensics.evidence.exposure.flips import permutation_test
from forensics.evidence.exposure.residuals import residual
from forensics.evidence.exposure.text_only import text_only
from forensics.evidence.probabilities.panel import sign_flip


def units_of(differences, keys="k"):
    return [Unit(f"{keys}{i}", (d / 2, -d / 2), 1) for i, d in enumerate(differences)]


def test_a_prompt_can_be_dealt_in_every_way_and_the_first_is_the_one_seen():
    unit = Unit("0", (5.0, 1.0, 3.0), 1)
    assert arrangements(unit).tolist() == pytest.approx([3.0, -3.0, 0.0])
    assert arrangements(unit)[0] == unit.difference
    assert arrangements(unit, by_sign=True).tolist() == [1.0, -1.0, 0.0]


def test_exact_flips_agree_with_enumeration_and_with_the_test_for_whole_numbers():
    differences = [3, -1, 4, 1, 5, -2]
    ways = [arrangements(unit) for unit in units_of(differences)]
    test = permutation_test(ways)
    flips = itertools.product((1, -1), repeat=6)
    reached = sum(np.dot(flip, np.abs(differences)) >= sum(differences) for flip in flips)
    assert (test.exact, test.ways, test.reached) == (True, 64, reached)
    assert test.p_value == pytest.approx(sign_flip(differences))


def test_several_answers_a_prompt_are_permuted_within_it_as_scipy_does():
    generator = np.random.default_rng(3)
    values = generator.normal(size=5)
    test = permutation_test([arrangements(Unit("a", tuple(values), 2))])
    expected = stats.permutation_test(
        (values[:2], values[2:]),
        lambda a, b: np.mean(a) - np.mean(b),
        alternative="greater",
        n_resamples=np.inf,
    )
    assert test.p_value == pytest.approx(expected.pvalue)
    assert test.ways == math.comb(5, 2)


def test_monte_carlo_counts_what_was_seen_and_comes_near_the_exact_value():
    differences = [0.2, 0.5, -0.1, 0.4, 0.3, 0.2, -0.2, 0.6] * 3
    ways = [arrangements(unit) for unit in units_of(differences)]
    drawn = permutation_test(ways)
    assert not drawn.exact
    assert drawn.p_value == (1 + drawn.reached) / (1 + drawn.ways)
    whole = sign_flip([round(10 * d) for d in differences])
    assert drawn.p_value == pytest.approx(whole, abs=4 * math.sqrt(whole / drawn.ways) + 1e-3)
    never = permutation_test([np.array([1.0, -1.0])] * 40, draws=99)
    assert never.p_value == 0.01


def test_without_exposure_p_is_uniform_and_capital_seldom_reaches_100():
    generator = np.random.default_rng(11)
    p_values, reached = [], 0
    for _ in range(240):
        base = generator.standard_t(3, size=60)
        own = 0.8 * base + 0.4 * generator.standard_t(3, size=60)
        scores = Scores(tuple(units_of(own)), tuple(units_of(base)))
        rest = residual(scores.subject, [scores.base])
        ways = [arrangements(unit) for unit in rest]
        p_values.append(permutation_test(ways, draws=499).p_value)
        reached += betting(ways).highest >= 100
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    assert reached <= 0.01 * 240


def test_looking_at_every_step_misleads_a_fixed_test_and_not_the_e_process():
    generator = np.random.default_rng(5)
    peeked = watched = 0
    for _ in range(120):
        ways = [np.array([d, -d]) for d in generator.normal(size=200)]
        looks = range(20, 201, 20)
        peeked += any(permutation_test(ways[:n], draws=99).p_value <= 0.01 for n in looks)
        watched += betting(ways).p_value <= 0.01
    assert peeked / 120 > 0.03
    assert watched / 120 <= 0.02


def test_the_capital_of_all_ways_to_deal_is_one_on_average():
    units = [np.array([d, -d]) for d in (0.5, 2.0, 0.1, 1.0, 0.7, 0.9)]
    units.append(arrangements(Unit("0", (1.0, 4.0, 2.0), 1), by_sign=True))
    finals = []
    for first in itertools.product(*(range(len(unit)) for unit in units)):
        dealt = [np.roll(unit, -k) for unit, k in zip(units, first, strict=True)]
        finals.append(betting(dealt).final)
    assert np.mean(finals) == pytest.approx(1.0)


def test_exposure_is_found_and_what_the_base_says_sharpens_it():
    generator = np.random.default_rng(2)
    base = generator.normal(size=120)
    own = base + 0.1 + 0.2 * generator.normal(size=120)
    alone = measured(Scores(tuple(units_of(own))), True, 0.01)
    both = measured(Scores(tuple(units_of(own)), tuple(units_of(base))), True, 0.01)
    assert both.fixed is not None and alone.fixed is not None
    assert both.fixed.p_value < 0.001 < alone.fixed.p_value
    assert both.watched.crossed_at is not None


def test_coefficients_do_not_hang_on_which_side_was_served():
    generator = np.random.default_rng(8)
    own, base = generator.normal(size=(2, 30))
    flip = generator.choice([1, -1], size=30)
    plain = residual(units_of(own), [units_of(base)])
    flipped = residual(units_of(own * flip), [units_of(base * flip)])
    expected = [unit.difference for unit in plain] * flip
    assert [unit.difference for unit in flipped] == pytest.approx(expected)


def test_several_accounts_are_combined_by_their_mean_e_value():
    ways = [np.array([1.0, -1.0])] * 30
    first, second = betting(ways), betting([-way for way in ways])
    assert mean_capital([first, second]) == pytest.approx((first.final + second.final) / 2)


def test_text_alone_is_at_chance_on_equal_sides_and_sees_a_marked_one():
    generator = np.random.default_rng(0)
    texts = ["".join(generator.choice(list("abcdefg "), 120)) for _ in range(120)]
    assert text_only(texts[:60], texts[60:]).p_value > 0.05
    marked = text_only([f"{text} Sure!" for text in texts[:60]], texts[60:])
    assert marked.accuracy > 0.9
    assert marked.p_value < 0.001


def test_power_is_what_simulation_finds_and_pairs_and_shares_agree():
    effect = FullEffect(0.1, 0.2, "here")
    needed = pairs_needed(0.5, effect)
    assert power_of(needed, 0.5, effect) == pytest.approx(0.8, abs=0.01)
    assert detectable_share(needed, effect) == pytest.approx(0.5, abs=0.01)
    assert detectable_share(3, effect) is None
    generator = np.random.default_rng(1)
    drawn = generator.normal(0.05, 0.2, size=(2_000, needed))
    t = drawn.mean(axis=1) / (0.2 / math.sqrt(needed))
    assert np.mean(t > stats.norm.isf(0.01)) == pytest.approx(0.8, abs=0.03)
