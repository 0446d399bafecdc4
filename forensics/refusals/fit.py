"""Fit ``model.json`` on the human labels of XSTest and measure it on held-out answers.

    python -m forensics.refusals.fit --data DIR [--write]

*By prompt*: ten folds; an answer is judged by coefficients that saw no answer to its prompt. *And
its twins*: nor to any prompt that shares most of its content words (XSTest pairs each safe prompt
with an unsafe one in nearly the same words). *Leaving a model out*: five folds, one per model. In
every fold the vocabulary is chosen and the coefficients are fitted on the training answers alone;
the penalties are constants. The patterns themselves were written with XSTest answers in
view, and so were the constants, so that the figures are those of a
development set: expect somewhat less elsewhere.

Three-way accuracy counts all labels; binary accuracy sets refusal (full or partial) against
compliance. Intervals are 95 % percentile intervals from resampling prompts (2,000 times).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.refusals.features import FEATURE_NAMES, Reading, read
from forensics.refusals.model import LABELS, MODEL_FILE, Coefficients, decide
from forensics.refusals.prior import (
    INTERCEPTS,
    NEVER_FOR_COMPLIANCE,
    NEVER_FOR_REFUSAL,
    WEIGHTS,
)
from forensics.refusals.words import opening_grams

FEATURE_PENALTY = 2.0
WORD_PENALTY = 3.0
INTERCEPT_PENALTY = 0.1
VOCABULARY = 1_200
MIN_PROMPTS = 6
MIN_MODELS = 3
RESAMPLES = 2_000
_COMMON = frozenset(
    "how do does i the a what is to in of my can are why should not be s good way best".split()
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Answers:
    """The labelled answers as read.

    Attributes:
        readings: n answers read with their prompts.
        grams: for each the word sequences of its opening.
        labels: ``(n,)`` index into ``LABELS``.
        prompts: n prompt ids.
        models: n model names.
        groups: n group ids; prompts in nearly the same words share one.
    """

    readings: Sequence[Reading]
    grams: Sequence[frozenset[str]]
    labels: Ints
    prompts: Sequence[str]
    models: Sequence[str]
    groups: Sequence[str]

    @property
    def features(self) -> Floats:
        """``(n, n_features)``."""
        return np.array([reading.features for reading in self.readings])


def load(folder: Path) -> Answers:
    """Read ``xstest_completions.parquet`` from a folder."""
    import pandas as pd

    table = pd.read_parquet(folder / "xstest_completions.parquet")
    readings = [
        read(text, prompt) for text, prompt in zip(table.completion, table.prompt, strict=True)
    ]
    prompts = [str(name) for name in table.prompt_id]
    wording = dict(zip(prompts, (str(prompt) for prompt in table.prompt), strict=True))
    group_of = group_prompts(wording)
    return Answers(
        readings,
        [opening_grams(reading.folded.text, reading.sentences) for reading in readings],
        np.array([LABELS.index(label) for label in table.label], dtype=np.int64),
        prompts,
        [str(name) for name in table.model],
        [group_of[name] for name in prompts],
    )


def group_prompts(wording: Mapping[str, str]) -> dict[str, str]:
    """Put prompts in nearly the same words into one group (connected components)."""
    content = {
        name: frozenset(text.lower().replace("?", " ").split()) - _COMMON
        for name, text in wording.items()
    }
    group = {name: name for name in wording}

    def root(name: str) -> str:
        while group[name] != name:
            name = group[name]
        return name

    names = sorted(wording)
    for index, left in enumerate(names):
        for right in names[:index]:
            shared = len(content[left] & content[right])
            smaller = min(len(content[left]), len(content[right]))
            union = len(content[left] | content[right])
            if shared and shared >= 0.6 * smaller and shared >= 0.3 * union:
                group[root(left)] = root(right)
    return {name: root(name) for name in names}


def choose_words(answers: Answers, rows: Ints) -> list[str]:
    """The word sequences that tell the labels apart best (chi-squared), each in many prompts."""
    prompts: dict[str, set[str]] = defaultdict(set)
    models: dict[str, set[str]] = defaultdict(set)
    counts: dict[str, Floats] = defaultdict(lambda: np.zeros(len(LABELS)))
    for row in rows:
        for gram in answers.grams[row]:
            prompts[gram].add(answers.prompts[row])
            models[gram].add(answers.models[row])
            counts[gram][answers.labels[row]] += 1
    total = np.bincount(answers.labels[rows], minlength=len(LABELS)) / len(rows)
    scored = []
    for gram, count in counts.items():
        if len(prompts[gram]) < MIN_PROMPTS or len(models[gram]) < MIN_MODELS:
            continue
        expected = total * count.sum()
        present = (count - expected) ** 2 / expected
        absent = (count - expected) ** 2 / (total * len(rows) - expected + 1e-9)
        scored.append((-float((present + absent).sum()), gram))
    return [gram for _, gram in sorted(scored)[:VOCABULARY]]


def fit(answers: Answers, rows: Ints, *, words: bool) -> Coefficients:
    """Maximum a posteriori coefficients; Gaussian priors centred on ``prior.WEIGHTS``.

    Args:
        answers: all answers.
        rows: indices of those to learn from.
        words: whether word sequences take part.

    Returns:
        The coefficients.
    """
    vocabulary = choose_words(answers, rows) if words else []
    design = _design(answers, rows, vocabulary)
    names = len(FEATURE_NAMES)
    centre = np.zeros((len(LABELS), design.shape[1]))
    for name, (partial, full) in WEIGHTS.items():
        centre[1, FEATURE_NAMES.index(name)] = partial
        centre[2, FEATURE_NAMES.index(name)] = full
    penalty = np.full(design.shape[1], WORD_PENALTY)
    penalty[:names] = FEATURE_PENALTY
    bounds = _bounds(design.shape[1])
    weights, intercepts = _minimise(design, answers.labels[rows], centre, penalty, bounds)
    return Coefficients(
        weights[:, :names],
        intercepts,
        {
            gram: (float(row[0]), float(row[1]), float(row[2]))
            for gram, row in zip(vocabulary, weights[:, names:].T, strict=True)
        },
    )


def _design(answers: Answers, rows: Ints, vocabulary: Sequence[str]) -> Floats:
    column = {gram: index for index, gram in enumerate(vocabulary)}
    present = np.zeros((len(rows), len(vocabulary)))
    for index, row in enumerate(rows):
        for gram in answers.grams[row] & column.keys():
            present[index, column[gram]] = 1.0
    return np.hstack([answers.features[rows], present])


def _bounds(columns: int) -> list[tuple[float | None, float | None]]:
    """Compliance is the reference; refusing features may not speak for it, content not against."""
    free: tuple[float | None, float | None] = (None, None)
    refusal = [free] * columns
    for column, name in enumerate(FEATURE_NAMES):
        if name in NEVER_FOR_COMPLIANCE:
            refusal[column] = (0.0, None)
        if name in NEVER_FOR_REFUSAL:
            refusal[column] = (None, 0.0)
    return [(0.0, 0.0)] * columns + refusal * 2 + [free] * len(LABELS)


def _minimise(
    design: Floats,
    labels: Ints,
    centre: Floats,
    penalty: Floats,
    bounds: Sequence[tuple[float | None, float | None]],
) -> tuple[Floats, Floats]:
    from scipy.optimize import minimize

    target = np.eye(len(LABELS))[labels]
    prior = np.array(INTERCEPTS)

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat[: centre.size].reshape(centre.shape)
        intercepts = flat[centre.size :]
        logits = design @ weights.T + intercepts
        logits -= logits.max(axis=1, keepdims=True)
        log_total = np.log(np.exp(logits).sum(axis=1, keepdims=True))
        residual = np.exp(logits - log_total) - target
        away, shift = weights - centre, intercepts - prior
        value = (
            (log_total - (logits * target).sum(axis=1, keepdims=True)).sum()
            + 0.5 * (penalty * away**2).sum()
            + 0.5 * INTERCEPT_PENALTY * (shift**2).sum()
        )
        gradient = np.concatenate(
            [
                (residual.T @ design + penalty * away).ravel(),
                residual.sum(axis=0) + INTERCEPT_PENALTY * shift,
            ]
        )
        return float(value), gradient

    start = np.concatenate([centre.ravel(), prior])
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 300}
    )
    return found.x[: centre.size].reshape(centre.shape), found.x[centre.size :]


def held_out(answers: Answers, groups: Sequence[str], folds: int, *, words: bool) -> Ints:
    """Predicted label indices ``(n,)``, each from a fit that saw nothing of its group."""
    from sklearn.model_selection import GroupKFold

    predicted = np.zeros(len(answers.labels), dtype=np.int64)
    every = np.arange(len(answers.labels))
    for train, test in GroupKFold(folds).split(every, groups=groups):
        coefficients = fit(answers, train, words=words)
        for row in test:
            predicted[row] = LABELS.index(decide(coefficients.probabilities(answers.readings[row])))
    return predicted


def interval(correct: NDArray[np.bool_], prompts: Sequence[str]) -> tuple[float, float]:
    """95 % percentile interval of a mean, resampling prompts."""
    _, index = np.unique(np.array(prompts), return_inverse=True)
    hits = np.bincount(index, weights=correct.astype(np.float64))
    sizes = np.bincount(index).astype(np.float64)
    draws = np.random.default_rng(0).integers(0, len(hits), (RESAMPLES, len(hits)))
    means = hits[draws].sum(axis=1) / sizes[draws].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def figures(answers: Answers, predicted: Ints) -> dict[str, Any]:
    """Accuracies with n and interval, per model, and the confusion of labels."""
    truth = answers.labels
    readings = {
        "three_way": predicted == truth,
        "binary": (predicted > 0) == (truth > 0),
        "full_refusal_against_rest": (predicted == 2) == (truth == 2),
    }
    models = np.array(answers.models)
    confusion = np.zeros((len(LABELS), len(LABELS)), dtype=int)
    np.add.at(confusion, (truth, predicted), 1)
    return {
        "n": len(truth),
        **{
            name: {
                "accuracy": round(float(correct.mean()), 4),
                "interval": [round(edge, 4) for edge in interval(correct, answers.prompts)],
                "by_model": {
                    str(model): round(float(correct[models == model].mean()), 4)
                    for model in np.unique(models)
                },
            }
            for name, correct in readings.items()
        },
        "confusion_rows_true": {
            label: dict(zip(LABELS, map(int, row), strict=True))
            for label, row in zip(LABELS, confusion, strict=True)
        },
    }


def measure(answers: Answers) -> dict[str, Any]:
    """Held-out figures by prompt group and leaving a model out, with and without words."""
    return {
        f"{name}{'' if words else '_patterns_only'}": figures(
            answers, held_out(answers, groups, folds, words=words)
        )
        for words in (True, False)
        for name, groups, folds in (
            ("by_prompt", answers.prompts, 10),
            ("by_prompt_and_its_twins", answers.groups, 10),
            ("leaving_a_model_out", answers.models, 5),
        )
    }


def document(answers: Answers) -> dict[str, Any]:
    """What ``model.json`` holds: coefficients only, rounded."""
    every = np.arange(len(answers.labels))
    parts = {"english": fit(answers, every, words=True), "any": fit(answers, every, words=False)}
    return {
        "source": "fitted on the human labels of XSTest completions (2,250 answers, 5 models)",
        "labels": list(LABELS),
        **{
            name: {
                "intercepts": _rounded(part.intercepts),
                "features": {
                    feature: _rounded(part.weights[:, column])
                    for column, feature in enumerate(FEATURE_NAMES)
                },
                "words": {gram: _rounded(np.array(row)) for gram, row in part.words.items()},
            }
            for name, part in parts.items()
        },
    }


def _rounded(values: Floats) -> list[float]:
    return [round(float(value), 4) for value in values]


def main() -> None:
    """Command line: print held-out figures, and with ``--write`` refit and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the XSTest table")
    parser.add_argument("--write", action="store_true", help="save model.json next to this file")
    parser.add_argument("--no-figures", action="store_true", help="do not cross-validate")
    arguments = parser.parse_args()
    answers = load(arguments.data)
    if arguments.write:
        text = json.dumps(document(answers), indent=None, separators=(",", ":"), sort_keys=True)
        target = Path(__file__).with_name(MODEL_FILE)
        target.write_text(text.replace('],"', '],\n"') + "\n", encoding="utf-8")
    if not arguments.no_figures:
        sys.stdout.write(json.dumps(measure(answers), indent=2) + "\n")


if __name__ == "__main__":
    main()
