"""Reads a log in a stream: Parquet, CSV or JSONL, with a row a prompt or a row an answer.

`prompt_id, prompt, served, withheld` or `prompt_id, prompt, output, group`, where `group` is
`served` or `withheld`; several rows of a prompt add up. Optional: `conversation, turn, account,
sampled_at, finish_reason, public, cached, seed`, and in rows of a prompt the same with `served_` or
`withheld_` before it; in a log that grows `arrival_batch`: 1, 2, 3 and so on. The header is the
first line of a JSONL file (`{"exposure_log": {…}}`), metadata of a Parquet schema (`exposure_log`),
or a file beside the log (`LOG.header.json`).
"""

from __future__ import annotations

import csv
import hashlib
import heapq
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from forensics.errors import InputFileError
from forensics.evidence.exposure.log import (
    LoggedAnswer,
    LoggedPrompt,
    LogHeader,
    ServedLog,
    order_key,
)
from forensics.suites.suite import Message
from forensics.transcripts.importers.parquet import parquet_records
from forensics.transcripts.importers.records import (
    is_parquet,
    json_document,
    numbered_lines,
    parse_json,
)

HEADER = "exposure_log"
BATCH = "arrival_batch"
MOST_PROMPTS = 5_000
_SIDES = {"served": True, "withheld": False}
_ROLES = ("system", "user", "assistant")
_LARGEST_FIELD = 1 << 27
Row = Mapping[str, object]


def read_log(path: Path, most: int = MOST_PROMPTS, header: LogHeader | None = None) -> ServedLog:
    """Read a log twice: names first, then the texts of the first `most` prompts.

    First are those of the earliest batches, and within a batch those of the lowest hash.

    Args:
        path: the file.
        most: how many prompts are kept in memory.
        header: what is attested of a log without a header.

    Raises:
        InputFileError: the file cannot be read, has other columns, or no header.
    """
    attested = _header(path) or header
    if attested is None:
        raise InputFileError(
            f"{path} does not say how answers came to be served; give --design, or write "
            f"{path.name}.header.json"
        )
    batches = _batches(path)
    if not batches:
        raise InputFileError(f"{path} holds no prompt")
    chosen = set(heapq.nsmallest(most, batches, key=lambda name: (batches[name], order_key(name))))
    groups: dict[str, _Group] = {}
    for where, row in log_rows(path):
        name = prompt_name(row, where)
        if name in chosen:
            groups.setdefault(name, _Group()).add(row, where)
    read = (group.prompt(name, batches[name]) for name, group in groups.items())
    prompts = tuple(sorted(read, key=lambda prompt: prompt.place))
    return ServedLog(attested, prompts, len(batches), _digest(path))


def _batches(path: Path) -> dict[str, int]:
    """Return every prompt's name and the batch in which it arrived."""
    batches: dict[str, int] = {}
    numbered: bool | None = None
    for where, row in log_rows(path):
        name, batch = prompt_name(row, where), whole_number(row, BATCH, where)
        if numbered is not None and numbered != bool(batch):
            raise InputFileError(f"{where}: {BATCH} must be 1 or more in every row, or in none")
        numbered = bool(batch)
        if batches.setdefault(name, batch) != batch:
            raise InputFileError(
                f"{where}: this prompt_id is in another {BATCH} further up; give a prompt that is "
                "asked again a new prompt_id"
            )
    return batches


@dataclass
class _Group:
    rows: list[tuple[Row, str]] = field(default_factory=list)

    def add(self, row: Row, where: str) -> None:
        if self.rows and row.get("prompt") != self.rows[0][0].get("prompt"):
            raise InputFileError(f"{where}: this prompt_id has another prompt further up")
        self.rows.append((row, where))

    def prompt(self, name: str, batch: int) -> LoggedPrompt:
        first, where = self.rows[0]
        answers = [answer for row, at in self.rows for answer in _answers(row, at)]
        account = _text(first, "account")
        return LoggedPrompt(
            name,
            _messages(first.get("prompt"), where),
            tuple(answers),
            _text(first, "conversation"),
            whole_number(first, "turn", where),
            hashlib.sha256(account.encode("utf-8", "surrogatepass")).hexdigest() if account else "",
            batch,
        )


def _answers(row: Row, where: str) -> Iterator[LoggedAnswer]:
    if "output" in row:
        side = _text(row, "group").strip().lower()
        if side not in _SIDES:
            raise InputFileError(f"{where}: group is {side[:40]!r}, not served or withheld")
        yield _answer(row, "", row.get("output"), _SIDES[side], where)
        return
    for side, served in _SIDES.items():
        given = row.get(side)
        for text in given if isinstance(given, list) else [given]:
            yield _answer(row, f"{side}_", text, served, where)


