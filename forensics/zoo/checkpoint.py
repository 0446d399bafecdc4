"""A model as a plain table of tensors, with its configuration and tokenizer, read and written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.backends.model_files import check_folder

if TYPE_CHECKING:
    import torch

_TOKENIZER_FILES = (
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
    "chat_template.jinja",
)
HEAD = "lm_head.weight"
EMBEDDING = "model.embed_tokens.weight"


@dataclass(frozen=True)
class Checkpoint:
    """A Llama-like model: tensors by name, its config.json, and the folder of its tokenizer."""

    tensors: Mapping[str, torch.Tensor]
    config: Mapping[str, Any]
    tokenizer: Path

    @property
    def layers(self) -> int:
        """How many layers it has."""
        return int(self.config["num_hidden_layers"])

    def changed(self, change: Callable[[str, torch.Tensor], torch.Tensor]) -> Checkpoint:
        """Return a copy with every tensor replaced by `change(name, tensor)`."""
        return replace(self, tensors={name: change(name, t) for name, t in self.tensors.items()})


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read a folder of safetensors whole into memory.

    Raises:
        BackendError: no such model, or pickles only.
    """
    from safetensors.torch import load_file

    check_folder(folder)
    tensors: dict[str, torch.Tensor] = {}
    for shard in sorted(folder.glob("*.safetensors")):
        tensors |= load_file(shard)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return Checkpoint(tensors, config, folder)


def write_checkpoint(checkpoint: Checkpoint, folder: Path) -> Path:
    """Write a checkpoint as a folder that transformers loads; return the folder."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: t.detach().contiguous().clone() for name, t in checkpoint.tensors.items()}
    if checkpoint.config.get("tie_word_embeddings"):
        tensors.pop(HEAD, None)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    text = json.dumps(dict(checkpoint.config), indent=1) + "\n"
    (folder / "config.json").write_text(text, encoding="utf-8")
    for name in _TOKENIZER_FILES:
        source = checkpoint.tokenizer / name
        if source.is_file() and source.parent != folder:
            shutil.copyfile(source, folder / name)
    return folder
