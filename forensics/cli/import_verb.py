"""`forensics import`: other tools' files → transcripts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensics.cli import completion
from forensics.cli.help import Verb, option

if TYPE_CHECKING:
    from forensics.suites.suite import Suite
    from forensics.transcripts.importers import ImportedFile
    from forensics.workflows.importing import ImportedFolder

_WIDTH = 78
_SHOWN = 100


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
    Of a folder, every file in a known format is imported; --list-formats shows them all.

    A record that cannot be read is left out and reported; with --strict it refuses the file.
    """
    from forensics.cli.progress import step_spinner
    from forensics.suites.loading import load_suite
    from forensics.transcripts.importers import import_file
    from forensics.workflows.importing import import_folder

    suite = load_suite(suite_name) if suite_name else None
    with step_spinner() as spinner:
        task = spinner.add_task(f"importing {file.name}", total=None)

        def advance(count: int) -> None:
            spinner.advance(task, count)

        if file.is_dir():
            folder = import_folder(file, output, format_, advance, prompts, strict)
            imported = folder.imported
        else:
            folder = None
            imported = import_file(file, output, format_, advance, prompts, strict)
    if imported:
        _tell(imported, output, suite)
    if folder is not None:
        _tell_folder(folder, file, output)


def _tell(imported: Sequence[ImportedFile], output: Path, suite: Suite | None) -> None:
    from forensics.cli.progress import note
    from forensics.transcripts.transcript import read_transcript

    answers = sum(one.responses for one in imported)
    files = dict.fromkeys(one.path for one in imported)
    note(f"{len(files)} transcripts with {answers} answers in {output} (provenance unverified)")
    for skipped in dict.fromkeys(one.skipped for one in imported):
        for text in skipped.lines:
            note(text)
    for one in imported:
        if one.joined:
            note(f"{one.path.name}: joined with {one.joined} answers that were imported before")
        for text in one.notes:
            note(f"{one.path.name}: {text}")
        if one.blank:
            note(f"{one.path.name}: {one.blank} of {one.responses} answers are blank")
    if suite is None:
        return
    for path in files:
        known = {prompt.sha256 for prompt in suite.prompts}
        covered = len(known & read_transcript(path).prompts.keys())
        note(f"{path.name}: answers {covered} of {len(known)} prompts of {suite.name}")


def _tell_folder(folder: ImportedFolder, source: Path, output: Path) -> None:
    """Name what was skipped and what failed.

    Raises:
        InputFileError: a file failed, or there was nothing to import.
    """
    from forensics.cli.progress import note
    from forensics.errors import InputFileError

    for path, reason in folder.skipped[:_SHOWN]:
        note(f"skipped {path}: {reason}")
    if len(folder.skipped) > _SHOWN:
        note(f"skipped {len(folder.skipped) - _SHOWN} more files")
    for path, reason in folder.failed:
        note(f"not imported: {reason if str(path) in reason else f'{path}: {reason}'}")
    if folder.failed:
        rest = f"; the others are in {output}" if folder.imported else ""
        raise InputFileError(f"{len(folder.failed)} files of {source} were not imported{rest}")
    if not folder.imported:
        raise InputFileError(
            f"no file of {source} is in a format that is known; "
            "see: forensics import --list-formats"
        )
