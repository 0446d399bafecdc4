"""Ways of asking at equal cost: how many prompts, how often each?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forensics.case.details.shared_manner import Centring
from forensics.evidence.text.shared_manner.attenuation import CentredCosines
from forensics.evidence.text.shared_manner.known_pairs import KnownPairs
from forensics.evidence.text.shared_manner.manner_evidence import by_other_prompts
from studies.shared_manner.measure import tested
from studies.shared_manner.tables import PUZZLES, Answers, on_both, read

DESIGNS = ((8, 2), (8, 3), (16, 3), (24, 2), (32, 3), (48, 2), (52, 3))
DRAWS = 20
# Two settings of one model in one mode of answering, and a model under another name.
ONE = (
    ("gemini-2.5-pro-high", "gemini-2.5-pro-low"),
    ("o4-mini-high", "o4-mini-high-long"),
    ("gpt-4.1", "optimus-alpha"),
)


@dataclass(frozen=True)
class Design:
    """What a way of asking tells: shares of draws of prompts, and the error of shared manner.

    `one` is how often pairs of one model are read so, `apart` how often foils are told apart,
    `taken` how often a foil is read as one model, `error` the root mean square difference to all
    prompts asked three times, in points of per cent.
    """

    prompts: int
    samples: int
    centring: Centring
    one: float
    apart: float
    taken: float
    error: float


def designs(data: Path, foils: Sequence[tuple[str, str]]) -> list[Design]:
    """Ask the models of the puzzles again in other ways, by leaving answers out.

    Args:
        data: the folder of the tables.
        foils: near relatives that are not one model.
    """
    by_samples = {samples: read(PUZZLES, data, samples) for samples in (2, 3)}
    found: list[Design] = []
    for centring in ("cohort", "other_prompts"):
        pairs = {
            samples: dict(_pairs(answers, (*ONE, *foils), centring))
            for samples, answers in by_samples.items()
        }
        usable = [pair for pair in (*ONE, *foils) if all(pair in known for known in pairs.values())]
        whole = {pair: pairs[3][pair].share for pair in usable}
        for prompts, samples in DESIGNS:
            found.append(_design(pairs[samples], whole, prompts, samples, centring))
    return found


def _design(
    pairs: dict[tuple[str, str], CentredCosines],
    whole: dict[tuple[str, str], float],
    prompts: int,
    samples: int,
    centring: Centring,
) -> Design:
    readings: dict[bool, list[str]] = {True: [], False: []}
    errors = []
    random = np.random.default_rng(0)
    for _ in range(DRAWS):
        order = random.permutation(52)
        for pair, share in whole.items():
            agreement = pairs[pair]
            some = agreement.on(order[order < len(agreement)][:prompts])
            if not some.measurable:
                continue
            result = tested(some, centring)
            readings[pair in ONE].append(result.reading)
            errors.append(result.share - share)
    one, foils = readings[True], readings[False]
    return Design(
        prompts,
        samples,
        centring,
        one.count("one_model") / len(one),
        foils.count("another_manner") / len(foils),
        foils.count("one_model") / len(foils),
        100 * float(np.sqrt(np.mean(np.square(errors)))),
    )


def _pairs(
    answers: Answers, pairs: Sequence[tuple[str, str]], centring: Centring
) -> Iterator[tuple[tuple[str, str], CentredCosines]]:
    if centring == "cohort":
        known = KnownPairs.of(answers.reference)
        if known is None:
            return
        place = {model: number for number, model in enumerate(answers.reference.models)}
        for a, b in pairs:
            yield (a, b), known.agreement(place[a], place[b])
        return
    for a, b in pairs:
        yield (a, b), by_other_prompts(*on_both(answers.plain[a], answers.plain[b])).agreement
