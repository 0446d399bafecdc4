"""Fit the refusal classifier, ``model.json`` and ``task.json``, and measure it on held-out answers.

    python -m studies.refusals.fit --data DIR [--write] [--no-figures] [--nested]

prints a table: macro-F1, accuracy, Cohen's kappa and each label's precision and recall, held out by
request, by model and by subject, and with each table of answers left out.

``model.json``, the marks of a refusal, is fitted here on the human labels of XSTest. *By prompt*:
ten folds; an answer is judged by coefficients that saw no answer to its prompt. *Leaving a model
out*: five folds, one per model. In every fold the vocabulary is found and the coefficients are
fitted on the training answers alone. ``--nested`` prints other figures, of XSTest only: also held
out with its *twins* (XSTest pairs each safe prompt with an unsafe one in nearly the same words),
and with the constants chosen in every training set among ``CHOICES``, by how well each training
model is judged from the others. The patterns were written with XSTest answers in view, so that the
figures are those of a development set: expect somewhat less elsewhere.

``task.json``, whether an answer does what was asked, is fitted in ``orders``.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize
from sklearn.model_selection import GroupKFold

from forensics.evidence.refusals import classifier as shipped_model
from forensics.evidence.refusals.classifier import LABELS, MODEL_FILE, Coefficients, decide, fitted
from forensics.evidence.refusals.features import FEATURE_NAMES
from forensics.evidence.refusals.task_model import TASK_FILE
from studies.refusals.labelled import Answers, Floats, Ints, load
from studies.refusals.prior import INTERCEPTS, NEVER_FOR_COMPLIANCE, NEVER_FOR_REFUSAL, WEIGHTS

INTERCEPT_PENALTY = 0.1
MIN_ANSWERS = 8
RESAMPLES = 2_000

SparseArray = sparse.csr_array[np.float64]


@dataclass(frozen=True)
class Pull:
    """How strongly coefficients are held to common sense.

    Attributes:
        features: penalty on a feature's squared distance from its prior.
        share: of ``prior.WEIGHTS`` that is the prior.
        words: penalty on a word sequence's squared weight; None: patterns only.
    """

    features: float
    share: float
    words: float | None = None


PATTERNS = Pull(features=2.0, share=1.0)
CHOICES = tuple(
    Pull(features, share, words=0.1) for share in (0.25, 0.5, 1.0) for features in (5.0, 10.0)
)
ENGLISH = Pull(features=10.0, share=0.5, words=0.1)  # the usual choice of ``choose``


def count_words(answers: Answers, rows: Ints) -> dict[str, float]:
    """Inverse document frequency of every word sequence that many answers begin with."""
    # The model does not read words where no pattern matches, so they are not learnt there.
    heard = [answers.grams[row] for row in rows if answers.readings[row].hits]
    counts = Counter(gram for grams in heard for gram in grams)
    return {
        gram: 1.0 + math.log((1 + len(rows)) / (1 + count))
        for gram, count in sorted(counts.items())
        if count >= MIN_ANSWERS
    }


def fit(answers: Answers, rows: Ints, pull: Pull) -> Coefficients:
    """Maximum a posteriori coefficients; Gaussian priors centred on a share of ``prior.WEIGHTS``.

    Args:
        answers: all answers.
        rows: indices of those to learn from.
        pull: how strongly; word sequences take part where it says how.

    Returns:
        The coefficients.
    """
    rarity = count_words(answers, rows) if pull.words else {}
    names, columns = len(FEATURE_NAMES), len(FEATURE_NAMES) + len(rarity)
    design = sparse.csr_array(answers.features[rows])
    if rarity:
        design = sparse.hstack([design, _word_columns(answers, rows, rarity)]).tocsr()
    centre = np.zeros((len(LABELS), columns))
    for name, odds in WEIGHTS.items():
        centre[1:, FEATURE_NAMES.index(name)] = pull.share * np.array(odds)
    penalty = np.full(columns, pull.words or 0.0)
    penalty[:names] = pull.features
    weights, intercepts = _minimise(design, answers.labels[rows], centre, penalty, _bounds(columns))
    against = weights[1:, names:] - weights[0, names:]
    return Coefficients(
        weights[:, :names],
        intercepts,
        {
            gram: (rare, rare * float(partial), rare * float(full))
            for (gram, rare), (partial, full) in zip(rarity.items(), against.T, strict=True)
        },
    )


def _word_columns(answers: Answers, rows: Ints, rarity: Mapping[str, float]) -> SparseArray:
    """``(len(rows), len(rarity))``: of each answer the unit vector of its sequences' rarities."""
    column = {gram: index for index, gram in enumerate(rarity)}
    ends, indices, values = [0], list[int](), list[float]()
    for row in rows:
        known = answers.grams[row] & column.keys() if answers.readings[row].hits else ()
        length = math.sqrt(math.fsum(rarity[gram] ** 2 for gram in known))
        indices.extend(column[gram] for gram in known)
        values.extend(rarity[gram] / length for gram in known)
        ends.append(len(indices))
    return sparse.csr_array((values, indices, ends), shape=(len(rows), len(column)))


