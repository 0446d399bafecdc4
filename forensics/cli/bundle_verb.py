"""`forensics bundle`: a case and all it rests on in one file."""

from __future__ import annotations

from pathlib import Path

import click

from forensics.cli.help import Verb, option


@click.command(
    name="bundle",
    cls=Verb,
    examples=(
        "forensics bundle case.json -o bundle.zip",
        "forensics bundle case.json -o bundle.zip --transcript moved/model.jsonl",
    ),
)
@click.argument("case", type=click.Path(path_type=Path))
@option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The ZIP to write.")
@option(
    "--transcript",
    "transcripts",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Where a transcript is now, if it moved (repeatable); it must have the case's hash.",
)
@option(
    "--suite", metavar="NAME|FILE", help="The suite, if it moved; it must have the case's hash."
)
def command(case: Path, output: Path, transcripts: tuple[Path, ...], suite: str | None) -> None:
    """Pack CASE with its transcripts, suite, versions and settings into one ZIP.

    Anyone can then check it offline with `forensics verify ZIP`. The bundle's seal, printed
    here, tells this bundle from any other: keep it elsewhere, or publish it. A bundle holds the
    names even of a blind case.
    """
    from forensics.cli.progress import note
    from forensics.custody.bundle import make_bundle
    from forensics.errors import UsageError

    if output.is_dir():
        raise UsageError(f"{output} is a folder; name a file in it")
    if output.exists() and output.resolve() in {p.resolve() for p in (case, *transcripts)}:
        raise UsageError(f"{output} is one of the files to be packed; choose another -o")
    made = make_bundle(case, output, transcripts, suite)
    for text in made.notes:
        note(f"packed as it is, but not as it was written: {text}")
    note(f"written: {output} ({len(made.members)} members)")
    click.echo(f"seal {made.seal}")
