"""`forensics baseline watch`: one look at an endpoint, with the looks before it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensics.cli import completion
from forensics.cli.help import Verb, option
from forensics.cli.options import FiniteRange, backend_options, broken_option, spending_options

if TYPE_CHECKING:
    from forensics.evidence.watching.watch_report import WatchReport

FILE = click.Path(path_type=Path)


@click.command(
    name="watch",
    cls=Verb,
    examples=("forensics baseline watch openai:my-model@http://localhost:8000/v1 base.jsonl",),
)
@click.argument("subject", shell_complete=completion.subjects)
@click.argument("baseline", metavar="FILE", type=FILE)
@option(
    "--calls",
    section="Sampling",
    type=click.IntRange(1, 10_000),
    default=40,
    show_default=True,
    help="Calls of this look, at most.",
)
@option(
    "--level",
    section="Evidence",
    type=FiniteRange(0.0001, 0.2),
    help="Chance of a false alarm over all looks together [0.01]; fixed by the first look.",
)
@option(
    "--state",
    section="Output",
    type=FILE,
    help="File with the calls of all looks [FILE with .watch.jsonl].",
)
@option("--json", "json_out", section="Output", metavar="FILE|-", help="Write the result as JSON.")
@backend_options
@spending_options
@broken_option
def command(
    subject: str,
    baseline: Path,
    calls: int,
    level: float | None,
    state: Path | None,
    json_out: str | None,
    **options: Any,
) -> int:
    """Take one look at SUBJECT: a few short calls more; still the model of the baseline FILE?

    Save the baseline with --watch. The evidence of all looks adds up, and however often you look,
    a false alarm is as rare as --level says. Exits 1 on the look that finds a difference; later
    looks ask nothing, repeat the finding and exit 0.
    """
    from forensics.cli import settings
    from forensics.cli.asks import say_asks
    from forensics.cli.progress import OnStderr
    from forensics.cli.rendering import check_targets
    from forensics.workflows.resolving import resolve
    from forensics.workflows.settings import WatchSettings
    from forensics.workflows.watching import announce_look, look, prepare_watch, would_look

    progress = OnStderr()
    wanted = WatchSettings(
        baseline,
        state or baseline.with_suffix(".watch.jsonl"),
        calls,
        level,
        settings.asking(options),
        settings.endpoints(options),
        settings.spending(options),
    )
    allow = wanted.asking.allow_broken
    watch = prepare_watch(resolve(subject, wanted.endpoints, allow, progress), wanted)
    if options["dry_run"]:
        say_asks(would_look(watch), wanted.spending)
        return 0
    outputs = [("--json", json_out)] if json_out and json_out != "-" else []
    check_targets([("--state", str(wanted.state)), *outputs])
    announce_look(watch, progress)
    with look(watch, progress) as report:
        _write(report, json_out)
    return report.exit_code


def _write(report: WatchReport, target: str | None) -> None:
    import json
    from dataclasses import asdict

    from forensics.support.files import write_text

    text = json.dumps(asdict(report), ensure_ascii=True, allow_nan=False, indent=1) + "\n"
    if target == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    if target:
        write_text(Path(target), text)
    _print(report)


def _print(report: WatchReport) -> None:
    from rich.console import Console
    from rich.text import Text

    from forensics.report.watch_text import watch_lines
    from forensics.support.sanitise import encodable

    console = Console()
    for line, style in watch_lines(report):
        console.print(Text(encodable(line, console.encoding), style=style), highlight=False)
