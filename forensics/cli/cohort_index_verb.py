"""`forensics cohort index` and `nearest`: search among very many models."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensics.cli import completion
from forensics.cli.help import Verb, option
from forensics.cli.ray_option import chosen_mapper, ray_option

if TYPE_CHECKING:
    from forensics.cohorts.nearest_models import ModelIndex, NearModel
    from forensics.evidence.features.sketches import Floats32

FILE = click.Path(path_type=Path)
_MEMBER = "cohort:"


@click.command(
    name="index",
    cls=Verb,
    examples=("forensics cohort index mine -o mine.index",),
)
@click.argument("cohort", shell_complete=completion.cohorts)
@option("-o", "--output", required=True, type=FILE, metavar="FILE", help="File to write.")
@ray_option
def index(cohort: str, output: Path, ray: str | None) -> None:
    """Write COHORT as an index, which `cohort nearest` searches.

    An index pays from some thousand models on; below that, `forensics trace` ranks all of them.
    """
    from forensics.cli.progress import note, step_spinner
    from forensics.cohorts.finding import find_cohort
    from forensics.cohorts.index_files import write_index
    from forensics.cohorts.nearest_models import index_of
    from forensics.support.numbers import counted

    with step_spinner() as spinner, chosen_mapper(ray) as mapper:
        spinner.add_task("indexing", total=None)
        made = index_of(find_cohort(cohort), mapper)
        write_index(output, made)
    note(
        f"{output}: {counted(len(made.models), 'model')}, {counted(len(made.prompts), 'prompt')}; "
        f"search it with: forensics cohort nearest {output} SUBJECT"
    )


@click.command(
    name="nearest",
    cls=Verb,
    examples=(
        "forensics cohort nearest mine.index model.jsonl",
        "forensics cohort nearest mine.index cohort:vicuna-7b --top 5 --json -",
    ),
)
@click.argument("index_file", metavar="INDEX", type=FILE)
@click.argument("subject")
@option(
    "--top",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many models to list.",
)
@option("--json", "json_out", metavar="FILE|-", help="Write the result as JSON.")
def nearest(index_file: Path, subject: str, top: int, json_out: str | None) -> None:
    """List the models of INDEX that SUBJECT is most similar to.

    SUBJECT is a transcript, or a model of the index (cohort:NAME). The list only ranks: it does
    not say how rare such a similarity is among unrelated models. `forensics compare` does.
    """
    from forensics.cohorts.index_files import read_index
    from forensics.cohorts.nearest_models import IndexSearch
    from forensics.support.files import write_text

    read = read_index(index_file)
    name, rows = _subject(read, subject)
    near = IndexSearch(read).nearest(rows, top, without=name)
    text = _as_json(read, subject, near)
    if json_out == "-":
        sys.stdout.write(text)
        return
    if json_out:
        write_text(Path(json_out), text)
    _print(read, subject, near)


def _subject(read: ModelIndex, subject: str) -> tuple[str, Floats32]:
    """Return the subject's name in the index, empty for a transcript, and its rows."""
    from forensics.cohorts.cohort import sketch_answers
    from forensics.cohorts.similarity import MIN_PROMPTS
    from forensics.errors import InputFileError
    from forensics.transcripts.answers import usable_answers
    from forensics.transcripts.transcript import read_transcript

    if subject.startswith(_MEMBER):
        name = subject.removeprefix(_MEMBER)
        return name, read.row(name)
    path = Path(subject.removeprefix("transcript:"))
    texts: dict[str, list[str]] = {}
    for answer in usable_answers(read_transcript(path).responses):
        texts.setdefault(answer.prompt_sha256, []).append(answer.text)
    rows = sketch_answers(texts, read.prompts, read.frequency, read.texts)
    answered = int(rows.any(axis=1).sum())
    if answered < MIN_PROMPTS:
        raise InputFileError(
            f"{path} answers {answered} of the {len(read.prompts)} prompts of {index_name(read)}; "
            f"{MIN_PROMPTS} are needed"
        )
    return "", rows


def index_name(read: ModelIndex) -> str:
    """Return the name of the cohort that an index was made of, harmless in one line."""
    from forensics.support.sanitise import one_line

    return one_line(read.cohort, 60)


def _as_json(read: ModelIndex, subject: str, near: list[NearModel]) -> str:
    from dataclasses import asdict

    document = {
        "kind": "nearest",
        "subject": subject,
        "cohort": {"name": read.cohort, "sha256": read.cohort_sha256, "models": len(read.models)},
        "nearest": [asdict(model) for model in near],
    }
    return json.dumps(document, indent=1) + "\n"


def _print(read: ModelIndex, subject: str, near: list[NearModel]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from forensics.support.numbers import counted
    from forensics.support.sanitise import one_line

    console = Console()
    about = f"{one_line(subject, 60)} among {counted(len(read.models), 'model')}"
    if not near:
        console.print(Text(f"No model of {index_name(read)} answered enough of the same prompts."))
        return
    answer = f"{one_line(near[0].model, 60)} is the most similar to {about} of {index_name(read)}."
    console.print(Text(answer, style="bold"))
    table = Table(box=None, pad_edge=False)
    table.add_column("model", overflow="fold")
    for name in ("similarity", "prompts"):
        table.add_column(name, justify="right")
    for model in near:
        table.add_row(
            Text(one_line(model.model, 60)), f"{model.similarity:.3f}", str(model.prompts)
        )
    console.print(table)
    console.print(
        Text(
            "Similarity is the mean cosine over prompts of what is left of the answers after "
            "subtracting what all models say: 0 is usual. It ranks, and says nothing about how "
            "rare it is among unrelated models: weigh a candidate with forensics compare."
        )
    )
