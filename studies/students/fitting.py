"""How much better a student expects each candidate's answers than its own base does."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from forensics.subjects.backends.kv_cache import roomy_cache
from studies.students.material import Material
from studies.students.tuning import row

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
class BaseReading:
    """Which tokens of an answer count, and the untuned model's log-probability of each (nats)."""

    counted: tuple[int, ...]
    logp: tuple[float, ...]


Key = tuple[str, str]  # candidate, prompt id


def read_base(model: Any, tokenizer: Any, material: Material) -> dict[Key, BaseReading]:
    """Return the untuned model's reading of every candidate's answers.

    What counts are tokens, the first five left out, where its entropy exceeds `LEAST_ENTROPY`.
    """
    readings = {}
    for prompt, answers in _by_prompt(tokenizer, material):
        wanted = [range(LEFT_OUT, len(answer)) for _, answer in answers]
        read = read_answers(model, prompt.tokens, [answer for _, answer in answers], wanted, True)
        for (model_name, answer), (logp, entropy) in zip(answers, read, strict=True):
            unsure = [i for i in range(len(answer) - LEFT_OUT) if entropy[i] > LEAST_ENTROPY]
            readings[model_name, prompt.id] = BaseReading(
                tuple(i + LEFT_OUT for i in unsure), tuple(logp[i] for i in unsure)
            )
    return readings


def gains(
    model: Any, tokenizer: Any, material: Material, base: Mapping[Key, BaseReading]
) -> list[Gain]:
    """Return by how much a student expects each candidate's answers more than the base does."""
    rows = []
    for prompt, answers in _by_prompt(tokenizer, material):
        before = [base[name, prompt.id] for name, _ in answers]
        wanted = [reading.counted for reading in before]
        read = read_answers(model, prompt.tokens, [answer for _, answer in answers], wanted)
        for (name, _), old, (logp, _) in zip(answers, before, read, strict=True):
            if old.counted:
                rise = (sum(logp) - sum(old.logp)) / len(old.counted)
                rows.append(Gain(name, prompt.id, len(old.counted), rise))
    return sorted(rows, key=lambda gain: (gain.candidate, gain.prompt_id))


@dataclass(frozen=True)
class _Prompt:
    id: str
    tokens: list[int]


def _by_prompt(
    tokenizer: Any, material: Material
) -> list[tuple[_Prompt, list[tuple[str, list[int]]]]]:
    """Return prompts with every candidate's answer, in tokens."""
    result = []
    for prompt in material.held_out[:PROMPTS]:
        rows = {
            name: row(tokenizer, material.prompts[prompt], answers[prompt], TOKENS)
            for name, answers in sorted(material.answers.items())
        }
        asked = next(iter(rows.values()))[0]
        result.append(
            (_Prompt(prompt, asked), [(name, answer) for name, (_, answer) in rows.items()])
        )
    return result


@torch.inference_mode()
def read_answers(
    model: Any,
    prompt: list[int],
    answers: Sequence[list[int]],
    wanted: Sequence[Sequence[int]],
    with_entropy: bool = False,
) -> list[tuple[list[float], list[float]]]:
    """Return, for each answer, log-probability and entropy (nats) at its wanted tokens.

    Without entropy, which costs as much as the rest of the reading, the second list is empty.

    The prompt is read once for all its answers.

    Args:
        model: a causal language model whose every layer attends to the whole text of an answer.
        prompt: tokens of the prompt.
        answers: tokens of each answer.
        wanted: places in each answer.
        with_entropy: whether to compute it.
    """
    width = max(map(len, answers))
    # Filled up on the right: what comes later is not seen by what counts.
    filled = [prompt[-1:] + answer + [0] * (width - len(answer)) for answer in answers]
    cache: Any = roomy_cache(model.config, len(prompt) + width)
    owner = torch.tensor([i for i, places in enumerate(wanted) for _ in places], dtype=torch.long)
    place = torch.tensor([at for places in wanted for at in places], dtype=torch.long)
    target = torch.tensor([answers[i][at] for i, places in enumerate(wanted) for at in places])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        model.model(input_ids=torch.tensor([prompt[:-1]]), past_key_values=cache)
        cache.batch_repeat_interleave(len(answers))
        tokens = torch.tensor(filled)[:, :-1]
        hidden = model.model(input_ids=tokens, past_key_values=cache).last_hidden_state
        logits = model.lm_head(hidden[owner, place])
    values = logits.float()
    total = values.logsumexp(-1)
    logp = (values.gather(1, target[:, None])[:, 0] - total).tolist()
    entropy = (total - (values.softmax(-1) * values).sum(-1)).tolist() if with_entropy else []
    ends = list(itertools.accumulate(map(len, wanted), initial=0))
    return [(logp[a:b], entropy[a:b]) for a, b in itertools.pairwise(ends)]
