"""Mutual fit: do two models explain each other's answers better than models in general do?

A student is trained to make its teacher's words likely, so each finds the other's answers likelier
than models that never met do. Some models explain any answer well, and some write answers that any
model explains. So every model of the panel reads every other's answers, and what is looked at is
what a pair has in common beyond how well either reads and is read: the relationship effect of a
round robin (Warner, Kenny, Stoto 1979, "A new round robin analysis of variance for social
interaction data", J. Personality and Social Psychology 37). No model reads its own answers.

The effect of the pair in question is set against those of the subjects' pairs with controls, by a
t-test of one more observation. It is an ordinary regression over pairs, one value each: the mean of
both ways of reading. A subject unlike the controls has pairs that spread more widely, the pair in
question with them, so the wider spread of the two subjects' is taken; the other's pairs add degrees
of freedom as far as they spread as widely.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forensics.case.details.probabilities import MutualFitDetails
from forensics.case.evidence import Evidence, Interval, Tier
from forensics.evidence.comparator import MIN_PROMPTS, scored, too_few, without_score
from forensics.evidence.features.matched_prompts import percentile_interval, resample_weights
from forensics.evidence.probabilities.panel import Seen, bits_per_byte, choose
from forensics.examination.examined import Examined, Need
from forensics.examination.probability_values import TextProbabilities, answer_key

Floats = NDArray[np.float64]
_TINY = 1e-24  # squared bits per byte: of models that are one another's copies nothing is left
LEAST_CONTROLS = 3  # with two there is one pair more than effects to estimate
_CAVEATS = (
    "It also rises where both learned one kind of answers from elsewhere; choose controls tuned "
    "on other data of the same kind.",
    "The p-value assumes that pairs with a control vary as a pair of unrelated subjects would, "
    "and normally; it is approximate, and with few controls it is never small.",
)


@dataclass(frozen=True)
class Heard:
    """A subject's probabilities and the controls', and its answers' keys by prompt."""

    own: TextProbabilities | None
    controls: tuple[TextProbabilities, ...]
    keys: Mapping[str, str]

    def on(self, prompts: frozenset[str]) -> Seen | None:
        """Return what was seen, of the subject's own answers those to these prompts."""
        if self.own is None:
            return None
        answer_keys = {key for prompt, key in self.keys.items() if prompt in prompts}
        written = tuple(key for key in self.own.written if key in answer_keys)
        return Seen(replace(self.own, written=written), self.controls)


@dataclass(frozen=True)
class Relationship:
    """What a pair has in common, in bits a byte, with the p-value of so much or more by chance."""

    effect: float
    p_value: float


