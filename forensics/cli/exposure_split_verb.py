"""`forensics exposure split`: which of several answers is served."""

from __future__ import annotations

from pathlib import Path

import click

from forensics.cli.help import Verb, option

FILE = click.Path(path_type=Path)


@click.command(
    name="split",
    cls=Verb,
    examples=(
        "forensics exposure split answers.jsonl --seed 7 -o log.jsonl",
        "forensics exposure split today.jsonl --seed 7 -o log.jsonl --append",
    ),
)
@click.argument("answers", type=FILE)
@option("--seed", required=True, type=int, help="Seed of the draw; keep it to yourself.")
@option("-o", "--output", required=True, type=FILE, help="Log to write, header included.")
@option("--served", type=FILE, help="Also write the answers to be served alone.")
@option("--append", is_flag=True, help="Add to a log that grows, as its next batch; or begin one.")
def command(answers: Path, seed: int, output: Path, served: Path | None, append: bool) -> None:
    """Draw which of each prompt's ANSWERS is served; all others must never be.

    ANSWERS is Parquet, CSV or JSONL with prompt_id, prompt, output and two or more rows per
    prompt, each from a sampling call of its own.
    """
    from forensics.cli.progress import note
    from forensics.cli.rendering import check_targets
    from forensics.workflows.settings import SplitSettings
    from forensics.workflows.splitting import split

    check_targets([("--output", str(output)), *([("--served", str(served))] if served else [])])
    done = split(answers, SplitSettings(seed, output, served, append))
    batch = f" as batch {done.batch}" if done.batch else ""
    note(f"{output}: {done.prompts} prompts with a served and a withheld answer{batch}")
    if done.left_out:
        note(f"{done.left_out} prompts have one answer only and were left out")
