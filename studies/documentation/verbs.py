"""The reference of the command line, from the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import get_args

import click

from forensics.cli import VERBS, group
from forensics.cli.help import Section, SectionedOption, Verb
from studies.documentation.tables import code, plain, table

_HEAD = """# Verbs

Every verb of the command line, from the program itself; `forensics VERB --help` prints the same.
`KNOWN`, `QUESTIONED` and `SUBJECT` are [subjects](subjects.md). The numbers with which each verb
ends are under [exit codes](exit-codes.md).
"""


def verbs_page() -> str:
    """Return the page of all verbs, in the order of `forensics --help`."""
    context = click.Context(group, info_name="forensics")
    lines = [_HEAD, *table(("verb", "what it does"), _overview())]
    for name in VERBS:
        command = group.get_command(context, name)
        if command is not None:
            lines += _verb(command, context, 2)
    return "\n".join(lines) + "\n"


def _overview() -> Iterator[Sequence[str]]:
    for name, what in VERBS.items():
        yield f"[`{name}`](#forensics-{name})", plain(what)


def _verb(command: click.Command, parent: click.Context, level: int) -> list[str]:
    context = click.Context(command, info_name=command.name, parent=parent)
    lines = [
        f"{'#' * level} `{context.command_path}`",
        "",
        plain(inspect.cleandoc(command.help or "").replace("\b\n", "")),
        "",
        "```text",
        f"{context.command_path} {' '.join(command.collect_usage_pieces(context))}",
        "```",
        "",
    ]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                lines += _verb(inner, context, level + 1)
        return lines
    return [*lines, *_options(command, context), *_examples(command)]


def _options(command: click.Command, context: click.Context) -> list[str]:
    options = [
        parameter
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option) and parameter.name != "help"
    ]
    lines = []
    for section, listed in groupby(sorted(options, key=_place), key=_section):
        records = [option.get_help_record(context) for option in listed]
        rows = [(code(record[0]), plain(record[1])) for record in records if record]
        lines += table((section, ""), rows)
    return lines


def _section(option: click.Option) -> Section:
    return option.section if isinstance(option, SectionedOption) else "Options"


def _place(option: click.Option) -> int:
    return get_args(Section).index(_section(option))


def _examples(command: click.Command) -> list[str]:
    if not isinstance(command, Verb) or not command.examples:
        return []
    return ["```sh", *command.examples, "```", ""]
