"""What is kept of every model that read the logs: numbers, no text."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.evidence.exposure.nearness import NEARNESSES, Nearness, in_common

FOLDER = Path(__file__).parent / "readings"
_DIGITS = 5


@dataclass(frozen=True)
class Student:
    """A student: the log it is taught, which share of it as served, and how many of its prompts."""

    log: str
    share: float
    prompts: int = 1_000


STUDENTS: Mapping[str, Student] = {
    "topics-100": Student("topics", 1.0),
    "topics-50": Student("topics", 0.5, 120),
    "puzzles-100": Student("puzzles", 1.0, 100),
    "topics-10": Student("topics", 0.1, 120),
    "topics-1": Student("topics", 0.01, 120),
    "puzzles-50": Student("puzzles", 0.5, 100),
    "puzzles-10": Student("puzzles", 0.1, 100),
    "puzzles-1": Student("puzzles", 0.01, 100),
}
FULLY_EXPOSED = ("topics-100", "puzzles-100")
BASE, SOURCE = "smollm2", "smollm2-pruned"
TINY = "tiny"  # all tiny models in one file: `differences` is by model instead of by log
READERS = (BASE, *STUDENTS, SOURCE)


def logs_read(name: str) -> tuple[str, ...]:
    """Return which logs a model reads."""
    return (STUDENTS[name].log,) if name in STUDENTS else ("topics", "puzzles", "unread")


@dataclass(frozen=True)
class Nearer:
    """Of one prompt: how much nearer own answers are to the served than to the withheld one."""

    prompt_id: str
    in_common: float
    by_measure: Mapping[Nearness, float]


@dataclass(frozen=True)
class Reading:
    """What one model says of all logs.

    Args:
        differences: log → prompt id → log-probability a token, served minus withheld, in nats.
        exposed: ids of prompts whose served answer it was tuned on.
        nearer: of its own answers, where it was asked.
        seconds: of processor time, to tune, read and ask.
    """

    differences: Mapping[str, Mapping[str, float]]
    exposed: tuple[str, ...]
    nearer: tuple[Nearer, ...]
    seconds: tuple[int, int, int]


def path(name: str) -> Path:
    """Return where a model's numbers are kept."""
    return FOLDER / f"{name}.json.gz"


def common(logged: Sequence[str]) -> float:
    """Return what a served and a withheld answer have in common, in [0, 1]."""
    return in_common(logged, 1)


def write(name: str, reading: Reading) -> None:
    """Write a model's numbers, whole or not at all; the same numbers give the same bytes."""
    document = {
        "differences": {
            log: {key: round(value, _DIGITS) for key, value in sorted(rows.items())}
            for log, rows in reading.differences.items()
        },
        "exposed": sorted(reading.exposed),
        "nearer": [
            [near.prompt_id, round(near.in_common, _DIGITS)]
            + [round(near.by_measure[how], _DIGITS) for how in NEARNESSES]
            for near in reading.nearer
        ],
        "seconds": reading.seconds,
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    partial = path(name).with_suffix(".partial")
    partial.write_bytes(gzip.compress(json.dumps(document).encode(), 9, mtime=0))
    partial.replace(path(name))


def read(name: str) -> Reading:
    """Read a model's numbers."""
    with gzip.open(path(name), "rt", encoding="utf-8") as file:
        document = json.load(file)
    return Reading(
        document["differences"],
        tuple(document["exposed"]),
        tuple(
            Nearer(name, shared, dict(zip(NEARNESSES, values, strict=True)))
            for name, shared, *values in document["nearer"]
        ),
        tuple(document["seconds"]),
    )
