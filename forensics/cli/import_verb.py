"""`forensics import`: other tools' files → transcripts."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder for the transcripts, one file per model.",
)
@click.option("--format", "format_", metavar="NAME", help="Force a format instead of detecting it.")
@click.option(
    "--prompts",
    type=click.Path(path_type=Path),
    help="File with the prompts, for formats that keep them apart.",
)
@click.option(
    "--strict", is_flag=True, help="Refuse FILE if one of its records cannot be read (exit 2)."
)
@click.option("--suite", "suite_name", metavar="NAME|FILE", help="Report coverage of this suite.")
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

    A record that cannot be read is left out and reported; with --strict it refuses the file.
    """
    from forensics.suites.loading import load_suite
    from forensics.transcripts.importers import import_file
    from forensics.transcripts.transcript import read_transcript
    from forensics.workflows.progress import note, step_spinner

    suite = load_suite(suite_name) if suite_name else None
    with step_spinner() as spinner:
        task = spinner.add_task(f"importing {file.name}", total=None)
        imported = import_file(
            file,
            output,
            format_,
            lambda n: spinner.advance(task, n),
            prompts=prompts,
            strict=strict,
        )
    answers = sum(one.responses for one in imported)
    note(f"{len(imported)} transcripts with {answers} answers in {output} (provenance unverified)")
    for text in imported[0].skipped.lines:
        note(text)
    for one in imported:
        if one.joined:
            note(f"{one.path.name}: joined with {one.joined} answers that were imported before")
        for text in one.notes:
            note(f"{one.path.name}: {text}")
        if one.blank:
            note(f"{one.path.name}: {one.blank} of {one.responses} answers are blank")
        if suite is not None:
            known = {prompt.sha256 for prompt in suite.prompts}
            covered = len(known & read_transcript(one.path).prompts.keys())
            note(f"{one.path.name}: answers {covered} of {len(known)} prompts of {suite.name}")
