"""`forensics zoo`: models of known lineage, made here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensics.cli import completion
from forensics.cli.help import VerbFamily, option
from forensics.zoo.children import CHANGES

if TYPE_CHECKING:
    from forensics.zoo.children import Published
    from forensics.zoo.curve import Point
    from forensics.zoo.tables import Animal

_PROMPTS = 32
_MAX_TOKENS = 48
_TEMPERATURE = 0.8
_WITH_STUDENTS = 4.0  # from so many minutes on, students of every share of a teacher's text
_SECONDS = 60
_PUBLISHED = {"smollm2": "smollm2", "gemma3": "gemma3-270m"}  # name in the zoo → demo


@click.group(name="zoo", cls=VerbFamily)
def command() -> None:
    """Make models of known lineage, to see what kinship tests say about them."""


@command.command(
    examples=("forensics zoo build zoo --minutes 4",),
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@option(
    "--minutes",
    type=click.FloatRange(min=0.5),
    default=10.0,
    show_default=True,
    help="Approximate working time on one idle core.",
)
@option("--without-answers", is_flag=True, help="Make models only; ask them nothing.")
def build(folder: Path, minutes: float, without_answers: bool) -> None:
    """Write models, transcripts, models.csv and pairs.csv to DIR.

    Tiny models are trained from random weights, then tuned, merged, pruned, rounded, disguised
    and taught from; children of demo:smollm2 and demo:gemma3-270m follow while there is time.
    With 4 minutes or more, and time left, curve/detection_curve.csv shows how much of a
    teacher's text a student must read to be detected. Then: forensics evaluate
    DIR/transcripts/*.jsonl --models DIR/models.csv --pairs DIR/pairs.csv
    """
    import time

    from forensics.cli.progress import note, step_spinner
    from forensics.zoo.build import SHARES, build_tiny, size_for
    from forensics.zoo.children import build_children
    from forensics.zoo.curve import ONE_EACH, detection_curve
    from forensics.zoo.tables import write_tables

    _require_empty(folder)
    until = time.monotonic() + minutes * _SECONDS
    shares = SHARES if minutes >= _WITH_STUDENTS else (1.0,)
    with step_spinner() as spinner:
        task = spinner.add_task("making a zoo", total=None)

        def tell(name: str) -> None:
            spinner.update(task, description=f"making {name}")

        size = size_for(minutes)
        animals = build_tiny(folder, size, tell, shares)
    if not without_answers:
        _ask(animals, folder)
    sources = _published() if time.monotonic() < until else []
    for animal in build_children(sources, folder, lambda: time.monotonic() < until, note):
        animals.append(animal)
        if not without_answers:
            _ask([animal], folder)
    write_tables(folder, animals)
    note(f"{folder}: {len(animals)} models, models.csv and pairs.csv")
    if len(shares) > 1 and time.monotonic() < until:
        with step_spinner() as spinner:
            task = spinner.add_task("detection curve", total=None)
            points = detection_curve(folder / "curve", folder / "tokenizer", size, ONE_EACH, tell)
        note(_said(points))


@command.command(
    examples=("forensics zoo child demo:smollm2 pruned child",),
)
@click.argument("model", metavar="MODEL", shell_complete=completion.subjects)
@click.argument("change", metavar="CHANGE", type=click.Choice(CHANGES))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def child(model: str, change: str, folder: Path) -> None:
    """Write an altered copy of the local MODEL to DIR: a child that tests must recognise.

    \b
    CHANGE is one of
      pruned     30 % smallest weights at zero
      int8 int4  rounded to so many bits a block
      noised     1 % noise on every matrix
      dropped    every fourth layer left out
      extended   8 tokens added
      permuted   units, heads and coordinates permuted; the same function
      disguised  signs turned and coordinates rotated too; the same function
      lora       an adapter trained on a little code, merged (a minute)
      tuned      all weights tuned on a little code (a minute)
    """  # noqa: D301 (a raw string would show the mark that keeps the list's lines apart)
    from forensics.cli.progress import note, step_spinner
    from forensics.errors import UsageError
    from forensics.examination.local_probabilities import model_source
    from forensics.examination.probability_values import LOCAL_KINDS
    from forensics.subjects.subject import parse_subject
    from forensics.zoo.children import Published, build_child

    _require_empty(folder)
    subject = parse_subject(model)
    if subject.kind not in LOCAL_KINDS:
        raise UsageError(f"{model} is not a local model; give an hf:, gguf: or demo: model")
    source = model_source(subject, "float32").folder()
    with step_spinner() as spinner:
        spinner.add_task(f"making {folder.name}", total=None)
        how = build_child(Published(subject.name, source), change, folder)
    note(f"{folder}: {subject.name}, {how}")


def _said(points: Sequence[Point]) -> str:
    shown = [
        f"{point.share * 100:g} %" for point in points if point.share and point.behaviour == "yes"
    ]
    return f"shares of a teacher's text that were detected: {', '.join(shown) or 'none'}"


def _require_empty(folder: Path) -> None:
    from forensics.errors import UsageError

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not an empty folder; name a new one")


def _ask(animals: list[Animal], folder: Path) -> None:
    from forensics.cli.progress import OnStderr
    from forensics.subjects.backends.backend import BackendOptions, GenerationSettings
    from forensics.subjects.subject import parse_subject
    from forensics.suites.loading import load_suite
    from forensics.workflows.obtaining import collect_answers
    from forensics.workflows.settings import Asking

    suite = load_suite("core").select((), _PROMPTS)
    # Drawn, since the most likely words of a model this small are blanks.
    settings = GenerationSettings(temperature=_TEMPERATURE, max_tokens=_MAX_TOKENS)
    asking = Asking(settings, BackendOptions(), folder / "transcripts")
    for animal in animals:
        subject = parse_subject(f"hf:{animal.folder}")
        path = folder / "transcripts" / f"{animal.name}.jsonl"
        collect_answers(subject, suite, asking, OnStderr(), path)


def _published() -> list[Published]:
    """Return the demo models, those whose packages are installed."""
    from forensics.cli.progress import note
    from forensics.errors import MissingDependencyError
    from forensics.subjects.model_files.folder import model_files
    from forensics.subjects.subject import parse_subject
    from forensics.zoo.children import Published

    published = []
    for name, demo in _PUBLISHED.items():
        try:
            files = model_files(parse_subject(f"demo:{demo}"))
        except MissingDependencyError as error:
            note(f"the zoo has no children of {demo}: {error}")
            continue
        if files is not None and files.folder is not None:
            published.append(Published(name, files.folder))
    return published
