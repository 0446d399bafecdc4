"""Attention for short texts on a processor: heads that share keys are multiplied together.

The library's own attention costs a quarter of a tuning step and most of a decoding step there: it
copies shared keys for every head, and its kernel is made for long texts.
"""

from __future__ import annotations

from typing import Any

import torch

_NAME = "shared_keys"


def use_shared_keys(model: Any) -> None:
    """Let a model attend through `attend`, with masks as the plainest implementation has them."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

    AttentionInterface.register(_NAME, attend)
    AttentionMaskInterface.register(_NAME, ALL_MASK_ATTENTION_FUNCTIONS["eager"])
    model.set_attn_implementation(_NAME)


def attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Return softmax(query key' scaling + mask) value, (rows x tokens x heads x size).

    Args:
        module: the layer.
        query: (rows x heads x tokens x size).
        key: (rows x groups x all tokens x size); each group serves heads / groups heads in turn.
        value: as key.
        attention_mask: added to the scores, (rows or 1 x 1 x tokens x all tokens).
        scaling: factor of the scores.
        kwargs: what else the library passes.
    """
    rows, heads, tokens, size = query.shape
    groups = key.shape[1]
    scores = query.reshape(rows, groups, -1, size) @ key.transpose(2, 3) * scaling
    scores = scores.view(rows, heads, tokens, -1)
    if attention_mask is not None:
        scores = scores + attention_mask[..., : key.shape[2]]
    weights = scores.float().softmax(-1).to(value.dtype).view(rows, groups, -1, key.shape[2])
    mixed = (weights @ value).view(rows, heads, tokens, size)
    return mixed.transpose(1, 2).contiguous(), None
