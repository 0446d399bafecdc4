"""`forensics zoo`: models of known lineage, made here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from forensics.zoo.curve import Point
    from forensics.zoo.tables import Animal

_PROMPTS = 32
_MAX_TOKENS = 48
_TEMPERATURE = 0.8
_WITH_STUDENTS = 4.0  # from so many minutes on, students of every share of a teacher's text
_SECONDS = 60


@click.group(name="zoo")
def command() -> None:
    """Make models of known lineage, to see what tests of kinship say of them."""


@command.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--minutes",
    type=click.FloatRange(min=0.5),
    default=10.0,
    show_default=True,
    help="About how long to work, on one idle core.",
)
@click.option("--without-answers", is_flag=True, help="Make models only; ask them nothing.")
def build(folder: Path, minutes: float, without_answers: bool) -> None:
    """Write models, transcripts, models.csv and pairs.csv to DIR.

    Tiny models are trained from random weights, then tuned, merged, pruned, rounded, disguised and
    taught from; the same is done to demo:smollm2, without training. With time left, of 4 minutes or
    more, curve/detection_curve.csv says how much of a teacher's text a student must read for it to
    show.
    Then: forensics evaluate DIR/transcripts/*.jsonl --models DIR/models.csv --pairs DIR/pairs.csv
    """
    import time

    from forensics.cli.progress import note, step_spinner
    from forensics.zoo.build import SHARES, build_children, build_tiny, size_for
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
    source = _smollm2() if time.monotonic() < until else None
    if source is not None:
        for animal in build_children(source, "smollm2", folder, until, note):
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


def _said(points: Sequence[Point]) -> str:
    shown = [f"{one.share * 100:g} %" for one in points if one.share and one.behaviour == "yes"]
    return f"shares of a teacher's text that show: {', '.join(shown) or 'none'}"


def _require_empty(folder: Path) -> None:
    from forensics.errors import UsageError

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not an empty folder; name a new one")


def _ask(animals: list[Animal], folder: Path) -> None:
    from forensics.backends.base import BackendOptions, GenerationSettings
    from forensics.cli.obtaining import Asking, collect_answers
    from forensics.subjects import parse_subject
    from forensics.suites import load_suite

    suite = load_suite("core").select((), _PROMPTS)
    # Drawn, since the most likely words of a model this small are blanks.
    settings = GenerationSettings(temperature=_TEMPERATURE, max_tokens=_MAX_TOKENS)
    asking = Asking(settings, BackendOptions(), folder / "transcripts")
    for animal in animals:
        subject = parse_subject(f"hf:{animal.folder}")
        path = folder / "transcripts" / f"{animal.name}.jsonl"
        collect_answers(subject, suite, asking, path)


def _smollm2() -> Path | None:
    """Return the demo model's folder, None where its package is not installed."""
    from forensics.cli.progress import note
    from forensics.errors import MissingDependencyError
    from forensics.model_folder import model_files
    from forensics.subjects import parse_subject

    try:
        found = model_files(parse_subject("demo:smollm2"))
    except MissingDependencyError as error:
        note(f"the zoo has tiny models only: {error}")
        return None
    return None if found is None else found.folder
