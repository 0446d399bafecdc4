"""Error rates of the transferred likelihood ratio on somebody's labelled outputs.

Every pair is judged as if nobody else had answered: by the two subjects' answers and lines that
were fitted on other prompts. Where the prompts are those of a set that the lines were fitted on,
the lines without that set judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.calibration import (
    CalibrationError,
    auc,
    bootstrap_over_clusters,
    cllr,
    cllr_min,
    cluster_weights,
    count_clusters,
    error_rate,
)
from forensics.cohorts.fitting import CLOSE_KIN, Calibration, Labelled
from forensics.cohorts.lineage.hypotheses import LabelledPair
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.similarity import Flags, Floats
from forensics.cohorts.transferred import FEATURES, Transferred, mixed_llr
from forensics.cohorts.transferring import length_condition
from forensics.evaluation.reference_scores import comparator_scores
from forensics.evidence import load_comparators

_STRONG = np.log(10.0)
_RESAMPLES = 300


def transferred_rates(
    outputs: Outputs, pairs: Sequence[LabelledPair], known: Transferred, prompts_of: str = ""
) -> dict[str, Any]:
    """Return the figures as plain JSON values.

    Args:
        outputs: answers with the models' facts.
        pairs: labelled pairs among them; close kin and unrelated ones count.
        known: the calibration.
        prompts_of: the cohort that answered these prompts; empty without any.
    """
    every = outputs.labelled(pairs)
    labelled = every.where(every.are(*CLOSE_KIN, "independent"))
    lines = known.without.get(prompts_of, known.calibration)
    llr = pair_llrs(outputs, labelled.pairs, known, lines)
    return {
        "close_kinship": _figures(labelled, llr),
        "lines": f"without {prompts_of}" if prompts_of in known.without else "of all sets",
        "calibration_sha256": known.sha256,
    }


def pair_llrs(
    outputs: Outputs, pairs: NDArray[np.intp], known: Transferred, lines: Calibration
) -> Floats:
    """Return natural LLRs of pairs of models, shape (pairs,); NaN where the case would abstain.

    Args:
        outputs: answers with the models' facts, which name the system prompts.
        pairs: model numbers, shape (pairs, 2).
        known: whose range of lengths and least number of prompts hold.
        lines: which of its lines judge.
    """
    llr = np.full(len(pairs), np.nan)
    if not len(pairs):
        return llr
    by_comparator = comparator_scores(load_comparators(only=FEATURES), outputs, pairs)
    scores = np.column_stack([by_comparator[name] for name in FEATURES])
    lengths = _median_lengths(outputs)
    short = np.array(
        [not length_condition("A", length, known).met for length in lengths], dtype=bool
    )
    answered = np.array(
        [[bool(samples) for samples in row] for row in outputs.texts], dtype=np.intp
    )
    both = (answered.T @ answered)[pairs[:, 0], pairs[:, 1]]
    usable = np.isfinite(scores).all(axis=1) & (both >= known.least) & ~short[pairs].any(axis=1)
    values = known.numbers(scores, lengths[pairs])
    other = _asked_otherwise(outputs)[pairs[:, 0], pairs[:, 1]]
    for count in np.unique(both[usable]).tolist():
        rows = usable & (both == count)
        llr[rows] = mixed_llr(lines, values[rows], int(count), other[rows])
    return llr


def _median_lengths(outputs: Outputs) -> Floats:
    sizes = [
        [len(text) for row in outputs.texts for text in row[model]] or [0]
        for model in range(len(outputs.models))
    ]
    return np.array([float(np.median(lengths)) for lengths in sizes])


def _asked_otherwise(outputs: Outputs) -> Flags:
    """Flag models asked under two different system prompts, shape (models, models)."""
    named = [fact.system_prompt for fact in outputs.facts.values()]
    policy = np.array(["" if prompt == "none" else prompt for prompt in named])
    flags: Flags = policy[:, None] != policy[None, :]
    return flags


def _figures(labelled: Labelled, llr: Floats) -> dict[str, Any]:
    kin = labelled.are(*CLOSE_KIN)
    low, high = labelled.clusters.T
    abstained = ~np.isfinite(llr)
    counted = np.where(abstained, 0.0, llr)
    pooled = _rates(counted, kin, low, high, np.ones(len(kin)))
    return {
        "n_pos": int(kin.sum()),
        "n_neg": int((~kin).sum()),
        "n_clusters": count_clusters(low[kin], high[kin]) if kin.any() else 0,
        "n_clusters_neg": count_clusters(low[~kin], high[~kin]) if (~kin).any() else 0,
        "abstained": round(float(abstained.mean()), 6) if len(kin) else None,
        **pooled,
        "clusters_in_error": _clusters_in_error(counted, kin, low, high),
        "cluster_weighted": _rates(counted, kin, low, high, cluster_weights(low, high, kin)),
    }


def _rates(
    llr: Floats, kin: Flags, low: NDArray[np.intp], high: NDArray[np.intp], weights: Floats
) -> dict[str, Any]:
    def cost(of: Floats) -> float:
        return cllr(llr[kin], llr[~kin], of[kin], of[~kin])

    def false(of: Floats) -> float:
        return _share(llr > _STRONG, ~kin, of)

    try:
        least = cllr_min(llr[kin], llr[~kin], weights[kin], weights[~kin])
        area = auc(llr[kin], llr[~kin], weights[kin], weights[~kin])
        value = cost(weights)
    except CalibrationError:
        return {"auc": None, "cllr": None, "cllr_min": None, "lr_above_10": None, "interval": None}
    return {
        "auc": round(area, 6),
        "cllr": round(value, 6),
        "cllr_min": round(least, 6),
        "lr_above_10": {
            "unrelated": round(false(weights), 6),
            "kin": round(_share(llr > _STRONG, kin, weights), 6),
            "unrelated_interval": _interval(false, low, high, weights),
        },
        "interval": _interval(cost, low, high, weights),
    }


def _share(flags: Flags, among: Flags, weights: Floats) -> float:
    total = float(weights[among].sum())
    return float(weights[among & flags].sum()) / total if total else np.nan


def _interval(
    statistic: Any, low: NDArray[np.intp], high: NDArray[np.intp], weights: Floats
) -> list[float] | None:
    interval = bootstrap_over_clusters(statistic, low, high, weights, n_resamples=_RESAMPLES)
    if interval.low is None or interval.high is None:
        return None
    return [round(interval.low, 6), round(interval.high, 6)]


def _clusters_in_error(
    llr: Floats, kin: Flags, low: NDArray[np.intp], high: NDArray[np.intp]
) -> dict[str, Any] | None:
    """Count lineage clusters of unrelated pairs that get an LR above 10, with a limit."""
    if kin.all():
        return None
    misleading = ~kin & (llr > _STRONG)
    trials = count_clusters(low[~kin], high[~kin])
    errors = count_clusters(low[misleading], high[misleading]) if misleading.any() else 0
    return {"n": errors, "of": trials, "upper_95": round(error_rate(errors, trials).upper, 4)}
