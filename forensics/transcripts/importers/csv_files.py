"""CSV and TSV: the names of their columns, and their rows with the place of each."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from forensics.errors import InputFileError
from forensics.support.compressed import plain_path
from forensics.transcripts.importers.records import read_head

DELIMITERS = (",", "\t", ";")


def normal(name: str) -> str:
    """Return a column's name as it is compared."""
    return name.strip().lower()


def header_names(path: Path) -> frozenset[str]:
    """Return the column names of a file that is named as CSV or TSV; none of any other."""
    if plain_path(path).suffix.lower() not in (".csv", ".tsv"):
        return frozenset()
    first = read_head(path).lstrip().partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    return frozenset(normal(name.strip().strip('"')) for name in first.split(delimiter))


def numbered_rows(reader: Iterator[list[str]], path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield rows that hold anything, with their place; row 1 is the first after the header."""
    number = 0
    while True:
        where = f"{path}, row {number}" if number else f"{path}, header"
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputFileError(f"{where}: not valid CSV ({error})") from error
        if cells:
            yield where, cells
            number += 1
