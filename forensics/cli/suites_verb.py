"""`forensics suites`: what can be asked."""

from __future__ import annotations

import click


@click.group(name="suites", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the prompt suites; `suites show NAME` prints one."""
    if context.invoked_subcommand is None:
        _list()


def _list() -> None:
    from rich.console import Console
    from rich.table import Table

    from forensics.suites import list_suites

    table = Table(box=None, pad_edge=False)
    for column in ("suite", "version", "prompts", "languages", "title"):
        table.add_column(column, justify="right" if column == "prompts" else "left")
    for suite in list_suites():
        languages = len({prompt.language for prompt in suite.prompts})
        table.add_row(
            suite.name, suite.version, str(len(suite.prompts)), str(languages), suite.title
        )
    Console().print(table)


@command.command(name="list")
def list_command() -> None:
    """List the prompt suites."""
    _list()


@command.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a prompt.")
def show(name: str, as_json: bool) -> None:
    """Print the prompts of a suite, given by name or file."""
    import json

    from forensics.report.sanitise import visible
    from forensics.suites import load_suite

    suite = load_suite(name)
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
