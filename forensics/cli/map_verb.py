"""`forensics map`: every pair of many models, as a matrix and a tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensics.cli import completion
from forensics.cli.help import Verb, option
from forensics.cli.ray_option import chosen_mapper, ray_option
from forensics.support.numbers import percent

if TYPE_CHECKING:
    from forensics.cohorts.lineage.models import ModelFacts
    from forensics.cohorts.outputs import Outputs
    from forensics.cohorts.similarity import Flags, Similarities
    from forensics.cohorts.tree import RelativesMap
    from forensics.support.block_mapping import Mapper

FILE = click.Path(path_type=Path)


@click.command(
    name="map",
    cls=Verb,
    examples=(
        "forensics map alpaca-eval --svg map.svg",
        "forensics map a.jsonl b.jsonl c.jsonl d.jsonl e.jsonl --newick tree.nwk",
    ),
)
@click.argument(
    "sources",
    shell_complete=completion.cohorts,
    nargs=-1,
    required=True,
    metavar="COHORT|TRANSCRIPT...",
)
@option("--models", type=FILE, help="CSV of the models and their lineage.")
@option("--csv", "csv_out", type=FILE, help="Write the matrix of similarities.")
@option("--newick", "newick_out", type=FILE, help="Write the tree with its support.")
@option("--svg", "svg_out", type=FILE, help="Draw the tree and a heat map.")
@option("--top", type=click.IntRange(min=1), default=15, show_default=True, help="Show N.")
@option("--seed", type=int, default=0, show_default=True, help="Seed of the resampling.")
@ray_option
def command(
    sources: tuple[str, ...],
    models: Path | None,
    csv_out: Path | None,
    newick_out: Path | None,
    svg_out: Path | None,
    top: int,
    seed: int,
    ray: str | None,
) -> None:
    """Compare every pair of models; show the most similar ones, write a matrix, a tree, a picture.

    Give one cohort (name or file), or transcripts and tables of five models or more that
    answered common prompts. Without --models, every model counts as unrelated to all others,
    which makes relatives look less similar than they are.
    """
    from forensics.cli.progress import note, step_spinner
    from forensics.cohorts.newick import newick
    from forensics.cohorts.tree import relate
    from forensics.report.charts import map_files
    from forensics.support.files import write_text

    with step_spinner() as spinner, chosen_mapper(ray) as mapper:
        task = spinner.add_task("reading", total=None)
        facts, similarities, excluded = _read(sources, models, mapper)
        spinner.update(task, description="comparing every pair, resampling the prompts")
        related = relate(similarities, excluded, seed=seed, mapper=mapper)
    _print(related, top, facts)
    writers = (
        (csv_out, map_files.matrix),
        (newick_out, newick),
        (svg_out, map_files.heat_map),
    )
    for path, written in writers:
        if path:
            write_text(path, written(related))
            note(f"written: {path}")


def _read(
    sources: Sequence[str], models: Path | None, mapper: Mapper
) -> tuple[Mapping[str, ModelFacts] | None, Similarities, Flags]:
    """Return the facts (None where nothing is known), the similarities and who is kin to whom."""
    from forensics.cohorts.finding import find_cohort
    from forensics.errors import UsageError
    from forensics.support.resources import is_file

    path = Path(sources[0])
    if len(sources) == 1 and (path.suffix == ".safetensors" or not is_file(path)):
        if models:
            raise UsageError("a cohort knows its models; use --models with transcripts only")
        cohort = find_cohort(sources[0])
        return cohort.facts, cohort.similarities(), cohort.excluded()
    outputs = _outputs([Path(source) for source in sources], models)
    return outputs.facts if models else None, outputs.similarities(mapper), outputs.excluded()


def _outputs(paths: Sequence[Path], models: Path | None) -> Outputs:
    from forensics.cohorts.lineage.models import ModelFacts, read_models
    from forensics.cohorts.outputs import answers_in, arrange
    from forensics.cohorts.tree import MIN_MODELS
    from forensics.errors import InputFileError, UsageError
    from forensics.transcripts.transcript import Response

    known = read_models(models) if models else {}
    answers: dict[str, tuple[Response, ...]] = {}
    for path in paths:
        for model, responses in answers_in(path):
            if model in answers:
                raise UsageError(f"{path}: another file has a model {model!r}; rename one of them")
            if models and model not in known:
                raise InputFileError(f"{models}: no row for {model!r} ({path}); add one")
            answers[model] = responses
    if len(answers) < MIN_MODELS:
        raise InputFileError(
            f"{len(answers)} models are too few for a map; give at least {MIN_MODELS}"
        )
    facts = {model: known.get(model) or ModelFacts(model, model) for model in answers}
    return arrange(facts, answers)


def _print(related: RelativesMap, top: int, facts: Mapping[str, ModelFacts] | None) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from forensics.cohorts.lineage.models import clusters
    from forensics.support.sanitise import one_line

    numbers = clusters(facts) if facts else {}
    table = Table(box=None, pad_edge=False)
    for _ in ("a", "b"):
        table.add_column("model", overflow="fold")
    for name in ("similarity", "group", "support"):
        table.add_column(name, justify="right", no_wrap=True)
    if facts:
        table.add_column("lineage", no_wrap=True)
    for a, b, score in related.closest(top):
        size, support = related.together(a, b)
        names = related.models[a], related.models[b]
        cells = [Text(one_line(name, 60)) for name in names]
        cells += [
            Text(f"{score:.2f}"),
            Text(str(size)),
            Text("-" if support is None else percent(support)),
        ]
        if facts:
            kin = numbers[names[0]] == numbers[names[1]]
            cells.append(Text("shared" if kin else ""))
        table.add_row(*cells)
    console = Console()
    console.print(table)
    console.print(_note(related), highlight=False)


def _note(related: RelativesMap) -> str:
    from forensics.cohorts.tree import RESAMPLES

    scale = {
        "normalised": "standard deviations beyond the most similar unrelated models",
        "cosine": "mean cosine after centring (too few models to normalise)",
    }[related.scale]
    return (
        f"{len(related.models)} models, {related.prompts} prompts. Similarity: {scale}. Group: "
        "how many models are in the smallest group of the tree that holds both; support: in what "
        f"share of {RESAMPLES} resamples of the prompts that group appears. Similarity is not a "
        "likelihood ratio: weigh a pair with forensics compare, a model with forensics trace."
    )
