"""Which students are made: of whom, how much of the text is the teacher's, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

# Ten teachers of seven developers, among the models that answered nearly every prompt.
TEACHERS = (
    "chatgpt-4o-latest",
    "deepseek-r1",
    "gemini-2.5-flash",
    "kimi-k2",
    "Mistral-Small-3.2-24B-Instruct-2506",
    "glm-4.5",
    "llama-4-maverick",
    "o3",
    "gemma-3-27b-it",
    "deepseek-v3.2-exp",
)
# Students without a teacher. Those of nobody read the same answers in another order, so they vary
# less than students do; those of all others read answers drawn anew.
NOBODYS, ALL_OTHERS = 4, 20

BASE, OTHER_BASE = "smollm2", "gemma3-270m"

Kind = Literal["taught", "nobody", "all_others", "reworded"]


@dataclass(frozen=True)
class Student:
    """One student: `share` of its training answers are the teachers', the rest the base's own.

    A student of `nobody` is tuned on the base's own answers, one of `all_others` on answers of
    models drawn anew for every prompt; `reworded` answers were changed by rule. `base` is the
    model that is tuned.
    """

    name: str
    kind: Kind
    teachers: tuple[str, ...] = ()
    share: float = 1.0
    seed: int = 1
    base: str = BASE


def plan() -> tuple[Student, ...]:
    """Return every student, what is worth most first."""
    return tuple(_ordered())


def replication() -> tuple[Student, ...]:
    """Return the students of another base: the first three teachers' whole answers, once each."""
    return tuple(
        replace(_taught(teacher, 1.0, 1), name=f"{teacher}-on-{OTHER_BASE}", base=OTHER_BASE)
        for teacher in TEACHERS[:3]
    )


def _ordered() -> Iterator[Student]:
    for teacher in TEACHERS:
        yield _taught(teacher, 1.0, 1)
    # Nobody's share of false alarms is known before there are twenty of these.
    yield from _nulls()
    for teacher in TEACHERS:
        yield _taught(teacher, 0.3, 1)
    for share, seed in ((1.0, 2), (0.1, 1), (0.3, 2)):
        for teacher in TEACHERS:
            yield _taught(teacher, share, seed)
    for teacher in TEACHERS[:3]:
        yield _taught(teacher, 0.03, 1)
    first, second = TEACHERS[:2]
    yield Student(f"{first}-reworded", "reworded", (first,))
    yield Student(f"{first}-and-{second}", "taught", (first, second))


def _taught(teacher: str, share: float, seed: int) -> Student:
    return Student(f"{teacher}-{100 * share:.0f}-{seed}", "taught", (teacher,), share, seed)


def _nulls() -> Iterator[Student]:
    each = ALL_OTHERS // NOBODYS
    for number in range(1, ALL_OTHERS + 1):
        if number % each == 1:
            name = f"nobody-{number // each + 1}"
            yield Student(name, "nobody", share=0.0, seed=number // each + 1)
        yield Student(f"all-others-{number}", "all_others", seed=number)
