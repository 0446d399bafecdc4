"""What pairs of known relation share, and what the test of one model says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.case.details.shared_manner import Centring, Equivalence
from forensics.cohorts.lineage.hypotheses import LabelledPair
from forensics.cohorts.lineage.models import clusters
from forensics.evidence.features.matched_prompts import Floats
from forensics.evidence.text.shared_manner.attenuation import CentredCosines, interval
from forensics.evidence.text.shared_manner.equivalence import LEVEL, MARGINS, reading
from forensics.evidence.text.shared_manner.known_pairs import KnownPairs
from forensics.evidence.text.shared_manner.manner_evidence import by_other_prompts
from studies.shared_manner.tables import Answers, near, on_both

DRAWS = 1000


@dataclass(frozen=True)
class Tested:
    """One pair under the test, with its 95 % interval and the test's 90 % interval."""

    share: float
    low: float
    high: float
    test: tuple[float, float]
    reading: Equivalence


@dataclass(frozen=True)
class PairResult:
    """A labelled pair, centred on the other models and without any."""

    pair: LabelledPair
    kind: str
    centred: Tested
    plain: Tested


@dataclass(frozen=True)
class Quantiles:
    """Quantiles of unrelated pairs, each with a 95 % interval from resampling clusters."""

    pairs: int
    models: int
    clusters: int
    values: tuple[tuple[float, float, float], ...]


LEVELS = (0.5, 0.95, 0.99)


def tested(agreement: CentredCosines, centring: Centring) -> Tested:
    """Put a pair to the test."""
    draws = agreement.draws()
    low, high = interval(draws)
    test = interval(draws, 1 - 2 * LEVEL)
    return Tested(agreement.share, low, high, test, reading(*test, MARGINS[centring]))


def results(answers: Answers) -> list[PairResult]:
    """Test every labelled pair of a set whose models were asked repeatedly."""
    population = KnownPairs.of(answers.reference)
    if population is None:
        return []
    place = {model: number for number, model in enumerate(answers.reference.models)}
    found = []
    for pair in answers.pairs:
        agreement = population.agreement(place[pair.a], place[pair.b])
        if len(agreement) < 8 or not agreement.measurable:
            continue
        rows = on_both(answers.plain[pair.a], answers.plain[pair.b])
        plain = tested(by_other_prompts(*rows).agreement, "other_prompts")
        found.append(PairResult(pair, kind_of(pair, answers), tested(agreement, "cohort"), plain))
    return found


def kind_of(pair: LabelledPair, answers: Answers) -> str:
    """Name what a pair is for: `same`, `unrelated`, `relatives` or `other`."""
    if pair.relation == "same_model_other_setting":
        return "same"
    if pair.hypothesis == "independent":
        return "unrelated"
    return "relatives" if near(pair, answers.facts) else "other"


def foils(found: Sequence[PairResult]) -> list[PairResult]:
    """Return each model's nearest relative that is another model, every pair once."""
    nearest: dict[str, PairResult] = {}
    for one in found:
        if one.kind != "relatives":
            continue
        for model in (one.pair.a, one.pair.b):
            best = nearest.get(model)
            if best is None or one.centred.share > best.centred.share:
                nearest[model] = one
    unique = {(one.pair.a, one.pair.b): one for one in nearest.values()}
    return sorted(unique.values(), key=lambda one: -one.centred.share)


def quantiles(
    values: Floats, pairs: Sequence[tuple[str, str]], cluster_of: dict[str, int], seed: int = 0
) -> Quantiles:
    """Return quantiles of unrelated pairs with intervals from resampling lineage clusters.

    Args:
        values: of the pairs, shape (pairs,).
        pairs: their models.
        cluster_of: model → cluster; a pair counts as often as both its clusters are drawn.
        seed: of the draws.
    """
    ends = np.array([[cluster_of[a], cluster_of[b]] for a, b in pairs])
    names, ends = np.unique(ends, return_inverse=True)
    ends = ends.reshape(-1, 2)
    order = np.argsort(values)
    random = np.random.default_rng(seed)
    drawn = np.empty((DRAWS, len(LEVELS)))
    for row in drawn:
        times = np.bincount(random.integers(0, len(names), len(names)), minlength=len(names))
        weights = (times[ends[:, 0]] * times[ends[:, 1]])[order]
        shares = np.cumsum(weights) / weights.sum()
        row[:] = values[order][np.searchsorted(shares, LEVELS)]
    at = np.quantile(values, LEVELS)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    models = {model for pair in pairs for model in pair}
    return Quantiles(
        len(pairs),
        len(models),
        len(names),
        tuple(zip(at.tolist(), low.tolist(), high.tolist(), strict=True)),
    )


def clusters_of(answers: Answers) -> dict[str, int]:
    """Return model → lineage cluster."""
    return clusters(answers.facts)
