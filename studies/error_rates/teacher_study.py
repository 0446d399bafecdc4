"""Measures whether a model's teacher can be told from its answers: teacher, provider, kinship.

A student resembles its teacher. But does it resemble it more than other models of the time do, and
more than the student resembles these? Every choice made on the way (which statistic, hubs removed
or not) is made on one half of the students' groups and measured on the other. Teachers cannot be
held out: there are too few.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from forensics.cohorts.calibration import (
    LogisticFusion,
    auc,
    bootstrap_over_clusters,
    cluster_weights,
    tpr_at_fpr,
)
from forensics.cohorts.fitting import Labelled
from forensics.cohorts.lineage.hypotheses import LabelledPair
from forensics.cohorts.lineage.models import clusters
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.similarity import Flags, Floats, Similarities, pair_scores
from forensics.evaluation.rates import hub_effects, without_hubs
from forensics.transcripts.words import ngram_hashes, words
from studies.error_rates.published_methods import first_characters, opening_alleles
from studies.error_rates.teacher_claims import RIGHT, WRONG, Claims, Integers, claims, margins

MIN_TEACHER_CLUSTERS = 5
_WORDS = 8
_RAREST, _COMMONEST = 2, 12  # models that use a sequence on a prompt
_READ = 3_000  # characters of an answer
_FOLDS = 6
_RIDGE = 0.1
_RESAMPLES = 300


def rare_sequences(outputs: Outputs) -> Floats:
    """Return how many rare sequences of eight words two models share: shape (models, models).

    Rare are those that 2 to 12 models use on a prompt; summed over prompts as log(1 + number).
    """
    size = len(outputs.models)
    found = np.zeros((size, size))
    for row in outputs.texts:
        hashes = [
            np.unique(ngram_hashes(words(" ".join(samples)[:_READ]), _WORDS)) for samples in row
        ]
        owner = np.repeat(np.arange(size), [len(own) for own in hashes])
        _, number, count = np.unique(
            np.concatenate(hashes), return_inverse=True, return_counts=True
        )
        used = (count[number] >= _RAREST) & (count[number] <= _COMMONEST)
        uses = sparse.csr_array(
            (np.ones(int(used.sum())), (owner[used], number[used])), shape=(size, len(count))
        )
        found += np.log1p((uses @ uses.T).toarray())
    return found


def statistics(outputs: Outputs, similarities: Similarities) -> dict[str, Floats]:
    """Return the similarities that are tried, each (models, models), NaN on the diagonal."""
    size = len(outputs.models)
    pairs = np.stack(np.triu_indices(size, 1), axis=1)
    ours = np.full((size, size), np.nan)
    first, second = pairs.T
    ours[first, second] = pair_scores(similarities, outputs.excluded(), pairs).ranking
    ours[second, first] = ours[first, second]
    found = {
        "this project": ours,
        "opening alleles": opening_alleles(outputs, similarities),
        "first four characters": first_characters(outputs, similarities),
        "rare word 8-grams": rare_sequences(outputs),
    }
    for one in found.values():
        np.fill_diagonal(one, np.nan)
    return found


def no_hubs(matrix: Floats, labelled: Labelled) -> Floats:
    """Subtract both models' effects, fitted on unrelated pairs, from every pair's score."""
    a, b = labelled.pairs.T
    values = matrix[a, b]
    unrelated = labelled.are("independent") & np.isfinite(values)
    fitted = hub_effects(values[unrelated], labelled.pairs[unrelated], len(matrix))
    effects = fitted.of_models
    found = matrix - effects[:, None] - effects[None] - fitted.mean
    own = without_hubs(np.nan_to_num(values), labelled.pairs, unrelated)[unrelated]
    found[a[unrelated], b[unrelated]] = found[b[unrelated], a[unrelated]] = own
    return found


def blind_to_labels(matrix: Floats, excluded: Flags) -> Floats:
    """Subtract effects fitted on every pair that may be each other's reference, kin or not."""
    first, second = np.triu_indices(len(matrix), 1)
    used = ~(excluded | excluded.T)[first, second] & np.isfinite(matrix[first, second])
    pairs = np.stack([first, second], axis=1)[used]
    fitted = hub_effects(matrix[first[used], second[used]], pairs, len(matrix))
    effects = fitted.of_models
    found: Floats = matrix - effects[:, None] - effects[None] - fitted.mean
    return found


def specificity(tried: Mapping[str, Floats], judged: Claims) -> dict[str, Any]:
    """Measure how well documented teachers part from wrong ones.

    Args:
        tried: similarities by name, shape (models, models).
        judged: the claims.
    """
    right = judged.are(RIGHT)
    scores = {name: margins(matrix, judged) for name, matrix in tried.items()}
    rows = {
        name: {
            "margin": _separation(values, right),
            **{kind: _separation(values, right, judged.are(kind)) for kind in WRONG},
            "score": _separation(tried[name][judged.student, judged.teacher], right),
        }
        for name, values in scores.items()
    }
    group = judged.group[judged.student]
    chosen, names = _chosen_elsewhere(scores, right, group)
    return {
        "rows": rows,
        "chosen": names,
        "of_chosen": _separation(chosen, right),
        "intervals": _intervals(chosen, right, group),
        "groups": len(np.unique(group[right])),
    }


