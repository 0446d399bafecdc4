"""Length and formatting: how much of a comparator's score do they explain?

Two models may look alike because both write at length, or in bullets, which takes no kinship.
Per prompt, the rank of a comparator's score is regressed on the ranks of three things: how unequal
the answers' lengths are, how long they are on the whole, and how alike their layout is (rank
transform regression: Iman & Conover 1979, The Use of the Rank Transform in Regression,
Technometrics 21(4)). What is reported is the share of variance explained, adjusted for the number
of predictors (Ezekiel 1930, Methods of Correlation Analysis, chapter 10).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from forensics.case.evidence import Evidence, ExplainedShare, Interval
from forensics.evidence.features.matched_prompts import (
    Floats,
    prompt_rows,
    resample_weights,
    row_dots,
)
from forensics.examination.examined import Examined

MIN_PROMPTS = 20  # three predictors and a constant need more than a handful of prompts
PREDICTORS = ("length ratio", "mean length", "layout likeness")
_RESAMPLES = 1_000
_CONSTANT = 1e-9


@dataclass(frozen=True)
class Confounds:
    """Per prompt, how the two subjects' answers compare in length and layout.

    `values` has shape (prompts, 3): absolute log ratio of the lengths, mean log length, cosine of
    the layout habits; means over samples.
    """

    prompts: tuple[str, ...]
    values: Floats

    def on(self, prompts: Sequence[str]) -> tuple[list[int], Floats]:
        """Return which of `prompts` are known, and their values."""
        place = {prompt: row for row, prompt in enumerate(self.prompts)}
        known = [i for i, prompt in enumerate(prompts) if prompt in place]
        return known, self.values[[place[prompts[i]] for i in known]]


def confounds(a: Examined, b: Examined) -> Confounds:
    """Measure length and layout on the prompts both answered."""
    first, second = _mean_log_lengths(a), _mean_log_lengths(b)
    prompts = tuple(sorted(first.keys() & second.keys()))
    if len(prompts) < MIN_PROMPTS:
        return Confounds((), np.empty((0, len(PREDICTORS))))
    lengths = np.array([[first[p], second[p]] for p in prompts])
    layout = _layout_similarity(a, b, prompts)
    ratio = np.abs(lengths[:, 0] - lengths[:, 1])
    return Confounds(prompts, np.column_stack([ratio, lengths.mean(axis=1), layout]))


def explained(evidence: Evidence, known: Confounds) -> ExplainedShare | None:
    """Return how much of the per-prompt scores length and layout explain.

    None with fewer than `MIN_PROMPTS` prompts, or where all scores are equal.
    """
    rows, values = known.on([entry.prompt_sha256 for entry in evidence.per_prompt])
    if len(rows) < MIN_PROMPTS:
        return None
    scores = np.array([evidence.per_prompt[i].score for i in rows])
    if np.ptp(scores) < _CONSTANT:
        return None
    ranked = _ranks(np.column_stack([scores, values]))
    outcome, predictors = ranked[:, 0], ranked[:, 1:]
    return ExplainedShare(
        share=_rounded(adjusted_r_squared(predictors, outcome)),
        interval=_interval(predictors, outcome),
        correlations={
            name: _rounded(_correlation(predictors[:, i], outcome))
            for i, name in enumerate(PREDICTORS)
        },
        n=len(rows),
    )


def adjusted_r_squared(predictors: Floats, outcome: Floats) -> float:
    """Return 1 - (1 - R²)(n - 1)/(n - p - 1) of a least-squares fit, at least 0.

    Args:
        predictors: shape (n, p); constant columns do not count.
        outcome: shape (n,), not constant.
    """
    used = predictors[:, np.ptp(predictors, axis=0) > _CONSTANT]
    centred = outcome - outcome.mean()
    total = float(centred @ centred)
    n, p = used.shape
    if p == 0 or total < _CONSTANT or n <= p + 1:
        return 0.0
    design = used - used.mean(axis=0)
    coefficients = np.linalg.lstsq(design, centred, rcond=None)[0]
    residual = centred - design @ coefficients
    unexplained = float(residual @ residual) / total
    return float(np.clip(1 - unexplained * (n - 1) / (n - p - 1), 0.0, 1.0))


def _interval(predictors: Floats, outcome: Floats) -> Interval:
    """Return the bootstrap interval over prompts, by normal equations for all draws at once.

    A resample repeats prompts, which alone raises R²; the adjustment therefore counts the distinct
    prompts of a draw, not its size.
    """
    used = predictors[:, np.ptp(predictors, axis=0) > _CONSTANT]
    table = np.column_stack([np.ones(len(outcome)), used, outcome])
    n, p = used.shape
    weights = resample_weights(n, resamples=_RESAMPLES)
    products = np.einsum("ni,nj->nij", table, table).reshape(n, -1)
    moments = (weights @ products).reshape(-1, p + 2, p + 2)
    means = moments[:, 0, 1:]
    covariance = moments[:, 1:, 1:] - means[:, :, None] * means[:, None, :]
    within, across, total = covariance[:, :p, :p], covariance[:, :p, p], covariance[:, p, p]
    ridge = _CONSTANT * np.eye(p)
    solved = np.linalg.solve(within + ridge, across[:, :, None])[:, :, 0]
    r_squared = (solved * across).sum(axis=1) / np.maximum(total, _CONSTANT)
    distinct = np.maximum((weights > 0).sum(axis=1), p + 2)
    adjusted = 1 - (1 - np.clip(r_squared, 0, 1)) * (distinct - 1) / (distinct - p - 1)
    low, high = np.quantile(np.clip(adjusted, 0, 1), [0.025, 0.975])
    return Interval(low=_rounded(low), high=_rounded(high))


def _ranks(table: Floats) -> Floats:
    """Return ranks by column, scaled to (0, 1]."""
    ranks = [_average_ranks(column) for column in table.T]
    return np.column_stack(ranks) / len(table)


def _average_ranks(values: Floats) -> Floats:
    """Return ranks from 1, equal values sharing their mean rank (scipy.stats loads slowly)."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    ranks: Floats = (last - (sizes - 1) / 2)[group]
    return ranks


def _correlation(first: Floats, second: Floats) -> float:
    if np.ptp(first) < _CONSTANT:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _rounded(value: float) -> float:
    return round(float(value), 6)


def _mean_log_lengths(side: Examined) -> Mapping[str, float]:
    lengths: dict[str, list[float]] = {}
    for answer in side.answers:
        lengths.setdefault(answer.prompt_sha256, []).append(np.log(len(answer.text)))
    return {prompt: float(np.mean(values)) for prompt, values in lengths.items()}


def _layout_similarity(a: Examined, b: Examined, prompts: Sequence[str]) -> Floats:
    means = []
    for side in (a, b):
        rows = prompt_rows(side.answers, sparse.csr_array(side.layout.astype(np.float32)))
        means_at = rows.mean[rows.at(prompts)]
        lengths = np.sqrt(row_dots(means_at, means_at))
        means.append((means_at, np.maximum(lengths, 1e-12)))
    (left, of_left), (right, of_right) = means
    similarity: Floats = row_dots(left, right) / (of_left * of_right)
    return similarity
