"""Matched prompts against mismatched prompts: the baseline a pair has without a cohort.

Every answer is a row vector whose dot product with another row is their similarity. Answers to the
same prompt are then compared with answers to different prompts of the same two subjects: what is
left is similarity that style alone does not bring. What the shared question brings stays in it,
which is why a score without a cohort is a screening.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from forensics.case.evidence import Interval, NoiseFloor, PromptScore
from forensics.transcripts.answers import Answer

if TYPE_CHECKING:
    from scipy import sparse

Matrix: TypeAlias = "sparse.csr_array | NDArray[np.float32]"
Floats = NDArray[np.float64]
BOOTSTRAP_RESAMPLES = 2000


@dataclass(frozen=True)
class PromptRows:
    """One subject's feature rows.

    `mean` has shape (n prompts, d): each prompt's rows averaged over its samples, so that a dot
    product of two means is the mean similarity over all sample pairs. `first` and `second` are the
    averages over even and odd samples, zero rows where a prompt has one sample only.
    """

    prompts: tuple[str, ...]
    mean: Matrix
    first: Matrix
    second: Matrix
    repeated: NDArray[np.bool_]
    answers: Mapping[str, tuple[Answer, ...]]

    def at(self, prompts: Sequence[str]) -> NDArray[np.intp]:
        """Return the row numbers of `prompts`."""
        place = {prompt: row for row, prompt in enumerate(self.prompts)}
        return np.array([place[prompt] for prompt in prompts], dtype=np.intp)


def group_by_prompt(answers: Iterable[Answer]) -> dict[str, tuple[Answer, ...]]:
    """Return prompt hash → its answers by sample, in order of prompt hash."""
    groups: dict[str, list[Answer]] = {}
    for answer in sorted(answers, key=lambda a: (a.prompt_sha256, a.sample)):
        groups.setdefault(answer.prompt_sha256, []).append(answer)
    return {prompt: tuple(group) for prompt, group in groups.items()}


def prompt_rows(answers: Sequence[Answer], vectors: Matrix) -> PromptRows:
    """Group answer vectors, shape (len(answers), d), by prompt."""
    groups = group_by_prompt(answers)
    prompts = tuple(groups)
    place = {prompt: row for row, prompt in enumerate(prompts)}
    rows = np.array([place[answer.prompt_sha256] for answer in answers], dtype=np.intp)
    order = {id(a): position for group in groups.values() for position, a in enumerate(group)}
    odd = np.array([order[id(answer)] % 2 for answer in answers], dtype=bool)
    everything = np.ones(len(answers), dtype=bool)
    repeated = np.array([len(group) > 1 for group in groups.values()], dtype=bool)
    return PromptRows(
        prompts,
        _average(vectors, rows, everything, len(prompts)),
        _average(vectors, rows, ~odd, len(prompts)),
        _average(vectors, rows, odd, len(prompts)),
        repeated,
        groups,
    )


def _average(
    vectors: Matrix, rows: NDArray[np.intp], keep: NDArray[np.bool_], count: int
) -> Matrix:
    # Its import takes longer than comparing two models of a cohort, which needs none of it.
    from scipy import sparse

    members = np.bincount(rows[keep], minlength=count)
    weights = (1.0 / np.maximum(members, 1))[rows[keep]].astype(np.float32)
    columns = np.flatnonzero(keep)
    averaging = sparse.csr_array((weights, (rows[keep], columns)), shape=(count, len(rows)))
    result: Matrix = averaging @ vectors
    return result


@dataclass(frozen=True)
class Matched:
    """What matched prompts share: arrays of shape (n,), one value per common prompt.

    `similarity` is that of the two answers to the prompt, `expected` that of either answer with the
    other subject's answers to all other prompts; `scores` is their difference.
    """

    prompts: tuple[str, ...]
    similarity: Floats
    expected: Floats
    noise_floor: NoiseFloor

    @property
    def scores(self) -> Floats:
        """Similarity beyond the mismatched baseline, per prompt."""
        return self.similarity - self.expected


def match(a: PromptRows, b: PromptRows) -> Matched:
    """Compare two subjects on the prompts both answered (at least two)."""
    prompts = tuple(sorted(set(a.prompts) & set(b.prompts)))
    left, right = a.mean[a.at(prompts)], b.mean[b.at(prompts)]
    similarity = row_dots(left, right)
    expected = _mismatched(left, right, similarity)
    baseline = float(expected.mean())
    return Matched(prompts, similarity, expected, _noise_floor(a, b, prompts, baseline))


def mean_score(a: PromptRows, b: PromptRows) -> float | None:
    """Return the mean of the scores that `match` gives, in a fraction of its time.

    None with fewer than two common prompts.
    """
    prompts = sorted(set(a.prompts) & set(b.prompts))
    n = len(prompts)
    if n < 2:
        return None
    products = a.mean[a.at(prompts)] @ b.mean[b.at(prompts)].T
    matched, every = float(products.trace()), float(products.sum())
    return matched / n - (every - matched) / (n * (n - 1))


def row_dots(left: Matrix, right: Matrix) -> Floats:
    """Return the dot product of each row of `left` with the same row of `right`: shape (n,)."""
    if not isinstance(left, np.ndarray):
        product: Any = left.multiply(right).sum(axis=1)
        return np.asarray(product, dtype=np.float64).ravel()
    dense_left, dense_right = np.asarray(left, np.float64), np.asarray(right, np.float64)
    dots: Floats = np.einsum("ij,ij->i", dense_left, dense_right)
    return dots


def _mismatched(left: Matrix, right: Matrix, same: Floats) -> Floats:
    """Return each prompt's mean similarity to the other subject's answers to other prompts.

    Sums of rows stand in for the n × n table: cost is linear in the number of prompts.
    """
    others = len(same) - 1
    sum_left = np.asarray(left.sum(axis=0), dtype=np.float64).ravel()
    sum_right = np.asarray(right.sum(axis=0), dtype=np.float64).ravel()
    of_left = (np.asarray(left @ sum_right).ravel() - same) / others
    of_right = (np.asarray(right @ sum_left).ravel() - same) / others
    result: Floats = (of_left + of_right) / 2
    return result


def _noise_floor(
    a: PromptRows, b: PromptRows, prompts: Sequence[str], baseline: float
) -> NoiseFloor:
    rows_a, rows_b = a.at(prompts), b.at(prompts)
    repeated_a, repeated_b = a.repeated[rows_a], b.repeated[rows_b]
    if min(repeated_a.sum(), repeated_b.sum()) >= 2:
        return NoiseFloor(
            a=_between_repeats(a, rows_a[repeated_a]) - baseline,
            b=_between_repeats(b, rows_b[repeated_b]) - baseline,
            method="repeat_samples",
        )
    return NoiseFloor(
        a=_between_prompts(a, rows_a) - baseline,
        b=_between_prompts(b, rows_b) - baseline,
        method="resampled_prompts",
    )


def _between_repeats(rows: PromptRows, at: NDArray[np.intp]) -> float:
    return float(row_dots(rows.first[at], rows.second[at]).mean())


def _between_prompts(rows: PromptRows, at: NDArray[np.intp]) -> float:
    means = rows.mean[at]
    return float(_mismatched(means, means, row_dots(means, means)).mean())


def bootstrap_mean(scores: Floats, seed: int = 0) -> Interval:
    """Return the 95 % percentile interval of the mean under resampling of prompts.

    Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 13.3.

    Args:
        scores: one value per prompt, shape (n,).
        seed: of the resampling; the same seed gives the same interval.
    """
    draws = resample_weights(len(scores), seed) @ scores
    return percentile_interval(draws)


@lru_cache(maxsize=8)
def resample_weights(n: int, seed: int = 0, resamples: int = BOOTSTRAP_RESAMPLES) -> Floats:
    """Return bootstrap weights, shape (resamples, n): each row sums to 1."""
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1.0 / n), size=resamples)
    weights = counts.astype(np.float64) / n
    weights.setflags(write=False)  # every comparator of a run has the same
    return weights


def percentile_interval(draws: Floats) -> Interval:
    """Return the central 95 % of bootstrap draws, shape (resamples,)."""
    low, high = np.quantile(draws[np.isfinite(draws)], [0.025, 0.975])
    return Interval(low=float(low), high=float(high))


def prompt_scores(
    prompts: Sequence[str], scores: Iterable[float], answers: Mapping[str, tuple[Answer, ...]]
) -> tuple[PromptScore, ...]:
    """Return per-prompt scores with the prompts' ids."""
    return tuple(
        PromptScore(prompt_sha256=p, prompt_id=answers[p][0].prompt_id, score=round(float(s), 6))
        for p, s in zip(prompts, scores, strict=True)
    )
