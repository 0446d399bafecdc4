"""What kept readings of real models come to: students of served answers, and models of none."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from forensics.evidence.exposure.arrangements import Floats, Unit, arrangements
from forensics.evidence.exposure.betting import betting
from forensics.evidence.exposure.exposure_test import Scores, subject_residual
from forensics.evidence.exposure.flips import permutation_test
from forensics.evidence.exposure.log import order_key
from forensics.evidence.exposure.nearness import NEARNESSES, Nearness
from forensics.evidence.exposure.residuals import predictable_residual
from studies.exposure import kept

NULL_PAIRS = 25  # of a null run on the topics' log
_DEALT = 2  # times that a log of larger models is dealt
_TINY = "tiny"
_Z = NormalDist().inv_cdf(0.975)
Differences = Mapping[str, float]


@dataclass(frozen=True)
class Effect:
    """Mean of n differences with its 95 % interval, and the deviation of one of them."""

    pairs: int
    mean: float
    low: float
    high: float
    deviation: float


@dataclass(frozen=True)
class StudentResult:
    """What the test says of one student, over all pairs of its log.

    `exposed` and `unexposed` are the effects on pairs whose served answer it was tuned on, and on
    the others; None where there are fewer than two.
    """

    name: str
    log: str
    share: float
    every: Effect
    exposed: Effect | None
    unexposed: Effect | None
    p_value: float
    highest: float


@dataclass(frozen=True)
class UntunedResult:
    """What the test says of the untuned model on one log, nothing taken off."""

    log: str
    every: Effect
    p_value: float
    highest: float


@dataclass(frozen=True)
class NullRun:
    """One model and one log that it did not learn from, dealt once."""

    reader: str
    log: str
    pairs: int
    p_value: float
    highest: float


@dataclass(frozen=True)
class NearerResult:
    """To which side a student's own answers are nearer, where they are not tied."""

    how: Nearness
    pairs: int
    ties: int
    nearer: int
    in_common: float

    @property
    def share(self) -> float:
        """Share of pairs nearer to the served answer."""
        return self.nearer / self.pairs


def made() -> list[str]:
    """Return the students whose numbers are kept."""
    return [name for name in kept.STUDENTS if kept.path(name).exists()]


def rests(name: str) -> tuple[list[str], list[Floats]]:
    """Return a student's prompts, and of each all ways to deal it, less what its base says."""
    log = kept.STUDENTS[name].log
    own, base = (kept.read(n).differences[log] for n in (name, kept.BASE))
    ids = sorted(own, key=order_key)
    scores = Scores(_units(ids, own), _units(ids, base))
    return ids, [arrangements(unit) for unit in subject_residual(scores)]


def student(name: str) -> StudentResult:
    """Return what the test says of one student."""
    log, share = kept.STUDENTS[name].log, kept.STUDENTS[name].share
    ids, ways = rests(name)
    reading = kept.read(name)
    read, unread = ([float(way[0]) for way in part] for part in read_and_unread(name))
    base = kept.read(kept.BASE).differences[log]
    return StudentResult(
        name,
        log,
        share,
        effect([float(way[0]) for way in ways]),
        effect(read) if len(read) > 1 else None,
        effect(unread) if len(unread) > 1 else None,
        permutation_test(ways).p_value,
        _capital(ids, reading.differences[log], base),
    )


def untuned() -> list[UntunedResult]:
    """Return what the test says of the untuned model on every log, dealt as it was."""
    results = []
    for log, own in kept.read(kept.BASE).differences.items():
        ids = sorted(own, key=order_key)
        ways = [arrangements(unit) for unit in _units(ids, own)]
        every = effect([float(way[0]) for way in ways])
        p_value = permutation_test(ways).p_value
        results.append(UntunedResult(log, every, p_value, _capital(ids, own, None)))
    return results


def read_and_unread(name: str) -> tuple[list[Floats], list[Floats]]:
    """Return the ways to deal of pairs whose served answer a student read, and of the others."""
    ids, ways = rests(name)
    exposed = set(kept.read(name).exposed)
    both = list(zip(ids, ways, strict=True))
    return [w for i, w in both if i in exposed], [w for i, w in both if i not in exposed]


