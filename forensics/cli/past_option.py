"""`--base`: the questioned model's own past, for the verbs that measure change against it."""

from __future__ import annotations

from forensics.cli import completion
from forensics.cli.help import Decorator, option


def bases_option(help: str) -> Decorator:
    """Return the option; what it asks differs between verbs, as `help` says."""
    return option(
        "--base",
        "bases",
        section="Subjects",
        shell_complete=completion.subjects,
        multiple=True,
        metavar="SUBJECT",
        help=f"{help} (repeatable)",
    )


past_of_questioned = bases_option(
    "QUESTIONED's own past (instruct base, previous release): did it change towards KNOWN?"
)