def _separation(
    values: Floats, right: Flags, wrong: Flags | None = None
) -> tuple[float, float] | None:
    """Return AUC and TPR at 1 %, every claim counting once."""
    known = np.isfinite(values)
    one = values[known & right]
    other = values[known & (~right if wrong is None else wrong)]
    if not len(one) or not len(other):
        return None
    return auc(one, other), tpr_at_fpr(one, other, 0.01)


def _chosen_elsewhere(
    scores: Mapping[str, Floats], right: Flags, group: Integers
) -> tuple[Floats, list[str]]:
    """Judge either half of the groups by the statistic that parts the other half best."""
    half = _halves(group)
    found = np.full(len(right), np.nan)
    names = []
    for held_out in (False, True):
        there, here = half != held_out, half == held_out
        measured = {
            name: found_there[0]
            for name, values in scores.items()
            if (found_there := _separation(values[there], right[there])) is not None
        }
        if not measured:
            continue
        name = max(measured, key=lambda one: measured[one])
        values = scores[name]
        known = np.isfinite(values)
        line = LogisticFusion.fit(
            values[there & known], right[there & known], ridge=_RIDGE, monotone=True
        )
        found[here & known] = line.llr(values[here & known], bounded=False)
        names.append(name)
    return found, names


def _halves(group: Integers) -> Flags:
    drawn = np.random.default_rng(0).permutation(int(group.max(initial=0)) + 1) % 2
    found: Flags = drawn[group] == 1
    return found


def _intervals(values: Floats, right: Flags, group: Integers) -> dict[str, Any]:
    known = np.isfinite(values)
    of, kin, number = values[known], right[known], group[known]
    if not kin.any() or kin.all():
        return {"auc": None, "tpr": None}

    def interval(statistic: Callable[[Floats], float]) -> tuple[float, float] | None:
        found = bootstrap_over_clusters(statistic, number, number, n_resamples=_RESAMPLES)
        return None if found.low is None or found.high is None else (found.low, found.high)

    return {
        "auc": interval(lambda w: auc(of[kin], of[~kin], w[kin], w[~kin])),
        "tpr": interval(lambda w: tpr_at_fpr(of[kin], of[~kin], 0.01, w[kin], w[~kin])),
    }


def by_developer(outputs: Outputs, judged: Claims) -> dict[str, dict[str, Any]]:
    """Count documented claims, students' groups and teachers' clusters by the teacher's developer.

    `ratio` says whether a likelihood ratio could be given: not below five clusters of teachers.
    """
    facts = list(outputs.facts.values())
    numbers = clusters(outputs.facts)
    found: dict[str, dict[str, Any]] = {}
    right = judged.are(RIGHT)
    names = np.array([facts[i].developer for i in judged.teacher])
    for name in sorted(set(names[right].tolist())):
        own = right & (names == name)
        taught_by = {numbers[outputs.models[i]] for i in judged.teacher[own]}
        found[name] = {
            "claims": int(own.sum()),
            "groups": len(np.unique(judged.group[judged.student[own]])),
            "teacher_clusters": len(taught_by),
            "ratio": len(taught_by) >= MIN_TEACHER_CLUSTERS,
        }
    return found


def provider(outputs: Outputs, tried: Mapping[str, Floats], judged: Claims) -> dict[str, Any]:
    """Name the developer of the likeliest source of every student, and of models without teacher.

    Sources are models documented to have had no teacher, not kin of the subject and of another
    developer. The statistic is chosen, in either half of the groups, by what it gains on the other:
    students' providers named right less the same named for models that had none.
    """
    facts = list(outputs.facts.values())
    developer = np.array([fact.developer for fact in facts])
    source = np.array([fact.teachers_known == "none known" for fact in facts])
    excluded = outputs.excluded() | outputs.excluded().T
    usable = source & ~excluded & (developer[:, None] != developer[None])
    student: Flags = np.asarray(judged.documented.any(axis=1))
    providers = [set(developer[row].tolist()) for row in judged.documented]
    everyone = set().union(*providers)
    untaught = source & ~np.isin(developer, sorted(everyone))
    subjects = np.flatnonzero((student | untaught) & usable.any(axis=1))
    named = {name: _nearest(matrix, usable, developer)[subjects] for name, matrix in tried.items()}
    taught = student[subjects]
    right = {
        name: np.array(
            [own in (providers[i] or everyone) for i, own in zip(subjects, of, strict=True)]
        )
        for name, of in named.items()
    }
    chosen, names = _gaining_elsewhere(right, taught, _halves(judged.group)[subjects])
    truth = np.array([sorted(providers[i])[0] for i in subjects[taught]])
    names_of, counts = np.unique(truth, return_counts=True)
    hits = chosen[taught]
    return {
        "students": int(taught.sum()),
        "untaught": int((~taught).sum()),
        "providers": sorted(everyone),
        "majority": float(counts.max(initial=0) / max(len(truth), 1)),
        "rows": {n: (_mean(r[taught]), _mean(r[~taught])) for n, r in right.items()},
        "chosen": names,
        "micro": _mean(hits),
        "macro": _mean(np.array([hits[truth == name].mean() for name in names_of])),
        "untaught_named": _mean(chosen[~taught]),
        "candidates": float(np.isin(developer[source], sorted(everyone)).mean()),
    }


