"""How often does some kind of evidence stand out, of unrelated pairs and of kin?

Every pair of a set is placed among the other unrelated pairs of its set, and Holm's procedure names
the kinds that stand out, as `forensics.verdicts.neighbours` does in a case.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forensics.case.evidence import Evidence, Neighbourhood
from forensics.cohorts.calibration import count_clusters, error_rate
from forensics.cohorts.similarity import Flags, Floats
from forensics.verdicts.neighbours import beyond_unrelated
from studies.error_rates.cells import row
from studies.transferred.kinds import KindScores, kind_scores

_LEAST = 40  # unrelated pairs of a set whose scores place others


@dataclass(frozen=True)
class Standout:
    """Of one set, how many pairs have a kind that stands out; clusters are those of its models."""

    name: str
    unrelated: int
    named: int
    clusters: int
    clusters_named: int
    kin: int
    kin_named: int


def standouts(data: Path, cache: Path | None = None) -> tuple[Standout, ...]:
    """Measure on a folder of tables; `cache` keeps scores between runs."""
    return tuple(_standout(one) for one in kind_scores(data, cache))


def _standout(scores: KindScores) -> Standout:
    kin = scores.labelled.are("same_model", "close_descent")
    named = np.array([bool(_named(scores.by_kind, kin, i)) for i in range(len(kin))], dtype=bool)
    clusters = scores.labelled.clusters
    in_error = named & ~kin
    return Standout(
        scores.name,
        int((~kin).sum()),
        int(in_error.sum()),
        count_clusters(*clusters[~kin].T),
        count_clusters(*clusters[in_error].T) if in_error.any() else 0,
        int(kin.sum()),
        int((named & kin).sum()),
    )


def _named(by_kind: dict[str, Floats], kin: Flags, pair: int) -> frozenset[str]:
    evidence = []
    for name, values in by_kind.items():
        others = ~kin & np.isfinite(values)
        others[pair] = False
        pairs = int(others.sum())
        if pairs < _LEAST or not np.isfinite(values[pair]):
            continue
        reaching = int((values[others] >= values[pair]).sum())
        near = Neighbourhood(
            source="", prompts="matched", above=1 - reaching / pairs, reaching=reaching, pairs=pairs
        )
        evidence.append(
            Evidence(
                comparator=name,
                title=name,
                status="ok",
                score=float(values[pair]),
                neighbourhood=near,
            )
        )
    return beyond_unrelated(evidence)


def section(found: Sequence[Standout]) -> Iterator[str]:
    """Yield the lines of the section of the page of error rates."""
    yield "## Kinds of evidence that stand out"
    yield ""
    yield (
        "A kind of evidence speaks for kinship if hardly any unrelated pair on the same prompts "
        "scores as high, corrected for the number of kinds (Holm, 5 %). Every pair is placed "
        "among the other unrelated pairs of its set, on 64 prompts."
    )
    yield ""
    yield from row(
        "set",
        "unrelated pairs with such a kind",
        "lineage clusters of these (upper 95 %)",
        "related pairs with such a kind",
    )
    yield from row(*["---"] * 4)
    for one in found:
        limit = error_rate(one.clusters_named, one.clusters).upper
        yield from row(
            one.name,
            f"{one.named} of {one.unrelated}",
            f"{one.clusters_named} of {one.clusters} (< {limit:.0%})",
            f"{one.kin_named} of {one.kin}",
        )
