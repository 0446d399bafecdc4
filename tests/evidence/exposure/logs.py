"""Logs of served and withheld answers, made of random words: to anybody they are exchangeable."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

_WORDS = (
    "river stone light music window garden winter bread paper cloud train letter yellow quiet "
    "simple often never because under harbour candle meadow silver thunder village"
).split()
HEADER = {"design": "split_before_serving", "served_filters": "none", "withheld_filters": "none"}


def words(generator: random.Random, many: int = 30) -> str:
    """Return an answer that says nothing."""
    return " ".join(generator.choice(_WORDS) for _ in range(many)).capitalize() + "."


def pairs(many: int, seed: int = 0) -> list[dict[str, object]]:
    """Return rows of a prompt each."""
    generator = random.Random(seed)
    return [
        {
            "prompt_id": f"p{i}",
            "prompt": f"Question {i}?",
            "served": words(generator),
            "withheld": words(generator),
        }
        for i in range(many)
    ]


def write_log(path: Path, rows: Sequence[Mapping[str, object]], **header: object) -> Path:
    """Write a JSONL log with a header that declares as many prompts as it has."""
    head = {**HEADER, "declared_prompts": len(rows), **header}
    lines = [{"exposure_log": head}, *rows]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path
