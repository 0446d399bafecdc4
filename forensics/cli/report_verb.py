"""`forensics report`: a case in another format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command(name="report")
@click.argument("case", type=click.Path(path_type=Path))
@click.option("--json", "json_out", metavar="FILE|-", help="Write the case as JSON.")
@click.option(
    "--html", "html_out", type=click.Path(path_type=Path), help="Write one self-contained page."
)
@click.option("--markdown", "markdown_out", metavar="FILE|-", help="Write Markdown.")
@click.option("--blind", is_flag=True, help="Mask names of models and makers.")
@click.option(
    "--unblind", is_flag=True, help="Show the names of a blind case; CASE's ledger records it."
)
def command(case: Path, blind: bool, unblind: bool, **options: Any) -> None:
    """Render CASE, a file written by `forensics compare --json`, again.

    A case made with `compare --blind` is rendered with names masked until --unblind opens it.
    """
    from forensics.blinding import blinded
    from forensics.blinding import unblind as opened
    from forensics.case import read_case
    from forensics.cli.rendering import Outputs, render
    from forensics.errors import UsageError

    if blind and unblind:
        raise UsageError("--blind and --unblind contradict each other; give one of them")

    outputs = Outputs(options["json_out"], options["html_out"], options["markdown_out"])
    found = opened(case) if unblind else read_case(case)
    render(blinded(found) if blind or found.blind else found, outputs)
