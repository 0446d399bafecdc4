"""Error rates on somebody's labelled outputs.

For every pair the reference is the other models, less both subjects' clusters and families. Where
the outputs share models with those the shipped calibration was fitted on, it is fitted anew with
clusters held out: no pair is judged by a line that saw one of its clusters.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.calibration import det, tippett
from forensics.cohorts.fitting import CLOSE_KIN, Calibration, Labelled, fit_line
from forensics.cohorts.lineage.hypotheses import KIN_HYPOTHESES, Hypothesis, LabelledPair
from forensics.cohorts.lineage.models import clusters
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.population import month
from forensics.cohorts.similarity import Flags, Floats, Similarities, agreement, pair_scores
from forensics.cohorts.validation import FOLDS, held_out_llr
from forensics.errors import InputFileError
from forensics.evaluation.rates import STRONG, Scored, rates, without_hubs
from forensics.support.blas_threads import one_blas_thread
from forensics.support.block_mapping import Mapper, in_a_loop

_CURVE_POINTS = 200
Source = Literal["held_out", "shipped", "none"]


@dataclass(frozen=True)
class Evaluated:
    """Every labelled pair with its scores; arrays of shape (pairs,)."""

    labelled: Labelled
    relations: tuple[str, ...]
    score: Floats
    unhubbed: Floats
    llr: Floats | None
    abstained: Flags
    source: Source


@one_blas_thread()
def evaluate(
    outputs: Outputs,
    pairs: Sequence[LabelledPair],
    prompts: int | None = None,
    cohort_size: int | None = None,
    seed: int = 0,
    shipped: Calibration | None = None,
    trained_on: Iterable[str] = (),
    mapper: Mapper = in_a_loop,
) -> dict[str, Any]:
    """Return the error rates as plain JSON values; all but `seconds` are the same for all mappers.

    Args:
        outputs: answers with the models' facts.
        pairs: labelled pairs among them.
        prompts: how many prompts to use, drawn by `seed`; None takes all.
        cohort_size: at most how many reference models, drawn by `seed`; None takes all.
        seed: of both draws.
        shipped: a calibration fitted elsewhere.
        trained_on: `weights_id`s of the models `shipped` was fitted on.
        mapper: has prompts sketched, pairs scored and judged, and rates resampled.

    Raises:
        InputFileError: the models share no prompt.
    """
    if not outputs.prompts:
        raise InputFileError(
            "no prompt was answered by at least half of the models; give answers of all to the same"
        )
    started = time.monotonic()
    used = drawn(outputs, prompts, seed)
    similarities = used.similarities(mapper)
    excluded = used.excluded() | ~_reference(len(used.models), cohort_size, seed)
    known = {name.casefold() for name in trained_on}
    overlap = any(fact.weights_id.casefold() in known for fact in used.facts.values())
    calibration = None if overlap else shipped
    evaluated = score_pairs(used, pairs, similarities, excluded, calibration, mapper)
    hypotheses = {name: _against(evaluated, name) for name in KIN_HYPOTHESES}
    return {
        "hypotheses": _rates(hypotheses, mapper),
        "by_relation": _rates(_by_relation(evaluated), mapper),
        "shift": {
            "era": _era_shift(used, evaluated, similarities, mapper),
            "shared_system_prompt": _shared_policy(used, evaluated),
        },
        "curves": _curves(evaluated),
        "calibration": evaluated.source,
        "n_models": len(used.models),
        "n_clusters": len(set(clusters(used.facts).values())),
        "n_prompts": len(used.prompts),
        "cohort_size": cohort_size or len(used.models),
        "seed": seed,
        "seconds": round(time.monotonic() - started, 2),
    }


def drawn(outputs: Outputs, prompts: int | None, seed: int) -> Outputs:
    """Return the same on at most so many prompts, drawn by `seed`; None takes all."""
    return outputs.on(_draw(len(outputs.prompts), prompts, seed))


def score_pairs(
    outputs: Outputs,
    pairs: Sequence[LabelledPair],
    similarities: Similarities,
    excluded: Flags,
    calibration: Calibration | None,
    mapper: Mapper = in_a_loop,
) -> Evaluated:
    """Score every labelled pair; without a calibration LLRs hold both clusters of a pair out."""
    place = set(outputs.models)
    named = [p for p in pairs if p.hypothesis and p.a in place and p.b in place]
    labelled = outputs.labelled(named)
    scores = pair_scores(similarities, excluded, labelled.pairs, mapper)
    population = replace(outputs.population(), agreement=agreement(similarities))
    references = [~(excluded[a] | excluded[b]) for a, b in labelled.pairs]
    known = np.isfinite(scores.score)
    met = population.met(labelled.pairs, references, mapper) & known
    unrelated = labelled.are("independent") & known
    if calibration is not None:
        llr: Floats | None = calibration.llr(np.nan_to_num(scores.score), len(outputs.prompts))
    else:
        llr = held_out_llr(scores.ranking, labelled, mapper=mapper)
    ranking = scores.ranking
    return Evaluated(
        labelled,
        tuple(p.relation for p in named),
        ranking,
        np.where(known, without_hubs(np.nan_to_num(ranking), labelled.pairs, unrelated), np.nan),
        None if llr is None else np.where(known, llr, 0.0),
        ~met,
        "none" if llr is None else "held_out" if calibration is None else "shipped",
    )


def _against(evaluated: Evaluated, name: Hypothesis) -> Scored:
    keep = evaluated.labelled.are(name) | evaluated.labelled.are("independent")
    llr = evaluated.llr if name in CLOSE_KIN else None
    return _scored(evaluated, keep, evaluated.labelled.are(name), llr)


def _scored(evaluated: Evaluated, keep: Flags, kin: Flags, llr: Floats | None) -> Scored:
    return Scored(
        evaluated.score[keep],
        evaluated.unhubbed[keep],
        None if llr is None else llr[keep],
        evaluated.abstained[keep],
        kin[keep],
        evaluated.labelled.clusters[keep],
    )


def _rates(scored: Mapping[Any, Scored], mapper: Mapper) -> dict[Any, Any]:
    return dict(zip(scored, mapper(_rates_of, None, scored.values()), strict=True))


def _rates_of(_: None, scored: Scored) -> dict[str, Any]:
    return rates(scored)


def _by_relation(evaluated: Evaluated) -> dict[str, Scored]:
    relation = np.array(evaluated.relations)
    unrelated = evaluated.labelled.are("independent")
    return {
        name: _scored(evaluated, (relation == name) | unrelated, relation == name, evaluated.llr)
        for name in sorted(set(evaluated.relations))
        if not (unrelated & (relation == name)).any()
    }


def _curves(evaluated: Evaluated) -> dict[str, Any]:
    """Return what Tippett and DET plots draw, every pair of models counting once."""
    unrelated = evaluated.labelled.are("independent")
    curves: dict[str, Any] = {"tippett": None, "det": {}}
    for name in KIN_HYPOTHESES:
        kin = evaluated.labelled.are(name)
        known = np.isfinite(evaluated.score)
        scored_kin, scored_unrelated = kin & known, unrelated & known
        if scored_kin.any() and scored_unrelated.any():
            drawn = det(evaluated.score[scored_kin], evaluated.score[scored_unrelated])
            curves["det"][name] = {"fpr": _thinned(drawn.fpr), "fnr": _thinned(drawn.fnr)}
    kin = evaluated.labelled.are(*CLOSE_KIN)
    if evaluated.llr is not None and kin.any() and unrelated.any():
        llr = np.where(evaluated.abstained, 0.0, evaluated.llr)
        shares = tippett(llr[kin], llr[unrelated])
        curves["tippett"] = {
            "log10_lr": _thinned(shares.log10_lr),
            "kin": _thinned(shares.kin),
            "unrelated": _thinned(shares.other),
        }
    return curves


def _thinned(values: Floats) -> list[float]:
    rows = np.unique(np.linspace(0, len(values) - 1, _CURVE_POINTS).astype(int))
    return [round(float(values[i]), 5) for i in rows]


def _draw(total: int, wanted: int | None, seed: int) -> NDArray[np.intp]:
    if wanted is None or wanted >= total:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed).permutation(total)[:wanted])


def _reference(models: int, wanted: int | None, seed: int) -> Flags:
    flags = np.zeros(models, dtype=bool)
    flags[_draw(models, wanted, seed)] = True
    return flags


def _era_shift(
    outputs: Outputs, evaluated: Evaluated, similarities: Similarities, mapper: Mapper
) -> dict[str, Any] | None:
    """Judge unrelated pairs of later models with a cohort and lines of earlier ones only."""
    months = np.array([month(fact.released) or 0 for fact in outputs.facts.values()])
    years = months // 12
    cut = int(years.max())
    early = (years < cut) & (months > 0)
    late = years == cut
    labelled = evaluated.labelled
    unrelated = labelled.are("independent")
    old = np.asarray(early[labelled.pairs].all(axis=1))
    new = late[labelled.pairs].all(axis=1) & unrelated
    if early.sum() < 2 * FOLDS or not new.any():
        return None
    excluded = outputs.excluded() | ~early
    score = pair_scores(similarities, excluded, labelled.pairs, mapper).score
    line = fit_line(score[None, old], labelled.where(old))
    if line is None:
        return None
    # The bound alone would keep every LR below 100: the question is what the line says.
    llr = line.llr(np.nan_to_num(score[new]), bounded=False)
    references = [~(excluded[a] | excluded[b]) for a, b in labelled.pairs[new]]
    population = replace(outputs.population(), agreement=agreement(similarities))
    met = population.met(labelled.pairs[new], references, mapper)
    return {
        "fitted_on": f"{int(early.sum())} models released before {cut}",
        "unrelated_pairs": int(new.sum()),
        "lr_above_100_without_conditions": round(float((llr > STRONG).mean()), 6),
        "lr_above_100": round(float(((llr > STRONG) & met).mean()), 6),
        "abstained": round(float((~met).mean()), 6),
    }


def _shared_policy(outputs: Outputs, evaluated: Evaluated) -> dict[str, Any] | None:
    """Judge unrelated pairs under one system prompt, by a line that saw none of their clusters."""
    policies = np.array([traits.system_prompt for traits in outputs.population().traits])
    sides = policies[evaluated.labelled.pairs]
    same = (
        (sides[:, 0] == sides[:, 1]) & (sides[:, 0] != "") & evaluated.labelled.are("independent")
    )
    if evaluated.llr is None or not same.any():
        return None
    clusters_asked_alike = np.unique(evaluated.labelled.clusters[same])
    apart = np.asarray(~np.isin(evaluated.labelled.clusters, clusters_asked_alike).any(axis=1))
    line = fit_line(evaluated.score[None, apart], evaluated.labelled.where(apart))
    if line is None:
        return None
    strong = line.llr(np.nan_to_num(evaluated.score[same]), bounded=False) > STRONG
    return {
        "unrelated_pairs": int(same.sum()),
        "lr_above_100_without_conditions": round(float(strong.mean()), 6),
        "lr_above_100": round(float((strong & ~evaluated.abstained[same]).mean()), 6),
        "abstained": round(float(evaluated.abstained[same].mean()), 6),
    }