def _answer(row: Row, prefix: str, text: object, served: bool, where: str) -> LoggedAnswer:
    if text is not None and not isinstance(text, str):
        raise InputFileError(f"{where}: an answer is not text")

    def cell(name: str) -> object:
        value = row.get(prefix + name)
        return row.get(name) if value is None else value

    return LoggedAnswer(
        text or "",
        served,
        str(cell("finish_reason") or ""),
        _time(cell("sampled_at"), where),
        _truth(cell("public")),
        _truth(cell("cached")),
        str(row.get(f"{prefix}seed") or ""),
    )


def prompt_name(row: Row, where: str) -> str:
    """Return a row's `prompt_id`.

    Raises:
        InputFileError: it has none, or the columns are neither layout's.
    """
    name = row.get("prompt_id")
    if isinstance(name, bool) or not isinstance(name, str | int) or name == "":
        raise InputFileError(f"{where}: no prompt_id")
    if "output" not in row and not {"served", "withheld"} <= set(row):
        raise InputFileError(f"{where}: needs the columns served and withheld, or output and group")
    return str(name)


def _text(row: Row, key: str) -> str:
    value = row.get(key)
    return "" if value is None else str(value)


def whole_number(row: Row, column: str, where: str) -> int:
    """Return a row's whole number in a column, 0 where it has none.

    Raises:
        InputFileError: it is not one.
    """
    text = _text(row, column) or "0"
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InputFileError(f"{where}: {column} is {text[:40]!r}, not a number")
    return int(text)


def _truth(value: object) -> bool:
    return str(value or "").strip().lower() in ("true", "1", "yes")


def _time(value: object, where: str) -> datetime | None:
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=None)
    except ValueError as error:
        raise InputFileError(
            f"{where}: sampled_at is {str(value)[:40]!r}; write it as 2026-01-31T12:00:00"
        ) from error


def _messages(value: object, where: str) -> tuple[Message, ...]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return (Message("user", str(value)),)
    if isinstance(value, str):
        return (Message("user", value),)
    if not isinstance(value, list) or not value:
        raise InputFileError(f"{where}: no prompt")
    return tuple(_message(entry, where) for entry in value)


def _message(entry: Any, where: str) -> Message:
    role, content = (entry.get(k) if isinstance(entry, dict) else None for k in ("role", "content"))
    if role not in _ROLES or not isinstance(content, str):
        raise InputFileError(f"{where}: a message of the prompt needs a role and a text as content")
    return Message(role, content)


def log_rows(path: Path) -> Iterator[tuple[str, Row]]:
    """Yield `(place, row)` of a Parquet, CSV or JSONL file, one at a time.

    Raises:
        InputFileError: the file, or a row, cannot be read.
    """
    if is_parquet(path):
        for where, row in parquet_records(path):
            if isinstance(row, InputFileError):
                raise row
            yield where, row
    elif path.suffix.lower() in (".csv", ".tsv"):
        yield from _csv_rows(path)
    else:
        yield from _json_rows(path)


def _csv_rows(path: Path) -> Iterator[tuple[str, Row]]:
    csv.field_size_limit(_LARGEST_FIELD)
    lines = (line for _, line in numbered_lines(path))
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    try:
        for number, row in enumerate(csv.DictReader(lines, delimiter=delimiter), start=1):
            if None in row:
                raise InputFileError(f"{path}, row {number}: more cells than columns")
            yield f"{path}, row {number}", {k.strip().lower(): v for k, v in row.items()}
    except csv.Error as error:
        raise InputFileError(f"{path}: not a readable CSV file ({error})") from error


def _json_rows(path: Path) -> Iterator[tuple[str, Row]]:
    for number, line in numbered_lines(path):
        where = f"{path}, line {number}"
        row = parse_json(line, where) if line.strip() else {HEADER: None}
        if not isinstance(row, dict):
            raise InputFileError(f"{where}: not a JSON object")
        if HEADER not in row:
            yield where, row


def _header(path: Path) -> LogHeader | None:
    beside = path.with_name(f"{path.name}.header.json")
    if beside.is_file():
        return _checked(json_document(beside), str(beside))
    if is_parquet(path):
        return _parquet_header(path)
    if path.suffix.lower() in (".csv", ".tsv"):
        return None
    number, line = next(numbered_lines(path), (0, ""))
    row = parse_json(line, f"{path}, line {number}") if line.strip() else None
    given = row.get(HEADER) if isinstance(row, dict) else None
    return _checked(given, f"{path}, line {number}") if given is not None else None


def _parquet_header(path: Path) -> LogHeader | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputFileError(f"{path}: not a readable parquet file") from error
    given = metadata.get(HEADER.encode())
    if given is None:
        return None
    return _checked(parse_json(given.decode("utf-8", "replace"), str(path)), str(path))


def _checked(given: object, where: str) -> LogHeader:
    try:
        return LogHeader.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or HEADER
        raise InputFileError(f"{where}: {name}: {first['msg']}") from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
