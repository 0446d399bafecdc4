"""Pairs drawn at random: by the answers, whatever was measured, and never twice otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from forensics.case.evidence import Exhibit
from forensics.evidence import load_comparators
from forensics.report.exhibits import shown_exhibits
from forensics.verdicts.compare import compare
from forensics.verdicts.random_exhibits import RANDOM, with_random
from tests.builders import essays, examined


def _drawn(a: Sequence[str], b: Sequence[str], *only: str) -> list[Exhibit]:
    case = compare(examined(a), examined(b), load_comparators(only))
    return [e for one in case.evidence for e in one.exhibits if e.side == "random"]


@pytest.mark.parametrize("only", ["phrasing", "style", "openings"])
def test_three_pairs_are_drawn_whatever_is_measured(only):
    drawn = _drawn(essays(20), essays(20, 1), only)
    assert len({one.prompt_sha256 for one in drawn}) == len(drawn) == RANDOM
    assert all(one.note for one in drawn)


def test_the_answers_decide_the_draw():
    a, b = essays(40), essays(40, 1)
    first = [one.prompt_id for one in _drawn(a, b, "phrasing")]
    assert [one.prompt_id for one in _drawn(a, b, "phrasing", "openings")] == first
    others = [
        tuple(one.prompt_id for one in _drawn(a, [*b[:-1], f"{b[-1]} {n}"], "phrasing"))
        for n in range(3)
    ]
    assert {*others, tuple(first)} > {tuple(first)}
    assert len(set(others)) > 1


def test_a_draw_is_made_once_and_goes_with_the_wording():
    sides = examined(essays(20)), examined(essays(20, 1))
    case = compare(*sides, load_comparators(("style", "phrasing")))
    hosts = [e.comparator for e in case.evidence if any(x.side == "random" for x in e.exhibits)]
    assert hosts == ["phrasing"]
    assert with_random(case.evidence, *sides) == list(case.evidence)


def test_pairs_are_drawn_from_all_prompts_that_both_answered():
    counts = set()
    for n in range(30):
        counts |= {x.prompt_id for x in _drawn(essays(10), [*essays(9, 1), str(n)], "style")}
    assert counts == {f"p{i:03d}" for i in range(10)}


def test_nothing_is_drawn_where_nothing_was_scored():
    assert _drawn(essays(3), essays(3, 1), "phrasing") == []


def test_kin_show_both_sides_evenly(reference):
    case = compare(
        reference["vicuna-13b"], reference["vicuna-7b"], load_comparators(("phrasing", "openings"))
    )
    shown = shown_exhibits(case, 5)
    assert len(shown.speaks_for) == len(shown.speaks_against) == 5
    assert [x.index for x in shown.speaks_for] == [x.index for x in shown.speaks_against]