@dataclass(frozen=True)
class MutualFit:
    """Compares how two models read each other with how they and controls read one another."""

    name: str = "mutual_fit"
    title: str = "Answers the two expect of each other"
    tier: Tier = "logprobs"
    needs: frozenset[Need] = frozenset({"answers", "logprobs"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> Heard:
        """Return the subject's probabilities, the controls', and the answers' keys."""
        first = (answer for answer in examined.answers if answer.sample == 0)
        keys = {answer.prompt_sha256: answer_key(answer) for answer in first}
        return Heard(examined.probabilities, examined.controls, keys)

    def compare(self, a: Heard, b: Heard) -> Evidence:
        """Return by how many bits a byte the two explain each other better than models do."""
        shared = frozenset(a.keys) & frozenset(b.keys)
        if len(shared) < MIN_PROMPTS:
            return without_score(self, "insufficient", too_few(len(shared)), len(shared))
        first, second = a.on(shared), b.on(shared)
        if first is None or second is None or not (first.own.answers and second.own.answers):
            reason = "local models of both are needed, to read each other's answers"
            return without_score(self, "insufficient", reason)
        if first.own.has_template != second.own.has_template:
            reason = "one was asked through a chat template, the other without"
            return without_score(self, "not_applicable", reason)
        panel = choose(first, second)
        controls = [
            control
            for control in panel.controls
            if control.has_template == first.own.has_template
            and len(control.written) >= MIN_PROMPTS
        ]
        if len(controls) < LEAST_CONTROLS:
            return without_score(
                self, "insufficient", _why(len(controls), first.own, panel.left_out)
            )
        models = (first.own, second.own, *controls)
        counts = _read_by_all(models)
        if min(map(len, counts)) < MIN_PROMPTS:
            return without_score(self, "insufficient", too_few(min(map(len, counts))))
        bits = _bits(models, counts)
        relation = relationship(np.array([[cell.mean() for cell in row] for row in bits]))
        return scored(
            self,
            scale=(
                "bits per byte by which the two explain each other's answers better than "
                "expected from how they explain others' answers, and others explain theirs"
            ),
            score=relation.effect,
            interval=_interval(bits),
            n=min(map(len, counts)),
            p_value=relation.p_value,
            caveats=_CAVEATS,
            details=MutualFitDetails(
                controls=tuple(control.name for control in controls),
                left_out=tuple(panel.left_out),
                p_value_is_approximate=True,
            ),
        )


def _why(held: int, side: TextProbabilities, left_out: tuple[str, ...]) -> str:
    kind = "with" if side.has_template else "without"
    because = f" ({'; '.join(left_out)})" if left_out else ""
    return (
        f"{held} controls {kind} a chat template are usable and gave answers{because}; "
        f"{LEAST_CONTROLS} are needed, name them with --control"
    )


def _read_by_all(models: tuple[TextProbabilities, ...]) -> list[list[str]]:
    """Return for each model those of its answers that all the others could read."""
    return [
        [
            key
            for key in writer.written
            if all(key in reader.answers for reader in models if reader is not writer)
        ]
        for writer in models
    ]


def _bits(models: tuple[TextProbabilities, ...], keys: list[list[str]]) -> list[list[Floats]]:
    """Return bits a byte of every reader (row) on every writer's answers; empty on its own."""
    return [
        [
            np.array(
                [bits_per_byte(reader.answers[key]) for key in keys[j]] if i != j else [0.0],
            )
            for j in range(len(models))
        ]
        for i, reader in enumerate(models)
    ]


def relationship(bits: Floats) -> Relationship:
    """Return the relationship effect of the first two models and its one-sided p-value.

    Args:
        bits: mean bits a byte (negative) of reader (row) on writer (column), shape (m, m), m at
            least 5; the diagonal is not looked at.
    """
    from scipy.stats import t

    pairs, design = _design(len(bits))
    both = np.array([(bits[i, j] + bits[j, i]) / 2 for i, j in pairs])
    inverse = np.linalg.inv(design.T @ design)
    solved = inverse @ design.T @ both
    squares = (both - design @ solved) ** 2
    left = 1 - np.einsum("ij,jk,ik->i", design, inverse, design)  # what a fit leaves of a residual
    effect, unit = float(solved[-1]), math.sqrt(inverse[-1, -1])
    sides = [np.array([subject in pair for pair in pairs]) for subject in (0, 1)]
    freedom = float(left[sides[0]].sum())  # as many of either side
    narrow, wide = sorted(float(squares[rows].sum()) / freedom for rows in sides)
    error = unit * math.sqrt(max(wide, _TINY))
    p_value = float(t.sf(effect / error, freedom * (1 + narrow / max(wide, _TINY))))
    return Relationship(effect, p_value)


def _design(models: int) -> tuple[list[tuple[int, int]], Floats]:
    """Return the pairs, and rows of the regression: either model's level, and the first pair's."""
    pairs = list(itertools.combinations(range(models), 2))
    design = np.zeros((len(pairs), models + 1))
    for row, (i, j) in enumerate(pairs):
        design[row, [i, j]] = 1
    design[0, -1] = 1
    return pairs, design


def _interval(bits: list[list[Floats]]) -> Interval:
    """Return an interval of the effect over prompts; all answers to a prompt stay together."""
    pairs, design = _design(len(bits))
    weights = np.linalg.pinv(design)[-1]
    effects = sum(
        weight * (_resampled(bits[i][j]) + _resampled(bits[j][i])) / 2
        for weight, (i, j) in zip(weights, pairs, strict=True)
    )
    return percentile_interval(np.asarray(effects))


def _resampled(values: Floats) -> Floats:
    return resample_weights(len(values)) @ values
