"""Tuning and reading a small model on a processor, in bfloat16 with weights kept in float32."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

RATE = 3e-4
BATCH = 4
ANSWER_TOKENS = 256
Row = tuple[list[int], list[int]]  # tokens of a prompt, and of its answer


def row(tokenizer: Any, prompt: str, answer: str, most: int = ANSWER_TOKENS) -> Row:
    """Return a prompt in the model's chat template and the first `most` tokens of an answer."""
    message = [{"role": "user", "content": prompt}]
    asked = tokenizer.apply_chat_template(message, add_generation_prompt=True, tokenize=False)
    return _tokens(tokenizer, asked), _tokens(tokenizer, answer)[:most]


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
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)  # noqa: S311 (an order, no secret)
    loss = torch.zeros(())
    for start in range(0, len(order), BATCH):
        logits, targets, _ = _answer_logits(model, [rows[i] for i in order[start : start + BATCH]])
        loss = functional.cross_entropy(logits, targets)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
    model.eval()
    return float(loss)


def _answer_logits(
    model: Any, rows: Sequence[Row]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the logits of all answers' tokens, these tokens, and whose row each is of."""
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
    return logits.float(), targets[counted], counted.nonzero()[:, 0]


@torch.inference_mode()
def read(model: Any, rows: Sequence[Row], batch: int = 8) -> list[tuple[list[float], list[float]]]:
    """Return, for each row, the log-probability of every answer token and the entropy there.

    In nats, each list as long as the row's answer.
    """
    results = []
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        logits, targets, owner = _answer_logits(model, part)
        logp = functional.log_softmax(logits, dim=-1)
        entropy = -(logp.exp() * logp).sum(-1)
        of_token = logp.gather(1, targets[:, None])[:, 0]
        for i in range(len(part)):
            mine = owner == i
            results.append((of_token[mine].tolist(), entropy[mine].tolist()))
    return results
