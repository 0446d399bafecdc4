"""Tables of answers: parquet, CSV, TSV, JSON Lines or a JSON array, one answer a row."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forensics.errors import InputFileError
from forensics.suites.suite import Message
from forensics.support.compressed import plain_path
from forensics.support.sanitise import one_line
from forensics.transcripts.blocks import block_of, is_blank, marks
from forensics.transcripts.completions import Output, read_completion
from forensics.transcripts.importers.conversation import parse_turns
from forensics.transcripts.importers.csv_files import DELIMITERS, normal, numbered_rows
from forensics.transcripts.importers.head import chat_or_text
from forensics.transcripts.importers.importer import (
    UNKNOWN,
    Imported,
    ImportedAnswer,
    PromptTable,
    Tally,
    assemble,
    by_model,
    each_record,
    model_name,
)
from forensics.transcripts.importers.problems import Problems
from forensics.transcripts.importers.records import (
    decode,
    head_keys,
    is_parquet,
    json_records,
    numbered_lines,
    read_head,
)
from forensics.transcripts.messages import Content, MessageError

# Each field and the column names taken for it, in order of preference.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "model": ("model",),
    "prompt_id": ("prompt_id",),
    "prompt": ("prompt",),
    "output": ("output", "response", "completion", "text"),
    "sample": ("sample_id", "sample"),
    "reasoning": ("reasoning",),
    "category": ("category",),
    "language": ("language",),
    # What was shown beside the prompt's text takes part in who the prompt is.
    "image": ("image", "images", "image_url", "image_path"),
    "audio": ("audio", "audios"),
    "video": ("video", "videos"),
}
_MEDIA = ("image", "audio", "video")
_NEEDED = ("prompt", "output")
_OUTPUTS = frozenset(COLUMNS["output"])
_FORM = "model, prompt_id, prompt, output[, sample_id, reasoning, category, language]"
# The largest limit that fits a C long everywhere; csv's own default stops at 128 KiB.
_CSV_FIELD_LIMIT = 2**31 - 1

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """Reads tables with at least a prompt and an output column."""

    name: str = "table"
    description: str = "parquet, CSV, TSV or JSON Lines with the columns prompt and output"
    example: str = "answers.parquet"

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        head = head_keys(path)
        if head.container:
            names = {normal(key) for key in head.keys}
            return "prompt" in names and bool(names & _OUTPUTS) and not names & _OTHERS
        return _delimiter(read_head(path)) is not None

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`.

        A missing model is taken to be the file's stem, a missing prompt id comes from the prompt's
        hash, and a missing output is an empty answer.
        """
        if is_parquet(path):
            yield from _read_parquet(path)
            return
        problems, reader = Problems(), _RowReader(plain_path(path).stem)
        json_like = head_keys(path).container
        rows = _json_rows(path, problems) if json_like else _csv_rows(path, problems)
        answers = list(each_record(rows, reader.answers, problems))
        yield from by_model(answers, reader.tally.notes(), problems)


# A record with one of these belongs to another format, even where it also has table columns.
_OTHERS = frozenset(
    {"entry_type", "doc_id", "custom_id", "messages", "prompt_sha256", "instruction"}
)


@dataclass
class _RowReader:
    """Turns rows into answers; a row without a model is taken as the file's own."""

    stem: str
    prompts: PromptTable = field(default_factory=PromptTable)
    tally: Tally = field(default_factory=Tally)

    def answers(self, where: str, row: Row) -> Iterator[ImportedAnswer]:
        """Yield the row's answer, or its samples."""
        row = {k: v if k in _MEDIA else _decoded(v, where) for k, v in row.items()}
        model = model_name(_text(row, "model", where))
        outputs = _outputs(row.get("output"), where)
        sample = _sample(row.get("sample"), where)
        prompt = self.prompts.get(
            _prompt(row, where),
            _identifier(row.get("prompt_id"), where),
            _text(row, "category", where) or UNKNOWN,
            _text(row, "language", where) or "und",
        )
        reasoning = _text(row, "reasoning", where)
        if not model:
            self.tally.add(self.stem, f"rows name no model; taken as {self.stem!r}")
        for output in outputs:
            self.tally.add_output(model or self.stem, output)
            details = {"finish_reason": output.ending.reason, "status": output.status}
            yield ImportedAnswer(
                model=model or self.stem,
                prompt=prompt,
                text=output.content.text,
                sample=sample if len(outputs) == 1 else None,
                reasoning=reasoning or output.content.reasoning,
                details=details if output.ending.reason else {},
            )


