"""Fit on answers to orders: a text was asked for, and the answer is it, or evades, or refuses.

Three tables together: the labelled answers of ``refusals_speechmap_train.parquet``, those of
XSTest to orders, and 3,000 of AlpacaEval's, taken for compliance (some 1 % of them refuse).
Reasoning is taken out first. The vocabulary is found in the training answers alone: a sequence has
to stand in answers of several models to several requests.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from forensics.evidence.refusals.classifier import LABELS, judge_marks
from forensics.evidence.refusals.features import read
from forensics.evidence.refusals.task import read_request
from forensics.evidence.refusals.task_model import CLIP, NAMES, TaskCoefficients, dense
from forensics.evidence.refusals.task_words import asked_words, task_grams
from forensics.transcripts.thinking import split_reasoning
from studies.refusals.labelled import Floats, Ints

if TYPE_CHECKING:
    import pandas as pd

SPEECH, XSTEST, HARMLESS = "speechmap", "xstest", "alpaca_eval"
N_HARMLESS = 3_000
# Missing an evasion costs more than suspecting one: the classes are far from balanced.
CLASS_WEIGHTS = (1.0, 7.0, 7.0)
# At full weight they hide evasions of subjects that were never seen.
HARMLESS_WEIGHT = 0.3
PENALTY = 2.0
DENSE_SCALE = 0.2
LEAST_SPREAD = 0.05
MIN_ANSWERS, MIN_REQUESTS, MIN_MODELS = 55, 12, 6
ITERATIONS = 60

SparseArray = sparse.csr_array


@dataclass(frozen=True)
class Orders:
    """Labelled answers as read.

    Attributes:
        values: ``(n, len(NAMES))``, of ``task_model.dense``.
        grams: of each answer its word sequences by place.
        labels: ``(n,)`` index into ``LABELS``.
        is_order: ``(n,)`` whether the request is an order; only those are learnt from.
        sources: ``(n,)`` the table it comes from.
        requests: ``(n,)`` the request, one for all its languages.
        models: ``(n,)`` the model.
        languages: ``(n,)`` ``zh``, ``fi`` or ``en``.
    """

    values: Floats
    grams: Sequence[tuple[frozenset[str], ...]]
    labels: Ints
    is_order: np.ndarray
    sources: np.ndarray
    requests: np.ndarray
    models: np.ndarray
    languages: np.ndarray


def load_orders(folder: Path) -> Orders:
    """Read the three tables from a folder."""
    rows = [*_speechmap(folder), *_xstest(folder), *_harmless(folder)]
    values, grams = [], []
    for row in rows:
        answer = split_reasoning(row.output)[0]
        reading = read(answer, row.prompt)
        request = read_request(row.prompt)
        values.append(dense(reading, len(answer), request, judge_marks(reading)))
        grams.append(task_grams(reading.folded.text, asked_words(row.prompt)))
    return Orders(
        np.array(values),
        grams,
        np.array([LABELS.index(row.label) for row in rows], dtype=np.int64),
        np.array([read_request(row.prompt).is_order for row in rows]),
        np.array([row.source for row in rows]),
        np.array([f"{row.source}/{row.request}" for row in rows]),
        np.array([f"{row.source}/{row.model}" for row in rows]),
        np.array([_language(row.prompt) for row in rows]),
    )


@dataclass(frozen=True)
class _Row:
    source: str
    model: str
    request: str
    prompt: str
    output: str
    label: str


def _speechmap(folder: Path) -> list[_Row]:
    import pandas as pd

    table = pd.read_parquet(folder / "refusals_speechmap_train.parquet")
    return _rows(SPEECH, table[["model", "question", "prompt", "output", "label"]])


def _xstest(folder: Path) -> list[_Row]:
    import pandas as pd

    table = pd.read_parquet(folder / "xstest_completions.parquet")
    return _rows(XSTEST, table[["model", "prompt_id", "prompt", "completion", "label"]])


def _harmless(folder: Path) -> list[_Row]:
    import pandas as pd

    table = pd.read_parquet(folder / "alpaca_eval_outputs.parquet")
    is_order = {prompt: read_request(prompt).is_order for prompt in table.prompt.unique()}
    table = table[(table.output.str.strip() != "") & table.prompt.map(is_order)]
    table = table.sample(N_HARMLESS, random_state=1)
    table = table.assign(label=LABELS[0])
    return _rows(HARMLESS, table[["model", "prompt_id", "prompt", "output", "label"]])


def _rows(source: str, table: pd.DataFrame) -> list[_Row]:
    return [_Row(source, *map(str, row)) for row in table.itertuples(index=False)]


def _language(prompt: str) -> str:
    if any("\u3400" <= letter <= "\u9fff" for letter in prompt):
        return "zh"
    from forensics.evidence.refusals.lexicons import languages_of
    from forensics.evidence.refusals.normalise import fold

    return "fi" if "ä" in prompt or languages_of(fold(prompt).text)[0] == "fi" else "en"


def fit_orders(orders: Orders, rows: Ints) -> TaskCoefficients:
    """Maximum a posteriori coefficients; Gaussian priors at zero, features standardised.

    Args:
        orders: all answers.
        rows: indices of those to learn from; answers to questions among them are left out.

    Returns:
        The coefficients, compliance being the reference.
    """
    rows = rows[orders.is_order[rows]]
    rarity = find_words(orders, rows)
    centre = orders.values[rows].mean(axis=0)
    spread = np.maximum(orders.values[rows].std(axis=0), LEAST_SPREAD)
    standard = np.clip((orders.values[rows] - centre) / spread, -CLIP, CLIP)
    words = _word_columns(orders, rows, rarity)
    design = sparse.hstack([sparse.csr_array(DENSE_SCALE * standard), words]).tocsr()
    weight = np.array(CLASS_WEIGHTS)[orders.labels[rows]]
    weight = weight * np.where(orders.sources[rows] == HARMLESS, HARMLESS_WEIGHT, 1.0)
    weights, intercepts = _minimise(design, orders.labels[rows], weight)
    against = weights[:, 1:] - weights[:, :1]
    return TaskCoefficients(
        centre,
        spread,
        DENSE_SCALE * against[: len(NAMES)].T,
        intercepts[1:] - intercepts[0],
        {
            gram: (rare, float(partial), float(full))
            for (gram, rare), (partial, full) in zip(
                rarity.items(), against[len(NAMES) :], strict=True
            )
        },
    )


def find_words(orders: Orders, rows: Ints) -> dict[str, float]:
    """Inverse document frequency of every sequence that is no single model's or request's."""
    counts = Counter(gram for row in rows for grams in orders.grams[row] for gram in grams)
    frequent = {gram for gram, count in counts.items() if count >= MIN_ANSWERS}
    requests: dict[str, set[str]] = defaultdict(set)
    models: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for grams in orders.grams[row]:
            for gram in grams & frequent:
                requests[gram].add(str(orders.requests[row]))
                models[gram].add(str(orders.models[row]))
    return {
        gram: 1.0 + math.log((1 + len(rows)) / (1 + counts[gram]))
        for gram in sorted(frequent)
        if len(requests[gram]) >= MIN_REQUESTS and len(models[gram]) >= MIN_MODELS
    }


def _word_columns(orders: Orders, rows: Ints, rarity: Mapping[str, float]) -> SparseArray:
    """``(len(rows), len(rarity))``: of each place of an answer the unit vector of rarities."""
    column = {gram: index for index, gram in enumerate(rarity)}
    ends, indices, values = [0], list[int](), list[float]()
    for row in rows:
        for grams in orders.grams[row]:
            known = sorted(grams & column.keys())
            length = math.sqrt(math.fsum(rarity[gram] ** 2 for gram in known))
            indices.extend(column[gram] for gram in known)
            values.extend(rarity[gram] / length for gram in known)
        ends.append(len(indices))
    return sparse.csr_array((values, indices, ends), shape=(len(rows), len(column)))


def _minimise(design: SparseArray, labels: Ints, weight: Floats) -> tuple[Floats, Floats]:
    """Minimise the weighted log loss plus ``PENALTY / 2`` times the squared weights."""
    target = np.eye(len(LABELS))[labels]
    transposed = design.T.tocsr()
    shape = (design.shape[1], len(LABELS))
    size = shape[0] * shape[1]

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat[:size].reshape(shape)
        logits = design @ weights + flat[size:]
        logits -= logits.max(axis=1, keepdims=True)
        powers = np.exp(logits)
        total = powers.sum(axis=1, keepdims=True)
        fault = weight @ (np.log(total[:, 0]) - (target * logits).sum(axis=1))
        residual = weight[:, None] * (powers / total - target)
        slope = transposed @ residual + PENALTY * weights
        value = float(fault) + PENALTY / 2 * float((weights**2).sum())
        return value, np.concatenate([slope.ravel(), residual.sum(axis=0)])

    start = np.zeros(size + len(LABELS))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS})
    return found.x[:size].reshape(shape), found.x[size:]


def task_document(orders: Orders) -> dict[str, object]:
    """Return what ``task.json`` holds: coefficients only, rounded."""
    found = fit_orders(orders, np.arange(len(orders.labels)))
    rows = np.column_stack([found.centre, found.spread, found.weights.T])
    return {
        "source": "fitted on labelled answers to orders: speechmap, XSTest and AlpacaEval",
        "labels": list(LABELS),
        "intercepts": [round(float(value), 4) for value in found.intercepts],
        "features": {
            name: [round(float(value), 4) for value in row]
            for name, row in zip(NAMES, rows, strict=True)
        },
        "words": {
            gram: [round(rarity, 2), round(partial, 2), round(full, 2)]
            for gram, (rarity, partial, full) in found.words.items()
        },
    }
