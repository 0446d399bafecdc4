"""Copies that compute the same function with weights that look different."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from forensics.zoo.checkpoint import EMBEDDING, HEAD, Checkpoint

if TYPE_CHECKING:
    import torch

    Tensors = dict[str, torch.Tensor]

_READS = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
_MLP_READS = ("mlp.gate_proj", "mlp.up_proj")
_WRITES = ("self_attn.o_proj", "mlp.down_proj")
_FINAL_NORM = "model.norm.weight"
_STREAM_NORMS = ("layernorm.weight", _FINAL_NORM)
# Gemma's norms follow what layers write, where they cannot go into a matrix and nothing can rotate.
PERMUTABLE = ("llama", "mistral", "gemma3_text")
ROTATABLE = ("llama", "mistral")


def permuted(model: Checkpoint, seed: int) -> Checkpoint:
    """Permute hidden units, heads and the residual stream, and move scale between matrices."""
    import torch

    dice = torch.Generator().manual_seed(seed)
    tensors: Tensors = dict(model.tensors)
    for layer in range(model.layers):
        _shuffle_units(tensors, f"model.layers.{layer}.", dice)
        _shuffle_heads(tensors, f"model.layers.{layer}.", model, dice)
    order = torch.randperm(tensors[EMBEDDING].shape[1], generator=dice)
    _turn_stream(tensors, lambda rows: rows[:, order])
    for name, values in tensors.items():
        if values.dim() == 1 and name.endswith(_STREAM_NORMS):
            tensors[name] = values[order]
    return replace(model, tensors=tensors)


def disguised(model: Checkpoint, seed: int) -> Checkpoint:
    """Do what `permuted` does, turn units' signs too, and rotate the residual stream.

    Rotation needs norms without weights: these go into the matrices behind them, which unties the
    output head from the embedding.
    """
    import torch

    model = permuted(model, seed)
    dice = torch.Generator().manual_seed(seed + 1)
    tensors: Tensors = dict(model.tensors)
    tensors.setdefault(HEAD, tensors[EMBEDDING])
    for layer in range(model.layers):
        prefix = f"model.layers.{layer}."
        signs = torch.randint(0, 2, (len(tensors[f"{prefix}mlp.up_proj.weight"]),), generator=dice)
        _scale(tensors, prefix, (2 * signs - 1).float())
        _fold(tensors, f"{prefix}input_layernorm.weight", [f"{prefix}{n}.weight" for n in _READS])
        behind = [f"{prefix}{name}.weight" for name in _MLP_READS]
        _fold(tensors, f"{prefix}post_attention_layernorm.weight", behind)
    _fold(tensors, _FINAL_NORM, [HEAD])
    width = tensors[EMBEDDING].shape[1]
    rotation = torch.linalg.qr(torch.randn((width, width), generator=dice, dtype=torch.float64)).Q
    _turn_stream(tensors, lambda rows: (rows.double() @ rotation).float())
    return replace(model, tensors=tensors, config={**model.config, "tie_word_embeddings": False})


def _shuffle_units(tensors: Tensors, prefix: str, dice: torch.Generator) -> None:
    import torch

    names = [f"{prefix}mlp.{part}_proj.weight" for part in ("gate", "up", "down")]
    order = torch.randperm(len(tensors[names[0]]), generator=dice)
    for name in names[:2]:
        tensors[name] = tensors[name][order]
    tensors[names[2]] = tensors[names[2]][:, order]
    _scale(tensors, prefix, torch.empty(len(order)).uniform_(0.5, 2.0, generator=dice))


def _scale(tensors: Tensors, prefix: str, factors: torch.Tensor) -> None:
    up, down = f"{prefix}mlp.up_proj.weight", f"{prefix}mlp.down_proj.weight"
    tensors[up] = tensors[up] * factors[:, None]
    tensors[down] = tensors[down] / factors


def _shuffle_heads(tensors: Tensors, prefix: str, model: Checkpoint, dice: torch.Generator) -> None:
    import torch

    heads = int(model.config["num_attention_heads"])
    shared = int(model.config.get("num_key_value_heads") or heads)
    order = torch.randperm(shared, generator=dice)
    for part, count in (("q", heads), ("k", shared), ("v", shared)):
        name = f"{prefix}self_attn.{part}_proj.weight"
        values = tensors[name]
        grouped = values.reshape(shared, count // shared, -1, values.shape[1])[order]
        tensors[name] = grouped.reshape(values.shape)
    name = f"{prefix}self_attn.o_proj.weight"
    values = tensors[name].T
    tensors[name] = values.reshape(shared, -1, values.shape[1])[order].reshape(values.shape).T
    # What the query gains the key loses, and the value and the output projection likewise.
    for gains, loses, factor in (("q", "k", 1.7), ("v", "o", 0.6)):
        for part, by in ((gains, factor), (loses, 1 / factor)):
            name = f"{prefix}self_attn.{part}_proj.weight"
            tensors[name] = tensors[name] * by


def _turn_stream(tensors: Tensors, turn: Callable[[torch.Tensor], torch.Tensor]) -> None:
    """Apply `turn` to the residual coordinates, the columns of what reads and the rows of rest."""
    for name, values in tensors.items():
        if values.dim() != 2:
            continue
        writes = any(part in name for part in _WRITES)
        tensors[name] = turn(values.T).T if writes else turn(values)


def _fold(tensors: Tensors, norm: str, behind: list[str]) -> None:
    import torch

    for name in behind:
        tensors[name] = tensors[name] * tensors[norm]
    tensors[norm] = torch.ones_like(tensors[norm])