def _outputs(value: Any, where: str) -> tuple[Output, ...]:
    """Return the answers: a text, a message, a list of messages or of samples, or nothing."""
    if is_blank(value):
        return (Output(Content("")),)
    if isinstance(value, str):
        value = chat_or_text(value, where)
    if not isinstance(value, str | list | dict):
        raise InputFileError(f"{where}: output is {type(value).__name__}, not text")
    try:
        outputs = read_completion(value).outputs
    except MessageError as error:
        raise InputFileError(f"{where}: {error}") from error
    if not outputs:
        raise InputFileError(f"{where}: output holds no answer")
    return outputs


def _decoded(value: Any, where: str) -> Any:
    return decode(value, where) if isinstance(value, bytes) else value


def _prompt(row: Row, where: str) -> str | tuple[Message, ...]:
    """Return a prompt: a text, or a list of messages; media beside it stand at its end."""
    value = row.get("prompt")
    if isinstance(value, str):
        value = chat_or_text(value, where)
    if is_blank(value):
        raise InputFileError(f"{where}: no prompt; every answer needs the prompt it answers")
    shown = marks(block_of(k, row[k]) for k in _MEDIA if not is_blank(row.get(k)) and row[k])
    if isinstance(value, str):
        return value + shown
    turns = parse_turns(value if isinstance(value, list) else [value], where)
    if not turns:
        raise InputFileError(f"{where}: the prompt is an empty list of messages")
    messages = [turn.message for turn in turns]
    messages[-1] = messages[-1]._replace(content=messages[-1].content + shown)
    return tuple(messages)


def _text(row: Row, key: str, where: str) -> str | None:
    value = row.get(key)
    if is_blank(value):
        return None
    if isinstance(value, str):
        return value
    raise InputFileError(f"{where}: {key} is {type(value).__name__}, not text")


