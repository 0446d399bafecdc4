"""Where a watch stands: what its draws so far prove, as a pure function of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.evidence.watching.bets import Draw, all_draws, first_draws
from forensics.evidence.watching.mixed_share import MixedShare, mixed_share
from forensics.evidence.watching.watch_reference import WatchReference

LEAST_REPEATS = 10  # draws of a prompt asked before; with fewer a cache cannot be excluded
_MOST_EXCESS = 0.3  # of agreement with the draw before, of what is possible


@dataclass(frozen=True)
class WatchStanding:
    """What the draws say.

    `e_value` is the evidence against "the same model, settings and host" at its highest, 1 at the
    start; `p_value` its inverse, valid whenever one looks. `crossed` is the number of draws after
    which 1/level was reached, None if never. `fresh` says whether repeated prompts are answered
    anew, None while too few were repeated; where they are not, only first draws count.
    """

    draws: int
    strange: int
    e_value: float
    p_value: float
    crossed: int | None
    fresh: bool | None
    share: MixedShare | None


def standing(reference: WatchReference, draws: Sequence[Draw], level: float) -> WatchStanding:
    """Return where a watch stands.

    Both e-processes have half of the level, so that either may find (see `bets`). The one over all
    draws counts only at times when repeated prompts are answered anew.

    Args:
        reference: what is known of the watched model.
        draws: counted answers, in the order of calls.
        level: the chance of a false alarm over the whole watch.
    """
    strange = [draw.strange for draw in draws]
    if not draws:
        return WatchStanding(0, 0, 1.0, 1.0, None, None, None)
    every = all_draws(reference, strange)
    fresh = _fresh(draws)
    trusted = np.where([state is True for state in fresh], every.log_capital, -math.inf)
    capital = np.maximum(trusted, first_draws(reference, draws)) - math.log(2)
    over = np.flatnonzero(capital >= math.log(1 / level))
    highest = max(float(capital.max()), 0.0)
    start = every.start
    return WatchStanding(
        draws=len(draws),
        strange=sum(strange),
        e_value=math.exp(min(highest, 690.0)),
        p_value=math.exp(-highest),
        crossed=int(over[0]) + 1 if len(over) else None,
        fresh=fresh[-1],
        share=mixed_share(reference, strange, start, draws[start].call),
    )


def _fresh(draws: Sequence[Draw]) -> list[bool | None]:
    """Tell after each draw whether repeated prompts are answered anew, as far as can be told."""
    before: dict[str, str] = {}
    repeats = same = 0
    expected = 0.0
    states: list[bool | None] = []
    for draw in draws:
        prompt = draw.prompt
        if prompt.varies:
            if prompt.sha256 in before:
                repeats += 1
                same += before[prompt.sha256] == draw.text
                expected += prompt.agreement
            before[prompt.sha256] = draw.text
        if repeats < LEAST_REPEATS:
            states.append(None)
            continue
        states.append(same - expected <= _MOST_EXCESS * (repeats - expected))
    return states
