"""`forensics baseline`: is an endpoint still the model it was?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensics.cli import baseline_watch_verb, completion
from forensics.cli.help import VerbFamily, option
from forensics.cli.options import (
    FiniteRange,
    backend_options,
    broken_option,
    generation_options,
    spending_options,
    suite_options,
    transcripts_option,
)

if TYPE_CHECKING:
    from forensics.policy.drift import DriftReport

FILE = click.Path(path_type=Path)


@click.group(name="baseline", cls=VerbFamily)
def command() -> None:
    """Keep a fingerprint of an endpoint, and tell whether it is still the same model."""


@command.command(
    context_settings={
        "default_map": {"samples": 3, "temperature": 0.0, "limit": 32, "max_tokens": 128}
    },
    examples=("forensics baseline save openai:my-model@http://localhost:8000/v1 -o base.jsonl",),
)
@click.argument("subject", shell_complete=completion.subjects)
@option(
    "--watch",
    section="Prompts",
    is_flag=True,
    help="Save many short answers, for `baseline watch`: --suite watch --limit 40 --samples 24 "
    "--temperature 0.5, unless told otherwise.",
)
@option(
    "-o", "--output", section="Output", required=True, type=FILE, help="Baseline file to write."
)
@suite_options
@generation_options
@backend_options
@spending_options
@transcripts_option
def save(subject: str, output: Path, watch: bool, **options: Any) -> None:
    """Ask SUBJECT a few prompts and write its answers to a file that a repository can hold.

    Several samples per prompt show how much the model differs from itself, even at temperature
    0. The file holds prompts, answers, settings and who answered, but no key.
    """
    from forensics.cli import settings
    from forensics.cli.asks import say_asks
    from forensics.cli.progress import OnStderr, note
    from forensics.cli.rendering import check_targets
    from forensics.errors import UsageError
    from forensics.policy.drift import save_baseline
    from forensics.workflows.asks import announce
    from forensics.workflows.budget import would_obtain
    from forensics.workflows.obtaining import obtain
    from forensics.workflows.resolving import SuiteChoice, resolve

    if watch:
        options |= _for_watching(click.get_current_context())
    asking, progress = settings.asking(options), OnStderr()
    resolved = resolve(subject, settings.endpoints(options), False, progress)
    if resolved.subject.kind == "cohort":
        spec = resolved.subject.spec
        raise UsageError(f"{spec} cannot be asked; name a model, endpoint or transcript")
    suite = SuiteChoice(settings.prompts(options)).suite
    check_targets([("--output", str(output))])
    asks = would_obtain(resolved, suite, asking)
    if options["dry_run"]:
        say_asks(asks, settings.spending(options))
        return
    announce(asks, settings.spending(options), progress)
    count = save_baseline(output, obtain(resolved, suite, asking, progress))
    note(f"{output}: {count} answers")


def _for_watching(context: click.Context) -> dict[str, Any]:
    """Return the settings of a baseline for watching that nobody set otherwise."""
    from click.core import ParameterSource

    typed = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
    usual = {
        "suite_name": "watch",
        "limit": 40,
        "samples": 24,
        "temperature": 0.5,
        "max_tokens": None,
    }
    return {k: v for k, v in usual.items() if context.get_parameter_source(k) not in typed}


@command.command(
    examples=("forensics baseline compare openai:my-model@http://localhost:8000/v1 base.jsonl",),
)
@click.argument("subject", shell_complete=completion.subjects)
@click.argument("baseline", metavar="FILE", type=FILE)
@option(
    "--level",
    section="Evidence",
    type=FiniteRange(0.0001, 0.2),
    default=0.01,
    show_default=True,
    help="Level of the two-sample test: the share of false alarms to expect.",
)
@option(
    "--strict", section="Evidence", is_flag=True, help="Exit with code 3 if nothing can be decided."
)
@option("--json", "json_out", section="Output", metavar="FILE|-", help="Write the result as JSON.")
@backend_options
@spending_options
@transcripts_option
@broken_option
def compare(
    subject: str,
    baseline: Path,
    level: float,
    strict: bool,
    json_out: str | None,
    **options: Any,
) -> int:
    """Ask SUBJECT the prompts of a baseline FILE again: is it still the same model?

    Exit code: 0 if no difference was found, 1 if there is one, 4 if the calls failed.
    """
    from forensics.cli import settings
    from forensics.cli.asks import say_asks
    from forensics.cli.progress import OnStderr
    from forensics.policy.drift import compare_with_baseline, read_baseline
    from forensics.policy.outcomes import decide
    from forensics.policy.rules import DRIFT_STATUS
    from forensics.workflows.asking_again import ask_again
    from forensics.workflows.asks import announce
    from forensics.workflows.budget import would_ask_again
    from forensics.workflows.resolving import resolve

    asking, progress = settings.asking(options), OnStderr()
    stored = read_baseline(baseline, asking.allow_broken)
    resolved = resolve(subject, settings.endpoints(options), asking.allow_broken, progress)
    asks = would_ask_again(resolved, stored, asking)
    if options["dry_run"]:
        say_asks(asks, settings.spending(options))
        return 0
    announce(asks, settings.spending(options), progress)
    answers = ask_again(resolved, stored, asking, progress)
    report = compare_with_baseline(stored, answers, level)
    _, code = decide([DRIFT_STATUS[report.verdict]], strict)
    about = {"subject": resolved.subject.spec, "baseline": str(baseline), "exit_code": code}
    _write(report, json_out, about)
    return code


def _write(report: DriftReport, target: str | None, about: dict[str, Any]) -> None:
    import json
    from dataclasses import asdict

    from forensics.support.files import write_text

    text = json.dumps(about | asdict(report), ensure_ascii=True, allow_nan=False, indent=1) + "\n"
    if target == "-":
        sys.stdout.write(text)
        return
    if target:
        write_text(Path(target), text)
    _print(report)


def _print(report: DriftReport) -> None:
    from rich.console import Console
    from rich.text import Text

    from forensics.support.sanitise import encodable, one_line

    console = Console()

    def say(text: str, style: str = "") -> None:
        safe = encodable(one_line(text, 1_000), console.encoding)
        console.print(Text(safe, style=style), highlight=False)

    title = {
        "same": "No difference found",
        "different": "Not the same",
        "inconclusive": "Inconclusive",
        "error": "Failed",
    }[report.verdict]
    say(f"{title}: {report.reading}.", "bold")
    for line in report.notes:
        say(f"! {line}", "yellow")
    for change in report.changed:
        say(f"prompt {change.prompt_id}")
        say(f"  before  {one_line(change.before, 160)}")
        say(f"  now     {one_line(change.after, 160)}")
    if report.verdict == "same" and report.p_value is not None:
        say("This does not show that there is no difference: see detectable in --json.")


command.add_command(baseline_watch_verb.command)
