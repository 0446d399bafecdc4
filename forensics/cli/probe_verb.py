"""`forensics probe`: ask one subject a suite, keep the answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from forensics.cli import completion
from forensics.cli.help import Verb, option
from forensics.cli.options import (
    backend_options,
    generation_options,
    spending_options,
    suite_options,
)


@click.command(
    name="probe",
    cls=Verb,
    examples=(
        "forensics probe demo:smollm2 --limit 32 -o smollm2.jsonl",
        "forensics probe openai:my-model@http://localhost:8000/v1 --dry-run",
    ),
)
@click.argument("subject", shell_complete=completion.subjects)
@option(
    "-o", "--output", section="Output", type=click.Path(path_type=Path), help="Transcript file."
)
@suite_options
@generation_options
@backend_options
@spending_options
def command(subject: str, dry_run: bool, **options: Any) -> None:
    """Ask SUBJECT the prompts of a suite and append each answer to a transcript.

    Run the same command again after an interruption: no answered prompt is asked twice. Where more
    than half of the calls failed the exit code is 4; what was answered is kept.
    """
    from forensics.cli.progress import OnStderr, note
    from forensics.cli.settings import probe_settings
    from forensics.transcripts.transcript import unknown_endings
    from forensics.workflows.asks import announce, check_spending, money
    from forensics.workflows.budget import of_plan
    from forensics.workflows.probing import check_answered, probe, would_probe
    from forensics.workflows.resolving import resolve_subject

    settings, progress = probe_settings(options), OnStderr()
    asked = resolve_subject(subject, settings.endpoints, progress)
    plan = would_probe(asked, settings)
    asks = [of_plan(asked, "answers", plan.calls)] if plan.calls.requests else []
    if dry_run:
        calls = plan.calls
        click.echo(
            f"{len(calls.requests)} calls to {asked.spec} ({calls.answered} already answered in "
            f"{plan.path}); at most {calls.max_input_tokens} prompt tokens and "
            f"{calls.max_output_tokens} answer tokens"
        )
        if costs := money(asks, settings.spending):
            click.echo(costs)
        check_spending(asks, settings.spending)
        return
    announce(asks, settings.spending, progress)
    transcript = probe(asked, settings, progress)
    counts = {status: transcript.count(status) for status in ("ok", "truncated", "filtered")}
    errors = transcript.count("error")
    answered = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    failed = f", {errors} failed" if errors else ""
    note(f"{transcript.path}: {answered or 'no answers'}{failed}")
    for warning in unknown_endings(transcript.responses):
        note(warning)
    check_answered(asked.spec, transcript)
