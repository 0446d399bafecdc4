"""Small made-up models of known lineage, with habits of their own."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from forensics.cohorts.lineage.hypotheses import LabelledPair
from forensics.cohorts.lineage.models import ModelFacts
from forensics.cohorts.outputs import Outputs
from forensics.suites.suite import Message, Prompt

_SYLLABLES = ("ba", "do", "ke", "li", "mu", "na", "po", "ra", "si", "tu", "ve", "zo")
COMMON = 40  # words everybody uses on a prompt


def word(source: random.Random) -> str:
    return "".join(source.choice(_SYLLABLES) for _ in range(source.randint(2, 4)))


def prompt(number: int) -> Prompt:
    return Prompt(f"p{number}", (Message("user", f"Question number {number}?"),), "writing")


def answer(habits: Sequence[str], number: int, source: random.Random, length: int = 60) -> str:
    """Mix what the question brings with a model's own words."""
    topic = random.Random(f"topic {number}")
    common = [word(topic) for _ in range(COMMON)]
    return " ".join(
        source.choice(habits if source.random() < 0.4 else common) for _ in range(length)
    )


def facts(kin: int = 6, single: int = 10) -> dict[str, ModelFacts]:
    """Give `kin` models under two settings each, and `single` others."""
    rows = [
        ModelFacts(f"m{i}{letter}", f"m{i}", released=f"2024-{1 + i % 12:02d}")
        for i in range(kin)
        for letter in "ab"
    ]
    rows += [ModelFacts(f"s{i}", f"s{i}", released=f"2024-{1 + i % 12:02d}") for i in range(single)]
    return {row.model: row for row in rows}


def outputs(
    models: Mapping[str, ModelFacts] | None = None, prompts: int = 16, samples: int = 1
) -> Outputs:
    """Give answers in which models of the same weights have the same habits."""
    models = facts() if models is None else models
    habits = {
        fact.weights_id: [word(random.Random(f"{fact.weights_id} {i}")) for i in range(30)]
        for fact in models.values()
    }
    texts = tuple(
        tuple(
            tuple(
                answer(habits[fact.weights_id], number, random.Random(f"{fact.model} {number} {i}"))
                for i in range(samples)
            )
            for fact in models.values()
        )
        for number in range(prompts)
    )
    return Outputs(models, tuple(prompt(number) for number in range(prompts)), texts)


def pairs(models: Mapping[str, ModelFacts]) -> tuple[LabelledPair, ...]:
    """Label every pair: the same weights, or strangers."""
    names = sorted(models)
    return tuple(
        LabelledPair(a, b, "same_model_other_setting", "high", "same_model")
        if models[a].weights_id == models[b].weights_id
        else LabelledPair(a, b, "unrelated", "high", "independent")
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    )
