"""`forensics import`: other tools' files → transcripts."""

from __future__ import annotations

from pathlib import Path

import click

from forensics.cli import completion
from forensics.cli.help import Verb, option

_WIDTH = 78


def _list_formats(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if not asked or context.resilient_parsing:
        return
    from forensics.support.sanitise import one_line
    from forensics.transcripts.importers.registry import formats

    for known in formats():
        name = f"{one_line(known.name, 30):<17}"
        click.echo(f"{name} {one_line(known.example, _WIDTH - len(name) - 1)}".rstrip())
        click.echo(f"    {one_line(known.description, _WIDTH - 4)}")
    click.echo(
        "\nEach may be packed with gzip, bzip2, xz or Zstandard (a.jsonl.gz). Of a folder,\n"
        "every file in one of these formats is imported."
    )
    context.exit()


@click.command(
    name="import",
    cls=Verb,
    examples=(
        "forensics import outputs.parquet -o transcripts",
        "forensics import logs -o transcripts --suite core --strict",
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder for the transcripts, one file per model.",
)
@option("--format", "format_", metavar="NAME", help="Force a format instead of detecting it.")
@option(
    "--list-formats",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_formats,
    help="List the formats with an example each, and stop.",
)
@option(
    "--prompts",
    type=click.Path(path_type=Path),
    help="File with the prompts, for formats that keep them apart.",
)
@option("--strict", is_flag=True, help="Refuse FILE if one of its records cannot be read (exit 2).")
@option(
    "--suite",
    "suite_name",
    shell_complete=completion.suites,
    metavar="NAME|FILE",
    help="Report coverage of this suite.",
)
def command(
    file: Path,
    output: Path,
    format_: str | None,
    prompts: Path | None,
    strict: bool,
    suite_name: str | None,
) -> None:
    """Make transcripts from FILE: a table (parquet, CSV, JSONL) or another tool's output.

    A table has the columns model, prompt_id, prompt, output and optionally sample_id, reasoning.
    From a folder, every file in a known format is imported; --list-formats shows them all.

    Every verb that takes a subject also takes such a file itself: FILE, or FILE#MODEL if it holds
    several models.

    A record that cannot be read is left out and reported; with --strict it refuses the file.
    """
    from forensics.cli.progress import OnStderr
    from forensics.suites.loading import load_suite
    from forensics.workflows.importing import ImportSettings, imported

    suite = load_suite(suite_name) if suite_name else None
    imported(file, output, ImportSettings(format_, prompts, strict, suite), OnStderr())
