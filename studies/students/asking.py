"""Asking a student the prompts that were held out, three times each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from studies.students.sampling import sample as draw
from studies.students.tuning import row

SAMPLES = 3
TEMPERATURE = 0.7
MOST_TOKENS = 200
_BATCH = 98


@dataclass(frozen=True)
class StudentAnswer:
    """One answer of a student."""

    prompt_id: str
    sample: int
    text: str


def ask(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[tuple[str, str]],
    name: str,
    samples: int = SAMPLES,
    most_tokens: int = MOST_TOKENS,
) -> list[StudentAnswer]:
    """Return answers to prompts (pairs of id and text); the draws hang on name, prompt and sample.

    Args:
        model: the student; its weights are turned to bfloat16, in place.
        tokenizer: its tokenizer.
        prompts: what to ask.
        name: of the student.
        samples: answers a prompt.
        most_tokens: at which answers are cut off.
    """
    model.to(torch.bfloat16)
    calls = [
        (row(tokenizer, text, "")[0], prompt, sample)
        for sample in range(samples)
        for prompt, text in prompts
    ]
    calls.sort(key=lambda call: len(call[0]))
    given = []
    for start in range(0, len(calls), _BATCH):
        batch = calls[start : start + _BATCH]
        keys = [hashlib.sha256(f"{name}/{p}/{s}".encode()).hexdigest() for _, p, s in batch]
        tokens = [tokens for tokens, _, _ in batch]
        answers = draw(model, tokens, keys, tokenizer.eos_token_id, most_tokens, TEMPERATURE)
        for (_, prompt, sample), answer in zip(batch, answers, strict=True):
            text = tokenizer.decode(
                answer, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
            given.append(StudentAnswer(prompt, sample, text))
    return sorted(given, key=lambda answer: (answer.prompt_id, answer.sample))
