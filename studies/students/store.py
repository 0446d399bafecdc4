"""What is kept of every student: its answers, and its gains on candidates' answers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from studies.students.asking import StudentAnswer
from studies.students.fitting import Gain
from studies.students.plan import BASE

HERE = Path(__file__).parent
ANSWERS, FITS = HERE / "answers", HERE / "fits"


def write(path: Path, rows: Sequence[StudentAnswer] | Sequence[Gain]) -> None:
    """Write rows as packed JSONL, whole or not at all; the same rows give the same bytes."""
    lines = "".join(json.dumps(_rounded(asdict(row))) + "\n" for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(gzip.compress(lines.encode(), 9, mtime=0))
    partial.replace(path)


def _rounded(row: Mapping[str, object]) -> dict[str, object]:
    return {key: round(v, 5) if isinstance(v, float) else v for key, v in row.items()}


def untuned(base: str) -> str:
    """Return the name under which an untuned model's answers are kept."""
    return "base" if base == BASE else f"base-{base}"


def answers_file(name: str, folder: Path = ANSWERS) -> Path:
    """Return where a student's answers are kept."""
    return folder / f"{name}.jsonl.gz"


def fit_file(name: str, folder: Path = FITS) -> Path:
    """Return where a student's gains are kept."""
    return folder / f"{name}.jsonl.gz"


def read_answers(name: str, folder: Path = ANSWERS) -> list[StudentAnswer]:
    """Read a student's answers; a prompt's text is in the table of stories, see `material`."""
    return [StudentAnswer(**row) for row in _rows(answers_file(name, folder))]


def read_gains(name: str, folder: Path = FITS) -> list[Gain]:
    """Read a student's gains."""
    return [Gain(**row) for row in _rows(fit_file(name, folder))]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def finished(names: Iterable[str]) -> list[str]:
    """Return the students of which everything is kept."""
    return [name for name in names if answers_file(name).exists() and fit_file(name).exists()]
