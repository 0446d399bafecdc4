"""`forensics check`: declared against measured, for continuous integration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensics.cli import completion
from forensics.cli.help import Verb, option
from forensics.cli.options import backend_options, broken_option, transcripts_option

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from forensics.policy.outcomes import CheckResult
    from forensics.workflows.policy_run import PolicyRun

FILE = click.Path(path_type=Path)
_FORMATS = ("json", "markdown", "junit", "sarif")


@click.command(
    name="check",
    cls=Verb,
    examples=(
        "forensics check hf:org/new-model --policy forensics.toml --strict",
        "forensics check transcript:model.jsonl --junit check.xml --step-summary",
    ),
)
@click.argument("subject", shell_complete=completion.subjects)
@option("--policy", section="Policy", type=FILE, help="Policy [forensics.toml, or pyproject.toml].")
@option(
    "--card",
    section="Subjects",
    type=FILE,
    help="Model card or folder to read besides SUBJECT's own.",
)
@option(
    "--strict",
    section="Policy",
    is_flag=True,
    help="Exit with code 3 if something could not be decided.",
)
@option(
    "--json", "json_out", section="Output", metavar="FILE|-", help="Write the result and its cases."
)
@option("--markdown", "markdown_out", section="Output", metavar="FILE|-", help="Write Markdown.")
@option("--junit", "junit_out", section="Output", metavar="FILE|-", help="Write JUnit XML.")
@option("--sarif", "sarif_out", section="Output", metavar="FILE|-", help="Write SARIF 2.1.0.")
@option(
    "--step-summary",
    section="Output",
    is_flag=True,
    help="Append Markdown to $GITHUB_STEP_SUMMARY.",
)
@option(
    "--cases", section="Output", type=FILE, help="Folder for a JSON and HTML report per reference."
)
@option(
    "--suite-text",
    section="Prompts",
    type=FILE,
    help="Local copy of the texts of a referenced suite [the policy's].",
)
@option("--dry-run", section="Cost", is_flag=True, help="Say what would be asked, and ask nothing.")
@backend_options
@transcripts_option
@broken_option
def command(subject: str, policy: Path | None, dry_run: bool, **options: Any) -> int:
    """Check SUBJECT against a policy: does what is declared agree with what is measured?

    Exit code: 0 pass, 1 policy violated, 2 wrong usage or policy, or a damaged or incomplete
    file, 3 undecided under --strict, 4 failure (a model or endpoint could not answer; what was
    collected is kept).
    """
    from forensics.cli.progress import OnStderr
    from forensics.cli.settings import check_settings
    from forensics.policy.reading import find_policy, read_policy
    from forensics.verdicts.left_out import notes
    from forensics.workflows.checking import check
    from forensics.workflows.policy_run import prepare

    targets = {name: options.pop(f"{name}_out") for name in _FORMATS}
    _check_targets(targets, options["cases"])
    settings, progress = check_settings(options), OnStderr()
    run = prepare(read_policy(find_policy(policy)), subject, settings, progress)
    if dry_run:
        return _say_what(run)
    result = check(run, progress, settings.card, settings.strict)
    for line in notes(result.cases):
        progress.note(line)
    _write(result, targets, options)
    return result.exit_code


def _say_what(run: PolicyRun) -> int:
    from forensics.workflows.asks import check_spending, described
    from forensics.workflows.checking import would_ask

    calls = would_ask(run)
    for line in described(calls):
        click.echo(line)
    check_spending(calls, run.spending)
    return 0


def _check_targets(targets: Mapping[str, str | None], cases: Path | None) -> None:
    from forensics.cli.rendering import check_targets
    from forensics.errors import UsageError
    from forensics.support.resources import is_file

    check_targets([(name, target) for name, target in targets.items() if target])
    if cases is not None and is_file(cases):
        raise UsageError(f"{cases} is a file; --cases takes a folder")


def _formats() -> Mapping[str, Callable[[CheckResult], str]]:
    from forensics.policy.outcomes import check_to_json
    from forensics.report.check.junit import check_to_junit
    from forensics.report.check.markdown import check_to_markdown
    from forensics.report.check.sarif import check_to_sarif

    return dict(
        zip(
            _FORMATS,
            (check_to_json, check_to_markdown, check_to_junit, check_to_sarif),
            strict=True,
        )
    )


def _write(
    result: CheckResult, targets: Mapping[str, str | None], options: Mapping[str, Any]
) -> None:
    from forensics.cli.progress import note
    from forensics.cli.rendering import put

    formats = _formats()
    written = [put(target, formats[name](result)) for name, target in targets.items() if target]
    written += _cases(result, options["cases"]) if options["cases"] else []
    if options["step_summary"]:
        _summarise(formats["markdown"](result))
    if "-" not in targets.values():
        from rich.console import Console

        from forensics.report.check.terminal import render_check

        render_check(result, Console())
    for path in filter(None, written):
        note(f"written: {path}")


def _cases(result: CheckResult, folder: Path) -> list[str | None]:
    from forensics.case.document import case_to_json
    from forensics.cli.rendering import put
    from forensics.report.formats import rendered, report_format
    from forensics.support.slug import slug

    written = []
    for number, case in enumerate(result.cases):
        stem = folder / f"{number}-{slug(case.a.name)}"
        written.append(put(f"{stem}.json", case_to_json(case)))
        written.append(put(f"{stem}.html", rendered(report_format("html"), case)))
    return written


def _summarise(text: str) -> None:
    from forensics.cli.progress import note
    from forensics.cli.rendering import append

    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        append(path, text)
    else:
        note("GITHUB_STEP_SUMMARY is not set: no step summary was written")
