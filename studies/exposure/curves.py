"""How often so many pairs show exposure, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.exposure.arrangements import Floats
from forensics.evidence.exposure.flips import permutation_test

Ints = NDArray[np.int64]
DRAWS = 200
LEVEL = 0.01


def curve(name: str, ways: Sequence[Floats], pairs: Sequence[int]) -> str:
    """Return a table's row: how often random choices of so many logged pairs give p <= 0.01.

    Args:
        name: of the row.
        ways: of every logged pair all differences; see `arrangements`.
        pairs: how many are chosen, a cell each.
    """
    generator = np.random.default_rng(4)
    return _row(name, pairs, lambda many: generator.choice(len(ways), many, replace=False), ways)


def mixed_curve(
    name: str, read: Sequence[Floats], unread: Sequence[Floats], share: float, pairs: Sequence[int]
) -> str:
    """Return the same row for logs of which a share was read.

    Args:
        name: of the row.
        read: ways to deal of pairs whose served answer was read.
        unread: of pairs whose served answer was not.
        share: chance of each pair to be one that was read.
        pairs: how many are chosen; at most as many as there are of either kind.
    """
    generator = np.random.default_rng(5)

    def chosen(many: int) -> Ints:
        of_read = generator.binomial(many, share)
        first = generator.choice(len(read), of_read, replace=False)
        second = generator.choice(len(unread), many - of_read, replace=False)
        return np.concatenate([first, len(read) + second])

    return _row(name, pairs, chosen, [*read, *unread])


def _row(
    name: str, pairs: Sequence[int], chosen: Callable[[int], Ints], ways: Sequence[Floats]
) -> str:
    cells = []
    for many in pairs:
        shown = sum(
            permutation_test([ways[i] for i in chosen(many)], draw, 499).p_value <= LEVEL
            for draw in range(DRAWS)
        )
        low, high = interval(shown, DRAWS)
        cells.append(f"{shown / DRAWS:.0%} ({low:.0%} to {high:.0%})")
    return f"| {name} | {' | '.join(cells)} |"


def interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of Clopper and Pearson (1934)."""
    from scipy.stats import binomtest

    made = binomtest(successes, trials).proportion_ci()
    return float(made.low), float(made.high)
