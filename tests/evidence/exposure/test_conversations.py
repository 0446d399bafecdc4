"""Later turns that follow on served answers: each is judged by what came before it only."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from forensics.evidence.exposure.arrangements import Unit, arrangements
from forensics.evidence.exposure.betting import betting
from forensics.evidence.exposure.eligible import eligible, is_later, with_refusals
from forensics.evidence.exposure.exposure_test import Scores, measured, subject_residual
from forensics.evidence.exposure.log_files import read_log
from forensics.evidence.exposure.residuals import predictable_residual
from tests.evidence.exposure.logs import pairs, write_log

CONVERSATIONS, TURNS = 3, 3


def _scores(labels):
    """Values of a model that saw nothing; what a later turn says hangs on who was served before."""
    own, base, later = [], [], []
    for conversation in range(CONVERSATIONS):
        dealt = labels[conversation * TURNS : (conversation + 1) * TURNS]
        for turn in range(TURNS):
            before = dealt[:turn]
            generator = np.random.default_rng([conversation, turn, *before])
            x = generator.normal(size=2)
            y = (3.0 if all(before) else -3.0) * x + generator.normal(size=2)
            order = [0, 1] if dealt[turn] else [1, 0]
            key = f"{conversation}{turn}"
            own.append(Unit(key, tuple(y[order]), 1))
            base.append(Unit(key, tuple(x[order]), 1))
            later.append(turn > 0)
    return Scores(tuple(own), tuple(base), later=tuple(later))


def _every_deal():
    return [_scores(labels) for labels in itertools.product((0, 1), repeat=CONVERSATIONS * TURNS)]


def test_the_capital_of_all_ways_to_deal_conversations_is_one_on_average():
    finals = [measured(scores, False, 0.01).watched.final for scores in _every_deal()]
    assert np.mean(finals) == pytest.approx(1.0)


def test_coefficients_of_later_turns_would_let_it_win():
    ways = ([arrangements(u) for u in subject_residual(scores)] for scores in _every_deal())
    assert abs(np.mean([betting(way).final for way in ways]) - 1.0) > 0.01


def test_of_two_accounts_together_the_capital_is_one_on_average_too():
    accounts = tuple("abb"[i // TURNS] for i in range(CONVERSATIONS * TURNS))
    combined = [
        measured(Scores(s.subject, s.base, (), accounts, s.later), False, 0.01).watched.combined
        for s in _every_deal()
    ]
    assert np.mean(combined) == pytest.approx(1.0)


def test_what_comes_later_changes_nothing_before_it():
    generator = np.random.default_rng(3)
    own, *others = (
        tuple(Unit(f"{i}", tuple(generator.normal(size=3)), 1) for i in range(20)) for _ in range(3)
    )
    whole = predictable_residual(own, others)
    for many in (1, 5, 12):
        part = predictable_residual(own[:many], [other[:many] for other in others])
        assert part == whole[:many]


def test_a_fixed_number_is_tested_on_first_turns_only():
    scores = _scores((1, 0, 1, 1, 1, 0, 0, 1, 0))
    first = [i for i in range(len(scores.subject)) if not scores.later[i]]
    alone = Scores(*(tuple(units[i] for i in first) for units in (scores.subject, scores.base)))
    fixed = measured(scores, True, 0.01).fixed
    assert fixed == measured(alone, True, 0.01).fixed
    assert fixed is not None and fixed.ways == 2 ** len(first)


def test_a_later_repetition_of_what_was_served_leaves_only_the_later_turn_out(tmp_path):
    rows = pairs(10)
    rows[4] |= {"conversation": "c", "turn": 0}
    rows[5] |= {"conversation": "c", "turn": 1, "served": rows[4]["served"]}
    rows[6] |= {"conversation": "c", "turn": 2}
    log = read_log(write_log(tmp_path / "log.jsonl", rows, withheld_on_served_prefix=True))
    chosen = eligible(log.prompts, with_refusals(log.prompts), later_turns=True)
    assert chosen.left_out == (("duplicate", 1),)
    later = zip(chosen.prompts, is_later(chosen.prompts), strict=True)
    turns = {prompt.prompt_id: is_one for prompt, is_one in later}
    assert [turns.get(f"p{i}") for i in (3, 4, 5, 6)] == [False, False, None, True]
