"""What a run would ask, for `--dry-run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.workflows.asks import Ask
    from forensics.workflows.settings import Spending


def say_asks(asks: Sequence[Ask], spending: Spending) -> None:
    """Print what would be asked, and what that may cost.

    Raises:
        UsageError: it is more than the limits that were given.
    """
    from forensics.workflows.asks import check_spending, described

    for line in described(asks, spending):
        click.echo(line)
    check_spending(asks, spending)
