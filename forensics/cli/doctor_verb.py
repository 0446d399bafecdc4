"""`forensics doctor`: is a subject usable?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from forensics.cli import completion
from forensics.cli.help import Verb, option
from forensics.cli.options import backend_options
from forensics.exitcodes import ExitCode

if TYPE_CHECKING:
    from forensics.examination.doctor import Check

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}
_WIDEST = 80


@click.command(
    name="doctor",
    cls=Verb,
    examples=(
        "forensics doctor demo:smollm2",
        "forensics doctor openai:my-model@http://localhost:8000/v1 --json -",
    ),
)
@click.argument("subject", shell_complete=completion.subjects)
@backend_options
@option("--json", "json_out", section="Output", metavar="FILE|-", help="Write the checks as JSON.")
def command(subject: str, json_out: str | None, **options: Any) -> int:
    """Tell in at most six short calls whether SUBJECT is usable, and what to do if not.

    Looks at address, key, model name, chat template or system prompt, determinism at temperature 0,
    log probabilities, token counts, reasoning and latency. For a transcript, it counts what is
    there and calls nothing.

    Exit code: 0 usable, warnings included; 4 not usable; 2 a wrong command or file.
    """
    from forensics.cli import settings
    from forensics.cli.progress import OnStderr
    from forensics.examination.doctor import MAX_CALLS, diagnose, usable
    from forensics.support.sanitise import one_line
    from forensics.workflows.resolving import resolve_subject

    progress = OnStderr()
    parsed = resolve_subject(subject, settings.endpoints(options), progress)
    if parsed.kind != "transcript":
        progress.note(f"{parsed.spec}: asking, in at most {MAX_CALLS} short calls")
    with progress.step(one_line(parsed.name, 30)):
        checks = diagnose(parsed, settings.backend(options))
    good = usable(checks)
    if json_out:
        _write(json_out, parsed.spec, checks, good)
    if json_out != "-":
        _print(parsed.spec, checks, good)
    return ExitCode.OK if good else ExitCode.FAILURE


def _write(target: str, spec: str, checks: tuple[Check, ...], good: bool) -> None:
    import json
    from dataclasses import asdict
    from pathlib import Path

    from forensics.support.files import write_text

    document = {"subject": spec, "usable": good, "checks": [asdict(check) for check in checks]}
    text = json.dumps(document, indent=2, ensure_ascii=True) + "\n"
    if target == "-":
        click.echo(text, nl=False)
        return
    write_text(Path(target), text)


def _print(spec: str, checks: tuple[Check, ...], good: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from forensics.support.sanitise import encodable, one_line

    console = Console(highlight=False)

    def text(content: str, style: str = "") -> Text:
        # Replies are hostile: shown as text only, never read as markup.
        safe = encodable(one_line(content, 400), console.encoding)
        return Text(safe, style=style, overflow="fold")

    table = Table(box=None, pad_edge=False)
    table.add_column("check", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("found, and what to do", overflow="fold")
    for check in checks:
        cell = text(check.detail)
        if check.advice:
            cell.append("\n").append_text(text(f"> {check.advice}", "italic"))
        table.add_row(text(check.name), text(check.result, _STYLES[check.result]), cell)
    width = min(console.width, _WIDEST)
    console.print(text(spec, "bold"), width=width)
    console.print(table, width=width)
    verdict = "usable" if good else "not usable"
    console.print(text(verdict, "bold green" if good else "bold red"), width=width)
