"""`forensics cohort panel`: write a panel to fill in, and check one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensics.cli.help import VerbFamily, option

if TYPE_CHECKING:
    from forensics.workflows.panels.panel_check import MemberAnswer
    from forensics.workflows.panels.panel_file import CohortPanel

FILE = click.Path(path_type=Path)
endpoints_option = option(
    "--endpoints",
    type=FILE,
    help="File of named endpoints, where the panel defines none [forensics.toml].",
)


@click.group(name="panel", cls=VerbFamily)
def panel() -> None:
    """Write or check a panel: the models that a cohort is to be collected from."""


@panel.command(
    examples=(
        "forensics cohort panel new panel.toml",
        "forensics cohort panel new panel.toml --like 2026",
    ),
)
@click.argument("file", type=FILE)
@option(
    "--like",
    default="example",
    metavar="NAME",
    show_default=True,
    help="Shipped panel to begin with: example, or 2026 (models that a router offered then).",
)
def new(file: Path, like: str) -> None:
    """Write a panel with comments to FILE, to be filled in; an existing file is kept."""
    from forensics.cli.progress import note
    from forensics.workflows.panels.panel_file import new_panel

    new_panel(file, like)
    note(f"written: {file}; fill in who is asked, then: forensics cohort panel check {file}")


@panel.command(
    examples=("forensics cohort panel check panel.toml",),
)
@click.argument("file", type=FILE)
@option("--no-calls", is_flag=True, help="Check the file only; nobody is asked.")
@endpoints_option
def check(file: Path, no_calls: bool, endpoints: Path | None) -> int:
    """Check the panel in FILE, and ask each of its models one short question.

    Exit code: 4 if a model did not answer; it is named with the reason.
    """
    from forensics.cli.progress import OnStderr
    from forensics.exitcodes import ExitCode
    from forensics.workflows.panels.members import panel_members, say_addresses
    from forensics.workflows.panels.panel_check import check_members
    from forensics.workflows.panels.panel_file import read_panel

    checked = read_panel(file)
    members = panel_members(checked, endpoints)
    say_addresses(checked, endpoints, members, OnStderr())
    say_unnamed(checked)
    if no_calls:
        click.echo(f"{file} is in order: {len(members)} models have a subject")
        return ExitCode.OK
    answers = check_members(members, checked.table.limits.in_all, _say)
    failed = [answer.name for answer in answers if answer.failure]
    click.echo(f"{len(answers) - len(failed)} of {len(answers)} models answered")
    return ExitCode.FAILURE if failed else ExitCode.OK


def say_unnamed(panel_read: CohortPanel) -> None:
    """Name on stderr the models that nobody can ask yet."""
    from forensics.cli.progress import note

    if panel_read.unnamed:
        names = ", ".join(panel_read.unnamed)
        note(f"without a subject, so left out: {names}")


def _say(answer: MemberAnswer) -> None:
    from forensics.support.sanitise import encodable, visible
    from forensics.support.secrets import redacted

    line = (
        f"failed  {answer.name}: {answer.failure}" if answer.failure else f"ok      {answer.name}"
    )
    click.echo(encodable(visible(redacted(line)), sys.stdout.encoding))
