"""Small transcripts, in memory and on disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forensics.examination.examined import Examined
from forensics.subjects.subject import parse_subject
from forensics.suites.suite import Message, Prompt
from forensics.support.version import VERSION
from forensics.transcripts.transcript import Manifest, Response, Transcript
from forensics.transcripts.writer import write_transcript


def prompt(number: int, text: str | None = None) -> Prompt:
    return Prompt(f"p{number:03d}", (Message("user", text or f"Question {number}?"),), "test", "en")


def responses(texts: Sequence[str], first: int = 0, **fields: Any) -> list[Response]:
    return [Response(prompt=prompt(first + i), text=text, **fields) for i, text in enumerate(texts)]


def manifest(subject: str = "openai:m@http://h/v1", **fields: Any) -> Manifest:
    known: dict[str, Any] = {
        "subject": subject,
        "identity": {"kind": "openai", "model": subject},
        "suite": {"name": "test", "version": "1", "sha256": "0" * 64},
        "settings": {"temperature": 0.0, "max_tokens": 64, "seed": 0, "system_prompt": None},
        "provenance": "collected",
        "started_at": "2026-01-01T00:00:00.000Z",
        "version": VERSION,
    }
    return Manifest(**known | fields)


def write(path: Path, texts: Sequence[str], first: int = 0, **fields: Any) -> Path:
    write_transcript(path, manifest(path.stem), responses(texts, first, **fields))
    return path


def examined(texts: Sequence[str], name: str = "m", first: int = 0, **fields: Any) -> Examined:
    answers = tuple(responses(texts, first, **fields))
    return Examined(parse_subject(f"transcript:{name}.jsonl"), Transcript(name, answers))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


SENTENCES = (
    "The {} stood by the window and said nothing for a while.",
    "Nobody had asked the {} what it wanted from the long winter.",
    "If you want a good {}, begin with patience and a sharp pencil.",
    "Every {} tells a story, though few of them end well!",
    "It is hard to say whether a {} helps, but it rarely hurts.",
    "My neighbour keeps a {} in the cellar; it hums at night.",
)
NOUNS = (
    "clock kettle garden bridge violin lantern sparrow ladder teapot compass pillow anchor basket "
    "candle mirror button tunnel pebble blanket whistle"
).split()


def essays(count: int, shift: int = 0) -> list[str]:
    """Return distinct answers of some 60 words; equal shifts give equal answers."""
    return [
        " ".join(
            SENTENCES[(i * 5 + k * (shift + 1)) % 6].format(NOUNS[(i + 3 * k + shift) % 20])
            for k in range(5)
        )
        for i in range(count)
    ]
