"""Held-out labels: by request, by model, by subject, and leaving each table of answers out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.model_selection import GroupKFold

from forensics.evidence.refusals.classifier import LABELS, decide
from forensics.evidence.refusals.task_model import NAMES, TaskCoefficients
from studies.refusals import fit
from studies.refusals.figures import Row, measure
from studies.refusals.labelled import Answers, Ints
from studies.refusals.orders import HARMLESS, SPEECH, XSTEST, Orders, fit_orders

FOLDS = 5
_MARKS = [NAMES.index("marks_partial"), NAMES.index("marks_full")]


def rows(answers: Answers, orders: Orders) -> Iterator[Row]:
    """Yield the rows of the table, each as soon as it is measured.

    Args:
        answers: XSTest's, as read for the marks of a refusal.
        orders: all tables, as read for what was asked; XSTest's rows are in the order of
            ``answers``.
    """
    speech = np.flatnonzero(orders.sources == SPEECH)
    by_request = orders_held_out(orders, orders.requests, FOLDS)
    by_model = orders_held_out(orders, orders.models, FOLDS)
    countries = np.array([str(one).split("_")[0] for one in orders.requests])
    subjects = np.where(orders.sources == SPEECH, countries, orders.sources)
    by_subject = orders_held_out(orders, subjects, len(np.unique(subjects[orders.is_order])))
    for name, found, groups, of in (
        ("by request", by_request, orders.requests, "requests"),
        ("by model", by_model, orders.models, "models"),
        ("by subject (country)", by_subject, orders.requests, "requests"),
    ):
        yield _row(f"{SPEECH}, {name}", orders, speech, found, groups, of)
    for language in ("en", "zh", "fi"):
        some = speech[orders.languages[speech] == language]
        name = f"{SPEECH} in {language}, by request"
        yield _row(name, orders, some, by_request, orders.requests, "requests")
    xstest = np.flatnonzero(orders.sources == XSTEST)
    for name, held, ours, folds, of in (
        ("by prompt", answers.prompts, by_request, 10, "requests"),
        ("leaving a model out", answers.models, by_model, 5, "models"),
    ):
        found = fit.held_out(answers, held, folds, fit.ENGLISH)
        merged = ours.copy()
        merged[xstest] = np.where(orders.is_order[xstest], ours[xstest], found)
        resampled = orders.requests if of == "requests" else orders.models
        yield _row(f"{XSTEST}, {name}", orders, xstest, merged, resampled, of)
    yield from leaving_a_table_out(orders, by_request)


def leaving_a_table_out(orders: Orders, within: Ints) -> Iterator[Row]:
    """Yield figures of each table by coefficients that saw nothing of it.

    Args:
        orders: all tables.
        within: labels found by request, with all tables.
    """
    speech = np.flatnonzero(orders.sources == SPEECH)
    marks = marks_alone(orders)
    yield _row(
        f"{SPEECH}, fitted without it: the marks of a refusal alone",
        orders,
        speech,
        marks,
        orders.requests,
        "requests",
    )
    others = np.flatnonzero(orders.sources != XSTEST)
    xstest = np.flatnonzero(orders.sources == XSTEST)
    name = f"{XSTEST}, fitted without it: what was asked, put to questions"
    found = predict(fit_orders(orders, others), orders, xstest)
    yield _row(name, orders, xstest, found, orders.requests, "requests")
    harmless = np.flatnonzero((orders.sources == HARMLESS) & orders.is_order)
    yield _row(f"{HARMLESS}, by request", orders, harmless, within, orders.requests, "requests")
    others = np.flatnonzero(orders.sources != HARMLESS)
    found = predict(fit_orders(orders, others), orders, harmless)
    name = f"{HARMLESS}, fitted without it"
    yield _row(name, orders, harmless, found, orders.requests, "requests")


def orders_held_out(orders: Orders, groups: np.ndarray, folds: int) -> Ints:
    """Labels ``(n,)`` of answers to orders, each by a fit that saw nothing of its group."""
    found = marks_alone(orders)
    every = np.flatnonzero(orders.is_order)
    for train, test in GroupKFold(folds).split(every, groups=groups[every]):
        coefficients = fit_orders(orders, every[train])
        found[every[test]] = predict(coefficients, orders, every[test])[every[test]]
    return found


def marks_alone(orders: Orders) -> Ints:
    """Labels ``(n,)`` by the marks of a refusal, as shipped: they never saw the speechmap table."""
    # Log odds against compliance; the least probability that they hold back is too small to matter.
    odds = np.exp(orders.values[:, _MARKS])
    chances = np.column_stack([np.ones(len(odds)), odds])
    return np.array([LABELS.index(decide(row)) for row in chances], dtype=np.int64)


def predict(coefficients: TaskCoefficients, orders: Orders, rows: Ints) -> Ints:
    """Labels ``(n,)``, filled in at some rows."""
    found = np.zeros(len(orders.labels), dtype=np.int64)
    for row in rows:
        chances = coefficients.probabilities(orders.values[row].tolist(), orders.grams[row])
        found[row] = LABELS.index(decide(chances))
    return found


def _row(
    name: str, orders: Orders, rows: Ints, found: Ints, groups: Sequence[str] | np.ndarray, of: str
) -> Row:
    some = [str(group) for group in np.asarray(groups)[rows]]
    return measure(name, orders.labels[rows], found[rows], some, of)
