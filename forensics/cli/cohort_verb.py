"""`forensics cohort`: models of known lineage to judge others against."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensics.cli import completion
from forensics.cli.cohort_collect_verb import collect
from forensics.cli.cohort_columns_verb import columns
from forensics.cli.cohort_index_verb import index, nearest
from forensics.cli.cohort_notes import say_what_lacks, summary
from forensics.cli.cohort_panel_verb import panel
from forensics.cli.help import VerbFamily, option
from forensics.cli.ray_option import chosen_mapper, ray_option

if TYPE_CHECKING:
    from rich.table import Table

    from forensics.cohorts.cohort import Cohort

FILE = click.Path(path_type=Path)
_FAR = 1_000.0  # a score beyond any


@click.group(name="cohort", cls=VerbFamily)
def command() -> None:
    """Build or show cohorts: many models of known lineage, as numbers without text."""


command.add_command(collect)
command.add_command(panel)
command.add_command(columns)
command.add_command(index)
command.add_command(nearest)


@command.command(
    examples=("forensics cohort build outputs.parquet --models models.csv -o mine",),
)
@click.argument("outputs", nargs=-1, required=True, type=FILE)
@option("--models", required=True, type=FILE, help="CSV of the models and their lineage.")
@option("--pairs", type=FILE, help="CSV (or .csv.gz) of labelled pairs, to calibrate on.")
@option("-o", "--output", required=True, metavar="NAME|FILE", help="Name, or file to write.")
@option(
    "--prompts",
    type=click.IntRange(min=8),
    default=120,
    show_default=True,
    help="Keep at most N prompts, those that most models answered.",
)
@option("--seed", type=int, default=0, show_default=True, help="Seed of random draws.")
@option("--source", default="", help="Source of the answers, and their licence.")
@option("--date", default="", metavar="DATE", help="Date to record [none].")
@ray_option
def build(
    outputs: tuple[Path, ...],
    models: Path,
    pairs: Path | None,
    output: str,
    prompts: int,
    seed: int,
    source: str,
    date: str,
    ray: str | None,
) -> None:
    """Make a cohort of OUTPUTS: tables (model, prompt_id, prompt, output) or transcripts.

    A transcript's model is named after its file. Without --pairs, the cohort ranks and scores,
    but gives no likelihood ratio.
    """
    from forensics.cli.progress import note, step_spinner
    from forensics.cohorts.finding import destination
    from forensics.cohorts.lineage.hypotheses import best_confidence, read_pairs
    from forensics.cohorts.lineage.models import read_models
    from forensics.cohorts.outputs import read_outputs
    from forensics.cohorts.pack_files import write_cohort
    from forensics.evaluation.cohort_build import build as build_cohort

    path = destination(output)
    with step_spinner() as spinner, chosen_mapper(ray) as mapper:
        task = spinner.add_task("reading", total=None)
        facts = read_models(models)
        labelled = read_pairs(pairs, facts, independent="best") if pairs else ()
        answers = read_outputs(outputs, facts)
        spinner.update(task, description="sketching, comparing every pair, fitting")
        provenance = {
            "source": source or ", ".join(sorted(file.name for file in outputs)),
            "date": date,
            "command": "forensics cohort build",
            "unrelated_confidence": best_confidence(labelled),
        }
        given = {key: value for key, value in provenance.items() if value}
        cohort = build_cohort(answers, labelled, path.stem, prompts, seed, given, mapper)
        cohort = write_cohort(path, cohort)
    note(f"{path}: {summary(cohort)}")
    say_what_lacks(cohort, bool(labelled))


@command.command(
    examples=("forensics cohort add mine new.jsonl --models new.csv -o mine-2",),
)
@click.argument("cohort", shell_complete=completion.cohorts)
@click.argument("outputs", nargs=-1, required=True, type=FILE)
@option("--models", required=True, type=FILE, help="CSV of the new models' lineage.")
@option("-o", "--output", required=True, metavar="NAME|FILE", help="Name, or file to write.")
@option("--date", default="", metavar="DATE", help="Date to record [none].")
def add(cohort: str, outputs: tuple[Path, ...], models: Path, output: str, date: str) -> None:
    """Add the models of OUTPUTS (transcripts or tables) to COHORT, and write a new file.

    Everything fitted, the rarity of words included, stays as it is.
    """
    from forensics.cli.progress import note
    from forensics.cohorts.finding import destination, find_cohort
    from forensics.cohorts.lineage.models import read_models
    from forensics.cohorts.outputs import answers_in
    from forensics.cohorts.pack_files import write_cohort
    from forensics.evaluation.cohort_build import add as add_models
    from forensics.transcripts.transcript import Response

    path = destination(output)
    known = find_cohort(cohort)
    answers: dict[str, tuple[Response, ...]] = {}
    for file in outputs:
        for model, responses in answers_in(file):
            answers[model] = (*answers.get(model, ()), *responses)
    noted = {"date": date} if date else {}
    grown = add_models(known, read_models(models), answers, noted)
    note(f"{path}: {summary(write_cohort(path, grown))}")


@command.command(
    name="list",
    examples=("forensics cohort list",),
)
def list_command() -> None:
    """List the cohorts that have a name."""
    from rich import box
    from rich.text import Text

    from forensics.cli.progress import note
    from forensics.cohorts.finding import known, shipped
    from forensics.cohorts.pack_files import read_head
    from forensics.errors import InputFileError

    table = _table("cohort", "models", "prompts", "calibrated", "where", box=box.SIMPLE_HEAD)
    added = set(known()) - set(shipped())
    for name, path in known().items():
        try:
            head = read_head(path)
        except InputFileError as error:
            note(str(error))
            continue
        table.add_row(
            Text(name),
            str(len(head["models"])),
            str(len(head["prompts"])),
            "yes" if head.get("calibration") else "no",
            "yours" if name in added else "shipped",
        )
    _print(table)


@command.command(
    examples=("forensics cohort info alpaca-eval --models",),
)
@click.argument("name", shell_complete=completion.cohorts)
@option("--models", "with_models", is_flag=True, help="List the models too.")
def info(name: str, with_models: bool) -> None:
    """Show what the cohort NAME (or a file) holds and how well it separates."""
    from rich.text import Text

    from forensics.cohorts.finding import find_cohort
    from forensics.support.sanitise import encodable, visible

    cohort = find_cohort(name)
    table = _table("", "", show_header=False)
    for key, value in _facts(cohort):
        table.add_row(key, Text(visible(value)))
    _print(table)
    if cohort.calibration is not None:
        _print(_lines(cohort))
    if cohort.error_rates:
        _print(_rates(cohort))
    if with_models:
        for model, fact in cohort.facts.items():
            line = visible(f"  {model}  {fact.released}  {fact.developer}".rstrip())
            click.echo(encodable(line, sys.stdout.encoding))


def _facts(cohort: Cohort) -> list[tuple[str, str]]:
    from collections import Counter

    from forensics.cohorts.lineage.models import clusters

    years = Counter(fact.released[:4] or "unknown" for fact in cohort.facts.values())
    arrays = (cohort.sketches, cohort.scales, cohort.frequency, cohort.phrases)
    size = sum(array.nbytes for array in arrays) + cohort.phrase_models.nbytes
    asked = Counter(prompt.category for prompt in cohort.prompts)
    known = {key: value for key, value in cohort.provenance.items() if value not in ("", [], ())}
    return [
        ("cohort", cohort.name),
        ("models", f"{len(cohort.models)} in {len(set(clusters(cohort.facts).values()))} clusters"),
        ("released", ", ".join(f"{year}: {n}" for year, n in sorted(years.items()))),
        ("prompts", f"{len(cohort.prompts)} ({', '.join(f'{k} {n}' for k, n in asked.items())})"),
        ("size", f"{size / 1e6:.1f} MB of numbers, no text"),
        ("sha256", cohort.sha256),
        *((key.replace("_", " "), _plain(value)) for key, value in known.items()),
    ]


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {_plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(_plain(item) for item in value)
    return str(value)


def _lines(cohort: Cohort) -> Table:
    import math

    table = _table("prompts", "score of LR = 1", "score of LR = 10", "highest LR")
    table.title = "close kinship against independence"
    for size, line in cohort.calibration.lines if cohort.calibration else ():
        marks = [_score_at(line, llr) for llr in (0.0, math.log(10))]
        highest = math.exp(min(float(line.llr([_FAR])[0]), 50.0))
        table.add_row(str(size), *(f"{mark:.2f}" for mark in marks), f"{highest:.0f}")
    return table


def _score_at(line: Any, llr: float) -> float:
    """Return the score at which an unbounded line gives an LLR (lines rise)."""
    low, high = -_FAR, _FAR
    for _ in range(60):
        middle = (low + high) / 2
        above = float(line.llr([middle], bounded=False)[0]) > llr
        low, high = (low, middle) if above else (middle, high)
    return (low + high) / 2


def _rates(cohort: Cohort) -> Table:
    table = _table("hypothesis", "pairs", "clusters", "AUC", "95 %", "TPR at 1 %", "Cllr")
    table.title = "clusters held out, every pair of clusters counting once"
    for name, rates in cohort.error_rates.items():
        interval = (rates.get("interval") or {}).get("auc")
        table.add_row(
            name.replace("_", " "),
            str(rates["n_pos"]),
            str(rates["n_clusters"]),
            _number(rates.get("auc")),
            f"{interval[0]:.3f}–{interval[1]:.3f}" if interval else "-",
            _number((rates.get("tpr_at_fpr") or {}).get("0.01")),
            _number(rates.get("cllr")),
        )
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _table(*columns: str, show_header: bool = True, box: Any = None) -> Table:
    from rich.table import Table

    table = Table(box=box, pad_edge=False, show_header=show_header, title_justify="left")
    for number, column in enumerate(columns):
        right = number > 0 and show_header
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    return table


def _print(table: Table) -> None:
    from rich.console import Console

    from forensics.support.sanitise import encodable

    console = Console(highlight=False)
    with console.capture() as captured:
        console.print(table)
    click.echo(encodable(captured.get(), console.encoding), nl=False)
