"""`forensics cohort columns`: what the tables that a cohort is built from hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensics.cli.help import Verb, option

if TYPE_CHECKING:
    from forensics.cohorts.lineage.columns import TableName

_WIDTH = 17


@click.command(
    cls=Verb,
    examples=("forensics cohort columns", "forensics cohort columns pairs --example tables"),
)
@click.argument("table", required=False, type=click.Choice(["models", "pairs", "outputs"]))
@option(
    "--example",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Write example files: models.csv, pairs.csv, outputs.csv.",
)
def columns(table: TableName | None, example: Path | None) -> None:
    """Say what the columns of the tables hold that a cohort is built from.

    TABLE is models, pairs or outputs; all three without it.
    """
    from forensics.cli.progress import note
    from forensics.cohorts.lineage import columns as tables
    from forensics.support.files import write_text

    chosen = (table,) if table else tables.TABLES
    if example is None:
        click.echo("\n\n".join("\n".join(_described(name)) for name in chosen))
        return
    for name in chosen:
        path = example / f"{name}.csv"
        write_text(path, tables.example(name))
        note(f"written: {path}")


def _described(table: TableName) -> Iterator[str]:
    import textwrap

    from forensics.cohorts.lineage import columns as tables

    yield f"{table}.csv"
    for column in tables.COLUMNS[table]:
        text = f"{column.what}{' (needed)' if column.is_needed else ''}"
        yield textwrap.fill(
            text,
            78,
            initial_indent=f"  {column.name:<{_WIDTH}}",
            subsequent_indent=" " * (_WIDTH + 2),
            break_on_hyphens=False,
        )
    yield ""
    yield "  for example"
    yield from (f"  {line}" for line in tables.example(table).splitlines()[:5])
