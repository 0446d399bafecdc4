"""What students are tuned on and asked: the prompts' fixed split, and everybody's answers."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from studies.students.plan import Student

TABLE = "modern/slop_score_outputs.parquet"
TUNED_ON, HELD_OUT = 200, 100
COMPLETE = 295  # answers, from which on a model counts as one that answered everything
_SPLIT_SEED = 17


@dataclass(frozen=True)
class Material:
    """Prompts by id, which are tuned on and held out, and answers: model → prompt → text."""

    prompts: Mapping[str, str]
    tuned_on: tuple[str, ...]
    held_out: tuple[str, ...]
    answers: Mapping[str, Mapping[str, str]]


def read_material(data: Path) -> Material:
    """Read the stories of the models that answered nearly all prompts.

    Args:
        data: folder with the reference data.
    """
    import pandas as pd

    table = pd.read_parquet(data / TABLE)
    table = table[table["output"].str.strip().str.len() > 0]
    per_model = table.groupby("model").size()
    complete = table[table["model"].isin(per_model[per_model >= COMPLETE].index)]
    models = complete.groupby("prompt_id")["model"].nunique()
    # A prompt that one model left blank would make false neighbours of the others.
    shared = sorted(models[models == models.max()].index)
    random.Random(_SPLIT_SEED).shuffle(shared)  # noqa: S311 (a split, no secret)
    tuned_on = tuple(shared[:TUNED_ON])
    return Material(
        prompts=dict(zip(complete["prompt_id"], complete["prompt"], strict=True)),
        tuned_on=tuned_on,
        held_out=tuple(shared[TUNED_ON : TUNED_ON + HELD_OUT]),
        answers={
            str(model): dict(zip(rows["prompt_id"], rows["output"], strict=True))
            for model, rows in complete.groupby("model")
        },
    )


def lessons(
    student: Student, material: Material, base_answers: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Return what a student is tuned on: a prompt and an answer, for every prompt of the split.

    Args:
        student: decides whose answers these are.
        material: prompts and answers.
        base_answers: prompt id → what the untuned model itself answers.
    """
    dice = random.Random(student.name)  # noqa: S311 (a draw, no secret)
    order = list(material.tuned_on)
    dice.shuffle(order)
    of_teachers = set(order[: round(student.share * len(order))])
    pairs = []
    for turn, prompt in enumerate(order):
        answer = (
            _answer(student, material.answers, prompt, turn, dice)
            if prompt in of_teachers
            else base_answers[prompt]
        )
        pairs.append((material.prompts[prompt], answer))
    return pairs


def _answer(
    student: Student,
    answers: Mapping[str, Mapping[str, str]],
    prompt: str,
    turn: int,
    dice: random.Random,
) -> str:
    if student.kind == "all_others":
        return answers[dice.choice(sorted(answers))][prompt]
    text = answers[student.teachers[turn % len(student.teachers)]][prompt]
    return reworded(text) if student.kind == "reworded" else text


_WORDS: Sequence[tuple[str, str]] = (
    ("—", ", "),
    ("…", "..."),
    ("“", '"'),
    ("”", '"'),
    ("’", "'"),
    (" was not ", " wasn't "),
    (" did not ", " didn't "),
    (" could not ", " couldn't "),
    (" it is ", " it's "),
    (" began to ", " started to "),
    (" whispered", " said quietly"),
    (" murmured", " said in a low voice"),
    (" replied", " answered"),
    (" realized", " understood"),
    (" gazed", " looked"),
    (" beneath ", " under "),
    (" upon ", " on "),
    (" perhaps ", " maybe "),
    (" merely ", " only "),
    (" glimpse", " look"),
)


def reworded(text: str) -> str:
    """Return an answer with marks and words of a fixed list replaced."""
    for old, new in _WORDS:
        text = text.replace(old, new)
    return text
