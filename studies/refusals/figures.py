"""Figures of held-out labels: a row for each table of answers and way of holding out.

Macro-F1, accuracy, Cohen's kappa (1960, unweighted), and precision and recall of each label. The
95 % intervals are percentiles over resampled groups: the requests or the models that were held out
together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.refusals.classifier import LABELS
from studies.refusals.labelled import Floats, Ints

RESAMPLES = 1_000
SHORT = ("comply", "evade", "refuse")

Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """Figures of one table, held out one way.

    Attributes:
        name: of the table and the way.
        n: answers.
        groups: what the interval resamples, in words.
        values: figure by name, with its 95 % interval; NaN where it is undefined.
    """

    name: str
    n: int
    groups: str
    values: dict[str, tuple[float, float, float]]


def measure(name: str, truth: Ints, found: Ints, groups: Sequence[str], of: str) -> Row:
    """Return the figures of some answers.

    Args:
        name: of the row.
        truth: ``(n,)`` labels given by people or judges, index into ``LABELS``.
        found: ``(n,)`` labels found.
        groups: ``(n,)`` what was held out together, and is resampled.
        of: what the groups are, in words.
    """
    _, index = np.unique(np.asarray(groups), return_inverse=True)
    total = int(index.max()) + 1
    confusion = np.zeros((total, len(LABELS), len(LABELS)))
    np.add.at(confusion, (index, truth, found), 1)
    draws = np.random.default_rng(0).integers(0, total, (RESAMPLES, total))
    sums = np.stack([confusion[draw].sum(axis=0) for draw in draws])
    whole, resampled = _figures(confusion.sum(axis=0)[None]), _figures(sums)
    values = {}
    for figure, value in whole.items():
        known = resampled[figure][~np.isnan(resampled[figure])]
        low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
        values[figure] = (float(value[0]), float(low), float(high))
    return Row(name, len(truth), f"{total} {of}", values)


def _figures(confusion: Counts) -> dict[str, Floats]:
    """Figures of confusions ``(k, 3, 3)``, rows true."""
    with np.errstate(invalid="ignore", divide="ignore"):
        total = confusion.sum(axis=(1, 2))
        right = np.diagonal(confusion, axis1=1, axis2=2)
        true, found = confusion.sum(axis=2), confusion.sum(axis=1)
        chance = (true * found).sum(axis=1) / total**2
        accuracy = right.sum(axis=1) / total
        harmonic = 2 * right / (true + found)
        binary = (confusion[:, 0, 0] + confusion[:, 1:, 1:].sum(axis=(1, 2))) / total
        figures = {
            # A label that nobody gave and that was not found has no F1: it is left out.
            "macro-F1": np.nanmean(np.where(true + found > 0, harmonic, np.nan), axis=1),
            "accuracy": accuracy,
            "kappa": (accuracy - chance) / (1 - chance),
            "refusal or not": binary,
        }
        for label, short in enumerate(SHORT):
            figures[f"{short} P"] = right[:, label] / found[:, label]
            figures[f"{short} R"] = right[:, label] / true[:, label]
    return figures


def table(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table, a line for each table of answers and way."""
    names = list(rows[0].values)
    lines = [
        "| held out | n | " + " | ".join(names) + " |",
        "|---" * (len(names) + 2) + "|",
    ]
    for row in rows:
        cells = [_cell(*row.values[name]) for name in names]
        lines.append(f"| {row.name} | {row.n} ({row.groups}) | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(value: float, low: float, high: float) -> str:
    if np.isnan(value):
        return "–"
    return f"{value:.3f} [{low:.3f}, {high:.3f}]".replace("0.", ".")
