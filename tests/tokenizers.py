"""Tokenizers trained on the spot, on texts that differ or do not."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from forensics.subjects.model_files.folder import ModelFiles, folder_files


def code_lines() -> list[str]:
    """Return lines of source code."""
    import argparse
    import json.encoder
    import textwrap

    return [
        line
        for module in (argparse, json.encoder, textwrap)
        for line in inspect.getsource(module).splitlines()
    ]


def prose_lines() -> list[str]:
    """Return questions in plain language."""
    from forensics.suites.loading import load_suite

    return [prompt.text for prompt in load_suite("core").prompts]


def train_bpe(lines: Iterable[str], size: int = 900) -> Any:
    """Return a byte-level BPE tokenizer trained on these lines."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        lines,
        trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=["<|pad|>", "<|end|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return tokenizer


def save(tokenizer: Any, folder: Path, template: str | None = None) -> ModelFiles:
    """Write a tokenizer's folder, as a model has it, without weights."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    if template is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": template}))
    return folder_files(folder)
