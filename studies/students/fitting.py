"""How much better a student expects each candidate's answers than its own base does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studies.students.material import Material
from studies.students.tuning import Row, read, row

PROMPTS = 30
TOKENS = 133  # of an answer: 128 after those left out
LEFT_OUT = 5
LEAST_ENTROPY = 1.0  # nats: where the base is sure, nothing can be learned from the answer


@dataclass(frozen=True)
class Gain:
    """Over the `tokens` of one answer that count: the mean rise of log-probability, in nats."""

    candidate: str
    prompt_id: str
    tokens: int
    gain: float


@dataclass(frozen=True)
class Reading:
    """Log-probabilities (nats) of an answer's tokens, and the entropy at each."""

    logp: tuple[float, ...]
    entropy: tuple[float, ...]


Readings = Mapping[tuple[str, str], Reading]


def read_all(model: Any, tokenizer: Any, material: Material) -> Readings:
    """Return a model's reading of every candidate's answers, by candidate and prompt id."""
    keys, rows = _rows(tokenizer, material)
    order = sorted(range(len(rows)), key=lambda i: sum(map(len, rows[i])))
    results = read(model, [rows[i] for i in order])
    return {
        keys[i]: Reading(tuple(logp), tuple(entropy))
        for i, (logp, entropy) in zip(order, results, strict=True)
    }


def _rows(tokenizer: Any, material: Material) -> tuple[list[tuple[str, str]], list[Row]]:
    prompts = material.held_out[:PROMPTS]
    keys = [(model, prompt) for model in sorted(material.answers) for prompt in prompts]
    return keys, [
        row(tokenizer, material.prompts[prompt], material.answers[model][prompt], TOKENS)
        for model, prompt in keys
    ]


def gains(student: Readings, base: Readings) -> Sequence[Gain]:
    """Return the rise over the tokens where the base's entropy exceeds `LEAST_ENTROPY`."""
    rows = []
    for (model, prompt), before in base.items():
        after = student[model, prompt]
        counted = [
            i
            for i, entropy in enumerate(before.entropy)
            if i >= LEFT_OUT and entropy > LEAST_ENTROPY
        ]
        if counted:
            rise = sum(after.logp[i] - before.logp[i] for i in counted) / len(counted)
            rows.append(Gain(model, prompt, len(counted), rise))
    return sorted(rows, key=lambda gain: (gain.candidate, gain.prompt_id))
