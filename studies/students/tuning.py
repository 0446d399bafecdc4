"""Tuning and reading a small model on a processor, in bfloat16 with weights kept in float32."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

RATE = 3e-4
BATCH = 4
_WINDOW = 40  # rows among which those of equal length are put together
ANSWER_TOKENS = 256
Row = tuple[list[int], list[int]]  # tokens of a prompt, and of its answer


def row(tokenizer: Any, prompt: str, answer: str, most: int = ANSWER_TOKENS) -> Row:
    """Return a prompt in the model's chat template and the first `most` tokens of an answer.

    A model that was never tuned to chat has no template: its prompt ends with an empty line.
    """
    return _tokens(tokenizer, _asked(tokenizer, prompt)), _tokens(tokenizer, answer)[:most]


def _asked(tokenizer: Any, prompt: str) -> str:
    if tokenizer.chat_template is None:
        return f"{tokenizer.bos_token or ''}{prompt}\n\n"
    message = [{"role": "user", "content": prompt}]
    asked: str = tokenizer.apply_chat_template(message, add_generation_prompt=True, tokenize=False)
    return asked


def _tokens(tokenizer: Any, text: str) -> list[int]:
    tokens: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return tokens


def tune(model: Any, rows: Sequence[Row], seed: int, rate: float = RATE) -> float:
    """Tune all weights, one pass over the rows (AdamW, one-cycle schedule); return the last loss.

    Args:
        model: a causal language model; changed in place.
        rows: prompts and answers; only answers count in the loss.
        seed: of the order.
        rate: highest learning rate.
    """
    model.train()
    steps = math.ceil(len(rows) / BATCH)
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, max(2, steps), pct_start=0.1)
    loss = torch.zeros(())
    for batch in batches([len(prompt) + len(answer) for prompt, answer in rows], seed):
        logits, targets = _answer_logits(model, [rows[i] for i in batch])
        loss = functional.cross_entropy(logits, targets)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
    model.eval()
    return float(loss.detach())


@torch.inference_mode()
def mean_log_probabilities(model: Any, rows: Sequence[Row]) -> list[float]:
    """Return the mean log-probability of each answer's tokens, in nats; one batch."""
    logits, targets = _answer_logits(model, rows)
    taken = -functional.cross_entropy(logits, targets, reduction="none")
    ends = list(itertools.accumulate((len(answer) for _, answer in rows), initial=0))
    return [float(taken[a:b].mean()) for a, b in itertools.pairwise(ends)]


def batches(lengths: Sequence[int], seed: int) -> list[list[int]]:
    """Return row numbers in batches, in random order; rows of a batch are about equally long.

    Args:
        lengths: tokens of each row.
        seed: of the order.
    """
    dice = random.Random(seed)  # noqa: S311 (an order, no secret)
    order = list(range(len(lengths)))
    dice.shuffle(order)
    result = []
    for start in range(0, len(order), _WINDOW):
        window = sorted(order[start : start + _WINDOW], key=lambda i: lengths[i])
        result += [window[i : i + BATCH] for i in range(0, len(window), BATCH)]
    dice.shuffle(result)
    return result


def _answer_logits(model: Any, rows: Sequence[Row]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the logits of all answers' tokens, and these tokens."""
    width = max(len(prompt) + len(answer) for prompt, answer in rows)
    tokens = torch.zeros(len(rows), width, dtype=torch.long)
    targets = torch.full((len(rows), width), -1)
    for i, (prompt, answer) in enumerate(rows):
        both = prompt + answer
        tokens[i, : len(both)] = torch.tensor(both)
        targets[i, len(prompt) - 1 : len(both) - 1] = torch.tensor(answer)
    counted = targets >= 0
    with torch.autocast("cpu", dtype=torch.bfloat16):
        # Filled up on the right: what comes later is not seen by what counts, no mask is needed.
        hidden = model.model(input_ids=tokens).last_hidden_state
        logits = model.lm_head(hidden[counted])
    return logits.float(), targets[counted]
