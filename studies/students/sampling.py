"""Drawing answers of a small model for many prompts side by side."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from forensics.subjects.backends.kv_cache import roomy_cache

_ROUND = 16  # tokens between two looks at which answers have ended


@dataclass
class _Row:
    """One answer in the making; its draws hang on nothing but its key."""

    dice: random.Random
    tokens: list[int] = field(default_factory=list)
    ended: bool = False


@torch.inference_mode()
def sample(
    model: Any,
    prompts: Sequence[list[int]],
    keys: Sequence[str],
    end: int,
    most_tokens: int,
    temperature: float,
) -> list[list[int]]:
    """Return each prompt's answer, without the token that ends it.

    Each token is the quantile of softmax(logits / temperature) at a number drawn uniformly: one
    number a token instead of one for every word of the vocabulary.

    Args:
        model: a causal language model whose every layer attends to the whole text of an answer.
        prompts: token ids of each.
        keys: one a prompt, seeding its draws.
        end: the token that ends an answer.
        most_tokens: at which answers are cut off.
        temperature: above 0.
    """
    rows = [_Row(random.Random(key)) for key in keys]  # noqa: S311 (a draw, no secret)
    going = list(rows)
    width = max(map(len, prompts))
    tokens = torch.tensor([[end] * (width - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    cache = roomy_cache(model.config, width + most_tokens)
    for count in range(1, most_tokens + 1):
        logits = model(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            logits_to_keep=1,
        ).logits[:, -1]
        tokens = _draw(logits.float() / temperature, going)
        for row, token in zip(going, tokens[:, 0].tolist(), strict=True):
            row.ended = row.ended or token == end
            if not row.ended:
                row.tokens.append(token)
        positions = positions[:, -1:] + 1
        mask = torch.nn.functional.pad(mask, (0, 1), value=1)
        left = [i for i, row in enumerate(going) if not row.ended]
        if not left:
            break
        if count % _ROUND == 0 and len(left) < len(going):
            assert cache is not None  # noqa: S101 (see `model`)
            cache.batch_select_indices(torch.tensor(left))
            tokens, positions, mask = tokens[left], positions[left], mask[left]
            going = [going[i] for i in left]
    return [row.tokens for row in rows]


def _draw(logits: torch.Tensor, rows: Sequence[_Row]) -> torch.Tensor:
    """Return a token for each row, shape (rows, 1)."""
    summed = logits.softmax(-1).cumsum(-1)
    drawn = torch.tensor([[row.dice.random()] for row in rows], dtype=torch.float32)
    # The sum of many small numbers is not quite 1.
    return torch.searchsorted(summed, drawn * summed[:, -1:]).clamp(max=logits.shape[1] - 1)
