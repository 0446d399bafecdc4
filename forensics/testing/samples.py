"""Made-up subjects to check comparators with."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from forensics.examination.examined import Examined
from forensics.subjects.subject import Subject
from forensics.suites.suite import Message, Prompt
from forensics.transcripts.transcript import Response, Transcript

Pair = tuple[Examined, Examined]


def examined_from(name: str, answers: Sequence[Sequence[str] | str]) -> Examined:
    """Return a subject that answered as given.

    Args:
        name: the subject's name.
        answers: one entry a prompt: its answer, or its answers by sample. The prompts are made up,
            and the same for the same position.
    """
    responses = [
        Response(prompt=_prompt(number), text=text, sample=sample)
        for number, entry in enumerate(answers)
        for sample, text in enumerate([entry] if isinstance(entry, str) else entry)
    ]
    subject = Subject(f"transcript:{name}.jsonl", "transcript", f"{name}.jsonl")
    return Examined(subject, Transcript(name, tuple(responses)))


def sample_pairs() -> list[Pair]:
    """Return made-up pairs: close kin, unrelated, and unrelated with two samples a prompt."""
    plain, kin = (_invented(seed, _PLAIN) for seed in (1, 2))
    ornate = _invented(3, _ORNATE)
    twice = [
        examined_from(name, list(zip(first, second, strict=True)))
        for name, first, second in (
            ("twice-plain", plain, kin),
            ("twice-ornate", ornate, _invented(4, _ORNATE)),
        )
    ]
    known = examined_from("plain", plain)
    return [
        (known, examined_from("kin", kin)),
        (known, examined_from("ornate", ornate)),
        (twice[0], twice[1]),
    ]


def _prompt(number: int) -> Prompt:
    subject = _SUBJECTS[number % len(_SUBJECTS)]
    return Prompt(f"p{number}", (Message("user", f"Question {number}: tell me about {subject}."),))


@dataclass(frozen=True)
class _Manner:
    name: str
    maker: str
    opening: tuple[str, ...]
    body: tuple[str, ...]
    ending: tuple[str, ...]
    refusal: str


_PLAIN = _Manner(
    "Alpha",
    "OpenAI",
    ("Here is what matters about {}.", "In short, {} is simple.", "Think of {} this way."),
    (
        "It starts small, and it grows when people care for it.",
        "- First, look at what you have.\n- Then, write it down.",
        "Most of the work is done before anybody sees it.",
        "You can begin today with very little money.",
        "The usual mistake is to hurry; the usual cure is to wait.",
    ),
    ("I hope this helps!", "Let me know if you have questions."),
    "I'm sorry, but I can't help with that request.",
)
_ORNATE = _Manner(
    "Beta",
    "Anthropic",
    ("Ah, {}: a subject to linger over…", "## On {}", "Few things reward attention like {}."),
    (
        "One might wander through its history — and never quite arrive.",
        "**Consider**, for instance, how the old workshops kept their secrets.",
        "Whether it will endure, nobody knows; that it has endured, everybody sees.",
        "1. Patience\n2. Curiosity\n3. A certain stubbornness",
        "There is, after all, no hurry among friends of the matter.",
    ),
    ("And so the matter rests.", "What would you add?"),
    "I won't assist with this, because it could hurt somebody.",
)
_SUBJECTS = (
    "gardens bridges tea chess rivers maps bread clocks owls paper glass salt wool stars "
    "bells roads keys boats bees lamps doors stones letters trains snow"
).split()


def _invented(seed: int, manner: _Manner) -> list[str]:
    """Return 30 answers: 6 refusals, 6 claims of identity, 18 short essays."""
    draw = random.Random(seed)  # noqa: S311 (no secret)
    answers = [manner.refusal] * 6
    answers += [f"I am {manner.name}, an assistant made by {manner.maker}."] * 6
    for number in range(12, 30):
        body = draw.sample(manner.body, 3)
        opening = draw.choice(manner.opening).format(_SUBJECTS[number % len(_SUBJECTS)])
        answers.append("\n\n".join((opening, *body, draw.choice(manner.ending))))
    return answers


HOSTILE_TEXTS = (
    "\0",
    "\ud800 a lone surrogate \udfff",
    "\udfff\ud800",
    "\x1b[31mred\x1b]0;title\x07",
    "[bold]markup[/bold] <script>alert(1)</script>",
    "",
    " \n\t ",
    "�\ufeff\u202eright to left",
    "a\u0301" * 200,
    "我是一个助手。" * 20,
    "😀👩\u200d👩\u200d👧" * 20,
    "=1+1|' /C calc'!A0",
    "\n" * 5_000 + "x",
    "| " * 2_000,
    "no word here: 1 2 3 4 5 6 7 8 9 0",
    "…",
    "<think>never closed",
    "```\nnever closed",
    "{}[]()*\\^$+?",
    "I am \ud83d, made by \0OpenAI",
)
"""Answers nobody should trip over."""
