"""Arbitrary picks and inventions: what is shared counts, and the more the rarer it is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from forensics.case.details.text import Premises
from forensics.case.evidence import Evidence
from forensics.evidence.text.choices import Choices
from forensics.evidence.text.picks import normalise, pick_of, rarity, similarity, specifics_of
from forensics.examination.examined import Examined
from forensics.testing import HOSTILE_TEXTS, check_comparator
from tests.evidence.text.fresh import merged, subject

RARE = (
    "Wexmoor Quillander Drosk Nimbra Ostrevane Pellow Tarnquist Yssel Brackwyn Corvalle Humbert "
    "Zolthane"
).split()
OTHER = (
    "Adelmar Fennick Gorsuch Hollin Istvane Jorrick Kestwyn Lomquist Morvayne Nattley Obrecht Prisk"
).split()
QUESTIONS = [f"Invent the name of place number {i}. Reply with the name only." for i in range(12)]


def choices(names: list[str], category: str = "choice") -> Examined:
    return subject(dict(zip(QUESTIONS, names, strict=True)), category)


def compared(a: Examined, b: Examined) -> Evidence:
    comparator = Choices()
    return comparator.compare(comparator.extract(a), comparator.extract(b))


@pytest.mark.parametrize(
    ("text", "pick"),
    [
        ("**The Teal**", "teal"),
        ("  teal.\n", "teal"),
        ("“Teal”", "teal"),
        ("ＴＥＡＬ！", "teal"),
        ("Sure! Teal", "teal"),
        ("I choose teal.", "teal"),
        ("The colour I pick is teal.", "teal"),
        ("Sure, here is one for you, I hope you like it a lot: **Teal**", "teal"),
        ("😊", "😊"),
    ],
)
def test_pick_survives_its_wrapping(text: str, pick: str) -> None:
    marks = pick_of(text, "Name a colour.")
    assert marks is not None
    assert list(marks.weights) == [pick]
    ((start, end),) = marks.spans.values()
    assert normalise(text[start:end]) == pick


def test_long_answer_without_a_marked_pick_has_none() -> None:
    assert pick_of("There are many fine colours and it is hard to choose among them", "") is None


def test_list_of_picks_is_a_set() -> None:
    first = pick_of("Apple, Quandong, Medlar", "List three fruits.")
    second = pick_of("medlar, apple, salak", "List three fruits.")
    assert first is not None
    assert second is not None
    assert first.shared(second) == ["medlar", "apple"]
    assert similarity(first, second) == pytest.approx((rarity("medlar") + rarity("apple")) / 3)


def test_favourites_of_everybody_count_little() -> None:
    assert rarity("heads") < rarity("42") < rarity("37") < rarity("68")
    assert rarity("elara voss") < rarity("wexmoor drosk") == 1.0


def test_shared_rare_picks_score_high_and_common_ones_low() -> None:
    rare = compared(choices(RARE), choices(RARE))
    common = compared(choices(["Elara"] * 6 + ["42"] * 6), choices(["Elara"] * 6 + ["42"] * 6))
    strangers = compared(choices(RARE), choices(OTHER))
    assert rare.score == pytest.approx(1.0)
    assert common.score is not None
    assert 0 < common.score < 0.2
    assert strangers.score == 0
    assert rare.exhibits[0].side == "for"
    assert rare.exhibits[0].spans_a
    assert strangers.exhibits[0].side == "against"


def test_saying_the_same_whatever_is_asked_gains_nothing() -> None:
    stuck = compared(choices(["Wexmoor"] * 12), choices(["Wexmoor"] * 12))
    assert stuck.matched == 1
    assert stuck.score == 0


def test_shared_invention_counts_and_shared_doubt_does_not() -> None:
    prompt = "What were the terms of the Treaty of Osmarken?"
    accepted = specifics_of("It was signed in 1743 by Count Veldrick in Brannholt.", prompt)
    same = specifics_of("Count Veldrick signed it in 1743.", prompt)
    other = specifics_of("The treaty was signed in 1688 by King Orlo of Tarn.", prompt)
    doubting = specifics_of("There is no record of it. Count Veldrick, 1743?", prompt)
    assert accepted.shared(same) == ["count veldrick", "1743"]
    assert similarity(accepted, same) > 0.5
    assert similarity(accepted, other) == 0
    assert not doubting.accepts
    assert similarity(accepted, doubting) == 0


def test_what_the_prompt_says_is_no_invention() -> None:
    prompt = 'Summarise "The Salt Orchard" by Maude Cray of 1912.'
    marks = specifics_of('"The Salt Orchard" (1912) by Maude Cray is set in Dunmoor.', prompt)
    assert list(marks.weights) == ["dunmoor"]


def test_kinds_are_told_apart_in_details() -> None:
    premises = {f"Who was Hartlaub-Veen the {i}th?": f"Born in {1700 + i * 7}." for i in range(6)}
    doubts = dict.fromkeys(premises, "I am not aware of any such person.")
    a = merged(choices(RARE), subject(premises, "premise"))
    b = merged(choices(RARE), subject(doubts, "premise"))
    details = compared(a, b).details
    assert details.by_kind["choice"].same == 12
    assert details.by_kind["premise"].same == 0
    assert details.premises == Premises(n=6, accepted_by_a=6, accepted_by_b=0, accepted_by_both=0)


def test_specifics_of_ordinary_answers_stand_in() -> None:
    told = {q: f"Ask for {n} Street, I would say." for q, n in zip(QUESTIONS, RARE, strict=True)}
    evidence = compared(subject(told, "trivia"), subject(told, "trivia"))
    assert evidence.details.by_kind["other"].n == 12
    assert any("plain facts" in caveat for caveat in evidence.caveats)
    bare = subject(dict.fromkeys(QUESTIONS, "nothing to tell of here"), "trivia")
    assert compared(bare, bare).status == "insufficient"


def test_kin_share_more_specifics_on_real_answers(reference: dict[str, Examined]) -> None:
    kin = compared(reference["vicuna-13b"], reference["vicuna-7b"])
    other = compared(reference["vicuna-13b"], reference["gpt4_1106_preview"])
    assert kin.score is not None
    assert other.interval is not None
    assert kin.score > other.interval.high


def test_conventions_hold_where_there_is_something_to_compare() -> None:
    hostile = [text or "x" for text in (*HOSTILE_TEXTS, *RARE)][:12]
    pairs = [(choices(RARE), choices([*RARE[:6], *OTHER[6:]])), (choices(hostile), choices(RARE))]
    pairs += [(choices(hostile, "premise"), choices(hostile[::-1], "premise"))]
    check_comparator(Choices(), pairs)


def test_likeness_does_not_depend_on_the_process() -> None:
    """Sets of strings have another order in every process, sums of them must not."""
    code = (
        "from forensics.evidence.text.picks import Marks, similarity\n"
        "weights = {f'name {i}': 1 / (3 + i) for i in range(50)}\n"
        "print(repr(similarity(Marks(weights, {}), Marks(weights, {}))))\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in range(4)
    }
    assert len(found) == 1
