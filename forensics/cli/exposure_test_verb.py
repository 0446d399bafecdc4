"""`forensics exposure test`: one log, one model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from forensics.cli import completion
from forensics.cli.help import Verb, option
from forensics.cli.options import (
    FiniteRange,
    backend_options,
    broken_option,
    generation_options,
    spending_options,
    transcripts_option,
)

FILE = click.Path(path_type=Path)


@click.command(
    name="test",
    cls=Verb,
    examples=(
        "forensics exposure test log.jsonl hf:them/their-model --base hf:them/base",
        "forensics exposure test log.jsonl transcript:their-answers.jsonl",
    ),
)
@click.argument("log", type=FILE)
@click.argument("subject", metavar="B", shell_complete=completion.subjects)
@option(
    "--base",
    section="Evidence",
    metavar="SUBJECT",
    shell_complete=completion.subjects,
    help="B before that training; its values for the same answers are subtracted.",
)
@option(
    "--control",
    "controls",
    section="Evidence",
    multiple=True,
    metavar="SUBJECT",
    shell_complete=completion.subjects,
    help="Model that cannot have seen the answers and must not tell them apart (repeatable).",
)
@option(
    "--negative-control",
    section="Evidence",
    type=FILE,
    help="Log of accounts whose answers nobody trained on; B must not tell them apart.",
)
@option(
    "--previous",
    section="Evidence",
    type=FILE,
    help="JSON result of the last look at this log, which has grown: what was read is compared.",
)
@option(
    "--design",
    section="Evidence",
    type=click.Choice(["split_before_serving", "sampled_again_later"]),
    help="How answers came to be withheld, if the log has no header.",
)
@option(
    "--declared",
    section="Evidence",
    metavar="N",
    type=click.IntRange(min=1),
    help="Test the first N prompts, a number fixed before any was looked at.",
)
@option(
    "--statistic",
    section="Evidence",
    type=click.Choice(["probabilities", "fourgrams", "runs", "edit"]),
    help="Statistic that decides [probabilities, or fourgrams of B's own answers].",
)
@option(
    "--level",
    section="Evidence",
    type=FiniteRange(0.0001, 0.1),
    default=0.01,
    show_default=True,
    help="Level of the test: the share of unexposed models that it may reject.",
)
@option(
    "--most",
    section="Prompts",
    type=click.IntRange(min=8),
    default=2_000,
    show_default=True,
    help="Read at most N prompts, chosen by a hash of their ids.",
)
@option("--json", "json_out", section="Output", metavar="FILE|-", help="Write the result as JSON.")
@option("--html", "html_out", section="Output", type=FILE, help="Write one self-contained page.")
@option("--markdown", "markdown_out", section="Output", metavar="FILE|-", help="Write Markdown.")
@generation_options
@backend_options
@spending_options
@transcripts_option
@broken_option
def command(log: Path, subject: str, **options: Any) -> int:
    """Test whether B's training depended on which answers of LOG were served.

    LOG is Parquet, CSV or JSONL: prompt_id, prompt, served, withheld; or prompt_id, prompt,
    output, group. B is a local model, an endpoint, or a transcript of its answers to the same
    prompts. Exit code: 0 whatever the result, 2 if the log cannot be used.
    """
    from forensics.cli.asks import say_asks
    from forensics.cli.exposure_reports import write_exposure
    from forensics.cli.progress import OnStderr
    from forensics.cli.rendering import check_targets
    from forensics.cli.settings import exposure_settings
    from forensics.exitcodes import ExitCode
    from forensics.workflows.exposing import exposure, would_ask

    targets = {
        "json": options["json_out"],
        "html": options["html_out"] and str(options["html_out"]),
        "markdown": options["markdown_out"],
    }
    asked = [(name, target) for name, target in targets.items() if target]
    check_targets(asked)
    settings, progress = exposure_settings(options), OnStderr()
    if options["dry_run"]:
        say_asks(would_ask(log, subject, settings, progress), settings.spending)
        return ExitCode.OK
    result = exposure(log, subject, settings, progress)
    write_exposure(result, asked)
    return ExitCode.USAGE if result.finding == "refused" else ExitCode.OK
