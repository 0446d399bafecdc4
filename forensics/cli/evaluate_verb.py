"""`forensics evaluate`: error rates on labelled outputs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from forensics.cli.help import Verb, option
from forensics.cli.ray_option import chosen_mapper, ray_option
from forensics.support.numbers import percent

FILE = click.Path(path_type=Path)


@click.command(
    name="evaluate",
    cls=Verb,
    examples=(
        "forensics evaluate outputs.parquet --models models.csv --pairs pairs.csv",
        "forensics evaluate a.jsonl b.jsonl --models m.csv --pairs p.csv --plot rates",
    ),
)
@click.argument("outputs", nargs=-1, required=True, type=FILE)
@option("--pairs", type=FILE, help="CSV (or .csv.gz) of labelled pairs.")
@option(
    "--steps",
    type=FILE,
    help="CSV of models beside their own past: model, base (; between several), "
    "teacher_developer (or none).",
)
@option("--models", required=True, type=FILE, help="CSV of the models and their lineage.")
@option("--prompts", type=click.IntRange(min=1), help="Use N prompts, drawn by --seed.")
@option(
    "--cohort-size",
    type=click.IntRange(min=1),
    help="Use at most N reference models, drawn by --seed.",
)
@option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of random draws.",
)
@option(
    "--calibration",
    type=click.Choice(["transferred"]),
    help="Also judge every pair by a calibration from other prompts, as if there were no cohort.",
)
@option("--json", "json_out", metavar="FILE|-", help="Write the figures as JSON.")
@option("--plot", type=FILE, metavar="DIR", help="Write Tippett and DET plots as SVG.")
@option("--fit", metavar="NAME|FILE", help="Write a cohort fitted on these outputs.")
@ray_option
def command(outputs: tuple[Path, ...], models: Path, **options: Any) -> None:
    """Measure how often similarity misleads, on OUTPUTS with known lineage.

    OUTPUTS are tables (parquet, CSV, JSONL with model, prompt_id, prompt, output) or
    transcripts. For every pair, the reference is all other models except both subjects' clusters
    and families. Figures give every pair of lineage clusters the same weight; pair-weighted
    figures are given as well. --steps measures how well a model's change against its past
    identifies whose answers it learned from.
    """
    from forensics.cli.progress import OnStderr
    from forensics.cli.settings import evaluate_settings
    from forensics.support.files import write_text
    from forensics.workflows.evaluating import evaluated

    settings = evaluate_settings(options, models)
    with chosen_mapper(options["ray"]) as mapper:
        figures = dict(evaluated(outputs, settings, OnStderr(), mapper).figures)
    text = json.dumps(figures, indent=1, allow_nan=False) + "\n"
    if options["plot"] and "curves" in figures:
        from forensics.report.charts.rate_plots import write_plots

        write_plots(figures, options["plot"])
    if options["json_out"] == "-":
        sys.stdout.write(text)
        return
    if options["json_out"]:
        write_text(Path(options["json_out"]), text)
    if "hypotheses" in figures:
        _table(figures)
    if options["steps"]:
        sys.stdout.write(json.dumps({"shift": figures["shift"]}, indent=1, allow_nan=False) + "\n")


def _table(figures: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    columns = ("related", "unrelated", "clusters", "AUC", "TPR at 1 %", "Cllr", "abstain")
    for name in ("hypothesis", *columns):
        table.add_column(name, justify="left" if name == "hypothesis" else "right")
    for name, figure in figures["hypotheses"].items():
        table.add_row(
            name.replace("_", " "),
            *(str(figure[key]) for key in ("n_pos", "n_neg", "n_clusters")),
            _number(figure["auc"]),
            _number(figure["tpr_at_fpr"]["0.01"]),
            _number(figure["cllr"]),
            _number(figure["abstained"]),
        )
    console = Console()
    console.print(table)
    console.print(
        f"{figures['n_models']} models in {figures['n_clusters']} lineage clusters, "
        f"{figures['n_prompts']} prompts; calibration: {figures['calibration']}. "
        "Every pair of clusters weighs the same; intervals are in the JSON.",
        highlight=False,
    )
    if "transferred" in figures:
        console.print(_in_words(figures["transferred"]), highlight=False)


def _in_words(figures: dict[str, Any]) -> str:
    kin = figures["close_kinship"]
    head = f"Close kinship by a calibration from other prompts ({figures['lines']}): "
    if kin["cllr"] is None:
        return f"{head}these pairs include no relatives, or no unrelated models."
    low, high = kin["interval"] or (None, None)
    strong = kin["lr_above_10"]
    return (
        f"{head}AUC {kin['auc']:.3f}, Cllr {kin['cllr']:.3f} [{_number(low)}, {_number(high)}]; a "
        f"likelihood ratio above 10 for {percent(strong['unrelated'], 1)} of {kin['n_neg']} "
        f"unrelated pairs and {percent(strong['kin'], 1)} of {kin['n_pos']} pairs of relatives; "
        f"abstained from {percent(kin['abstained'], 1)}. Every pair weighs the same."
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
