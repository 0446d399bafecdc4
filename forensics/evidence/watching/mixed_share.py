"""What share of calls another model answers, with an interval that holds however often one looks.

Where another model answers a share ``s`` of calls and gives a usual answer with probability ``u``,
draws are strange with probability ``t + s (1 - u - t)``, ``t`` being the watched model's own. ``u``
is not known; the share is computed for ``u = 0`` and is larger otherwise, so both ends of the
interval speak of at least so many calls.

The new probability's interval is a confidence sequence: the values that a bet against them, a
mixture likelihood over their own, does not refute (Robbins 1970; Ramdas et al. 2023, section 4).
It holds for every possible start of the change at once, as each has a share of the level. The
reference's is that of Clopper and Pearson (1934). Half of the error goes to each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.evidence.watching.bets import BLOCK, start_weight
from forensics.evidence.watching.watch_reference import WatchReference

CONFIDENCE = 0.95
_GRID = 2_001


@dataclass(frozen=True)
class MixedShare:
    """The share of calls since `since_call` that another model answers: at least so many."""

    estimate: float
    low: float
    high: float
    since_call: int


def mixed_share(
    reference: WatchReference, strange: Sequence[bool], start: int, first_call: int
) -> MixedShare:
    """Return the share of calls that another model answers.

    Args:
        reference: what is known of the watched model.
        strange: of each draw, in the order of calls.
        start: the position of the first draw after the change, a multiple of `BLOCK`.
        first_call: that draw's number.
    """
    hits, size = sum(strange[start:]), len(strange) - start
    error = (1 - CONFIDENCE) / 2
    new_low, new_high = _sequence(hits, size, error * start_weight(start // BLOCK + 1))
    old_low, old_high = _clopper_pearson(reference.strange, reference.tested, error)
    old = reference.strange / reference.tested if reference.tested else 0.0
    new = hits / size if size else old
    return MixedShare(
        _share(new, old), _share(new_low, old_high), _share(new_high, old_low), first_call
    )


def _share(new: float, old: float) -> float:
    return float(np.clip((new - old) / (1 - old), 0.0, 1.0)) if old < 1 else 0.0


def _sequence(hits: int, size: int, error: float) -> tuple[float, float]:
    """Return the probabilities that no bet on other ones refutes at this size or any before."""
    from scipy.special import betaln

    mixed = betaln(hits + 0.5, size - hits + 0.5) - betaln(0.5, 0.5)
    grid = np.linspace(0, 1, _GRID)
    with np.errstate(divide="ignore", invalid="ignore"):
        fits = np.where(hits > 0, hits * np.log(grid), 0.0)
        fits += np.where(size > hits, (size - hits) * np.log1p(-grid), 0.0)
    possible = grid[mixed - fits < np.log(1 / error)]
    step = grid[1]
    return max(float(possible.min() - step), 0.0), min(float(possible.max() + step), 1.0)


def _clopper_pearson(hits: int, size: int, error: float) -> tuple[float, float]:
    from scipy.stats import beta

    low = float(beta.ppf(error / 2, hits, size - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - error / 2, hits + 1, size - hits)) if hits < size else 1.0
    return low, high
