"""`forensics compare`: two subjects in, a report on their likely lineage out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensics.cli import completion
from forensics.cli.help import Verb, option
from forensics.cli.options import (
    analysis_options,
    backend_options,
    broken_option,
    generation_options,
    output_options,
    spending_options,
    suite_options,
    transcripts_option,
)
from forensics.cli.past_option import past_of_questioned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.case.document import Case
    from forensics.case.evidence import Tier


@click.command(
    name="compare",
    cls=Verb,
    examples=(
        "forensics compare demo:smollm2 demo:gemma3-270m --html report.html",
        "forensics compare transcript:a.jsonl transcript:b.jsonl --json case.json",
        "forensics compare transcript:a.jsonl transcript:b.jsonl --base cohort:qwen-max",
    ),
)
@click.argument("a", metavar="KNOWN", shell_complete=completion.subjects, required=False)
@click.argument("b", metavar="QUESTIONED", shell_complete=completion.subjects, required=False)
@option(
    "--case",
    "case_file",
    section="Subjects",
    type=click.Path(path_type=Path),
    help="Case file of `forensics case init`: says what to compare and how.",
)
@past_of_questioned
@suite_options
@generation_options
@backend_options
@spending_options
@analysis_options
@transcripts_option
@broken_option
@output_options
@option(
    "--report",
    "reports",
    section="Output",
    multiple=True,
    metavar="NAME=FILE|-",
    help="Write the report format NAME, built in or a plugin's (repeatable).",
)
@option(
    "--blind",
    section="Output",
    is_flag=True,
    help="Mask names of models and makers in every report; a --json FILE keeps them.",
)
def command(a: str | None, b: str | None, **options: Any) -> None:
    """Compare two models on the same prompts and report how alike they are.

    KNOWN and QUESTIONED are subjects: hf:org/name@revision, hf:./folder, gguf:file.gguf,
    openai:model@http://host/v1, transcript:file.jsonl, demo:name, cohort:model. Missing answers
    are collected first, and kept. If a cohort answered the same prompts, similarity is judged
    against it. With --case, both may be left out; options that differ from the case file are
    listed as deviations. The exit code is 0 whatever the result.
    """
    from forensics.cli.asks import say_asks
    from forensics.cli.planning import by_plan, with_plan
    from forensics.cli.progress import OnStderr
    from forensics.cli.rendering import named_target, outputs, render
    from forensics.cli.settings import compare_settings
    from forensics.verdicts.left_out import left_out
    from forensics.workflows.comparing import compared, would_compare
    from forensics.workflows.resolving import resolve_pair

    named = [named_target(report) for report in options["reports"]]
    wanted = outputs(options["json_out"], options["html_out"], options["markdown_out"], named)
    plan, (known, questioned), options = by_plan(options["case_file"], (a, b), options)
    settings, progress = compare_settings(options), OnStderr()
    pair = resolve_pair(known, questioned, settings, progress)
    if options["dry_run"]:
        say_asks(would_compare(pair, settings), settings.spending)
        return
    case, transcripts = compared(pair, settings, progress)
    case = with_plan(case, plan, transcripts)
    for line in left_out(case.evidence):
        progress.note(line)
    render(case.model_copy(update={"blind": settings.blind}), wanted, verbose=options["verbose"])
    _raise_for_errors(case, settings.analysis.tiers)


def _raise_for_errors(case: Case, tiers: Sequence[Tier]) -> None:
    """Fail where a tier that was asked for by name met damage; the report says what."""
    from forensics.errors import BackendError, InputFileError

    failed = [
        e for e in case.evidence if e.status == "error" and e.tier in tiers and e.tier != "text"
    ]
    if not failed:
        return
    # Token probabilities come of models that ran; all else was read from files.
    error = BackendError if any(e.tier == "logprobs" for e in failed) else InputFileError
    reasons = list(dict.fromkeys(e.reason for e in failed))
    raise error(
        f"{', '.join(e.title for e in failed)}: could not be computed "
        f"({reasons[0]}); repair the files, or leave the tier out of --tiers"
    )
