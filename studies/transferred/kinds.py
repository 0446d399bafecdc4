"""What pairs of every set score in each kind of evidence of text, on 64 prompts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forensics.case.evidence import ReferenceScores
from forensics.cohorts.fitting import CLOSE_KIN, Labelled
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.similarity import Floats
from forensics.cohorts.transferred import OTHER_PROMPTS
from forensics.evaluation.cohort_build import near_copies
from forensics.evaluation.reference_scores import (
    LEFT_OUT,
    comparator_scores,
    histogram,
    spread,
)
from forensics.evidence import BUILT_IN, load_comparators
from studies.cohorts.build_shipped import RECIPES, tables

_EACH, _RELATED, _PROMPTS = 140, 40, 64


@dataclass(frozen=True)
class KindScores:
    """Pairs of one set and their scores by comparator, shape (pairs,), NaN where there is none."""

    name: str
    labelled: Labelled
    by_kind: dict[str, Floats]


def kind_scores(data: Path, cache: Path | None = None) -> tuple[KindScores, ...]:
    """Score close kin and unrelated pairs of every set with a cohort.

    Of every set as many unrelated pairs count: a set with more models is no more usual.

    Args:
        data: a folder of tables.
        cache: where scores are kept between runs; None keeps none.
    """
    found = []
    for recipe in RECIPES:
        outputs, pairs = tables(recipe, data)
        copies = near_copies(outputs)
        every = outputs.labelled([p for p in pairs if not {p.a, p.b} & copies])
        of_kin = spread(every, every.are(*CLOSE_KIN), _RELATED)
        labelled = every.where(of_kin | spread(every, every.are("independent"), _EACH))
        kept = cache / f"reference-{recipe.suite}.json" if cache else None
        found.append(KindScores(recipe.suite, labelled, _scores(outputs, labelled, kept)))
    return tuple(found)


def _scores(outputs: Outputs, labelled: Labelled, kept: Path | None) -> dict[str, Floats]:
    if kept is not None and kept.exists():
        stored = json.loads(kept.read_text("utf-8"))
        return {name: np.array(values, dtype=np.float64) for name, values in stored.items()}
    loaded = load_comparators(only=[name for name in BUILT_IN if name not in LEFT_OUT])
    comparators = [one for one in loaded if one.needs == {"answers"}]
    order = np.random.default_rng(0).permutation(len(outputs.prompts))[:_PROMPTS]
    scores = comparator_scores(comparators, outputs.on(np.sort(order)), labelled.pairs)
    if kept is not None:
        plain = {name: values.tolist() for name, values in scores.items()}
        kept.write_text(json.dumps(plain), encoding="utf-8")
    return scores


def reference_of(data: Path, cache: Path | None = None) -> dict[str, ReferenceScores]:
    """Return what unrelated pairs and close kin of all sets score, by comparator of text."""
    sets = kind_scores(data, cache)
    clusters = np.concatenate([one.labelled.clusters + 1_000 * i for i, one in enumerate(sets)])
    kin = np.concatenate([one.labelled.are(*CLOSE_KIN) for one in sets])
    names = tuple(name for one in sets for name in one.labelled.hypotheses)
    together = Labelled(clusters, names, clusters)
    found = {name: np.concatenate([one.by_kind[name] for one in sets]) for name in sets[0].by_kind}
    return {
        name: histogram(values, together, OTHER_PROMPTS, _PROMPTS)
        for name, values in found.items()
        if np.isfinite(values[~kin]).sum() >= _EACH
    }
