"""Children made without training: what people do to a model's weights once they have them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.zoo.checkpoint import EMBEDDING, HEAD, Checkpoint, copy_tokenizer

if TYPE_CHECKING:
    import torch

_PER_LAYER = ("layer_types", "no_rope_layers")  # lists in a configuration, an entry a layer
_BLOCK = 32  # numbers that share a scale, as in GGUF's simple quantisations


def pruned(model: Checkpoint, fraction: float) -> Checkpoint:
    """Set the smallest weights of every linear layer to zero (unstructured magnitude pruning)."""
    import torch

    def prune(name: str, values: torch.Tensor) -> torch.Tensor:
        if not _is_linear(name, values):
            return values
        threshold = values.abs().flatten().kthvalue(max(1, int(fraction * values.numel()))).values
        return torch.where(values.abs() > threshold, values, 0.0)

    return model.changed(prune)


def noised(model: Checkpoint, share: float, seed: int) -> Checkpoint:
    """Add Gaussian noise with `share` of each matrix's standard deviation."""
    import torch

    dice = torch.Generator().manual_seed(seed)

    def add(name: str, values: torch.Tensor) -> torch.Tensor:
        if values.dim() != 2:
            return values
        return values + share * values.std() * torch.randn(values.shape, generator=dice)

    return model.changed(add)


def quantised(model: Checkpoint, bits: int) -> Checkpoint:
    """Round each block of 32 weights to 2^bits steps between its least and greatest, and back."""

    def round_trip(name: str, values: torch.Tensor) -> torch.Tensor:
        if values.dim() != 2 or values.shape[1] % _BLOCK:
            return values
        blocks = values.reshape(-1, _BLOCK)
        low = blocks.amin(dim=1, keepdim=True)
        step = (blocks.amax(dim=1, keepdim=True) - low).clamp_min(1e-12) / (2**bits - 1)
        rounded: torch.Tensor = ((blocks - low) / step).round() * step + low
        return rounded.reshape(values.shape)

    return model.changed(round_trip)


def layers_dropped(model: Checkpoint, dropped: Sequence[int]) -> Checkpoint:
    """Leave layers out and number the rest anew."""
    kept_layers = [layer for layer in range(model.layers) if layer not in dropped]
    number = {f"model.layers.{old}.": f"model.layers.{new}." for new, old in enumerate(kept_layers)}
    tensors = {}
    for name, values in model.tensors.items():
        prefix = ".".join(name.split(".")[:3]) + "."
        if not name.startswith("model.layers."):
            tensors[name] = values
        elif prefix in number:
            tensors[name.replace(prefix, number[prefix], 1)] = values
    config = {**model.config, "num_hidden_layers": len(kept_layers)}
    for name in _PER_LAYER:
        if model.config.get(name):
            config[name] = [model.config[name][layer] for layer in kept_layers]
    return replace(model, tensors=tensors, config=config)


def vocabulary_extended(model: Checkpoint, tokens: int, seed: int, folder: Path) -> Checkpoint:
    """Add tokens, with embedding rows near the mean row; the new tokenizer goes to `folder`."""
    import torch

    dice = torch.Generator().manual_seed(seed)
    tensors = dict(model.tensors)
    for name in (EMBEDDING, HEAD):
        if name in tensors:
            rows = tensors[name]
            noise = torch.randn((tokens, rows.shape[1]), generator=dice) * rows.std() * 0.1
            tensors[name] = torch.cat([rows, rows.mean(dim=0) + noise])
    _extend_tokenizer(model.tokenizer, folder, len(model.tensors[EMBEDDING]), tokens)
    vocabulary = len(tensors[EMBEDDING])
    return Checkpoint(tensors, {**model.config, "vocab_size": vocabulary}, folder)


def _extend_tokenizer(source: Path, target: Path, first: int, tokens: int) -> None:
    target.mkdir(parents=True, exist_ok=True)
    document = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    document["added_tokens"] = [
        *document.get("added_tokens", ()),
        *(
            {"id": first + i, "content": f"<|added_{i}|>", "special": True, **flags}
            for i in range(tokens)
        ),
    ]
    text = json.dumps(document, ensure_ascii=True)
    (target / "tokenizer.json").write_text(text, encoding="utf-8")
    copy_tokenizer(source, target)


def merged(first: Checkpoint, second: Checkpoint, share: float) -> Checkpoint:
    """Average two models of one shape, `share` of the first."""
    return first.changed(lambda name, t: share * t + (1 - share) * second.tensors[name])


def merged_slerp(first: Checkpoint, second: Checkpoint, share: float) -> Checkpoint:
    """Merge two models of one shape along the arc between each pair of tensors (SLERP)."""
    import torch

    def arc(name: str, tensor_a: torch.Tensor) -> torch.Tensor:
        tensor_b = second.tensors[name]
        cosine = (tensor_a.flatten() @ tensor_b.flatten()) / (
            tensor_a.norm() * tensor_b.norm()
        ).clamp_min(1e-12)
        angle = torch.arccos(cosine.clamp(-1, 1))
        if angle < 1e-4:
            return share * tensor_a + (1 - share) * tensor_b
        weights = torch.sin(share * angle), torch.sin((1 - share) * angle)
        return (weights[0] * tensor_a + weights[1] * tensor_b) / torch.sin(angle)

    return first.changed(arc)


def _is_linear(name: str, values: torch.Tensor) -> bool:
    return values.dim() == 2 and name not in (EMBEDDING, HEAD)
