from __future__ import annotations

import pytest

from forensics.verdicts.copy_tripwire import MIN_CHARS, MIN_IDENTICAL, copy_tripwire
from tests.builders import examined

LONG = [f"{i:03d} " + "x" * MIN_CHARS for i in range(40)]


def _pair(identical: int, count: int = 40):
    other = [text if i < identical else text + "!" for i, text in enumerate(LONG[:count])]
    return examined(LONG[:count], "a"), examined(other, "b")


@pytest.mark.parametrize(("identical", "tripped"), [(0, False), (7, False), (8, True), (40, True)])
def test_many_identical_long_answers_trip_it(identical, tripped):
    wire = copy_tripwire(*_pair(identical))
    assert (wire.identical, wire.compared, wire.limit) == (identical, 40, 8)
    assert wire.tripped is tripped


def test_a_few_long_answers_need_a_few_copies_at_least():
    assert not copy_tripwire(*_pair(MIN_IDENTICAL - 1, MIN_IDENTICAL - 1)).tripped
    assert copy_tripwire(*_pair(MIN_IDENTICAL, MIN_IDENTICAL)).tripped


def test_short_answers_do_not_count():
    short = ["Paris."] * 40
    wire = copy_tripwire(examined(short), examined(short))
    assert (wire.identical, wire.compared, wire.tripped) == (0, 0, False)


def test_white_space_around_an_answer_does_not_hide_a_copy():
    padded = [f"\n{text} " for text in LONG]
    assert copy_tripwire(examined(LONG), examined(padded)).identical == 40


def test_no_common_prompt_no_copy():
    assert copy_tripwire(examined(LONG), examined(LONG, first=100)).compared == 0


def test_unrelated_reference_models_do_not_trip_it(reference):
    wire = copy_tripwire(reference["vicuna-13b"], reference["gpt4_1106_preview"])
    assert (wire.identical, wire.tripped) == (0, False)
    assert wire.compared > 200
