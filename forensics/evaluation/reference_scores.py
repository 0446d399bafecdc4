"""What each comparator scores between a cohort's own models: unrelated pairs, and close kin.

A score means little until one knows what unrelated models of the same kind score. Both
distributions hold pairs of all the cohort's lineage clusters: where a case's subject is one of its
models, pairs of the subject's own cluster are among them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case.evidence import ReferenceScores
from forensics.cohorts.calibration import count_clusters
from forensics.cohorts.fitting import CLOSE_KIN, Labelled
from forensics.cohorts.lineage.hypotheses import CONFIDENCES, LabelledPair, at_confidence
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.similarity import Flags, Floats
from forensics.evidence import BUILT_IN, load_comparators
from forensics.evidence.comparator import MIN_PROMPTS, Comparator
from forensics.evidence.features.matched_prompts import PromptRows, mean_score
from forensics.evidence.text.lexicon import Overuse
from forensics.evidence.text.profiles import Profile, profile_score
from forensics.support.block_mapping import Mapper, in_a_loop

PROMPTS = 64
UNRELATED = 240
RELATED = 200
BINS = 24
_MIN_PAIRS = 20
_COVERED = 2 / 3  # share of a cohort's models that its unrelated pairs must be of
_DECIMALS = 4
_SHOWN = (0.01, 0.95)  # quantiles of either class that the bins span
# One needs a model of its own, the others samples that few cohorts have.
LEFT_OUT = ("embedding", "sampling", "shared_manner")


def neighbours(pairs: Sequence[LabelledPair], models: Collection[str]) -> list[LabelledPair]:
    """Return pairs whose unrelated ones stand for all of a cohort's models.

    Where the surest unrelated pairs are of a few models (those of developers of whom most is
    known), they share a style that the others have not: on one set of stories 11 of 14 less sure
    unrelated pairs lay beyond all 45 sure ones. The next confidence then counts as well.

    Args:
        pairs: labelled pairs among the models.
        models: names of the cohort's models.
    """
    for confidence in CONFIDENCES[: CONFIDENCES.index("medium") + 1]:
        labelled = at_confidence(pairs, confidence)
        unrelated = [pair for pair in labelled if pair.hypothesis == "independent"]
        covered = {name for pair in unrelated for name in (pair.a, pair.b)}
        if len(covered) >= _COVERED * len(models):
            return labelled
    return at_confidence(pairs, "medium")


def reference_scores(
    outputs: Outputs,
    labelled: Labelled,
    cohort: str,
    seed: int = 0,
    mapper: Mapper = in_a_loop,
) -> dict[str, ReferenceScores]:
    """Return the scores of every built-in comparator of text, by its name.

    Args:
        outputs: answers of the cohort's models; the first `PROMPTS` prompts count.
        labelled: pairs of known relation; close kin and unrelated ones are used.
        cohort: its name.
        seed: of the choice of pairs, which goes round the pairs of clusters.
        mapper: has every comparator's scores computed.

    Comparators that cannot score enough of the unrelated pairs are left out.
    """
    used = outputs.on(range(min(PROMPTS, len(outputs.prompts))))
    kin = spread(labelled, labelled.are(*CLOSE_KIN), RELATED, seed)
    unrelated = spread(labelled, labelled.are("independent"), UNRELATED, seed)
    chosen = labelled.where(kin | unrelated)
    loaded = load_comparators(only=[n for n in BUILT_IN if n not in LEFT_OUT])
    comparators = [comparator for comparator in loaded if comparator.needs == {"answers"}]
    histograms = {}
    for name, scores in comparator_scores(comparators, used, chosen.pairs, mapper).items():
        if np.isfinite(scores[chosen.are("independent")]).sum() >= _MIN_PAIRS:
            histograms[name] = histogram(scores, chosen, cohort, len(used.prompts))
    return histograms


def spread(labelled: Labelled, among: Flags, most: int, seed: int = 0) -> Flags:
    """Choose pairs by going round the pairs of clusters, one of each a turn: shape (pairs,).

    Args:
        labelled: the pairs.
        among: which of them may be chosen.
        most: how many to choose.
        seed: of the order.
    """
    order = np.random.default_rng(seed).permutation(np.flatnonzero(among))
    turns: dict[tuple[int, int], int] = {}
    turn = []
    for place in order:
        low, high = sorted(labelled.clusters[place].tolist())
        turn.append(turns.get((low, high), 0))
        turns[low, high] = turn[-1] + 1
    chosen = np.zeros(len(labelled.pairs), dtype=bool)
    chosen[order[np.argsort(turn, kind="stable")][:most]] = True
    return chosen


def comparator_scores(
    comparators: Sequence[Comparator[Any]],
    outputs: Outputs,
    pairs: NDArray[np.intp],
    mapper: Mapper = in_a_loop,
) -> dict[str, Floats]:
    """Return each comparator's score of every pair, shape (pairs,), NaN where it has none.

    Args:
        comparators: what to measure.
        outputs: answers of the models.
        pairs: model numbers, shape (pairs, 2).
        mapper: has every comparator's scores computed.
    """
    names = [comparator.name for comparator in comparators]
    return dict(zip(names, mapper(_comparator_scores, (outputs, pairs), comparators), strict=True))


def _comparator_scores(
    given: tuple[Outputs, NDArray[np.intp]], comparator: Comparator[Any]
) -> Floats:
    outputs, pairs = given
    models = np.unique(pairs).tolist()
    features = {model: comparator.extract(outputs.examined(model)) for model in models}
    return np.array([_score(comparator, features[a], features[b]) for a, b in pairs.tolist()])


def _score(comparator: Comparator[Any], a: Any, b: Any) -> float:
    if isinstance(a, Profile) and isinstance(b, Profile):
        quick = profile_score(a, b)
        return np.nan if quick is None else quick
    first, second = _rows(a), _rows(b)
    if first is None or second is None:
        score = comparator.compare(a, b).score
    else:
        # What `matched_evidence` scores, without the search for passages to show.
        enough = len(set(first.prompts) & set(second.prompts)) >= MIN_PROMPTS
        score = mean_score(first, second) if enough else None
    return np.nan if score is None else score


def _rows(features: Any) -> PromptRows | None:
    rows = features.rows if isinstance(features, Overuse) else features
    return rows if isinstance(rows, PromptRows) else None


def _counts(scores: Floats, edges: Floats) -> tuple[int, ...]:
    return tuple(np.histogram(np.clip(scores, edges[0], edges[-1]), edges)[0].tolist())


def histogram(scores: Floats, labelled: Labelled, cohort: str, prompts: int) -> ReferenceScores:
    """Return a histogram of scores, shape (pairs,), NaN where there is none; one score at least.

    The first and the last bin also hold what lies beyond them.

    Args:
        scores: of the pairs.
        labelled: the pairs, close kin and unrelated ones.
        cohort: its name.
        prompts: how many each pair was compared on.
    """
    known = np.isfinite(scores)
    kin, unrelated = labelled.are(*CLOSE_KIN) & known, labelled.are("independent") & known
    step = 10.0**-_DECIMALS
    # A few kin far beyond all others would leave the rest in a handful of bins.
    ends = np.array(
        [np.quantile(scores[flags], _SHOWN) for flags in (kin, unrelated) if flags.any()]
    )
    low = np.floor(ends[:, 0].min() / step) * step
    high = np.ceil(ends[:, 1].max() / step) * step
    span = np.linspace(float(low), max(float(high), float(low) + BINS * step), BINS + 1)
    edges = np.round(span, _DECIMALS + 1)
    return ReferenceScores(
        cohort=cohort,
        n_prompts=prompts,
        edges=tuple(edges.tolist()),
        unrelated=_counts(scores[unrelated], edges),
        related=_counts(scores[kin], edges),
        clusters=count_clusters(*labelled.clusters[kin].T) if kin.any() else 0,
    )
