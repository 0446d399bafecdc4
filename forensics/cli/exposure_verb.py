"""`forensics exposure`: did a model learn from answers that somebody served?"""

from __future__ import annotations

import click

from forensics.cli import exposure_power_verb, exposure_split_verb, exposure_test_verb
from forensics.cli.help import VerbFamily


@click.group(name="exposure", cls=VerbFamily)
def command() -> None:
    """Test whether a model's training depended on which of several equivalent answers were served.

    Whoever served answers keeps, for some prompts, another answer of the same model that nobody
    received. A model that never learned from the served ones cannot tell them from the others.
    """


for _verb in (exposure_test_verb, exposure_split_verb, exposure_power_verb):
    command.add_command(_verb.command)
