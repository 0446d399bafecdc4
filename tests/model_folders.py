"""Tiny models as people store them, made from a seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

Tensors = dict[str, torch.Tensor]

WIDTH, UNITS, LAYERS, TOKENS = 64, 128, 2, 96
INDEX = "model.safetensors.index.json"
CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": TOKENS,
    "hidden_size": WIDTH,
    "intermediate_size": UNITS,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "tie_word_embeddings": True,
}


def tensors(seed: int) -> Tensors:
    """Return a model's tensors."""
    dice = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=dice) * 0.05

    found = {"model.embed_tokens.weight": random(TOKENS, WIDTH)}
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}."
        found[f"{prefix}mlp.gate_proj.weight"] = random(UNITS, WIDTH)
        found[f"{prefix}mlp.up_proj.weight"] = random(UNITS, WIDTH)
        found[f"{prefix}mlp.down_proj.weight"] = random(WIDTH, UNITS)
        for name in "qkvo":
            found[f"{prefix}self_attn.{name}_proj.weight"] = random(WIDTH, WIDTH)
        for name in ("input", "post_attention"):
            found[f"{prefix}{name}_layernorm.weight"] = 1 + random(WIDTH)
    return found | {"model.norm.weight": 1 + random(WIDTH)}


def tuned(seed: int = 1) -> Tensors:
    """Return a light fine-tune of the model of a seed."""
    dice = torch.Generator().manual_seed(99)
    return {
        name: values + 0.02 * values.std() * torch.randn(values.shape, generator=dice)
        for name, values in tensors(seed).items()
    }


def save(
    folder: Path,
    content: Mapping[str, torch.Tensor],
    name: str = "model.safetensors",
    config: Mapping[str, Any] | None = None,
) -> Path:
    """Write tensors to one file of a folder, and the configuration; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({key: value.contiguous().clone() for key, value in content.items()}, folder / name)
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    return folder


def model(folder: Path, content: Mapping[str, torch.Tensor], **config: Any) -> Path:
    """Write a model in one file; `config` is added to its configuration."""
    return save(folder, content, config={**CONFIG, **config})


def sharded(
    folder: Path, content: Mapping[str, torch.Tensor], count: int = 2, stem: str = "model"
) -> dict[str, str]:
    """Write a model in shards without an index; return which file each tensor is in."""
    places, names = {}, list(content)
    for number in range(count):
        file = f"{stem}-{number + 1:05}-of-{count:05}.safetensors"
        part = names[number::count]
        save(folder, {name: content[name] for name in part}, file, CONFIG)
        places |= dict.fromkeys(part, file)
    return places


def write_index(folder: Path, places: Mapping[str, str]) -> None:
    """Write the index of shards."""
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": dict(places)}))


def each_matrix(content: Tensors, change: Callable[[str, torch.Tensor], Tensors]) -> Tensors:
    """Return tensors with each projection's replaced by what `change` makes of it."""
    found: Tensors = {}
    for name, values in content.items():
        found |= change(name, values) if name.endswith("proj.weight") else {name: values.half()}
    return found


def adapter(folder: Path, **config: Any) -> Path:
    """Write a folder that holds a LoRA adapter only."""
    dice = torch.Generator().manual_seed(5)
    parts = {
        f"base_model.model.model.layers.{layer}.self_attn.q_proj.lora_{side}.weight": torch.randn(
            *((4, WIDTH) if side == "A" else (WIDTH, 4)), generator=dice
        )
        for layer in range(LAYERS)
        for side in "AB"
    }
    save(folder, parts, "adapter_model.safetensors")
    told = {"peft_type": "LORA", "base_model_name_or_path": "someone/the-base", "r": 4}
    (folder / "adapter_config.json").write_text(json.dumps({**told, **config}))
    return folder
