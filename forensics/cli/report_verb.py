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
def command(case: Path, **options: Any) -> None:
    """Render CASE, a file written by `forensics compare --json`, again."""
    from forensics.case import read_case
    from forensics.cli.rendering import Outputs, render

    outputs = Outputs(options["json_out"], options["html_out"], options["markdown_out"])
    render(read_case(case), outputs)
