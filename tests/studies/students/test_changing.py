"""Students read by their answers: the teacher they took words from, and no one where none did."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from studies.shift.readings import COUNTED, HABITS, read_all
from studies.students import store
from studies.students.asking import StudentAnswer
from studies.students.changing import Texts, change_of, usual_change
from studies.students.changing_page import (
    changes_of,
    developer_rank,
    exact_interval,
    section,
    teacher_rank,
)
from studies.students.material import Material
from studies.students.plan import Student

PROMPTS = tuple(f"p{number}" for number in range(12))
HOUSES = {"one": "X", "two": "X", "three": "Y", "four": "Z", "five": "W"}
WORDS = {
    name: [f"{name[:2]}{number}{name[-2:]}" for number in range(30)] for name in (*HOUSES, "self")
}
PLAIN = [f"plain{number}" for number in range(30)]
TAUGHT, NOBODY = Student("of-three", "taught", ("three",)), Student("nobody-1", "nobody", share=0)


def answer(writers: list[list[str]], seed: str) -> str:
    dice = random.Random(seed)
    return " ".join(dice.choice(dice.choice(writers)) for _ in range(60))


def material() -> Material:
    answers = {
        name: {p: answer([WORDS[name], PLAIN], f"{name}{p}") for p in PROMPTS} for name in HOUSES
    }
    return Material({p: p for p in PROMPTS}, (), PROMPTS, answers)


def texts(writers: list[list[str]], seed: str) -> Texts:
    return {p: [answer(writers, f"{seed}{p}{n}") for n in range(3)] for p in PROMPTS}


PAST = texts([WORDS["self"], PLAIN], "past")


def test_a_student_changed_towards_its_teacher() -> None:
    taught = texts([WORDS["self"], WORDS["three"], PLAIN], "taught")
    change = change_of(TAUGHT, taught, PAST, material())
    assert change.order[0] == "three"
    assert (teacher_rank(change), developer_rank(change, HOUSES)) == (1, 1)
    assert change.leads(HOUSES)[0].margin > 5


def test_who_answers_as_before_changed_towards_nobody() -> None:
    change = change_of(NOBODY, PAST, PAST, material())
    assert abs(change.changes).max() < 1e-6
    again = change_of(NOBODY, texts([WORDS["self"], PLAIN], "again"), PAST, material())
    assert again.leads(HOUSES)[0].margin < 3


def test_what_nobody_shows_is_taken_off() -> None:
    nobody = change_of(NOBODY, texts([WORDS["self"], PLAIN], "again"), PAST, material())
    left = nobody.less(usual_change([nobody]))
    assert abs(left.changes.mean(axis=0)).max() < 1e-9


def test_the_section_takes_what_is_there(tmp_path: Path) -> None:
    written = {"base": PAST, "of-three": texts([WORDS["three"], PLAIN], "taught"), "nobody-1": PAST}
    for name, given in written.items():
        rows = [StudentAnswer(p, n, text) for p in PROMPTS for n, text in enumerate(given[p])]
        store.write(store.answers_file(name, tmp_path), rows)
    missing = Student("of-one", "taught", ("one",))
    changes = changes_of([TAUGHT, missing, NOBODY], material(), tmp_path)
    assert [change.student.name for change in changes] == ["of-three", "nobody-1"]
    shown = "\n".join(section(changes, HOUSES))
    assert shown.index("| nobody-1 | 0.000") < shown.index("| of-three |")
    assert "n = 1 teachers" in shown
    assert "1 (95 % interval 3 to 100 %)" in shown


@pytest.mark.parametrize("name", [*COUNTED, *HABITS])
def test_every_reading_gives_unit_rows_and_nothing_for_no_answer(name: str) -> None:
    answers = [
        "One two, three.\n\n- the first of Ann\n- the second",
        "So then, of 7 others: — all.",
        "",
    ]
    for rows in read_all(name, [answers, answers[::-1]]):
        assert sorted(np.linalg.norm(rows, axis=1).round(5)) == [name == "skeletons", 1, 1]


def test_names_and_numbers_are_what_two_texts_pick_alike() -> None:
    texts = [
        "Then Elara Voss left with 3 dogs.",
        "He met Elara, and 17 cats.",
        "So did all, 3 of us.",
    ]
    first, second, third = next(iter(read_all("names and numbers", [texts])))
    assert first @ second > 0
    assert first @ third > 0
    assert second @ third == 0


def test_turns_of_reasoning_are_counted_as_whole_words() -> None:
    texts = [
        "Wait, let me think. Hmm.",
        "The waiter smiled at the summit.",
        "Wait: hmm, let me see.",
    ]
    first, second, third = next(iter(read_all("reasoning turns", [texts, texts])))
    assert first @ third > 0.5
    assert first @ second < 0


@pytest.mark.parametrize(("hits", "n", "low", "high"), [(1, 1, 0.025, 1.0), (8, 10, 0.444, 0.975)])
def test_intervals_are_exact(hits: int, n: int, low: float, high: float) -> None:
    assert exact_interval(hits, n) == pytest.approx((low, high), abs=1e-3)
