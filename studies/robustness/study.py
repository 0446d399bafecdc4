"""How much do error rates change when one side's answers are changed?

The questioned side of every labelled pair is treated: cut short, stripped of its layout, spliced
with the known model's own answers. Scores of the treated pairs are held against the threshold that
1 % of unrelated pairs pass untreated. A treated model is compared with, never part of a reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.calibration import (
    ResampledInterval,
    auc,
    bootstrap_over_clusters,
    operating_point,
)
from forensics.cohorts.fitting import CLOSE_KIN, Labelled
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.similarity import Flags, Floats, of_texts, pair_scores

FALSE_ALARMS = 0.01
_RESAMPLES = 300
_SPLICED_BLOCKS = 2  # times as many unrelated pairs as there are models
_LINE_MARK = re.compile(r"(?m)^[^\S\n]*(?:#{1,6}|[-*•>]|\d{1,3}[.)])[^\S\n]+")
_INLINE_MARK = re.compile(r"\*\*|__|`+|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)")
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*\s*|\n+")
_OPENING = re.compile(r"\A[^.!?:\n]{1,200}[.!?:\n]\s*")

Text = Callable[[str], str]


@dataclass(frozen=True)
class Treatment:
    """What is done to the questioned model's answers.

    `change` rewrites an answer; `spliced` is the share of prompts on which the known model's own
    answer is given instead.
    """

    name: str
    change: Text | None = None
    spliced: float = 0.0


def without_layout(text: str) -> str:
    """Return the text without headings, list marks, bold, code marks and blank lines."""
    plain = _INLINE_MARK.sub("", _LINE_MARK.sub("", text))
    return re.sub(r"\n\s*\n", "\n", plain)


def without_opening(text: str) -> str:
    """Return the text without its first sentence or line, unless nothing else is there."""
    return _OPENING.sub("", text, count=1).strip() or text


def cut(characters: int) -> Text:
    """Return a function that keeps the first `characters` of a text."""
    return lambda text: text[:characters]


def reversed_sentences(text: str) -> str:
    """Return the same sentences, last first: same words, another order."""
    return " ".join(part.strip() for part in reversed(_SENTENCE.findall(text)) if part.strip())


def framed(text: str) -> str:
    """Return the text in the dress of an eager assistant: an opening, bold labels, an offer."""
    lines = [line for line in text.split("\n") if line.strip()]
    dressed = "\n\n".join(f"- **Point {i}:** {line}" for i, line in enumerate(lines, 1))
    return (
        f"Certainly! Here is a helpful answer:\n\n{dressed}\n\nLet me know if you need more help!"
    )


TREATMENTS = (
    Treatment("as they are"),
    Treatment("layout stripped", without_layout),
    Treatment("first sentence removed", without_opening),
    Treatment("lower case, no punctuation", lambda t: re.sub(r"[^\w\s]", "", t.lower())),
    Treatment("cut to 600 characters", cut(600)),
    Treatment("cut to 200 characters", cut(200)),
    Treatment("sentences in reverse order", reversed_sentences),
    Treatment("dressed as another assistant", framed),
    Treatment("1 % of answers are the known model's", spliced=0.01),
    Treatment("5 % of answers are the known model's", spliced=0.05),
    Treatment("10 % of answers are the known model's", spliced=0.10),
    Treatment("half of the answers are the known model's", spliced=0.5),
)


@dataclass(frozen=True)
class Robustness:
    """What one treatment does, over close kin and unrelated pairs.

    `tpr` and `fpr` are shares above the untreated 1 % threshold, with intervals over clusters.
    """

    treatment: str
    kin: int
    unrelated: int
    auc: float
    tpr: float
    tpr_interval: ResampledInterval
    fpr: float
    fpr_interval: ResampledInterval


def measure(
    outputs: Outputs, labelled: Labelled, treatments: Sequence[Treatment] = TREATMENTS
) -> list[Robustness]:
    """Return what every treatment does to the pairs; the first one sets the threshold.

    Args:
        outputs: answers of many models.
        labelled: pairs among them, of which close kin and unrelated ones count; the second of
            each is treated.
        treatments: the first must leave the answers as they are.
    """
    kin = labelled.are(*CLOSE_KIN)
    used = labelled.where(kin | labelled.are("independent"))
    is_kin = used.are(*CLOSE_KIN)
    scores = [_scores(outputs, used, treatment) for treatment in treatments]
    plain = scores[0]
    known = np.isfinite(plain)
    threshold = operating_point(
        plain[known & is_kin], plain[known & ~is_kin], FALSE_ALARMS
    ).threshold
    return [
        _figures(treatment.name, score, threshold, is_kin, used.clusters)
        for treatment, score in zip(treatments, scores, strict=True)
    ]


def _figures(
    name: str, score: Floats, threshold: float, kin: Flags, clusters: NDArray[np.intp]
) -> Robustness:
    known = np.isfinite(score)
    above = score > threshold
    shares = {
        flag: (float(above[rows].mean()), _interval(above[rows], clusters[rows]))
        for flag, rows in ((True, known & kin), (False, known & ~kin))
    }
    return Robustness(
        name,
        int((known & kin).sum()),
        int((known & ~kin).sum()),
        auc(score[known & kin], score[known & ~kin]),
        *shares[True],
        *shares[False],
    )


def _interval(above: Flags, clusters: NDArray[np.intp]) -> ResampledInterval:
    def share(weights: Floats) -> float:
        total = float(weights.sum())
        return float(weights @ above) / total if total else float("nan")

    return bootstrap_over_clusters(share, clusters[:, 0], clusters[:, 1], n_resamples=_RESAMPLES)


def _scores(outputs: Outputs, labelled: Labelled, treatment: Treatment) -> Floats:
    if treatment.spliced:
        return _spliced(outputs, labelled, treatment.spliced)
    change = treatment.change or (lambda text: text)
    size = len(outputs.models)
    texts = [[*row, *(tuple(map(change, samples)) for samples in row)] for row in outputs.texts]
    pairs = labelled.pairs + np.array([0, size])
    return _among(outputs, texts, list(range(size)), pairs)


def _spliced(outputs: Outputs, labelled: Labelled, share: float) -> Floats:
    """Score pairs whose second model gives the first one's answer to a share of the prompts.

    Every pair needs a copy of its own, so only some unrelated pairs are tried; the others get NaN.
    """
    block = len(outputs.models)
    generator = np.random.default_rng(0)
    prompts = len(outputs.prompts)
    unrelated = np.flatnonzero(labelled.are("independent"))
    drawn = generator.permutation(unrelated)[: _SPLICED_BLOCKS * block]
    tried = np.sort([*np.flatnonzero(labelled.are(*CLOSE_KIN)), *drawn])
    scores = np.full(len(labelled.pairs), np.nan)
    for at in range(0, len(tried), block):
        places = tried[at : at + block]
        pairs = labelled.pairs[places]
        taken = np.stack([_drawn(generator, prompts, share) for _ in pairs])
        texts = [
            [*row, *(row[a] if taken[i, p] else row[b] for i, (a, b) in enumerate(pairs))]
            for p, row in enumerate(outputs.texts)
        ]
        copies = np.column_stack([pairs[:, 0], block + np.arange(len(pairs))])
        scores[places] = _among(outputs, texts, pairs[:, 1].tolist(), copies)
    return scores


def _drawn(generator: np.random.Generator, prompts: int, share: float) -> Flags:
    flags = np.zeros(prompts, dtype=bool)
    flags[generator.permutation(prompts)[: max(1, round(share * prompts))]] = True
    return flags


def _among(
    outputs: Outputs,
    texts: Sequence[Sequence[Sequence[str]]],
    sources: Sequence[int],
    pairs: NDArray[np.intp],
) -> Floats:
    """Score pairs of a model and a treated copy; copy `i` is of model `sources[i]`."""
    owner = np.array([*range(len(outputs.models)), *sources])
    # A copy is kin to whom its model is kin to, and in nobody's reference.
    excluded = outputs.excluded()[np.ix_(owner, owner)]
    excluded[:, len(outputs.models) :] = True
    names = [str(i) for i in range(len(owner))]
    similarities = of_texts(names, [p.sha256 for p in outputs.prompts], texts)
    return pair_scores(similarities, excluded, pairs).score
