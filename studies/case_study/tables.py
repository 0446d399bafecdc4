"""Cells and tables of the page: numbers as a reader takes them in at first sight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from forensics.report.markdown import prose
from forensics.support.numbers import percent
from studies.case_study.measure import Measured

_NONE = "–"
LABELS = ("one model?", "close relatives?", "learned from the other?", "independent?")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; cells must not hold a `|`."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def labels(row: Measured) -> tuple[str, ...]:
    """Return the program's four answers as cells."""
    return tuple(prose(answer.label) for answer in row.answers)


def share(row: Measured) -> str:
    """Return what both share of their manner with its 95 % interval, as a cell."""
    manner = row.manner
    if manner is None:
        return _NONE
    return f"{percent(manner.share)} ({percent(manner.low)} to {percent(manner.high)})"


def reached(row: Measured) -> str:
    """Return how many unrelated pairs share as much, as a cell."""
    unrelated = row.manner.unrelated if row.manner is not None else None
    return f"{unrelated.reached:,} of {unrelated.pairs:,}" if unrelated is not None else _NONE


def change(row: Measured) -> str:
    """Return the change against the past with its 95 % interval, as a cell."""
    if row.shift is None:
        return _NONE
    least = row.shift.least
    return f"{percent(least.change)} ({percent(least.low)} to {percent(least.high)})"


def others_less(row: Measured) -> str:
    """Return how many models without that teacher changed less, as a cell."""
    others = row.shift.others if row.shift is not None else None
    return f"{others.less} of {others.models}" if others is not None else _NONE


def others_most(row: Measured) -> str:
    """Return the largest change of a model without that teacher, as a cell."""
    others = row.shift.others if row.shift is not None else None
    return percent(others.most) if others is not None else _NONE


def between(low: float, high: float) -> str:
    """Return a range of shares, one figure where both ends round to it."""
    ends = sorted({round(100 * low), round(100 * high)})
    return " to ".join(f"{end} %" for end in ends)


def answer_counts(rows: Sequence[Measured]) -> str:
    """Return how often the program gave each answer, question by question, as a sentence."""
    said = []
    for number, question in enumerate(LABELS):
        counts = Counter(labels(row)[number] for row in rows)
        given = ", ".join(f"{label} ({count})" for label, count in counts.most_common())
        said.append(f"{question} {given}")
    return f"The program's answers to the {len(rows)} pairs: {'; '.join(said)}."


CHANGE_HEAD = (
    "known model",
    "shared manner now (95 %)",
    "change since the past (95 %)",
    "models without that teacher that changed less",
    "largest change of those",
    *LABELS,
)


def change_row(row: Measured, first: str = "") -> tuple[str, ...]:
    """Return a row under `CHANGE_HEAD`; `first` stands in place of the known model."""
    return (
        first or row.pair.known,
        share(row),
        change(row),
        others_less(row),
        others_most(row),
        *labels(row),
    )
