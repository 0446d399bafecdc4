"""`exposure split`: of several answers to each prompt, one is drawn to be served."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import InputFileError
from forensics.evidence.exposure.log import LogHeader
from forensics.evidence.exposure.log_files import HEADER, log_rows, prompt_name
from forensics.support.files import write_text
from forensics.workflows.settings import SplitSettings


@dataclass(frozen=True)
class DrawnSplit:
    """How many prompts have a served and a withheld answer, and how many have too few answers."""

    prompts: int
    left_out: int


def split(answers: Path, settings: SplitSettings) -> DrawnSplit:
    """Write a log in which one answer of each prompt is served and all others are withheld.

    The draw hangs on the seed, the prompt's name and the answer's place, on nothing in the answer.

    Args:
        answers: `prompt_id, prompt, output`, two rows or more a prompt, each a sampling call of its
            own; other columns are copied.
        settings: the seed, and where to write.

    Raises:
        InputFileError: the file cannot be read, or no prompt has two answers.
        OutputError: a file cannot be written.
    """
    groups: dict[str, list[Mapping[str, object]]] = {}
    for where, row in log_rows(answers):
        if not isinstance(row.get("output"), str):
            raise InputFileError(f"{where}: no output")
        groups.setdefault(prompt_name(row, where), []).append(row)
    usable = {name: rows for name, rows in groups.items() if len(rows) > 1}
    if not usable:
        raise InputFileError(f"{answers}: no prompt has two answers; sample each at least twice")
    header = LogHeader(
        design="split_before_serving",
        declared_prompts=len(usable),
        served_filters="as sampled",
        withheld_filters="as sampled",
        split_seed=settings.seed,
    )
    lines: list[Mapping[str, object]] = [{HEADER: header.model_dump(exclude_defaults=True)}]
    served: list[Mapping[str, object]] = []
    for name, rows in usable.items():
        chosen = drawn(settings.seed, name, len(rows))
        marked = [
            {**row, "group": "served" if i == chosen else "withheld"} for i, row in enumerate(rows)
        ]
        lines += marked
        served.append(rows[chosen])
    _write(settings.output, lines)
    if settings.served is not None:
        _write(settings.served, served)
    return DrawnSplit(len(usable), len(groups) - len(usable))


def drawn(seed: int, prompt_id: str, answers: int) -> int:
    """Return which of a prompt's answers is served."""
    places = range(answers)
    return min(places, key=lambda place: _digest(json.dumps([seed, prompt_id, place])))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=True, default=str) + "\n" for row in rows)
    write_text(path, text)
