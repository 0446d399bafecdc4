"""The bets of a watch: fair where nothing changed, and quick where something did."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from forensics.evidence.watching.bets import Draw, all_draws, first_draws, start_weight
from forensics.evidence.watching.watch_reference import WatchedPrompt, WatchReference, learn
from forensics.evidence.watching.watch_standing import standing
from studies.watch.answers import WATCHED, read_table
from studies.watch.runs import Scenario, watch

OTHER = "gemma3-270m"
RUNS = 60


@pytest.fixture(name="table", scope="module")
def table_fixture():
    return read_table()


def known(strange: int, tested: int, name: str = "a") -> WatchedPrompt:
    return WatchedPrompt(name, 10, frozenset({"usual"}), strange, tested, 0.5)


@pytest.mark.parametrize("probability", [0.02, 0.2, 0.5])
def test_no_strategy_gains_on_average_over_every_reference_and_every_course(probability):
    # All references of 4 stored draws and all courses of 8 new ones, each with its probability.
    expected = 0.0
    for stored in range(5):
        reference = WatchReference((known(stored, 4),), "s")
        weight = math.comb(4, stored) * probability**stored * (1 - probability) ** (4 - stored)
        for course in itertools.product((False, True), repeat=8):
            hits = sum(course)
            chance = weight * probability**hits * (1 - probability) ** (8 - hits)
            log_capital = all_draws(reference, course).log_capital
            # Stopped at the best moment of a stopping rule: the first time above 1, else the end.
            above = np.flatnonzero(log_capital > 0)
            expected += chance * math.exp(log_capital[above[0] if len(above) else -1])
    assert 0.01 < expected <= 1.0 + 1e-9


@pytest.mark.parametrize("strange", range(6))
def test_a_first_draw_pays_its_stake_back_whoever_of_the_draws_is_the_new_one(strange):
    # Of six draws, so many strange ones: each of the six may be the new one.
    capital = []
    for new_is_strange, ways in ((True, strange), (False, 6 - strange)):
        if ways:
            prompt = known(strange - new_is_strange, 5)
            draw = Draw(0, prompt, "other" if new_is_strange else "usual")
            gained = math.exp(first_draws(WatchReference((prompt,), "s"), [draw])[0])
            capital += [max(gained, 1e-9)] * ways
    # What is told is the largest so far times the round's share, so it never exceeds that share.
    assert np.mean(capital) == pytest.approx(start_weight(1), rel=1e-6)


def test_an_unchanged_model_is_not_accused(table):
    scenario = Scenario(WATCHED, 0.0, 400)
    ends = [watch(table[WATCHED], table[WATCHED], scenario, seed) for seed in range(RUNS)]
    assert sum(end.crossed is not None for end in ends) <= 2  # 60 watches at 1 %: P(3 or more) 2 %
    assert all(end.fresh for end in ends)


def test_a_cache_in_front_of_an_unchanged_model_is_not_accused(table):
    scenario = Scenario(WATCHED, 0.0, 400, cached=True)
    ends = [watch(table[WATCHED], table[WATCHED], scenario, seed) for seed in range(RUNS)]
    assert sum(end.crossed is not None for end in ends) <= 2
    assert not any(end.fresh for end in ends)


@pytest.mark.parametrize(
    ("share", "calls", "start", "limit", "cached"),
    [
        (1.0, 60, 0, 40, False),
        (0.2, 500, 0, 500, False),
        (1.0, 280, 200, 240, False),
        (1.0, 60, 0, 40, True),
    ],
)
def test_another_model_is_seen(table, share, calls, start, limit, cached):
    scenario = Scenario(OTHER, share, calls, start, cached)
    ends = [watch(table[WATCHED], table[OTHER], scenario, seed) for seed in range(15)]
    found = [end.crossed or calls * 10 for end in ends]
    assert np.median(found) <= limit


def test_the_interval_of_the_share_holds_the_share(table):
    ends = [
        watch(table[WATCHED], table[OTHER], Scenario(OTHER, 0.2, 500), seed) for seed in range(20)
    ]
    holds = [end.share.low <= 0.2 <= end.share.high for end in ends]
    assert sum(holds) >= 18
    assert np.median([end.share.estimate for end in ends]) == pytest.approx(0.2, abs=0.04)
    assert max(end.share.low for end in ends) < 0.2


def test_long_varied_answers_are_read_by_their_beginning():
    stored = [f"Yes, {number} times" for number in range(24)]
    reference = learn({"a": stored, "b": ["x"] * 24, "few": ["x"] * 7}, "s")
    assert [(p.sha256, p.length) for p in reference.prompts] == [("a", 4), ("b", 200)]
    assert reference.prompts[0].is_strange("No, never")
    assert not reference.prompts[0].is_strange("  Yes, of course")
    assert learn({"a": [chr(60 + n) for n in range(24)]}, "s").prompts == ()


def test_nothing_asked_proves_nothing():
    nothing = standing(WatchReference((known(0, 12),), "s"), [], 0.01)
    assert (nothing.e_value, nothing.crossed, nothing.share) == (1.0, None, None)
