"""`forensics report`: a case in another format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from forensics.cli.help import Verb, option
from forensics.cli.options import output_options


@click.command(
    name="report",
    cls=Verb,
    examples=(
        "forensics report case.json --html report.html",
        "forensics report case.json --format csv -o evidence.csv",
        "forensics report exposure.json --html exposure.html",
    ),
)
@click.argument("case", type=click.Path(path_type=Path))
@output_options
@option("--format", "format_", metavar="NAME", help="Write this format: text, html, a plugin's …")
@option("-o", "--output", metavar="FILE|-", help="Where --format goes [standard output].")
@option("--blind", is_flag=True, help="Mask names of models and makers.")
@option("--unblind", is_flag=True, help="Show the names of a blind case; CASE's ledger records it.")
def command(case: Path, blind: bool, unblind: bool, **options: Any) -> None:
    """Render CASE, a file written by `forensics compare --json`, again.

    The result of `forensics exposure test --json` is rendered too: json, html, markdown.
    A case made with `compare --blind` is rendered with names masked until --unblind opens it.
    """
    from forensics.case.document import read_case
    from forensics.cli.exposure_reports import is_exposure, render_exposure
    from forensics.cli.rendering import outputs, render
    from forensics.custody.blinding import blinded
    from forensics.custody.blinding import unblind as opened
    from forensics.errors import UsageError

    if options["output"] and not options["format_"]:
        raise UsageError("--output says where --format goes; give --format NAME too")
    if blind and unblind:
        raise UsageError("--blind and --unblind contradict each other; give one of them")

    if is_exposure(case):
        if blind or unblind:
            raise UsageError(f"{case} is the result of an exposure test, which has no blind form")
        render_exposure(case, _targets(options))
        return
    named = [(options["format_"], options["output"] or "-")] if options["format_"] else []
    wanted = outputs(options["json_out"], options["html_out"], options["markdown_out"], named)
    read = opened(case) if unblind else read_case(case)
    shown = blinded(read) if blind or read.blind else read
    render(shown, wanted, verbose=options["verbose"], only_files=bool(options["output"]))


def _targets(options: dict[str, Any]) -> list[tuple[str, str]]:
    by_option = [(name, options[f"{name}_out"]) for name in ("json", "html", "markdown")]
    targets = [(name, str(target)) for name, target in by_option if target]
    if options["format_"]:
        targets.append((options["format_"], options["output"] or "-"))
    return targets
