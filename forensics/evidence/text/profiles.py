"""Profiles: rates of many small habits per answer, compared as z-scores.

Every rate is centred on both subjects' mean and divided by one subject's own spread over prompts;
answers are then compared by the cosine of their z-scores (cosine delta: Smith & Aldridge 2011,
Improving Authorship Attribution: Optimizing Burrows' Delta Method, Journal of Quantitative
Linguistics 18(1)), on matched against mismatched prompts. Burrows's Delta itself, the mean absolute
difference of the two whole profiles (Burrows 2002, 'Delta': a Measure of Stylistic Difference,
Literary and Linguistic Computing 17(3)), stands beside it: it sees habits that never vary, which
mismatched prompts cancel out, but separates related from unrelated models less well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.case.details.text import HabitDifference, ProfileDetails, SelfDelta
from forensics.case.evidence import Evidence, Exhibit
from forensics.evidence.comparator import (
    MIN_PROMPTS,
    Comparator,
    exhibit,
    matched_evidence,
    too_few,
    without_score,
)
from forensics.evidence.features.matched_prompts import (
    Floats,
    Matched,
    PromptRows,
    mean_score,
    prompt_rows,
)
from forensics.transcripts.answers import Answer

_SPLITS = 40
_EXHIBITS = 3
_MIN_CHARS = 100
_CONSTANT = 1e-9


@dataclass(frozen=True)
class Profile:
    """One subject's habits: `rates` has shape (len(answers), f features)."""

    features: tuple[str, ...]
    answers: tuple[Answer, ...]
    rates: Floats

    def on(self, prompts: set[str]) -> tuple[tuple[Answer, ...], Floats]:
        """Return the answers to `prompts`, and their rates."""
        rows = [i for i, answer in enumerate(self.answers) if answer.prompt_sha256 in prompts]
        return tuple(self.answers[i] for i in rows), self.rates[rows]


def compare_profiles(
    comparator: Comparator[Profile], a: Profile, b: Profile, scale: str, caveats: Sequence[str] = ()
) -> Evidence:
    """Return the cosine delta of two profiles on matched minus mismatched prompts.

    `details` holds Burrows's Delta with its value for each subject against itself, and the habits
    that differ most (in standard deviations of one subject's answers).
    """
    prompts = {x.prompt_sha256 for x in a.answers} & {x.prompt_sha256 for x in b.answers}
    if len(prompts) < MIN_PROMPTS:
        return without_score(comparator, "insufficient", too_few(len(prompts)), len(prompts))
    both = _standardised(a, b, prompts)
    if both is None:
        reason = "all answers are alike in every habit looked at"
        return without_score(comparator, "insufficient", reason, len(prompts))
    rows_a, rows_b = both.rows_a, both.rows_b
    evidence = matched_evidence(
        comparator, rows_a, rows_b, scale, lambda m: _exhibits(m, rows_a, rows_b), caveats
    )
    rates_a, rates_b, spread = both.rates_a, both.rates_b, both.spread
    difference = (rates_a.mean(axis=0) - rates_b.mean(axis=0)) / spread
    names = [name for name, used in zip(a.features, both.used, strict=True) if used]
    details = ProfileDetails(
        burrows_delta=round(float(np.abs(difference).mean()), 6),
        burrows_delta_self=_self_delta(rates_a, rates_b, spread),
        largest_differences=_largest(names, difference),
    )
    return evidence.with_details(details)


def profile_score(a: Profile, b: Profile) -> float | None:
    """Return the score that `compare_profiles` gives, in a fraction of its time; None without."""
    prompts = {x.prompt_sha256 for x in a.answers} & {x.prompt_sha256 for x in b.answers}
    if len(prompts) < MIN_PROMPTS:
        return None
    both = _standardised(a, b, prompts)
    return None if both is None else mean_score(both.rows_a, both.rows_b)


@dataclass(frozen=True)
class _Standardised:
    """Two profiles in each other's terms; `rates_*` and `spread` hold the habits `used` flags."""

    used: NDArray[np.bool_]
    spread: Floats
    rates_a: Floats
    rates_b: Floats
    rows_a: PromptRows
    rows_b: PromptRows


def _standardised(a: Profile, b: Profile, prompts: set[str]) -> _Standardised | None:
    """Return z-scores of the answers to `prompts` as unit rows; None where no habit varies."""
    (answers_a, rates_a), (answers_b, rates_b) = a.on(prompts), b.on(prompts)
    used, spread = _usable(rates_a, rates_b)
    if not used.any():
        return None
    rates_a, rates_b = rates_a[:, used], rates_b[:, used]
    centre = (rates_a.mean(axis=0) + rates_b.mean(axis=0)) / 2
    rows_a = prompt_rows(answers_a, _unit((rates_a - centre) / spread))
    rows_b = prompt_rows(answers_b, _unit((rates_b - centre) / spread))
    return _Standardised(used, spread, rates_a, rates_b, rows_a, rows_b)


def _usable(rates_a: Floats, rates_b: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Return which features vary within a subject, and their pooled spread."""
    spread = np.sqrt((rates_a.var(axis=0) + rates_b.var(axis=0)) / 2)
    used = spread > _CONSTANT
    return used, spread[used]


def _unit(rows: Floats) -> NDArray[np.float32]:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (rows / np.maximum(norms, 1e-12)).astype(np.float32)
    return unit


def _self_delta(rates_a: Floats, rates_b: Floats, spread: Floats) -> SelfDelta:
    return SelfDelta(
        a=_between_halves(rates_a, spread),
        b=_between_halves(rates_b, spread),
        method="resampled_prompts",
    )


def _between_halves(rates: Floats, spread: Floats) -> float:
    order = np.random.default_rng(0).permuted(np.tile(np.arange(len(rates)), (_SPLITS, 1)), axis=1)
    half = len(rates) // 2
    difference = rates[order[:, :half]].mean(axis=1) - rates[order[:, half:]].mean(axis=1)
    return round(float(np.abs(difference / spread).mean()), 6)


def _largest(names: Sequence[str], difference: Floats) -> tuple[HabitDifference, ...]:
    order = np.argsort(-np.abs(difference), kind="stable")[:8]
    return tuple(
        HabitDifference(habit=names[i], a_minus_b_sd=round(float(difference[i]), 3)) for i in order
    )


def _exhibits(matched: Matched, a: PromptRows, b: PromptRows) -> tuple[Exhibit, ...]:
    scores = dict(zip(matched.prompts, matched.scores, strict=True))
    long = [p for p in matched.prompts if _shorter(p, a, b) >= _MIN_CHARS]
    order = sorted(long, key=lambda prompt: -scores[prompt])
    chosen = [("for", p) for p in order[:_EXHIBITS] if scores[p] > 0]
    chosen += [("against", p) for p in order[::-1][:_EXHIBITS]]
    return tuple(
        exhibit(side, a.answers[prompt][0], b.answers[prompt][0], scores[prompt])
        for side, prompt in chosen
    )


def _shorter(prompt: str, a: PromptRows, b: PromptRows) -> int:
    return min(len(side.answers[prompt][0].text) for side in (a, b))
