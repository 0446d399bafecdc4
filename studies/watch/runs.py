"""Many watches of a model whose answers are known: none, all or a share of them another model's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from forensics.evidence.watching.bets import Draw
from forensics.evidence.watching.watch_reference import WatchReference, learn
from forensics.evidence.watching.watch_standing import WatchStanding, standing
from studies.watch.answers import AnswerShares

SAMPLES = 24
LEVEL = 0.01
Answers = Mapping[str, AnswerShares]


@dataclass(frozen=True)
class Scenario:
    """One kind of watch: from call `start` on, `other` answers a share of the calls."""

    other: str
    share: float
    calls: int
    start: int = 0
    cached: bool = False


def watch(watched: Answers, other: Answers, scenario: Scenario, seed: int) -> WatchStanding:
    """Return where one simulated watch ends; reference and draws are both drawn anew."""
    dice = np.random.default_rng([seed, 17])
    reference = _reference(watched, dice, seed)
    draws, cache = [], dict[str, str]()
    for call in range(scenario.calls):
        prompt = reference.prompt_of(call)
        away = call >= scenario.start and dice.random() < scenario.share
        text = (other if away else watched)[prompt.sha256].draw(dice)
        if scenario.cached:
            text = cache.setdefault(prompt.sha256, text)
        draws.append(Draw(call, prompt, text))
    return standing(reference, draws, LEVEL)


def _reference(watched: Answers, dice: np.random.Generator, seed: int) -> WatchReference:
    stored = {name: [shares.draw(dice) for _ in range(SAMPLES)] for name, shares in watched.items()}
    return learn(stored, str(seed))
