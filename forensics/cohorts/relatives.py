"""The cohort models most like each of two subjects, and the tree around them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forensics.case.document import Relative, Relatives
from forensics.cohorts.all_pairs import mean_cosines, normalise
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.newick import newick
from forensics.cohorts.placed import Placed, excluded_for
from forensics.cohorts.similarity import MIN_PROMPTS, NORMALISED_FROM, Flags, of_rows, pair_scores
from forensics.cohorts.tree import RelativesMap, Scale, distances, neighbour_joining
from forensics.evidence.features.sketches import Floats32

NEAREST = 8
_LEAST = 3  # leaves that make a tree
_DIGITS = 4


def relatives(a: Placed, b: Placed, cohort: Cohort) -> Relatives | None:
    """Find the nearest cohort models of two subjects; None where neither has a score.

    The scores are those of `tracing`: every pair is centred and normalised without either side's
    kin. A subject that is one of the cohort's models is not among its own relatives. The tree's
    scores have one centring for all, as those of `relatives_map`.

    Args:
        a: the known subject.
        b: the questioned subject.
        cohort: whose models are ranked.
    """
    if max(a.answered, b.answered) < MIN_PROMPTS:
        return None
    prompts = np.flatnonzero(np.any(a.rows != 0, axis=1) | np.any(b.rows != 0, axis=1))
    placed = np.stack([a.rows[prompts], b.rows[prompts]], axis=1)
    rows = np.concatenate([cohort.rows(prompts.tolist()), placed], axis=1)
    hashes = [cohort.prompts[number].sha256 for number in prompts]
    similarities = of_rows([*cohort.models, "A", "B"], hashes, rows)
    size = len(cohort.models)
    excluded = _excluded(a, b, cohort)
    pairs = np.array([(size + side, model) for side in (0, 1) for model in range(size)], np.intp)
    scores = pair_scores(similarities, excluded, pairs).score.reshape(2, size)
    nearest = [_nearest(row, side, cohort) for row, side in zip(scores, (a, b), strict=True)]
    if not any(len(models) for models in nearest):
        return None
    first, second = (
        tuple(_relative(cohort, int(model), float(row[model])) for model in nearest_of_row)
        for row, nearest_of_row in zip(scores, nearest, strict=True)
    )
    return Relatives(
        cohort=cohort.name,
        a=first,
        b=second,
        newick=_tree(a, b, cohort, rows, excluded, nearest),
    )


def _excluded(a: Placed, b: Placed, cohort: Cohort) -> Flags:
    """Flag whom no reference may include: (models + 2, models + 2), the subjects last."""
    size = len(cohort.models)
    flags = np.zeros((size + 2, size + 2), dtype=bool)
    flags[:size, :size] = cohort.excluded()
    flags[size, :size], flags[size + 1, :size] = (excluded_for(x, cohort) for x in (a, b))
    flags[:, size:] = True  # a subject is no reference for anybody
    return flags


def _nearest(scores: NDArray[np.float64], side: Placed, cohort: Cohort) -> NDArray[np.intp]:
    known = scores.copy()
    if side.known_as is not None:
        known[cohort.place(side.known_as)] = np.nan
    order = np.argsort(-np.nan_to_num(known, nan=-np.inf), kind="stable")
    return np.array([model for model in order if np.isfinite(known[model])][:NEAREST], np.intp)


def _relative(cohort: Cohort, model: int, score: float) -> Relative:
    name = cohort.models[model]
    return Relative(name=name, developer=cohort.facts[name].developer, score=round(score, _DIGITS))


def _tree(
    a: Placed,
    b: Placed,
    cohort: Cohort,
    rows: Floats32,
    excluded: Flags,
    nearest: Sequence[NDArray[np.intp]],
) -> str | None:
    """Return the tree of the subjects, called by their names, and their nearest models.

    A cohort model that is one of the subjects is left out: the subject stands in its place.
    """
    size = len(cohort.models)
    twins = {cohort.place(side.known_as) for side in (a, b) if side.known_as is not None}
    sides = [size + n for n, side in enumerate((a, b)) if side.answered >= MIN_PROMPTS]
    leaves = [*sides, *sorted({*nearest[0].tolist(), *nearest[1].tolist()} - twins)]
    if len(leaves) < _LEAST:
        return None
    means = mean_cosines(rows, np.arange(size + 2) < size)
    reference = ~excluded & np.isfinite(means)
    normalising = int(reference.sum(axis=1).max()) >= NORMALISED_FROM
    scores = normalise(means, reference) if normalising else means
    among = scores[np.ix_(leaves, leaves)].astype(np.float64)
    # Nothing speaks for or against a pair without a score: it neither joins nor parts anybody.
    usual = float(np.nanmedian(scores)) if np.isfinite(scores).any() else 0.0
    known = np.where(np.isfinite(among), among, usual)
    names = [*cohort.models, a.name, b.name]
    nodes = neighbour_joining(distances(known, normalising).round(_DIGITS))
    chosen = tuple(names[leaf] for leaf in leaves)
    scale: Scale = "normalised" if normalising else "cosine"
    return newick(RelativesMap(chosen, len(rows), scale, among, nodes)).strip()
