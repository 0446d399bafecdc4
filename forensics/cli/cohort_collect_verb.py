"""`forensics cohort collect`: ask the models of a panel, and make a cohort of their answers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensics.cli.cohort_panel_verb import say_unnamed
from forensics.cli.help import Verb, option
from forensics.cli.options import FILE, FiniteRange, spending_options

if TYPE_CHECKING:
    from forensics.workflows.panels.collecting import CollectedModel
    from forensics.workflows.panels.panel_run import PanelRun


@click.command(
    cls=Verb,
    examples=(
        "forensics cohort collect panel.toml -o mine --dry-run",
        "forensics cohort collect panel.toml -o mine --max-cost 20",
    ),
)
@click.argument("panel", type=FILE)
@option(
    "-o",
    "--output",
    section="Output",
    required=True,
    metavar="NAME|FILE",
    help="Name, or file to write.",
)
@option(
    "--transcripts",
    "folder",
    section="Output",
    type=FILE,
    default=Path("transcripts"),
    show_default=True,
    help="Folder for answers, tables and what was spent.",
)
@option("--date", section="Output", default="", metavar="DATE", help="Date to record.")
@option(
    "--without",
    section="Subjects",
    multiple=True,
    metavar="MODEL",
    help="Leave this model out (repeatable).",
)
@option(
    "--pairs",
    section="Subjects",
    type=FILE,
    help="CSV of labelled pairs, instead of those derived from the facts.",
)
@option(
    "--endpoints",
    section="Endpoints",
    type=FILE,
    help="File of named endpoints, where the panel defines none [forensics.toml].",
)
@option(
    "--max-cost",
    section="Cost",
    metavar="MONEY",
    type=FiniteRange(min=0),
    help="Spend no more than this, in the currency of the prices.",
)
@spending_options
def collect(panel: Path, dry_run: bool, **options: Any) -> int:
    """Ask the models that PANEL names, and make a cohort of their answers.

    Limits hold for all runs together: asking stops before a call that might exceed one, and the
    exit code is then 3. Run the same command again to go on: nothing that was answered is asked
    again. A model that fails is left out by name, and asked again by the next run.
    """
    from forensics.cli.collect_wording import planned, spending, sums
    from forensics.cli.panel_screen import PanelScreen
    from forensics.cli.progress import OnStderr, note
    from forensics.cohorts.finding import destination
    from forensics.exitcodes import ExitCode
    from forensics.workflows.panels.panel_run import CollectSettings, collect_panel, prepare_panel
    from forensics.workflows.settings import Price

    settings = CollectSettings(
        panel=panel,
        output=destination(options["output"]),
        folder=options["folder"],
        endpoints=options["endpoints"],
        without=options["without"],
        max_calls=options["max_calls"],
        max_output_tokens=options["max_output_tokens"],
        max_cost=options["max_cost"],
        price=Price(*options["price"]) if options["price"] else None,
    )
    run = prepare_panel(settings, OnStderr())
    say_unnamed(run.panel)
    if dry_run:
        for line in planned(run):
            _echo(line)
        return ExitCode.OK
    for line in (sums(run), *spending(run)):
        note(line)
    with PanelScreen(run.plans) as screen:
        models = collect_panel(run, screen)
    _say_models(run, models)
    _build(run, models, settings.output, options)
    reached = any(model.state == "budget" for model in models)
    return ExitCode.INCONCLUSIVE if reached else ExitCode.OK


def _build(
    run: PanelRun, models: Sequence[CollectedModel], path: Path, options: dict[str, Any]
) -> None:
    """Write the cohort of those models that are complete, and say what it lacks.

    Raises:
        BackendError: too few are, and no budget is the reason.
    """
    from forensics.cli.cohort_notes import say_what_lacks, summary
    from forensics.cli.collect_wording import what_is_missing
    from forensics.cli.progress import note, step_spinner
    from forensics.cohorts.outputs import MIN_MODELS
    from forensics.workflows.panels.panel_cohort import build_panel_cohort, missing_kin

    if sum(model.state == "complete" for model in models) < MIN_MODELS:
        _too_few(models)
        return
    with step_spinner() as spinner:
        spinner.add_task("sketching, comparing every pair, fitting", total=None)
        built = build_panel_cohort(
            run.panel, run.plans, models, path, options["folder"], options["pairs"], options["date"]
        )
    note(f"{path}: {summary(built.cohort)}")
    note(f"built from {built.models_file} and {built.pairs_file}")
    say_what_lacks(built.cohort, bool(built.pairs))
    missing = missing_kin(built, run.plans)
    for line in what_is_missing(missing) if missing else ():
        note(line)


def _too_few(models: Sequence[CollectedModel]) -> None:
    from forensics.cli.progress import note
    from forensics.cohorts.outputs import MIN_MODELS
    from forensics.errors import BackendError

    complete = sum(model.state == "complete" for model in models)
    says = f"{complete} models are complete, and a cohort needs {MIN_MODELS}; nothing was built"
    if not any(model.state == "budget" for model in models):
        raise BackendError(f"{says}; run again to ask only what is missing")
    note(says)


def _say_models(run: PanelRun, models: Sequence[CollectedModel]) -> None:
    """Print a row for each model, and name on stderr those that were left out."""
    from forensics.cli.panel_screen import outcome
    from forensics.cli.progress import note

    shares = [
        f"{len(model.transcript.responses):,} of {entry.total:,}" if model.transcript else "-"
        for entry, model in zip(run.plans, models, strict=True)
    ]
    wide, wider = max(map(len, shares)), max(len(model.name) for model in models)
    for share, model in zip(shares, models, strict=True):
        _echo(f"{model.name:<{wider}}  {share:>{wide}}  {outcome(model)}")
    lacking = [model.name for model in models if model.state != "complete"]
    if lacking:
        note(f"left out, run the same command again to add them: {', '.join(lacking)}")


def _echo(line: str) -> None:
    from forensics.support.sanitise import encodable, visible
    from forensics.support.secrets import redacted

    click.echo(encodable(visible(redacted(line)), sys.stdout.encoding))
