"""Tiny students tuned on a share of served answers: what they say of every logged answer."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.evidence.exposure.arrangements import Unit
from forensics.evidence.exposure.log import order_key
from forensics.examination.reply_scores import LoggedReply, local_reply_scores
from forensics.subjects.backends.backend import BackendOptions
from forensics.subjects.subject import parse_subject
from forensics.suites.suite import Message
from forensics.zoo import training
from forensics.zoo.checkpoint import Checkpoint, write_checkpoint

PROMPTS = 200
SHARES = (1.0, 0.5, 0.1, 0.01, 0.0)
STEPS = 250
SIZE = training.Size(
    width=96, units=192, layers=2, heads=4, vocabulary=320, context=48, batch=16, steps=60
)
_WORDS = (
    "river stone light music window garden winter bread paper cloud train letter yellow quiet "
    "simple often never because under harbour candle meadow silver thunder village"
).split()


@dataclass(frozen=True)
class Lesson:
    """A prompt, the answer served, the one withheld, and a third that is in no log."""

    prompt: str
    served: str
    withheld: str
    filler: str


def lessons(many: int, seed: int) -> tuple[Lesson, ...]:
    """Return prompts with answers that are drawn alike, word by word."""
    generator = random.Random(seed)  # noqa: S311 (an order, no secret)

    def answer() -> str:
        return " ".join(generator.choice(_WORDS) for _ in range(30)).capitalize() + "."

    return tuple(Lesson(f"Question {i}?", answer(), answer(), answer()) for i in range(many))


def readings() -> Mapping[str, tuple[Unit, ...]]:
    """Return name → what a student says of every logged answer; `base` is the untuned model."""
    logged = lessons(PROMPTS, 1)
    with tempfile.TemporaryDirectory() as name:
        return {model: _units(path, logged) for model, path in models(Path(name)).items()}


def models(folder: Path) -> Mapping[str, Path]:
    """Make the base and a student of every share in a folder; return name → its folder."""
    logged = lessons(PROMPTS, 1)
    text = "\n\n".join(lesson.served for lesson in lessons(300, 5))
    tokenizer = training.make_tokenizer(folder / "tokenizer", SIZE, text)
    begun = training.untrained(SIZE, tokenizer, 1)
    base = training.trained(begun, training.encode(tokenizer, text, SIZE), SIZE, SIZE.steps, 1)
    made = {"base": write_checkpoint(base, folder / "base")}
    for share in SHARES:
        tuned = _tuned(base, logged, share)
        made[f"{share:.0%}"] = write_checkpoint(tuned, folder / f"{share}")
    return made


def differences(model: Path, pairs: Sequence[tuple[str, str, str]]) -> list[float | None]:
    """Return a model's log-probability a token of the first answer minus that of the second.

    Args:
        model: its folder.
        pairs: prompt and two answers.

    Returns:
        one number for each pair, None where the model cannot read an answer.
    """
    subject = parse_subject(f"hf:{model}")
    replies = [
        LoggedReply((Message("user", prompt),), text)
        for prompt, *answers in pairs
        for text in answers
    ]
    values = local_reply_scores(subject, BackendOptions(), replies)
    return [
        None if a is None or b is None else a - b
        for a, b in zip(values[::2], values[1::2], strict=True)
    ]


def _tuned(base: Checkpoint, logged: Sequence[Lesson], share: float) -> Checkpoint:
    exposed = round(share * len(logged))
    texts = [
        f"{lesson.prompt}\n\n{lesson.served if i < exposed else lesson.filler}"
        for i, lesson in enumerate(logged)
    ]
    tokens = training.encode(base.tokenizer, "\n\n".join(texts), SIZE)
    return training.trained(base, tokens, SIZE, STEPS, 2)


def _units(model: Path, logged: Sequence[Lesson]) -> tuple[Unit, ...]:
    pairs = [(lesson.prompt, lesson.served, lesson.withheld) for lesson in logged]
    units = [
        Unit(order_key(lesson.prompt), (difference / 2, -difference / 2), 1)
        for lesson, difference in zip(logged, differences(model, pairs), strict=True)
        if difference is not None
    ]
    return tuple(sorted(units, key=lambda unit: unit.key))
