"""Sampling: with several answers to each prompt, are both drawn from one distribution?

A two-sample test by maximum mean discrepancy (MMD; Gretton et al. 2012, A Kernel Two-Sample Test,
JMLR 13, Lemma 6) with the Hamming string kernel: how many characters stand at the same place, 0
between answers to different prompts. The test is that of Gao, Liang & Guestrin (2024), Model
Equality Testing: Which Model Is This API Serving? (arXiv 2410.20247, section 3); they find this
kernel the most powerful of those they try. The p-value comes from permuting answers between the
subjects within prompts, which is exact whatever the kernel.

What it tests is equality of model, settings and host together. A small p-value says they are not
all the same; it says nothing about kinship, and a large p-value says nothing unless the test would
have seen a difference: the smallest difference it would see in four cases of five stands beside it.

On the reference data (29 models, 52 prompts, 3 answers each) it rejects equality at 5 % for all 250
unrelated pairs and for 4 of 5 pairs of one model in two settings; the fifth differs in how long it
may think (p = .76). When both are one distribution it rejects 6.5 % at 5 % [4.3 %, 9.4 %] and
11.5 % at 10 % [8.5 %, 15.0 %] (400 draws, two models' answers dealt out at random within prompts).
The score is no measure of kinship: over the same 5 and 250 pairs the area under the ROC curve is
.794 [.490, .995], intervals by resampling lineage clusters.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from forensics.case.details.text import SamplingDetails
from forensics.case.evidence import Evidence, Exhibit, NoiseFloor, Tier
from forensics.evidence.comparator import MIN_PROMPTS, exhibit, scored, without_score
from forensics.evidence.features.matched_prompts import (
    Floats,
    group_by_prompt,
    percentile_interval,
    prompt_scores,
    resample_weights,
)
from forensics.examination.examined import Examined, Need
from forensics.transcripts.answers import Answer

LENGTH = 1_000  # characters compared, as in the paper; what is shorter is padded
MAX_SAMPLES = 20
PERMUTATIONS = 1_999
_LEVEL, _POWER = 0.05, 0.8
_EXHIBITS = 3
_PAD = -1


@dataclass(frozen=True)
class Samples:
    """One subject's repeated answers.

    `codes` maps a prompt to the characters of its answers, shape (samples, LENGTH), padded with -1.
    """

    codes: Mapping[str, NDArray[np.int32]]
    answers: Mapping[str, tuple[Answer, ...]]


@dataclass(frozen=True)
class EqualityTest:
    """A permutation test of equality.

    `mmd` is the mean over prompts of the unbiased squared MMD, on a scale where an answer has
    similarity 1 with itself; `spread` its standard deviation when both are one distribution.
    """

    mmd: float
    p_value: float
    spread: float

    @property
    def detectable(self) -> float:
        """The squared MMD that four tests of five would find at the 5 % level (normal theory)."""
        normal = NormalDist()
        return (normal.inv_cdf(1 - _LEVEL) + normal.inv_cdf(_POWER)) * self.spread


@dataclass(frozen=True)
class Sampling:
    """Tests whether repeated answers come from one distribution."""

    name: str = "sampling"
    title: str = "Same distribution of answers"
    tier: Tier = "text"
    needs: frozenset[Need] = frozenset({"answers"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> Samples:
        """Return the characters of every answer to a prompt with two answers or more."""
        groups = group_by_prompt(examined.answers)
        repeated = {p: group[:MAX_SAMPLES] for p, group in groups.items() if len(group) > 1}
        return Samples(
            {p: _codes([answer.text for answer in group]) for p, group in repeated.items()},
            repeated,
        )

    def compare(self, a: Samples, b: Samples) -> Evidence:
        """Return how near B's answers come to A's, where A's own repeats are 1.

        `p_value` is of the hypothesis that both are one distribution.
        """
        prompts = tuple(sorted(set(a.codes) & set(b.codes)))
        if len(prompts) < MIN_PROMPTS:
            reason = (
                f"{len(prompts)} matched prompts have two or more answers of each; "
                f"at least {MIN_PROMPTS} are needed (probe with --samples 2 or more)"
            )
            return without_score(self, "insufficient", reason, len(prompts))
        kernels = [hamming(np.concatenate([a.codes[p], b.codes[p]])) for p in prompts]
        firsts = [len(a.codes[p]) for p in prompts]
        own_a, own_b, across = _means(kernels, firsts)
        other = _mismatched(a, b, prompts)
        within = (own_a.mean() + own_b.mean()) / 2 - other.mean()
        if within < 1e-6:
            reason = "neither subject's repeated answers are more alike than answers at random"
            return without_score(self, "insufficient", reason, len(prompts))
        per_prompt = (across - other) / within
        test = equality_test(*_in_one_order(a, b, prompts, kernels, firsts))
        return scored(
            self,
            weight="low",
            scale=(
                "similarity of answers across subjects (1 = as among repeats within each, 0 = "
                "random)"
            ),
            score=float(per_prompt.mean()),
            interval=percentile_interval(_ratios(own_a, own_b, across, other)),
            noise_floor=NoiseFloor(
                a=float((own_a - other).mean() / within),
                b=float((own_b - other).mean() / within),
                method="repeat_samples",
            ),
            matched=float(across.mean()),
            baseline=float(other.mean()),
            n=len(prompts),
            p_value=test.p_value,
            per_prompt=prompt_scores(prompts, per_prompt, a.answers),
            exhibits=_exhibits(a, b, prompts, per_prompt, own_a + own_b - 2 * across),
            caveats=_caveats(test, within),
            details=SamplingDetails(
                test="MMD, Hamming kernel, permutation within prompts",
                samples=int(sum(len(kernel) for kernel in kernels)),
                squared_mmd=round(test.mmd, 6),
                permutations=PERMUTATIONS,
                detectable_squared_mmd=round(test.detectable, 6),
                detectable_score=round(1 - test.detectable / (2 * float(within)), 6),
            ),
        )


def hamming(codes: NDArray[np.int32]) -> Floats:
    """Return the share of equal characters at equal places, shape (n, n).

    Places where both texts have ended do not count, so that short answers are not alike for being
    short; the paper counts them.

    Args:
        codes: characters, shape (n, LENGTH), padded with -1.
    """
    used = codes != _PAD
    equal = ((codes[:, None, :] == codes[None, :, :]) & used[:, None, :]).sum(axis=2)
    longer = (used[:, None, :] | used[None, :, :]).sum(axis=2)
    shares: Floats = equal / np.maximum(longer, 1)
    return shares


def equality_test(
    kernels: Sequence[Floats],
    firsts: Sequence[int],
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> EqualityTest:
    """Test whether both subjects' answers are one distribution.

    Args:
        kernels: per prompt the similarities of all answers, shape (n_a + n_b, n_a + n_b), A's
            answers first.
        firsts: per prompt n_a; n_a and n_b are at least 2.
        permutations: how many random exchanges of answers within prompts.
        seed: of the exchanges.
    """
    null = np.zeros(permutations)
    observed = 0.0
    random = np.random.default_rng(seed)
    for size, first in sorted({(len(k), f) for k, f in zip(kernels, firsts, strict=True)}):
        alike = [k for k, f in zip(kernels, firsts, strict=True) if (len(k), f) == (size, first)]
        stack = np.stack(alike)
        start = np.zeros((1, len(stack), size), dtype=bool)
        start[..., :first] = True
        observed += float(_mmd(stack, start).sum())
        # One block of permutations at a time keeps memory low.
        for block in np.array_split(np.arange(permutations), max(permutations // 200, 1)):
            exchanged = random.permuted(np.repeat(start, len(block), axis=0), axis=2)
            null[block] += _mmd(stack, exchanged).sum(axis=1)
    # Sums in another order differ in the last bits: such a tie counts against a difference.
    larger = int((null >= observed - 1e-9).sum())
    return EqualityTest(
        mmd=observed / len(kernels),
        p_value=(1 + larger) / (1 + permutations),
        spread=float(null.std() / len(kernels)),
    )


def equality_of_texts(pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> EqualityTest:
    """Test whether two subjects' answers are one distribution.

    Args:
        pairs: per prompt the answers of either, two of each at least.
    """
    kernels = [hamming(_codes([*a[:MAX_SAMPLES], *b[:MAX_SAMPLES]])) for a, b in pairs]
    return equality_test(kernels, [min(len(a), MAX_SAMPLES) for a, _ in pairs])


def _in_one_order(
    a: Samples,
    b: Samples,
    prompts: Sequence[str],
    kernels: Sequence[Floats],
    firsts: Sequence[int],
) -> tuple[Sequence[Floats], Sequence[int]]:
    """Put the same subject first whichever is called A: random exchanges then are the same too."""
    if _checksum(a, prompts) <= _checksum(b, prompts):
        return kernels, firsts
    turned = [np.roll(k, -n, axis=(0, 1)) for k, n in zip(kernels, firsts, strict=True)]
    return turned, [len(k) - n for k, n in zip(kernels, firsts, strict=True)]


def _checksum(side: Samples, prompts: Sequence[str]) -> int:
    checksum = 0
    for prompt in prompts:
        checksum = zlib.crc32(side.codes[prompt].tobytes(), checksum)
    return checksum


def _mmd(kernels: Floats, first: NDArray[np.bool_]) -> Floats:
    """Return the unbiased squared MMD (Gretton et al. 2012, equation 3).

    Args:
        kernels: shape (prompts, n, n).
        first: which answers are taken as A's, shape (permutations, prompts, n).

    Returns:
        Shape (permutations, prompts).
    """
    a = first.astype(np.float64)
    n_a = a[0, 0].sum()
    n_b = a.shape[2] - n_a
    total = kernels.sum(axis=(1, 2))
    trace = np.trace(kernels, axis1=1, axis2=2)
    to_a = np.einsum("bpi,pij->bpj", a, kernels)
    within_a = np.einsum("bpj,bpj->bp", to_a, a)
    across = to_a.sum(axis=2) - within_a
    within_b = total - within_a - 2 * across
    own_trace = np.einsum("bpi,pii->bp", a, kernels)
    mmd: Floats = (
        (within_a - own_trace) / (n_a * (n_a - 1))
        + (within_b - (trace - own_trace)) / (n_b * (n_b - 1))
        - 2 * across / (n_a * n_b)
    )
    return mmd


def _codes(texts: Sequence[str]) -> NDArray[np.int32]:
    codes = np.full((len(texts), LENGTH), _PAD, dtype=np.int32)
    for row, whole in zip(codes, texts, strict=True):
        text = whole[:LENGTH]
        row[: len(text)] = np.fromiter(map(ord, text), dtype=np.int32, count=len(text))
    return codes


def _means(kernels: Sequence[Floats], firsts: Sequence[int]) -> tuple[Floats, Floats, Floats]:
    """Return mean similarity within A, within B and across, each of shape (prompts,)."""
    rows = [
        (_off_diagonal(k[:n, :n]), _off_diagonal(k[n:, n:]), float(k[:n, n:].mean()))
        for k, n in zip(kernels, firsts, strict=True)
    ]
    within_a, within_b, across = np.array(rows).T
    return within_a, within_b, across


def _off_diagonal(kernel: Floats) -> float:
    n = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (n * (n - 1)))


def _mismatched(a: Samples, b: Samples, prompts: Sequence[str]) -> Floats:
    """Return each prompt's similarity to the other subject's answers to the next prompts around."""
    first = np.stack([a.codes[p][0] for p in prompts])
    second = np.stack([b.codes[p][0] for p in prompts])
    shifts = range(1, min(len(prompts), 6))
    # Both directions of every shift: the same when the subjects are swapped.
    paired = [_paired(first, np.roll(second, s, axis=0)) for s in shifts]
    paired += [_paired(np.roll(first, s, axis=0), second) for s in shifts]
    mean: Floats = np.mean(paired, axis=0)
    return mean


def _paired(first: NDArray[np.int32], second: NDArray[np.int32]) -> Floats:
    used = first != _PAD
    longer = (used | (second != _PAD)).sum(axis=1)
    shares: Floats = ((first == second) & used).sum(axis=1) / np.maximum(longer, 1)
    return shares


def _ratios(own_a: Floats, own_b: Floats, across: Floats, other: Floats) -> Floats:
    weights = resample_weights(len(across))
    within = weights @ ((own_a + own_b) / 2 - other)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios: Floats = np.where(within > 1e-6, weights @ (across - other) / within, np.nan)
    return ratios


def _caveats(test: EqualityTest, within: float) -> tuple[str, ...]:
    smallest = 1 - test.detectable / (2 * within)
    return (
        "A small p-value means that model, settings or host differ. It says nothing about kinship.",
        "A large p-value does not show that they are the same: on these answers a difference would "
        f"probably be noticed only if the score fell to {smallest:.3f} or below.",
    )


def _exhibits(
    a: Samples, b: Samples, prompts: Sequence[str], scores: Floats, gaps: Floats
) -> tuple[Exhibit, ...]:
    order = np.argsort(-scores, kind="stable")
    chosen = [("for", i) for i in order[:_EXHIBITS] if scores[i] > 0]
    chosen += [("against", i) for i in np.argsort(-gaps, kind="stable")[:_EXHIBITS] if gaps[i] > 0]
    return tuple(
        exhibit(
            side,
            a.answers[prompts[i]][0],
            b.answers[prompts[i]][0],
            scores[i],
            note=f"{len(a.answers[prompts[i]])} answers of A, {len(b.answers[prompts[i]])} of B",
        )
        for side, i in chosen
    )
