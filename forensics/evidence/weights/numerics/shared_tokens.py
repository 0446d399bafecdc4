"""Which embedding rows of two models stand for the same token."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.subjects.model_files.folder import ModelFiles

MOST_TOKENS = 8192  # more rows would not make the correspondence of coordinates any surer


def token_rows(files: ModelFiles) -> dict[str, int]:
    """Return token → embedding row; empty where the tokenizer's file is absent or not JSON."""
    if files.gguf is not None:
        from forensics.subjects.model_files.gguf import read_layout

        return {token: row for row, token in enumerate(read_layout(files.gguf).tokens)}
    path = next((p for p in files.tokenizer if p.name == "tokenizer.json"), None)
    return _from_json(path) if path is not None else {}


def _from_json(path: Path) -> dict[str, int]:
    try:
        document = json.loads(path.read_bytes())
        vocabulary: Any = document["model"]["vocab"]
        added = {entry["content"]: int(entry["id"]) for entry in document.get("added_tokens", ())}
        if isinstance(vocabulary, dict):
            return {str(token): int(row) for token, row in vocabulary.items()} | added
        return {str(entry[0]): row for row, entry in enumerate(vocabulary)} | added
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return {}
    except (OverflowError, RecursionError):
        return {}


def shared_rows(
    a: ModelFiles, b: ModelFiles, rows_a: int, rows_b: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return embedding rows of A and of B for tokens both have, at most `MOST_TOKENS`.

    Without tokenizer files, rows of the same number are taken for the same token.

    Args:
        a, b: the models' files.
        rows_a, rows_b: how many rows their embeddings have.
    """
    first, second = token_rows(a), token_rows(b)
    if first and second:
        pairs = sorted(
            (row, second[token])
            for token, row in first.items()
            if 0 <= row < rows_a and 0 <= second.get(token, rows_b) < rows_b
        )
    else:
        pairs = [(row, row) for row in range(min(rows_a, rows_b))]
    table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    if len(table) > MOST_TOKENS:
        table = table[np.linspace(0, len(table) - 1, MOST_TOKENS).astype(np.int64)]
    return table[:, 0], table[:, 1]
