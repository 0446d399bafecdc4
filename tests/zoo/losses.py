"""How well a model predicts text that it was not trained on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def loss_on(folder: Path, tokens: torch.Tensor, context: int) -> float:
    """Return the mean loss (nats a token) of a model's folder on tokens, `context` at a time."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    rows = tokens[: len(tokens) // context * context].reshape(-1, context)
    with torch.inference_mode():
        return float(model(input_ids=rows, labels=rows).loss)
