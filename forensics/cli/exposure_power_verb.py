"""`forensics exposure power`: what a log of so many pairs can show."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensics.cli.help import Verb, option
from forensics.cli.options import FiniteRange
from forensics.support.numbers import percent

if TYPE_CHECKING:
    from forensics.workflows.powering import PowerTable


@click.command(
    name="power",
    cls=Verb,
    examples=(
        "forensics exposure power",
        "forensics exposure power --pairs 500 --pairs 5000 --share 0.05",
    ),
)
@option("--pairs", multiple=True, type=click.IntRange(min=1), help="Number of pairs (repeatable).")
@option(
    "--share",
    "shares",
    multiple=True,
    type=FiniteRange(0.0001, 1),
    help="Share of served answers that were trained on (repeatable).",
)
@option(
    "--level",
    type=FiniteRange(0.0001, 0.1),
    default=0.01,
    show_default=True,
    help="Level of the test.",
)
@option(
    "--effect",
    "size",
    type=FiniteRange(min=1e-9),
    help="Mean difference if all were trained on, nats per token [0.1].",
)
@option(
    "--sd", "spread", type=FiniteRange(min=1e-9), help="Standard deviation of a pair's difference."
)
@option("--json", "json_out", metavar="FILE|-", help="Write the table as JSON.")
def command(
    pairs: tuple[int, ...],
    shares: tuple[float, ...],
    level: float,
    size: float | None,
    spread: float | None,
    json_out: str | None,
) -> None:
    """Tell how many pairs reveal which share of exposure, before anything is collected."""
    from dataclasses import asdict

    from forensics.support.files import write_text
    from forensics.workflows.powering import power_table
    from forensics.workflows.settings import PowerSettings

    usual = PowerSettings()
    made = power_table(
        PowerSettings(pairs or usual.pairs, shares or usual.shares, level, size, spread)
    )
    text = json.dumps(asdict(made), indent=1, allow_nan=False) + "\n"
    if json_out == "-":
        sys.stdout.write(text)
        return
    if json_out:
        write_text(Path(json_out), text)
    _print(made)


def _print(made: PowerTable) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("share trained on", justify="right")
    for pairs in made.pairs:
        table.add_column(f"{pairs:,} pairs", justify="right")
    table.add_column("pairs for 80 %", justify="right")
    for row in made.rows:
        shown = (percent(power) for power in row.power)
        table.add_row(f"{row.share:g}", *shown, f"{row.pairs_for_80:,}")
    console = Console()
    console.print(table)
    console.print(
        f"Probability of detection at p <= {made.level:g}, if full exposure shifts a pair by "
        f"{made.size:g} with standard deviation {made.spread:g} nats per token ({made.source}).",
        highlight=False,
    )
