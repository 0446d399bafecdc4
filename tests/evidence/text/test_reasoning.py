"""Reasoning traces: how they begin, turn and end."""

from __future__ import annotations

from forensics.case.evidence import Evidence
from forensics.evidence.text.reasoning import Reasoning
from forensics.examination.examined import Examined
from forensics.testing import HOSTILE_TEXTS, check_comparator
from tests.builders import essays, examined
from tests.evidence.text.fresh import with_reasoning

COUNT = 16


def thinking(shift: int, opening: str, turn: str, count: int = COUNT) -> Examined:
    traces = [
        f"{opening} {text} {turn} {'again ' * (i % 4)}{turn if i % 3 else ''} So that is it."
        for i, text in enumerate(essays(count, shift))
    ]
    return with_reasoning(examined([f"Answer {i}." for i in range(count)]), traces)


def compared(a: Examined, b: Examined) -> Evidence:
    comparator = Reasoning()
    return comparator.compare(comparator.extract(a), comparator.extract(b))


def test_same_way_of_thinking_scores_above_another() -> None:
    known = thinking(0, "Okay, so I need to see.", "Wait, let me check.")
    kin = compared(known, thinking(0, "Okay, so I need to see.", "Hmm, let me check."))
    other = compared(known, thinking(9, "The user asks this.", "However, we note."))
    assert kin.score is not None
    assert other.score is not None
    assert kin.score > other.score
    assert "wait" in kin.details.turns_per_1000_words
    assert "begins “Okay, so I need to see." in kin.exhibits[0].note


def test_without_traces_it_says_of_whom() -> None:
    evidence = compared(thinking(0, "Okay.", "Wait."), examined(essays(COUNT)))
    assert evidence.status == "insufficient"
    assert "no answer of B comes with its reasoning" in evidence.reason


def test_responses_cut_off_while_reasoning_are_named() -> None:
    cut = with_reasoning(examined(["", *essays(COUNT - 1)]), ["Okay, so", *[None] * (COUNT - 1)])
    evidence = compared(cut, thinking(0, "Okay.", "Wait."))
    assert "1 responses were cut off before their answer" in evidence.reason


def test_conventions() -> None:
    hostile = (HOSTILE_TEXTS * 3)[:COUNT]
    plain = thinking(0, "Okay.", "Wait.")
    odd = with_reasoning(examined(essays(COUNT)), hostile)
    pairs = [(plain, thinking(3, "Hmm.", "Actually,")), (plain, odd)]
    check_comparator(Reasoning(), pairs)
