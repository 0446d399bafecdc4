"""Measures what the page of error rates reports: error rates on labelled outputs, all settings.

Nothing is tuned here: the same `evaluate` that everybody can call, with prompts and reference
models drawn by seed, and the baselines on the same pairs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from forensics.cohorts.calibration import auc, count_clusters, error_rate, tpr_at_fpr
from forensics.cohorts.fitting import (
    CLOSE_KIN,
    MIN_SUBJECTS,
    MIN_UNRELATED,
    Calibration,
    Labelled,
    Maxima,
    best_of_unrelated,
)
from forensics.cohorts.lineage.hypotheses import KIN_HYPOTHESES, LabelledPair, read_pairs
from forensics.cohorts.lineage.models import read_models
from forensics.cohorts.outputs import Outputs, read_outputs
from forensics.cohorts.similarity import Flags, Floats, Similarities, agreement, pair_scores
from forensics.cohorts.teacher_level import HeldOut
from forensics.cohorts.teachers import held_out
from forensics.cohorts.trace import FAMILY_WISE
from forensics.evaluation.evaluate import evaluate
from studies.error_rates.published_methods import BASELINES
from studies.error_rates.teacher_study import teacher_study

# Prompts, and how many reference models (None: all there are).
SETTINGS: tuple[tuple[int | None, int | None], ...] = (
    *((None, None), (100, None), (50, None), (25, None), (16, None), (8, None)),
    *((50, 20), (50, 5)),
)
DRAWS = 5
_BASELINE_SIZES = (None, 100)
_TRACE_PROMPTS = 100


@dataclass(frozen=True)
class Study:
    """Everything measured.

    `settings` are by (prompts, reference models), `draws` the pair-weighted AUC and TPR at 1 % of
    each draw, by setting and hypothesis; `baselines` are by number of prompts and name. `teachers`
    is what `teacher_study` gives, `teacher_levels` how what `trace` says of teachers holds.
    """

    settings: Mapping[tuple[int, int | None], Mapping[str, Any]]
    draws: Mapping[tuple[int, int | None], Mapping[str, Sequence[tuple[float, float]]]]
    baselines: Mapping[int, Mapping[str, Mapping[str, tuple[float, float]]]]
    transfer: Mapping[str, Any] | None
    trace: Mapping[str, Any] | None
    teachers: Mapping[str, Any] | None = None
    teacher_levels: HeldOut | None = None
    seconds: float = field(default=0.0, compare=False)


def study(
    data: Path,
    calibration: Calibration | None,
    trained_on: Sequence[str],
    settings: Sequence[tuple[int | None, int | None]] = SETTINGS,
) -> Study:
    """Measure everything on a folder with the tables of AlpacaEval and Misguided Attention.

    Args:
        data: the folder.
        calibration: the shipped one, which judges Misguided Attention.
        trained_on: `weights_id`s that it was fitted on.
        settings: numbers of prompts and of reference models.
    """
    started = time.monotonic()
    outputs, pairs = _read(data, "alpaca_eval")
    similarities = outputs.similarities()
    labelled = outputs.labelled(pairs)
    found: dict[tuple[int, int | None], Mapping[str, Any]] = {}
    draws = {}
    for prompts, reference in settings:
        key = (min(prompts or len(outputs.prompts), len(outputs.prompts)), reference)
        _say(f"{key[0]} prompts, {reference or 'all'} reference models")
        found[key] = evaluate(outputs, pairs, prompts, reference)
        drawn = range(DRAWS if prompts or reference else 1)
        draws[key] = _drawn(outputs, similarities, labelled, key, drawn)
    _say("baselines")
    baselines = {
        min(size or len(outputs.prompts), len(outputs.prompts)): _baselines(
            outputs, similarities, labelled, size
        )
        for size in _BASELINE_SIZES
    }
    _say("trace")
    traced = _trace(outputs, similarities, labelled)
    _say("teachers")
    taught = teacher_study(outputs, similarities, pairs)
    rows = _rows(len(outputs.prompts), _TRACE_PROMPTS, 0)
    levels = held_out(agreement(similarities.on(rows)), outputs.facts, outputs.excluded())
    _say("Misguided Attention")
    transfer = _transfer(data, calibration, trained_on)
    seconds = time.monotonic() - started
    return Study(found, draws, baselines, transfer, traced, taught, levels, seconds)


def _read(data: Path, prefix: str) -> tuple[Outputs, tuple[LabelledPair, ...]]:
    facts = read_models(data / f"{prefix}_models.csv")
    pairs = read_pairs(data / f"{prefix}_pairs.csv.gz", facts, independent="best")
    _say(f"reading {prefix}")
    return read_outputs([data / f"{prefix}_outputs.parquet"], facts), pairs


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _rows(total: int, wanted: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Draw as `evaluate` does, so that the first draw is what it reports."""
    if wanted >= total:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed).permutation(total)[:wanted])


