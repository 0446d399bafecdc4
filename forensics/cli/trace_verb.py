"""`forensics trace`: which models of a cohort is a subject related to?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensics.cli import completion
from forensics.cli.help import Verb, option
from forensics.cli.options import (
    backend_options,
    broken_option,
    cohort_suite_options,
    generation_options,
    spending_options,
    transcripts_option,
)
from forensics.cli.past_option import bases_option
from forensics.support.asking_defaults import ONCE
from forensics.support.numbers import percent

if TYPE_CHECKING:
    from rich.console import Console

    from forensics.cohorts.shift_trace import ShiftTrace
    from forensics.cohorts.trace import Trace


_SMALLEST = 0.001


@click.command(
    name="trace",
    cls=Verb,
    # Most cohorts answered once; a search tells relatives, not whether two models are one.
    context_settings={"default_map": ONCE},
    examples=(
        "forensics trace transcript:model.jsonl --released 2024-05",
        "forensics trace cohort:vicuna-7b --top 5 --json trace.json",
    ),
)
@click.argument("subject", shell_complete=completion.subjects)
@option(
    "--cohort",
    "cohort_name",
    shell_complete=completion.cohorts,
    section="Evidence",
    metavar="NAME|FILE|URL",
    help="Cohort to search. Default: the one that has the model or answered the transcript's "
    "prompts, else alpaca-eval.",
)
@option(
    "--top",
    section="Output",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Show N.",
)
@bases_option(
    "SUBJECT's own past (instruct base, previous release): towards which model did it change?"
)
@option("--released", section="Subjects", metavar="YYYY-MM", help="When the subject was released.")
@option("--json", "json_out", section="Output", metavar="FILE|-", help="Write the result as JSON.")
@cohort_suite_options
@generation_options
@backend_options
@spending_options
@transcripts_option
@broken_option
def command(subject: str, **options: Any) -> None:
    """Rank a cohort's models by how likely SUBJECT is related to each.

    SUBJECT is a transcript, a model of the cohort (cohort:NAME), or any subject that can be asked
    the cohort's suite. "None of these" is an answer: the error rate printed is that of the best of
    all candidates, not of one.
    """
    from forensics.cli.asks import say_asks
    from forensics.cli.progress import OnStderr
    from forensics.cli.settings import trace_settings
    from forensics.support.files import write_text
    from forensics.workflows.tracing import trace_document, traced, would_trace

    settings, progress = trace_settings(options), OnStderr()
    if options["dry_run"]:
        say_asks(would_trace(subject, settings, progress), settings.spending)
        return
    result = traced(subject, settings, progress)
    text = json.dumps(trace_document(result), indent=1, allow_nan=False) + "\n"
    if options["json_out"] == "-":
        sys.stdout.write(text)
        return
    if options["json_out"]:
        write_text(Path(options["json_out"]), text)
    _print(result, options["top"])


def _print_shift(shift: ShiftTrace, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    from forensics.support.sanitise import one_line

    console.print(Text(one_line(shift.statement, 1_000)), highlight=False)
    if not shift.candidates:
        return
    table = Table(box=None, pad_edge=False)
    for name in ("changed towards", "developer", "past", "now", "change (95 %)", "reading"):
        left = name in ("changed towards", "developer", "reading")
        table.add_column(name, justify="left" if left else "right", overflow="fold")
    for entry in shift.candidates:
        table.add_row(
            Text(one_line(entry.model, 34), style="bold" if entry.model in shift.named else ""),
            Text(one_line(entry.developer, 14)),
            percent(entry.past),
            percent(entry.share),
            f"{percent(entry.low)} to {percent(entry.high)}",
            entry.reading.replace("_", " "),
        )
    console.print(table)


def _rate(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if value >= _SMALLEST else f"<{_SMALLEST}"


def _print(result: Trace, top: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from forensics.support.sanitise import one_line

    console = Console()
    console.print(Text(one_line(result.reading, 2_000)), highlight=False)
    if not result.relatives:
        return
    table = Table(box=None, pad_edge=False)
    for name in ("model", "developer", "released", "score", "log10 LR", "error rate"):
        left = name in ("model", "developer")
        table.add_column(name, justify="left" if left else "right", overflow="fold")
    for candidate in result.relatives[:top]:
        style = "bold" if candidate.model in result.alike else ""
        table.add_row(
            Text(one_line(candidate.model, 34), style=style),
            Text(one_line(candidate.developer, 14)),
            candidate.released or "?",
            f"{candidate.score:.2f}",
            f"{candidate.log10_lr:+.2f}"
            if result.covered and candidate.log10_lr is not None
            else "-",
            _rate(candidate.family_wise),
        )
    console.print(table)
    if result.teacher:
        console.print(Text(one_line(result.teacher.statement, 1_000)), highlight=False)
    if result.shift:
        _print_shift(result.shift, console)
    console.print(
        f"{result.prompts} prompts, {len(result.relatives)} candidates of the cohort "
        f"{result.cohort}. Score: standard deviations above the similarity to the most similar "
        "other models. log10 LR: as if this pair had been chosen in advance, without correction "
        "for the search. Error rate: how often the best score of an unrelated subject is as "
        "high, corrected for the search.",
        highlight=False,
    )
