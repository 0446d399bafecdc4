"""Parquet files as records: each row with its columns, lists and structs included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from forensics.errors import InputFileError

_ROWS_AT_ONCE = 256


def parquet_names(path: Path) -> tuple[str, ...]:
    """Return the names of a parquet file's columns; none if it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return tuple(pq.read_schema(path).names)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, MemoryError):
        return ()


def parquet_records(path: Path) -> Iterator[tuple[str, Mapping[str, object] | InputFileError]]:
    """Yield `(place, row)` for every row; instead of a row that cannot be read, what is wrong.

    Raises:
        InputFileError: the file is no parquet file, or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS_AT_ONCE):
                for index in range(batch.num_rows):
                    number += 1
                    where = f"{path}, row {number}"
                    yield where, _row(batch, index, where)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, MemoryError) as error:
        reason = " ".join(str(error).split())[:160]
        raise InputFileError(f"{path}: not a readable parquet file ({reason})") from error


def _row(batch: Any, index: int, where: str) -> Mapping[str, object] | InputFileError:
    try:
        (row,) = batch.slice(index, 1).to_pylist()
    except (UnicodeDecodeError, ValueError, OverflowError) as error:
        reason = " ".join(str(error).split())[:120]
        return InputFileError(f"{where}: cannot be read ({reason})")
    cells: Mapping[str, object] = row
    return cells