def _drawn(
    outputs: Outputs,
    similarities: Similarities,
    labelled: Labelled,
    setting: tuple[int, int | None],
    seeds: Sequence[int],
) -> dict[str, list[tuple[float, float]]]:
    prompts, reference = setting
    size = len(outputs.models)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in KIN_HYPOTHESES}
    for seed in seeds:
        kept = np.zeros(size, dtype=bool)
        kept[_rows(size, reference or size, seed)] = True
        used = similarities.on(_rows(len(outputs.prompts), prompts, seed))
        scores = pair_scores(used, outputs.excluded() | ~kept, labelled.pairs).ranking
        for name, figures in separation(scores, labelled).items():
            found[name].append(figures)
    return found


def separation(scores: Floats, labelled: Labelled) -> dict[str, tuple[float, float]]:
    """Return AUC and TPR at 1 % of each hypothesis against unrelated pairs, every pair counting 1.

    Args:
        scores: shape (pairs,), NaN where there is none.
        labelled: the pairs; a hypothesis without any is left out.
    """
    known = np.isfinite(scores)
    unrelated = scores[known & labelled.are("independent")]
    found = {}
    for name in KIN_HYPOTHESES:
        kin = scores[known & labelled.are(name)]
        if len(kin) and len(unrelated):
            found[str(name)] = auc(kin, unrelated), tpr_at_fpr(kin, unrelated, 0.01)
    return found


def _baselines(
    outputs: Outputs, similarities: Similarities, labelled: Labelled, size: int | None
) -> dict[str, dict[str, tuple[float, float]]]:
    rows = _rows(len(outputs.prompts), size or len(outputs.prompts), 0)
    used, on = outputs.on(rows), similarities.on(rows)
    ours = pair_scores(on, outputs.excluded(), labelled.pairs).score
    found = {"this project": separation(ours, labelled)}
    first, second = labelled.pairs.T
    for name, baseline in BASELINES.items():
        found[name] = separation(baseline(used, on)[first, second], labelled)
    return found


def _trace(
    outputs: Outputs, similarities: Similarities, labelled: Labelled
) -> dict[str, Any] | None:
    """Return how often a subject's best score among strangers passes the printed 1 %."""
    rows = _rows(len(outputs.prompts), _TRACE_PROMPTS, 0)
    scores = pair_scores(similarities.on(rows), outputs.excluded(), labelled.pairs).score
    return false_alarms(scores, labelled, len(rows))


def false_alarms(scores: Floats, labelled: Labelled, prompts: int) -> dict[str, Any] | None:
    """Trace every model among models documented to be unrelated to it; None with too few.

    The distribution of best scores is fitted anew without the subject's cluster, as subject and as
    candidate. An alarm is a best score at or below the family-wise limit that `trace` uses.
    """
    unrelated = labelled.are("independent") & np.isfinite(scores)
    pairs, clusters = labelled.pairs[unrelated], labelled.clusters[unrelated]
    values = scores[unrelated]
    cluster_of = dict(zip(pairs.reshape(-1).tolist(), clusters.reshape(-1).tolist(), strict=True))
    subjects, passes = [], []
    for cluster in sorted(set(cluster_of.values())):
        apart: Flags = unrelated & (labelled.clusters != cluster).all(axis=1)
        best = best_of_unrelated(scores[None, apart], labelled.where(apart))
        if best.shape[1] < MIN_SUBJECTS:
            continue
        maxima = Maxima.of(best)
        for model in (one for one, own in cluster_of.items() if own == cluster):
            own = values[(pairs == model).any(axis=1)]
            if len(own) >= MIN_UNRELATED:
                subjects.append(cluster)
                passes.append(maxima.rate(float(own.max())) <= FAMILY_WISE)
    if not subjects:
        return None
    in_error = len({c for c, alarm in zip(subjects, passes, strict=True) if alarm})
    return {
        "prompts": prompts,
        "subjects": len(subjects),
        "clusters": len(set(subjects)),
        "candidates": int(count_clusters(*clusters.T)),
        "rate": float(np.mean(passes)),
        "alarms": int(np.sum(passes)),
        "clusters_in_error": in_error,
        "upper_95": error_rate(in_error, len(set(subjects))).upper,
    }


def _transfer(
    data: Path, calibration: Calibration | None, trained_on: Sequence[str]
) -> dict[str, Any] | None:
    if calibration is None or not (data / "misguided_attention_outputs.parquet").is_file():
        return None
    outputs, pairs = _read(data, "misguided_attention")
    found = evaluate(outputs, pairs, shipped=calibration, trained_on=trained_on)
    both = [found["hypotheses"][name]["n_pos"] for name in CLOSE_KIN]
    return {**found, "close_kin": sum(both)}
