"""A model as a plain table of tensors, with its configuration and tokenizer, read and written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.errors import InputFileError, OutputError
from forensics.subjects.model_files.quantised import quantised_layout
from forensics.subjects.model_files.sources import TOKENIZER_FILES, check_folder
from forensics.subjects.model_files.weight_files import tensor_table

if TYPE_CHECKING:
    import torch

_BESIDE = (
    *("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "merges.txt"),
    *("chat_template.jinja", "chat_template.json"),
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
    """Read a folder of safetensors whole into memory, in 32 bits a number.

    Raises:
        InputFileError: no such model, pickles only, packed weights, or a damaged file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    weights = check_folder(folder)
    table = tensor_table(weights)
    packed = quantised_layout(folder, table).method
    if packed:
        raise InputFileError(f"{folder} is quantised ({packed}); give the unquantised model")
    tensors: dict[str, torch.Tensor] = {}
    for shard in weights.paths:
        try:
            stored = load_file(shard)
            tensors |= {n: t.float() for n, t in stored.items() if table[n].file == shard}
        except (SafetensorError, OSError) as error:
            raise InputFileError(f"{shard} is damaged ({error}); download it again") from error
    path = folder / "config.json"
    try:
        config = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputFileError(f"{path} is not a configuration ({error})") from error
    return Checkpoint(tensors, config | {"dtype": "float32"}, folder)


def write_checkpoint(checkpoint: Checkpoint, folder: Path) -> Path:
    """Write a checkpoint as a folder that transformers loads; return the folder.

    Raises:
        OutputError: it cannot be written.
    """
    from safetensors import SafetensorError

    try:
        _write(checkpoint, folder)
    except (OSError, SafetensorError) as error:
        raise OutputError(f"cannot write {folder} ({error}); free space or name another") from error
    return folder


def _write(checkpoint: Checkpoint, folder: Path) -> None:
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: t.detach().contiguous().clone() for name, t in checkpoint.tensors.items()}
    if checkpoint.config.get("tie_word_embeddings"):
        tensors.pop(HEAD, None)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    text = json.dumps(dict(checkpoint.config), indent=1) + "\n"
    (folder / "config.json").write_text(text, encoding="utf-8")
    copy_tokenizer(checkpoint.tokenizer, folder)


def copy_tokenizer(source: Path, target: Path) -> None:
    """Copy a tokenizer's files and the chat template, those that are not there yet."""
    for name in (*TOKENIZER_FILES, *_BESIDE):
        path = source / name
        if path.is_file() and not (target / name).exists():
            shutil.copyfile(path, target / name)
