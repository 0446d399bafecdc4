"""A model's readings less what its base, or other models, say of the same answers.

The coefficient of a prompt is fitted on other prompts, of values less their prompt's mean and
without a constant. No label of served or withheld enters it, so it is the same however the answers
are dealt, and what is left stays exchangeable.

Where later prompts hang on which answer was served before (turns of a conversation), and wherever
one watches, the coefficient is fitted on the prompts before it only: a bet may use the past alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forensics.evidence.exposure.arrangements import Floats, Unit

FOLDS = 10
FEWEST = 4  # prompts that a coefficient is fitted on
_RIDGE = 1e-6


def residual(of: Sequence[Unit], others: Sequence[Sequence[Unit]]) -> tuple[Unit, ...]:
    """Return units with what `others` explain taken off.

    Args:
        of: the model's n units.
        others: for each other model its n units, same prompts and answers.

    Returns:
        n units; unchanged where there is no other model or there are fewer than four prompts.
    """
    if not others or len(of) < FEWEST:
        return tuple(of)
    folds = min(FOLDS, len(of))
    target = [_centred(unit) for unit in of]
    given = [
        np.stack([_centred(unit) for unit in row], axis=1) for row in zip(*others, strict=True)
    ]
    left = []
    for i, unit in enumerate(of):
        left.append((unit, target[i], given[i], i % folds))
    slopes = [_slope(target, given, fold, folds) for fold in range(folds)]
    return tuple(
        Unit(unit.key, tuple((values - x @ slopes[fold]).tolist()), unit.served)
        for unit, values, x, fold in left
    )


def predictable_residual(of: Sequence[Unit], others: Sequence[Sequence[Unit]]) -> tuple[Unit, ...]:
    """Return units with what `others` explain taken off, each by a coefficient of earlier units.

    The first units, before there is anything to fit, are taken less the mean of the others.

    Args:
        of: the model's n units, in the order in which one bets on them.
        others: for each other model its n units, same prompts and answers.

    Returns:
        n units; unchanged where there is no other model. Units that come later change none.
    """
    if not others:
        return tuple(of)
    many = len(others)
    square: Floats = np.zeros((many, many))
    product: Floats = np.zeros(many)
    slope: Floats = np.full(many, 1.0 / many)
    left = []
    for i, (unit, row) in enumerate(zip(of, zip(*others, strict=True), strict=True)):
        y, x = _centred(unit), np.stack([_centred(other) for other in row], axis=1)
        if i >= FEWEST:
            slope = _solved(square, product)
        left.append(Unit(unit.key, tuple((y - x @ slope).tolist()), unit.served))
        square += x.T @ x
        product += x.T @ y
    return tuple(left)


def _centred(unit: Unit) -> Floats:
    values = np.array(unit.values)
    centred: Floats = values - values.mean()
    return centred


def _slope(target: Sequence[Floats], given: Sequence[Floats], fold: int, folds: int) -> Floats:
    rows = [i for i in range(len(target)) if i % folds != fold]
    y = np.concatenate([target[i] for i in rows])
    x = np.concatenate([given[i] for i in rows])
    return _solved(x.T @ x, x.T @ y)


def _solved(square: Floats, product: Floats) -> Floats:
    ridged = square.copy()
    ridged += _RIDGE * max(float(np.trace(square)), 1e-12) * np.eye(len(square))
    return np.asarray(np.linalg.solve(ridged, product), dtype=np.float64)


def pooled(models: Sequence[Sequence[Unit]]) -> tuple[Unit, ...]:
    """Return the mean of several models' units, value by value."""
    return tuple(
        Unit(
            row[0].key,
            tuple(np.mean([unit.values for unit in row], axis=0).tolist()),
            row[0].served,
        )
        for row in zip(*models, strict=True)
    )
