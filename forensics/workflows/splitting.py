"""`exposure split`: of several answers to each prompt, one is drawn to be served."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import InputFileError, UsageError
from forensics.evidence.exposure.log import LogHeader
from forensics.evidence.exposure.log_files import (
    BATCH,
    HEADER,
    log_rows,
    prompt_name,
    whole_number,
)
from forensics.support.files import write_text
from forensics.support.resources import is_file
from forensics.support.sanitise import one_line
from forensics.workflows.settings import SplitSettings


@dataclass(frozen=True)
class DrawnSplit:
    """How many prompts have a served and a withheld answer, and how many have too few answers.

    `batch` is the number of the batch that they are in a log that grows, 0 in others.
    """

    prompts: int
    left_out: int
    batch: int = 0


def split(answers: Path, settings: SplitSettings) -> DrawnSplit:
    """Write a log in which one answer of each prompt is served and all others are withheld.

    The draw hangs on the seed, the prompt's name and the answer's place, on nothing in the answer.
    A log that grows declares no number of prompts: it is watched.

    Args:
        answers: `prompt_id, prompt, output`, two rows or more a prompt, each a sampling call of its
            own; other columns are copied.
        settings: the seed, and where to write.

    Raises:
        InputFileError: the file cannot be read, no prompt has two answers, or a prompt has answers
            of several models.
        UsageError: a file would be written over the answers, or over another log; or answers are
            appended to a log that does not grow, or that has their prompts already.
        OutputError: a file cannot be written.
    """
    _spare_answers(answers, settings)
    groups: dict[str, list[Mapping[str, object]]] = {}
    for where, row in log_rows(answers):
        if not isinstance(row.get("output"), str):
            raise InputFileError(f"{where}: no output")
        groups.setdefault(prompt_name(row, where), []).append(row)
    usable = {name: rows for name, rows in groups.items() if len(rows) > 1}
    if not usable:
        raise InputFileError(f"{answers}: no prompt has two answers; sample each at least twice")
    for name, rows in usable.items():
        if len({str(row.get("model")) for row in rows}) > 1:
            # Only answers of one model are as likely to be served as to be withheld.
            raise InputFileError(
                f"{answers}: prompt {one_line(name, 60)!r} has answers of several models; "
                "split each model's answers from a file of their own"
            )
    header = LogHeader(
        design="split_before_serving",
        declared_prompts=None if settings.append else len(usable),
        served_filters="as sampled",
        withheld_filters="as sampled",
        split_seed=settings.seed,
    )
    head: Mapping[str, object] = {HEADER: header.model_dump(exclude_defaults=True)}
    begun = _begun(settings.output, _text([head]), usable) if settings.append else None
    batch = {BATCH: begun.batches + 1} if begun else {}
    lines: list[Mapping[str, object]] = []
    served: list[Mapping[str, object]] = []
    for name, rows in usable.items():
        chosen = drawn(settings.seed, name, len(rows))
        marked = [
            {**row, **batch, "group": "served" if i == chosen else "withheld"}
            for i, row in enumerate(rows)
        ]
        lines += marked
        served.append(rows[chosen])
    text = (begun.text if begun else _text([head])) + _text(lines)
    if begun is None:
        _spare_log(settings.output, text)
    write_text(settings.output, text)
    if settings.served is not None:
        write_text(settings.served, _text(served))
    return DrawnSplit(len(usable), len(groups) - len(usable), batch.get(BATCH, 0))


@dataclass(frozen=True)
class _Begun:
    """A log to which a batch is appended: its text, and how many batches it has."""

    text: str
    batches: int


def _begun(path: Path, head: str, added: Collection[str]) -> _Begun:
    """Return the log that is gone on with; of one that is not there yet only the header.

    Raises:
        UsageError: it was begun otherwise, or has one of the prompts that are added.
    """
    if not is_file(path):
        return _Begun(head, 0)
    text = path.read_bytes().decode("utf-8", "replace")
    if not text.startswith(head):
        raise UsageError(
            f"{path} was not begun with --append and this --seed; go on with the log that was, or "
            "name a new one"
        )
    batches = 0
    for where, row in log_rows(path):
        batches = max(batches, whole_number(row, BATCH, where))
        if prompt_name(row, where) in added:
            raise UsageError(
                f"{where}: this prompt_id is in the log already; give a prompt that is asked "
                "again a new prompt_id"
            )
    return _Begun(text if text.endswith("\n") else f"{text}\n", batches)


def drawn(seed: int, prompt_id: str, answers: int) -> int:
    """Return which of a prompt's answers is served."""
    places = range(answers)
    return min(places, key=lambda place: _digest(json.dumps([seed, prompt_id, place])))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _text(rows: Sequence[Mapping[str, object]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=True, default=str) + "\n" for row in rows)


def _spare_answers(answers: Path, settings: SplitSettings) -> None:
    for path in (settings.output, settings.served):
        if path is not None and path.resolve() == answers.resolve():
            raise UsageError(f"{path} holds the answers that are split; name another file to write")


def _spare_log(path: Path, text: str) -> None:
    """Refuse to replace a log: what was served is written nowhere else."""
    if is_file(path) and path.read_bytes() != text.encode("ascii"):
        raise UsageError(f"{path} exists and may be the log of another draw; name another file")
