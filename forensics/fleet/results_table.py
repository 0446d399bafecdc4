"""Results as one table: a row for each finding, in columns that are the same for every work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forensics.errors import InputFileError, UsageError
from forensics.fleet.result_store import ResultStore
from forensics.fleet.subject_result import (
    FAILED,
    RESULTS,
    SubjectFinding,
    SubjectResult,
    read_result,
)
from forensics.support.files import whole_file

_ABOUT = ("subject", "key", "work", "status", "reason", "engine", "engine_version", "precision")
_MODEL_COLUMNS = tuple(SubjectFinding.model_fields)
_NUMBERS = ("log10_lr", "shared_manner", "family_wise")
_COUNTS = ("answers", "errors", "parameters")


def results_table(store: ResultStore) -> Any:
    """Return the results as a `pyarrow.Table`, sorted by subject and reference.

    Texts that were not measured are empty, numbers null.

    Raises:
        UsageError: there are no results.
        InputFileError: one cannot be read.
    """
    import pyarrow as pa

    rows = [row for result in _results(store) for row in _rows(result)]
    if not rows:
        raise UsageError("the job has no results yet; forensics fleet run JOB.toml makes them")
    rows.sort(key=lambda row: (row["subject"], row["reference"]))
    return pa.Table.from_pylist(rows, schema=_schema())


def write_table(table: Any, path: Path) -> None:
    """Write a table as Parquet, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    import pyarrow.parquet as pq

    with whole_file(path) as file:
        pq.write_table(table, file)


def _results(store: ResultStore) -> Iterator[SubjectResult]:
    finished = store.names(RESULTS)
    failed = sorted(set(store.names(FAILED)) - set(finished))
    for name in (*(f"{RESULTS}/{n}" for n in finished), *(f"{FAILED}/{n}" for n in failed)):
        result = read_result(store.read(name) or b"")
        if result is None:
            raise InputFileError(f"{name} is not a result; remove it and run the job again")
        yield result


def _rows(result: SubjectResult) -> Iterator[dict[str, Any]]:
    by = result.served_by
    about = {
        "subject": _plain(result.subject),
        "key": result.key,
        "work": result.work,
        "status": result.status,
        "reason": _plain(result.reason),
        "engine": by.engine if by else "",
        "engine_version": by.version if by else "",
        "precision": by.precision if by else "",
    }
    for finding in result.findings or (SubjectFinding(),):
        values = finding.model_dump()
        yield about | {name: _cell(values[name]) for name in _MODEL_COLUMNS}


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return _plain(value)
    return [_plain(text) for text in value] if isinstance(value, list | tuple) else value


def _plain(text: str) -> str:
    """Return text that a table can hold: half a surrogate pair becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _schema() -> Any:
    import pyarrow as pa

    kinds = {name: pa.string() for name in (*_ABOUT, *_MODEL_COLUMNS)}
    kinds |= {name: pa.float64() for name in _NUMBERS}
    kinds |= {name: pa.int64() for name in _COUNTS}
    kinds |= {"candidate_named": pa.bool_(), "declared_parents": pa.list_(pa.string())}
    return pa.schema(list(kinds.items()))