def effect(values: Sequence[float]) -> Effect:
    """Return the mean of at least two differences."""
    mean, deviation = float(np.mean(values)), float(np.std(values, ddof=1))
    reach = _Z * deviation / math.sqrt(len(values))
    return Effect(len(values), mean, mean - reach, mean + reach, deviation)


def null_runs() -> list[NullRun]:
    """Return a run for every tiny model and log that it did not learn from, two of larger models.

    Each is dealt by a seed of its own, so that runs of several models on one log say something
    each.
    """
    every = [
        case for case in _unlearned() for _ in range(1 if case[0].startswith(_TINY) else _DEALT)
    ]
    return [_null_run(number, *case) for number, case in enumerate(every)]


def _unlearned() -> Iterator[tuple[str, str, Differences, Differences | None]]:
    tiny = kept.read(kept.TINY).differences
    for reader in sorted(tiny):
        base = None if reader == "base" else tiny["base"]
        for log, part in _by_source(tiny[reader]):
            yield f"{_TINY} {reader}", log, part, base
    base_read = kept.read(kept.BASE).differences
    for reader in (kept.BASE, kept.SOURCE):
        if kept.path(reader).exists():
            for log, every in kept.read(reader).differences.items():
                for name, part in _parts(log, every):
                    yield reader, name, part, None
    for name in made():
        log = kept.STUDENTS[name].log
        reading = kept.read(name)
        unexposed = {
            key: value
            for key, value in reading.differences[log].items()
            if key not in set(reading.exposed)
        }
        for part_name, part in _parts(log, unexposed):
            yield name, part_name, part, base_read[log]


def _parts(log: str, every: Differences) -> Iterator[tuple[str, Differences]]:
    if log != "topics":
        yield from _by_source(every)
        return
    ids = sorted(every, key=order_key)
    for start in range(0, len(ids) - NULL_PAIRS + 1, NULL_PAIRS):
        chosen = ids[start : start + NULL_PAIRS]
        yield f"topics {start // NULL_PAIRS + 1}", {key: every[key] for key in chosen}


def _by_source(every: Differences) -> Iterator[tuple[str, Differences]]:
    for source in sorted({key.rsplit("/", 1)[0] for key in every}):
        yield source, {k: v for k, v in every.items() if k.rsplit("/", 1)[0] == source}


def _null_run(
    number: int, reader: str, log: str, own: Differences, base: Differences | None
) -> NullRun:
    generator = np.random.default_rng([7, number])
    ids = sorted(own, key=order_key)
    sides = dict(zip(ids, generator.choice([-1.0, 1.0], size=len(ids)), strict=True))
    dealt = {key: sides[key] * own[key] for key in ids}
    of_base = {key: sides[key] * base[key] for key in ids} if base is not None else None
    scores = Scores(_units(ids, dealt), _units(ids, of_base) if of_base else ())
    ways = [arrangements(unit) for unit in subject_residual(scores)]
    p_value = permutation_test(ways, number, 1_999).p_value
    return NullRun(reader, log, len(ids), p_value, _capital(ids, dealt, of_base))


def _capital(ids: Sequence[str], own: Differences, base: Differences | None) -> float:
    others = [_units(ids, base)] if base is not None else []
    rest = predictable_residual(_units(ids, own), others)
    return betting([arrangements(unit) for unit in rest]).highest


def _units(ids: Sequence[str], differences: Differences) -> tuple[Unit, ...]:
    return tuple(
        Unit(order_key(key), (differences[key] / 2, -differences[key] / 2), 1) for key in ids
    )


def nearer(name: str) -> list[NearerResult]:
    """Return, for each measure, to which side a fully exposed student's own answers are nearer."""
    rows = kept.read(name).nearer
    results = []
    for how in NEARNESSES:
        values = [near.by_measure[how] for near in rows]
        untied = [value for value in values if value]
        results.append(
            NearerResult(
                how,
                len(untied),
                len(values) - len(untied),
                sum(value > 0 for value in untied),
                float(np.mean([near.in_common for near in rows])),
            )
        )
    return results