def _bounds(columns: int) -> list[tuple[float | None, float | None]]:
    """Of features compliance is the reference; they may not speak against common sense."""
    free: tuple[float | None, float | None] = (None, None)
    refusal = [free] * columns
    for column, name in enumerate(FEATURE_NAMES):
        if name in NEVER_FOR_COMPLIANCE:
            refusal[column] = (0.0, None)
        if name in NEVER_FOR_REFUSAL:
            refusal[column] = (None, 0.0)
    names = len(FEATURE_NAMES)
    reference = [(0.0, 0.0)] * names + [free] * (columns - names)
    return reference + refusal * 2 + [free] * len(LABELS)


def _minimise(
    design: SparseArray,
    labels: Ints,
    centre: Floats,
    penalty: Floats,
    bounds: Sequence[tuple[float | None, float | None]],
) -> tuple[Floats, Floats]:
    target = np.eye(len(LABELS))[labels]
    prior = np.array(INTERCEPTS)
    transposed = design.T.tocsr()

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
                ((transposed @ residual).T + penalty * away).ravel(),
                residual.sum(axis=0) + INTERCEPT_PENALTY * shift,
            ]
        )
        return float(value), gradient

    start = np.concatenate([centre.ravel(), prior])
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 300}
    )
    return found.x[: centre.size].reshape(centre.shape), found.x[centre.size :]


def choose(answers: Answers, rows: Ints) -> Pull:
    """Of ``CHOICES`` the one that judges each model best by the other models (log loss)."""
    models = np.array(answers.models)[rows]
    losses = []
    for pull in CHOICES:
        chances = np.zeros(len(rows))
        for model in np.unique(models):
            other = models == model
            coefficients = fit(answers, rows[~other], pull)
            for index in np.flatnonzero(other):
                row = rows[index]
                judged = coefficients.probabilities(answers.readings[row])
                chances[index] = judged[answers.labels[row]]
        losses.append(-float(np.log(chances + 1e-9).mean()))
    return CHOICES[int(np.argmin(losses))]


def held_out(answers: Answers, groups: Sequence[str], folds: int, pull: Pull | None) -> Ints:
    """Predicted label indices ``(n,)``, each from a fit that saw nothing of its group.

    Args:
        answers: all answers.
        groups: of each answer the group which it is held out with.
        folds: number of folds.
        pull: the constants; None: chosen anew inside every training set (minutes).

    Returns:
        The predictions.
    """
    predicted = np.zeros(len(answers.labels), dtype=np.int64)
    every = np.arange(len(answers.labels))
    for train, test in GroupKFold(folds).split(every, groups=groups):
        coefficients = fit(answers, train, pull or choose(answers, train))
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


def measure(answers: Answers, pulls: Mapping[str, Pull | None]) -> dict[str, Any]:
    """Held-out figures by prompt, by prompt group and leaving a model out, for each setting."""
    return {
        f"{name}{setting}": figures(answers, held_out(answers, groups, folds, pull))
        for setting, pull in pulls.items()
        for name, groups, folds in (
            ("by_prompt", answers.prompts, 10),
            ("by_prompt_and_its_twins", answers.groups, 10),
            ("leaving_a_model_out", answers.models, 5),
        )
    }


def document(answers: Answers) -> dict[str, Any]:
    """What ``model.json`` holds: coefficients only, rounded."""
    every = np.arange(len(answers.labels))
    parts = {"english": fit(answers, every, ENGLISH), "any": fit(answers, every, PATTERNS)}
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
                "words": {
                    gram: [round(rarity, 2), round(partial, 1), round(full, 1)]
                    for gram, (rarity, partial, full) in part.words.items()
                },
            }
            for name, part in parts.items()
        },
    }


def _rounded(values: Floats) -> list[float]:
    return [round(float(value), 4) for value in values]


def main() -> None:
    """Command line: print held-out figures, and with ``--write`` refit and save."""
    from studies.refusals.figures import table
    from studies.refusals.held_out import rows
    from studies.refusals.orders import load_orders, task_document

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the tables")
    parser.add_argument("--write", action="store_true", help="save both fits in the package")
    parser.add_argument("--no-figures", action="store_true", help="do not cross-validate")
    parser.add_argument("--nested", action="store_true", help="choose XSTest's constants in folds")
    arguments = parser.parse_args()
    answers = load(arguments.data)
    if arguments.nested:
        sys.stdout.write(json.dumps(measure(answers, {"_chosen_inside": None}), indent=2) + "\n")
        return
    if arguments.write:
        _write(MODEL_FILE, document(answers))
        fitted.cache_clear()
    orders = load_orders(arguments.data)
    if arguments.write:
        _write(TASK_FILE, task_document(orders))
    if not arguments.no_figures:
        sys.stdout.write(table(list(rows(answers, orders))))


def _write(name: str, coefficients: Mapping[str, Any]) -> None:
    text = json.dumps(
        coefficients, ensure_ascii=False, separators=(",", ":"), sort_keys=True
    ).replace('],"', '],\n"')
    target = Path(shipped_model.__file__).with_name(name)
    target.write_text(text + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