def _gaining_elsewhere(
    right: Mapping[str, Flags], taught: Flags, half: Flags
) -> tuple[Flags, list[str]]:
    """Judge either half by the statistic that gains most on the other."""
    chosen: Flags = np.zeros(len(taught), dtype=bool)
    names = []
    for held_out in (False, True):
        there = half != held_out
        if not (there & taught).any() or not (there & ~taught).any():
            continue
        gain = {n: r[there & taught].mean() - r[there & ~taught].mean() for n, r in right.items()}
        best = max(gain, key=lambda one: gain[one])
        chosen = np.where(there, chosen, right[best])
        names.append(best)
    return chosen, names


def _nearest(matrix: Floats, usable: Flags, developer: NDArray[np.str_]) -> NDArray[np.str_]:
    best = np.argmax(np.where(usable, np.nan_to_num(matrix, nan=-np.inf), -np.inf), axis=1)
    return np.asarray(developer[best])


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if len(values) else None


def common_teacher(
    tried: Mapping[str, Floats], labelled: Labelled, excluded: Flags
) -> dict[str, dict[str, tuple[float, float] | None]]:
    """Measure students of one teacher, and students with their teachers, against unrelated pairs.

    Every statistic plain, with hubs removed, with hubs fitted blind to labels, and the hubs alone;
    and all statistics fused by lines that saw neither cluster of a pair.
    """
    a, b = labelled.pairs.T
    kin, unrelated = labelled.are("common_teacher"), labelled.are("independent")
    fused = _fused([matrix[a, b] for matrix in tried.values()], labelled, kin, unrelated)
    matrices = dict(tried)
    if fused is not None:
        everywhere = np.full_like(next(iter(tried.values())), np.nan)
        everywhere[a, b] = everywhere[b, a] = fused
        matrices["all of these, fused"] = everywhere
    found = {}
    for name, matrix in matrices.items():
        removed, blind = no_hubs(matrix, labelled), blind_to_labels(matrix, excluded)
        versions = {"plain": matrix, "removed": removed, "blind": blind, "hubs": matrix - removed}
        found[name] = {
            version: _separation(values[a, b], kin, unrelated)
            for version, values in versions.items()
            if name in tried or version != "blind"
        }
    return found


def _fused(
    scores: Sequence[Floats], labelled: Labelled, kin: Flags, unrelated: Flags
) -> Floats | None:
    used = kin | unrelated
    features = np.nan_to_num(np.stack(scores, axis=1))
    folds = np.random.default_rng(0).integers(0, _FOLDS, int(labelled.clusters.max(initial=0)) + 1)
    fold = np.sort(folds[labelled.clusters], axis=1)
    found = np.full(len(used), np.nan)
    for first, second in np.unique(fold[used], axis=0):
        inside = used & (fold[:, 0] == first) & (fold[:, 1] == second)
        apart = used & ~np.isin(fold, (first, second)).any(axis=1)
        if not (apart & kin).any() or not (apart & unrelated).any():
            return None
        one, other = labelled.clusters[apart].T
        weights = cluster_weights(one, other, kin[apart])
        line = LogisticFusion.fit(features[apart], kin[apart], weights, ridge=_RIDGE)
        found[inside] = line.llr(features[inside], bounded=False)
    return found


def teacher_study(
    outputs: Outputs, similarities: Similarities, pairs: Sequence[LabelledPair]
) -> dict[str, Any] | None:
    """Measure all of it; None where no teacher is documented with high confidence."""
    judged = claims(outputs, pairs)
    if not judged.are(RIGHT).any() or judged.are(RIGHT).all():
        return None
    labelled = outputs.labelled(pairs)
    tried = statistics(outputs, similarities)
    removed = {f"{name}, hubs removed": no_hubs(one, labelled) for name, one in tried.items()}
    return {
        "claims": {kind: judged.kinds.count(kind) for kind in (RIGHT, *WRONG)},
        "by_developer": by_developer(outputs, judged),
        "specificity": specificity(tried | removed, judged),
        "provider": provider(outputs, tried | removed, judged),
        "common_teacher": common_teacher(tried, labelled, outputs.excluded()),
    }
