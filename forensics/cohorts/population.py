"""The relevant population: does the cohort hold models of the subjects' time and kind?

A likelihood ratio is issued only where it does. Models of one era and manner resemble each other
without any kinship: with a cohort of 2023, a third of the unrelated pairs of 2024 passed a
threshold set for one in a hundred.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.lineage.models import ModelFacts
from forensics.support.block_mapping import Mapper, in_a_loop

MIN_PEERS = 20
MONTHS = 12
_MIN_POLICY = 20
_PAIRS = 256  # in a block
_DEVIATIONS = 4.0  # of the reference models' likeness to each other; made-up text lies beyond 4.5
_SLACK = 1.25  # a range seen on a few dozen models is no hard limit


@dataclass(frozen=True)
class Traits:
    """What of a model must lie inside a cohort's range.

    `released` is `YYYY-MM` or empty; `length` the median answer in characters; `markup` the mean
    number of layout marks per 1,000 characters; `system_prompt` the policy it was asked under
    (empty or `none`: no system prompt of the asker's); `reasoning` whether it shows its reasoning.
    """

    released: str = ""
    length: float = 0.0
    markup: float = 0.0
    system_prompt: str = ""
    reasoning: bool = False


@dataclass(frozen=True)
class Condition:
    """One condition of the relevant population, in words for a reader."""

    met: bool
    text: str


@dataclass(frozen=True)
class Population:
    """The traits of many models, subjects among them, in order.

    `agreement`, shape (models, models), is how alike any two models' answers are before centring;
    without it nobody can tell answers of another language or kind.
    """

    traits: tuple[Traits, ...]
    agreement: NDArray[np.float64] | None = None

    def conditions(
        self, a: int, b: int, in_reference: NDArray[np.bool_], names: tuple[str, str] = ("A", "B")
    ) -> tuple[Condition, ...]:
        """Check models `a` and `b`, called `names`, against those that `in_reference` flags."""
        first, second = self.traits[a], self.traits[b]
        reference = [self.traits[i] for i in np.flatnonzero(in_reference)]
        return (
            *(
                _peers(traits, called, reference)
                for called, traits in zip(names, (first, second), strict=True)
            ),
            *(
                _within(traits, called, reference, name)
                for called, traits in zip(names, (first, second), strict=True)
                for name in ("length", "markup")
            ),
            *self._of_their_kind(((a, names[0]), (b, names[1])), np.flatnonzero(in_reference)),
            _reasoning(first, second, reference),
            _policy(first, second, reference),
        )

    def _of_their_kind(
        self, subjects: Sequence[tuple[int, str]], in_reference: NDArray[np.intp]
    ) -> Iterator[Condition]:
        # Two who write German among models that write English are alike without any kinship.
        if self.agreement is None or len(in_reference) < 2:
            return
        among = self.agreement[np.ix_(in_reference, in_reference)]
        usual = (among.sum(axis=1) - np.diag(among)) / (len(in_reference) - 1)
        least = float(usual.mean() - _DEVIATIONS * usual.std())
        for number, called in subjects:
            value = float(self.agreement[number, in_reference].mean())
            text = f"similarity of {called}'s answers to the cohort's, before centring, {value:.3f}"
            if value >= least:
                yield Condition(True, f"{text}, is within what these have among each other")
            else:
                yield Condition(
                    False,
                    f"{text}, lies below what these have among each other ({least:.3f}): another "
                    "language or kind of text",
                )

    def met(
        self,
        pairs: NDArray[np.intp],
        in_reference: Sequence[NDArray[np.bool_]],
        mapper: Mapper = in_a_loop,
    ) -> NDArray[np.bool_]:
        """Tell for many pairs whether every condition is met.

        Args:
            pairs: two model numbers each, shape (pairs, 2).
            in_reference: flags each pair's reference models.
            mapper: has blocks of pairs told.
        """
        starts = range(0, len(pairs), _PAIRS)
        blocks = ((pairs[at : at + _PAIRS], in_reference[at : at + _PAIRS]) for at in starts)
        flags_of_blocks = list(mapper(_met, self, blocks))
        return np.concatenate([np.empty(0, dtype=bool), *flags_of_blocks])


def _met(
    population: Population, block: tuple[NDArray[np.intp], Sequence[NDArray[np.bool_]]]
) -> NDArray[np.bool_]:
    """Tell for a block's pairs whether every condition is met."""
    all_met = [
        all(condition.met for condition in population.conditions(int(a), int(b), flags))
        for (a, b), flags in zip(*block, strict=True)
    ]
    return np.array(all_met, dtype=bool)


def traits_of(facts: ModelFacts, answers: Sequence[str], reasoning: bool = False) -> Traits:
    """Return the traits of a model from its facts and its answers' texts."""
    policy = "" if facts.system_prompt in ("", "none") else facts.system_prompt
    return Traits(facts.released, *measured(answers), policy, reasoning)


def measured(answers: Sequence[str]) -> tuple[float, float]:
    """Return the median length and the mean layout marks per 1,000 characters of answers."""
    texts = [text for text in answers if text.strip()]
    if not texts:
        return 0.0, 0.0
    marks = [1_000 * (t.count("**") + t.count("\n") + t.count("#")) / len(t) for t in texts]
    return float(np.median([len(t) for t in texts])), float(np.mean(marks))


def month(released: str) -> int | None:
    """Return months since year 0 of `YYYY-MM`; None where it is not known."""
    return int(released[:4]) * 12 + int(released[5:7]) if released else None


def _peers(traits: Traits, called: str, reference: Sequence[Traits]) -> Condition:
    own_month = month(traits.released)
    if own_month is None:
        return Condition(False, f"the release date of {called} is not known")
    months = [month(other.released) for other in reference]
    near = sum(other is not None and abs(other - own_month) <= MONTHS for other in months)
    text = (
        f"{near} reference models of other families were released within {MONTHS} months of "
        f"{called} ({traits.released}); {MIN_PEERS} are needed"
    )
    return Condition(near >= MIN_PEERS, text)


def _within(traits: Traits, called: str, reference: Sequence[Traits], name: str) -> Condition:
    values = [getattr(other, name) for other in reference if other.length > 0]
    value = float(getattr(traits, name))
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    what = {"length": "the median answer length (characters)", "markup": "layout marks per 1,000"}
    met = low / _SLACK <= value <= high * _SLACK
    lies = "in" if met else "outside"
    return Condition(
        met,
        f"{what[name]} of {called}, {value:.0f}, lies {lies} the cohort's {low:.0f} to {high:.0f}",
    )


def _reasoning(first: Traits, second: Traits, reference: Sequence[Traits]) -> Condition:
    if not (first.reasoning or second.reasoning):
        return Condition(True, "neither shows its reasoning")
    alike = sum(other.reasoning for other in reference)
    text = (
        f"{alike} reference models show their reasoning, as a subject does; {MIN_PEERS} are needed"
    )
    return Condition(alike >= MIN_PEERS, text)


def _policy(first: Traits, second: Traits, reference: Sequence[Traits]) -> Condition:
    if not first.system_prompt or first.system_prompt != second.system_prompt:
        return Condition(True, "the subjects were not asked under one system prompt")
    alike = sum(other.system_prompt == first.system_prompt for other in reference)
    text = (
        f"both were asked under one system prompt, and so were {alike} reference models; "
        f"{_MIN_POLICY} are needed"
    )
    return Condition(alike >= _MIN_POLICY, text)
