"""One exposure test, from values of every answer to its result."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from forensics.evidence.e_process import EProcess, mean_capital
from forensics.evidence.exposure.arrangements import Floats, Unit, arrangements
from forensics.evidence.exposure.betting import betting
from forensics.evidence.exposure.exposure_record import FixedTest, MeanDifference, Watched
from forensics.evidence.exposure.flips import permutation_test
from forensics.evidence.exposure.residuals import pooled, predictable_residual, residual

FEWEST = 8  # prompts: seven signs give no p-value below .01
_BOUND = NormalDist().inv_cdf(0.99)


@dataclass(frozen=True)
class Scores:
    """A model's value of every answer, for n prompts in the order of their places.

    `base` and `controls` are of the same prompts and answers; `accounts` is a hash of whom each
    prompt was served to, or empty. `later` tells which prompts are later turns, whose text hangs
    on what was served before; units are then ordered by conversation and turn. Empty: none is.
    """

    subject: tuple[Unit, ...]
    base: tuple[Unit, ...] = ()
    controls: tuple[tuple[Unit, ...], ...] = ()
    accounts: tuple[str, ...] = ()
    later: tuple[bool, ...] = ()

    def first_turns(self) -> Scores:
        """Return the same of first turns only: of those all labels can be dealt anew together."""
        if not any(self.later):
            return self
        keep = [i for i, later in enumerate(self.later) if not later]

        def chosen(units: Sequence[Unit]) -> tuple[Unit, ...]:
            return tuple(units[i] for i in keep) if units else ()

        return Scores(
            chosen(self.subject),
            chosen(self.base),
            tuple(chosen(control) for control in self.controls),
            tuple(self.accounts[i] for i in keep) if self.accounts else (),
        )


@dataclass(frozen=True)
class ExposureMeasures:
    """What the statistics say; which of them counts was declared before."""

    fixed: FixedTest | None
    watched: Watched
    difference: MeanDifference
    controls: MeanDifference | None
    controls_p_value: float | None
    ties: int
    process: EProcess

    def primary(self, by_account: bool) -> tuple[str, float]:
        """Return the name and p-value of the one statistic that counts."""
        if by_account and self.watched.combined is not None:
            return "combined", min(1.0, 1.0 / max(self.watched.combined, 1e-300))
        if self.fixed is not None:
            return "fixed", self.fixed.p_value
        return "watched", self.watched.p_value


def measured(
    scores: Scores, at_declared: bool, level: float, by_sign: bool = False, seed: int = 0
) -> ExposureMeasures:
    """Return every statistic of a test.

    The test at a fixed number deals all labels anew at once, so it reads first turns only. Betting
    reads every prompt, each by what came before it.

    Args:
        scores: at least `FEWEST` prompts.
        at_declared: the number of logged prompts is the one declared beforehand, so that the test
            at a fixed number holds.
        level: at which the e-process is read.
        by_sign: only the sign of a prompt's difference counts, and ties are dropped.
        seed: of draws.
    """
    first = scores.first_turns()
    of_first = [arrangements(unit, by_sign) for unit in subject_residual(first)]
    dealt = _untied(of_first, by_sign)
    fixed = permutation_test(dealt, seed) if at_declared and dealt else None
    past_only = predictable_residual(scores.subject, _taken_off(scores))
    ways = [arrangements(unit, by_sign) for unit in past_only]
    bets = _untied(ways, by_sign)
    counted, read = (bets, ways) if any(scores.later) else (dealt, of_first)
    of_controls = [arrangements(unit) for unit in control_residual(first)]
    controls = mean_difference([float(w[0]) for w in of_controls]) if of_controls else None
    process = betting(bets)
    return ExposureMeasures(
        fixed=FixedTest(**vars(fixed)) if fixed is not None else None,
        watched=_watched(process, level, _combined(ways, scores.accounts)),
        difference=mean_difference([float(way[0]) for way in counted]),
        controls=controls,
        controls_p_value=permutation_test(of_controls, seed).p_value if of_controls else None,
        ties=len(read) - len(counted),
        process=process,
    )


def _untied(ways: Sequence[Floats], by_sign: bool) -> list[Floats]:
    return [way for way in ways if np.ptp(way) > 0] if by_sign else list(ways)


def _taken_off(scores: Scores) -> list[tuple[Unit, ...]]:
    return [scores.base] if scores.base else [*scores.controls]


def subject_residual(scores: Scores) -> tuple[Unit, ...]:
    """Return the subject's values less what its base, or else the controls, say."""
    return residual(scores.subject, _taken_off(scores))


def control_residual(scores: Scores) -> tuple[Unit, ...]:
    """Return the controls' values pooled, each less what the base, or the other controls, say."""
    every = list(scores.controls)
    if not every:
        return ()
    rest = []
    for i, control in enumerate(every):
        others = [scores.base] if scores.base else every[:i] + every[i + 1 :]
        rest.append(residual(control, others))
    return pooled(rest)


def mean_difference(values: Sequence[float]) -> MeanDifference:
    """Return the mean of n differences with 99 % bounds (normal, one-sided each)."""
    many = len(values)
    mean = math.fsum(values) / many if many else 0.0
    deviation = float(np.std(values, ddof=1)) if many > 1 else 0.0
    reach = _BOUND * deviation / math.sqrt(max(1, many))
    return MeanDifference(mean=mean, low=mean - reach, high=mean + reach, deviation=deviation)


def _watched(process: EProcess, level: float, combined: float | None) -> Watched:
    return Watched(
        final=process.final,
        highest=process.highest,
        p_value=process.p_value,
        crossed_at=process.crossed(level),
        bets=len(process.capital),
        combined=combined,
    )


def _combined(ways: Sequence[Floats], accounts: Sequence[str]) -> float | None:
    by_account: dict[str, list[Floats]] = {}
    for way, account in zip(ways, accounts, strict=False):
        by_account.setdefault(account, []).append(way)
    if len(by_account) < 2:
        return None
    return mean_capital([betting(part) for part in by_account.values()])
