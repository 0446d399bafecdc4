"""Whether two models are as alike as each is to itself: what answers to repeated prompts show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from forensics.case.details.shared_manner import MannerDetails, OneModelTest
from forensics.case.evidence import Evidence
from forensics.verdicts.tier_readings import SHARED_MANNER

SameManner = Literal["one_model", "another_manner", "undecided", "not_measured"]
_LEAST_KINDS = 3  # of evidence with repeat floors, where no test of equivalence was made


@dataclass(frozen=True)
class Foils:
    """Pairs of near relatives that are not one model, under the same test.

    `apart` names those that it tells apart, the most alike first, and `together` those that it does
    not; `elsewhere`: they answered other prompts than this pair.
    """

    apart: tuple[str, ...]
    together: tuple[str, ...]
    elsewhere: bool


@dataclass(frozen=True)
class Manner:
    """What the test of equivalence says.

    `share` is what both share of their own manner, 1 is one model, with its interval; `margin` the
    limits within which one model must lie.
    """

    reading: SameManner
    share: float
    interval: tuple[float, float]
    margin: tuple[float, float]
    foils: Foils


def tested_manner(evidence: Sequence[Evidence]) -> Manner | None:
    """Return what the test of one model says; None where it was not made."""
    manner = next((e for e in evidence if e.comparator == SHARED_MANNER and e.status == "ok"), None)
    if manner is None:
        return None
    details = manner.details
    if not isinstance(details, MannerDetails):
        return None
    test = details.one_model
    return Manner(
        test.reading,
        details.share,
        (test.low, test.high),
        test.margin,
        Foils(_names(test, apart=True), _names(test, apart=False), test.foils_elsewhere),
    )


def _names(test: OneModelTest, *, apart: bool) -> tuple[str, ...]:
    foils = sorted(test.foils, key=lambda foil: -foil.share)
    return tuple(f"{foil.a} and {foil.b}" for foil in foils if foil.apart is apart)


@dataclass(frozen=True)
class AtFloors:
    """Of `kinds` of evidence with repeated answers, `reached` reach the likeness of one model."""

    reached: int
    kinds: int


def at_floors(evidence: Sequence[Evidence]) -> AtFloors:
    """Return in how many kinds of evidence the pair is as alike as one model asked twice."""
    reached = kinds = 0
    for entry in evidence:
        floor, interval = entry.noise_floor, entry.interval
        if entry.status != "ok" or entry.weight != "normal" or floor is None or interval is None:
            continue
        if floor.method == "repeat_samples":
            kinds += 1
            reached += interval.high >= min(floor.a, floor.b)
    return AtFloors(reached, kinds)


def same_manner(evidence: Sequence[Evidence]) -> SameManner:
    """Return what repeated answers show: a test of equivalence, or else the repeat floors.

    The floors alone never show one model, which takes near relatives that the same test tells
    apart; but where most kinds of evidence stay below them, the two are told from one model.
    """
    tested = tested_manner(evidence)
    if tested is not None:
        return tested.reading
    floors = at_floors(evidence)
    if floors.kinds < _LEAST_KINDS:
        return "not_measured"
    return "another_manner" if 2 * floors.reached < floors.kinds else "undecided"
