"""Fitting the transferred lines: all sets together, each with a level of its own.

Sets differ in how high unrelated pairs score. Their levels are penalised deviations from a common
one (a random effect, fitted by its mode); the line that is kept has the common level, drawn towards
0 by how far the levels vary, as the mean of a logistic function over a normal level is
approximately (MacKay 1992, The Evidence Framework Applied to Classification Networks, equation 10).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.calibration import (
    CalibrationError,
    LogisticFusion,
    cluster_bounds,
    cluster_weights,
    count_clusters,
    pigeonhole_weights,
)
from forensics.cohorts.similarity import Flags, Floats
from forensics.cohorts.transferred import NUMBERS

REFITS = 100
_RIDGE = 1.0
_TINY = 1e-12


def fit_line(
    values: Floats,
    kin: Flags,
    sets: NDArray[np.intp],
    clusters: NDArray[np.intp],
    times: Floats | None = None,
) -> LogisticFusion:
    """Fit close kinship against independence.

    Every set counts by its clusters with kin, half for its kin and half for its unrelated pairs;
    within either, every pair of clusters counts the same. No coefficient is negative: a higher
    score never speaks against kinship, and longer answers raise what wording must reach.

    Args:
        values: `NUMBERS` of pairs, shape (n, 4).
        kin: which are close kin, shape (n,).
        sets: of which set each is, shape (n,).
        clusters: lineage clusters over all sets, shape (n, 2).
        times: how often each pair counts, shape (n,); once each if None.

    Raises:
        CalibrationError: no set has both classes.
    """
    weights = _weights(kin, sets, clusters, np.ones(len(kin)) if times is None else times)
    used = weights > 0
    if not used.any():
        raise CalibrationError("no set has kin and unrelated pairs; draw again")
    x, y, w, owner = values[used], kin[used], weights[used], sets[used]
    means = np.average(x, axis=0, weights=w)
    scales = np.sqrt(np.average((x - means) ** 2, axis=0, weights=w)) + _TINY
    coefficients, level, levels = _minimise((x - means) / scales, y, owner, w)
    drawn_in = 1 / np.sqrt(1 + np.pi * float(np.var(levels)) / 8)
    low, high = clusters[used].T
    counts = count_clusters(low[y], high[y]), count_clusters(low[~y], high[~y])
    fewest = min(counts)
    return LogisticFusion(
        features=NUMBERS,
        coefficients=tuple((coefficients * drawn_in).tolist()),
        intercept=float(level * drawn_in),
        means=tuple(means.tolist()),
        scales=tuple(scales.tolist()),
        bounds=cluster_bounds(fewest, fewest),
        n_kin=int(y.sum()),
        n_other=int((~y).sum()),
        kin_clusters=float(counts[0]),
        other_clusters=float(counts[1]),
        ridge=_RIDGE,
        monotone=True,
    )


def _weights(
    kin: Flags, sets: NDArray[np.intp], clusters: NDArray[np.intp], times: Floats
) -> Floats:
    weights = np.zeros(len(kin))
    for one in np.unique(sets):
        classes = [(sets == one) & (kin == of_kin) & (times > 0) for of_kin in (True, False)]
        if not all(members.any() for members in classes):
            continue
        total = count_clusters(*clusters[classes[0]].T)
        for members in classes:
            share = cluster_weights(*clusters[members].T) * times[members]
            weights[members] = share / share.sum() * total
    return weights


def _minimise(
    z: Floats, kin: Flags, sets: NDArray[np.intp], weight: Floats
) -> tuple[Floats, float, Floats]:
    """Return the coefficients, the common level and every set's deviation from it."""
    from scipy.optimize import minimize

    of_set = (sets[:, None] == np.unique(sets)[None, :]).astype(np.float64)
    design = np.column_stack([z, np.ones(len(z)), of_set])
    width = z.shape[1]
    penalty = np.full(design.shape[1], _RIDGE)
    penalty[width] = 0.0  # the common level is free
    sign = np.where(kin, 1.0, -1.0)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        margin = sign * (design @ parameters)
        value = weight @ np.logaddexp(0.0, -margin) + penalty @ parameters**2 / 2
        slope = -sign * weight * np.exp(-np.logaddexp(0.0, margin))
        return float(value), design.T @ slope + penalty * parameters

    limits = [(0.0, None)] * width + [(None, None)] * (design.shape[1] - width)
    result = minimize(
        loss,
        np.zeros(design.shape[1]),
        jac=True,
        method="L-BFGS-B",
        bounds=limits,
        options={"maxiter": 2000},
    )
    solution = np.asarray(result.x, dtype=np.float64)
    return solution[:width], float(solution[width]), solution[width + 1 :]


def refits(
    values: Sequence[Floats], kin: Flags, sets: NDArray[np.intp], clusters: NDArray[np.intp]
) -> Floats:
    """Fit the lines to clusters drawn with replacement: shape (lines, refits, 1 + numbers)."""
    found: list[list[list[float]]] = []
    for times in _drawn(clusters):
        try:
            found.append([_straight(fit_line(one, kin, sets, clusters, times)) for one in values])
        except CalibrationError:  # no kin among the clusters drawn
            continue
        if len(found) == REFITS:
            break
    return np.array(found).reshape(-1, len(values), 1 + len(NUMBERS)).transpose(1, 0, 2)


def _drawn(clusters: NDArray[np.intp]) -> Iterator[Floats]:
    low, high = clusters.T
    return pigeonhole_weights(low, high, 2 * REFITS)


def _straight(line: LogisticFusion) -> list[float]:
    slopes = np.array(line.coefficients) / np.array(line.scales)
    return [float(line.intercept - slopes @ np.array(line.means)), *slopes.tolist()]