def _identifier(value: Any, where: str) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, float) and value.is_integer():
        # A column of integers with gaps becomes floating point in most tools.
        return str(int(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return None if math.isnan(value) else str(value)
    raise InputFileError(f"{where}: prompt_id is {type(value).__name__}, not text or a number")


def _sample(value: Any, where: str) -> int | None:
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    try:
        number = float(value) if isinstance(value, str) else value
        if not isinstance(value, bool) and number == int(number) and 0 <= number <= 10**9:
            return int(number)
    except (TypeError, ValueError, OverflowError):
        pass
    raise InputFileError(f"{where}: sample_id {str(value)[:40]!r} is not a whole number from 0")


def _columns(headers: Sequence[str], path: Path) -> dict[str, int]:
    """Return field → column index.

    Raises:
        InputFileError: a needed column is missing or a used one stands there twice.
    """
    names = [normal(name) for name in headers]
    chosen = {
        key: names.index(name)
        for key, aliases in COLUMNS.items()
        for name in [next((a for a in aliases if a in names), None)]
        if name is not None
    }
    missing = [" or ".join(COLUMNS[key]) for key in _NEEDED if key not in chosen]
    if missing:
        shown = ", ".join(repr(name[:40]) for name in headers[:20]) or "none"
        raise InputFileError(
            f"{path}: no column {missing[0]}; columns found: {shown}; needed: {_FORM}"
        )
    doubled = [names[i] for i in chosen.values() if names.count(names[i]) > 1]
    if doubled:
        raise InputFileError(f"{path}: column {doubled[0]!r} stands there twice; rename one")
    return chosen


# --- JSON -------------------------------------------------------------------------------------


def _json_rows(path: Path, problems: Problems) -> Iterator[tuple[str, Row]]:
    known: dict[tuple[str, ...], dict[str, int]] = {}
    for where, record in json_records(path, problems):
        # Records may differ in their keys; each distinct set is resolved once.
        keys = tuple(record)
        if keys not in known:
            try:
                known[keys] = _columns(keys, path)
            except InputFileError as error:
                message = str(error).removeprefix(f"{path}: ")
                problems.skip(InputFileError(f"{where}: {message}"))
                continue
        yield where, {name: record[keys[index]] for name, index in known[keys].items()}


# --- CSV --------------------------------------------------------------------------------------


def _csv_rows(path: Path, problems: Problems) -> Iterator[tuple[str, Row]]:
    csv.field_size_limit(_CSV_FIELD_LIMIT)
    delimiter = _delimiter(read_head(path)) or (
        "\t" if plain_path(path).suffix.lower() == ".tsv" else ","
    )
    lines = (line for _, line in numbered_lines(path))
    # Strict, because a stray quote would otherwise swallow the rows that follow it.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rows = numbered_rows(reader, path)
    header = next(rows, ("", []))[1]
    columns = _columns(header, path)
    for where, cells in rows:
        if len(cells) != len(header):
            problems.skip(
                InputFileError(
                    f"{where}: {len(cells)} fields, the header has {len(header)}; "
                    "quote fields that hold the delimiter or line breaks"
                )
            )
            continue
        yield where, {name: cells[index] for name, index in columns.items()}


def _delimiter(text: str) -> str | None:
    """Return the delimiter by which the first line is a header with the needed columns."""
    first = text.lstrip().partition("\n")[0]
    for delimiter in DELIMITERS:
        names = {normal(name.strip().strip('"')) for name in first.split(delimiter)}
        if "prompt" in names and names & _OUTPUTS:
            return delimiter
    return None


# --- parquet ----------------------------------------------------------------------------------


def _read_parquet(path: Path) -> Iterator[Imported]:
    import pyarrow as pa

    try:
        columns = _parquet_columns(path)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, MemoryError) as error:
        reason = " ".join(str(error).split())[:160]
        raise InputFileError(f"{path}: not a readable parquet file ({reason})") from error
    reader, problems = _RowReader(plain_path(path).stem), Problems()
    for numbers in _group(columns.get("model"), len(columns["prompt"]), plain_path(path).stem):
        chosen = {key: column.take(pa.array(numbers)) for key, column in columns.items()}
        answers = list(each_record(_rows(chosen, path, numbers), reader.answers, problems))
        if answers:
            model = answers[0].model
            yield assemble(model, answers, reader.tally.notes().get(model, ()), problems.found())
    if len(columns["prompt"]) == problems.found().records:
        problems.refuse()


def _parquet_columns(path: Path) -> dict[str, Any]:
    """Return field → Arrow column; text columns as bytes, so that one bad row can be named."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        columns = _columns(schema.names, path)
        table = file.read(columns=[schema.names[index] for index in columns.values()])
    result = {}
    for key, index in columns.items():
        column = table.column(schema.names[index])
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if key in _MEDIA or (key in ("prompt", "output") and pa.types.is_nested(column.type)):
            pass  # media and messages are read a row at a time
        elif key not in ("prompt_id", "sample"):
            column = _as_bytes(column, f"{path}: column {schema.names[index]!r}")
        elif _is_text(column.type):
            column = column.cast(pa.large_binary())
        result[key] = column.combine_chunks()
    return result


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    tests = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_binary,
        pa.types.is_large_binary,
    )
    return any(test(kind) for test in tests)


def _as_bytes(column: Any, where: str) -> Any:
    import pyarrow as pa

    if not (_is_text(column.type) or pa.types.is_null(column.type)):
        # A struct is written with the names of its fields, which may hold anything.
        raise InputFileError(f"{where} is {one_line(str(column.type), 80)}, not text")
    return column.cast(pa.large_binary())


def _group(models: Any, rows: int, stem: str) -> list[list[int]]:
    """Return the row numbers of each model, models in order of appearance."""
    groups: dict[bytes, list[int]] = {}
    names: Iterable[bytes | None] = [None] * rows if models is None else models.to_pylist()
    fallback = stem.encode("utf-8", "surrogatepass")
    for number, name in enumerate(names):
        named = name is not None and model_name(name.decode("utf-8", "replace"))
        groups.setdefault(name if name and named else fallback, []).append(number)
    return list(groups.values())


def _rows(
    columns: Mapping[str, Any], path: Path, numbers: Sequence[int]
) -> Iterator[tuple[str, Row]]:
    names = list(columns)
    cells = zip(*(column.to_pylist() for column in columns.values()), strict=True)
    for number, row in zip(numbers, cells, strict=True):
        yield f"{path}, row {number + 1}", dict(zip(names, row, strict=True))
