"""A model's readings less what its base, or other models, say of the same answers.

The coefficient of a prompt is fitted on other prompts, of values less their prompt's mean and
without a constant. No label of served or withheld enters it, so it is the same however the answers
are dealt, and what is left stays exchangeable.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forensics.evidence.exposure.arrangements import Floats, Unit

FOLDS = 10
_RIDGE = 1e-6


def residual(of: Sequence[Unit], others: Sequence[Sequence[Unit]]) -> tuple[Unit, ...]:
    """Return units with what `others` explain taken off.

    Args:
        of: the model's n units.
        others: for each other model its n units, same prompts and answers.

    Returns:
        n units; unchanged where there is no other model or there are fewer than four prompts.
    """
    if not others or len(of) < 4:
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


def _centred(unit: Unit) -> Floats:
    values = np.array(unit.values)
    centred: Floats = values - values.mean()
    return centred


def _slope(target: Sequence[Floats], given: Sequence[Floats], fold: int, folds: int) -> Floats:
    rows = [i for i in range(len(target)) if i % folds != fold]
    y = np.concatenate([target[i] for i in rows])
    x = np.concatenate([given[i] for i in rows])
    square = x.T @ x
    square += _RIDGE * max(float(np.trace(square)), 1e-12) * np.eye(len(square))
    slope: Floats = np.linalg.solve(square, x.T @ y)
    return slope


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
