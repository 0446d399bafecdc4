"""`forensics suites`: what can be asked."""

from __future__ import annotations

import click

from forensics.cli import completion
from forensics.cli.help import VerbFamily, option


@click.group(name="suites", cls=VerbFamily, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the prompt suites; `suites show NAME` prints one."""
    if context.invoked_subcommand is None:
        _list()


def _list() -> None:
    from rich.console import Console
    from rich.table import Table

    from forensics.suites.loading import list_suites

    table = Table(box=None, pad_edge=False)
    for column in ("suite", "version", "prompts", "languages", "title"):
        table.add_column(column, justify="right" if column == "prompts" else "left")
    for suite in list_suites():
        languages = len({prompt.language for prompt in suite.prompts})
        table.add_row(
            suite.name, suite.version, str(len(suite.prompts)), str(languages), suite.title
        )
    Console().print(table)


@command.command(
    name="list",
    examples=("forensics suites list",),
)
def list_command() -> None:
    """List the prompt suites."""
    _list()


@command.command(
    examples=("forensics suites show core --json",),
)
@click.argument("name", shell_complete=completion.suites)
@option("--json", "as_json", is_flag=True, help="Print one JSON object per prompt.")
@option("--seal", is_flag=True, help="Print the suite's hash only, no prompt.")
def show(name: str, as_json: bool, seal: bool) -> None:
    """Print the prompts of a suite, given by name or file.

    Publish the output of --seal before the prompts, and nobody can prepare for them: every case
    records the hash, which later shows that these very prompts were asked.
    """
    import json

    from forensics.suites.loading import load_suite
    from forensics.support.sanitise import visible

    suite = load_suite(name)
    if seal:
        sealed = {"name": suite.name, "version": suite.version, "prompts": len(suite.prompts)}
        click.echo(json.dumps(sealed | {"sha256": suite.sha256}))
        return
    if as_json:
        for prompt in suite.prompts:
            fields = {
                "id": prompt.id,
                "sha256": prompt.sha256,
                "category": prompt.category,
                "language": prompt.language,
                "max_tokens": prompt.max_tokens,
                "messages": [list(message) for message in prompt.messages],
            }
            click.echo(json.dumps(fields))
        return
    click.echo(f"{suite.name} {suite.version}: {suite.title}")
    click.echo(f"{len(suite.prompts)} prompts, sha256 {suite.sha256}\n")
    category = ""
    for prompt in sorted(suite.prompts, key=lambda p: _order(suite.categories, p.category)):
        if prompt.category != category:
            category = prompt.category
            click.echo(f"{category}: {(suite.categories or {}).get(category, '')}")
        text = visible(prompt.text).replace("\n", "\n      ")
        click.echo(f"  {prompt.id} [{prompt.language}, {prompt.max_tokens} tokens]\n      {text}")


def _order(categories: object, name: str) -> int:
    names = list(categories) if isinstance(categories, dict) else []
    return names.index(name) if name in names else len(names)


_SCAFFOLD = """\
name: {name}
version: "0.1"
title: What this suite asks, in one line
license: Apache-2.0
description: >
  Who wrote the prompts, for which question, and how they were chosen.
categories:
  writing: What this category measures, and why it carries lineage.
prompts:
  - id: writing-01
    category: writing
    language: en
    max_tokens: 256
    prompt: >-
      Write a short paragraph about a place you would like to show a friend.
  - id: writing-02
    category: writing
    language: en
    max_tokens: 256
    messages:
      - {{role: system, content: "You answer briefly."}}
      - {{role: user, content: "Describe the taste of a ripe pear."}}
"""


@command.command(
    examples=("forensics suites new my-suite",),
)
@click.argument("name")
def new(name: str) -> None:
    """Create the folder NAME with a suite file to fill in."""
    import re
    from pathlib import Path

    from forensics.errors import UsageError
    from forensics.support.files import write_text

    folder = Path(name)
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,79}", folder.name):
        raise UsageError(
            f"a suite's name has lower-case letters, digits and -: not {folder.name!r}"
        )
    if folder.exists():
        raise UsageError(f"{folder} exists already; choose another name")
    write_text(folder / "suite.yaml", _SCAFFOLD.format(name=folder.name))
    click.echo(f"{folder / 'suite.yaml'}: fill it in, then: forensics suites show {folder}")
