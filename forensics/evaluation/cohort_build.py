"""Labelled outputs → cohort pack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts import judging
from forensics.cohorts.cohort import Cohort, CohortPrompt, phrase_hashes
from forensics.cohorts.fitting import (
    CLOSE_KIN,
    Labelled,
    fit_learned,
    fit_scores,
    scores_by_size,
)
from forensics.cohorts.learned import lines_of
from forensics.cohorts.lineage.hypotheses import LabelledPair
from forensics.cohorts.lineage.models import ModelFacts, clusters
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.population import traits_of
from forensics.cohorts.similarity import MIN_PROMPTS, mean_rows
from forensics.cohorts.validation import validate
from forensics.errors import InputFileError, UsageError
from forensics.evaluation.evaluate import evaluate
from forensics.evaluation.reference_scores import histogram, neighbours, reference_scores
from forensics.evidence.features.sketches import (
    SparseRows,
    count_sequences,
    document_frequency,
    fold,
    quantise,
    weigh,
)
from forensics.support.blas_threads import one_blas_thread
from forensics.support.block_mapping import Mapper, in_a_loop
from forensics.support.version import VERSION
from forensics.transcripts.transcript import Response
from forensics.transcripts.words import words
from forensics.verdicts.copy_tripwire import MIN_CHARS

PROMPTS = 120
_MOST = 255  # what a byte counts
_MIN_PHRASE_CLUSTERS = 3
_MAX_PHRASES = 60_000
_COPY_SHARE = 0.1
_FIGURES = (
    *("n_pos", "n_neg", "n_clusters", "n_clusters_neg", "abstained", "auc", "auc_hub_removed"),
    *("eer", "tpr_at_fpr", "cllr", "cllr_min", "interval", "lr_above_100"),
)


@one_blas_thread()
def build(
    outputs: Outputs,
    pairs: Sequence[LabelledPair],
    name: str,
    prompts: int = PROMPTS,
    seed: int = 0,
    provenance: Mapping[str, Any] | None = None,
    mapper: Mapper = in_a_loop,
) -> Cohort:
    """Make a cohort; the same arguments give the same cohort, and the same bytes once written.

    The calibration is fitted on the quantised sketches, and `error_rates` are those of the chosen
    prompts with clusters held out. Models that hand out others' answers stay in the cohort, but
    calibrate nothing.

    Args:
        outputs: answers with the models' facts.
        pairs: labelled pairs among them; without any, nothing is calibrated.
        name: of the cohort.
        prompts: how many of the prompts to keep: those most models answered, drawn by `seed`
            where there is a choice.
        seed: of the choice of prompts.
        provenance: what else is to be known: source, licence, command, date, …
        mapper: has prompts sketched, pairs scored and lines fitted; all give the same cohort.

    Raises:
        InputFileError: too few prompts have answers of enough models.
    """
    if len(outputs.prompts) < MIN_PROMPTS:
        raise InputFileError(
            f"only {len(outputs.prompts)} prompts were answered by at least half of the models; "
            f"{MIN_PROMPTS} are needed"
        )
    copies = near_copies(outputs)
    trusted = [pair for pair in pairs if pair.a not in copies and pair.b not in copies]
    used = outputs.on(_choose(outputs, prompts, seed))
    phrases = _phrases(outputs, mapper)
    sketched = {prompt.sha256 for prompt in used.prompts}
    notes = {
        "version": VERSION,
        "seed": seed,
        "answers": sum(len(samples) for row in used.texts for samples in row),
        "prompts_chosen": f"{len(used.prompts)} of {len(outputs.prompts)}",
        "near_copies": sorted(copies),
        "phrases": phrases.note,
    }
    cohort = Cohort(
        name=name,
        facts=outputs.facts,
        prompts=tuple(CohortPrompt(p.id, p.sha256, p.category) for p in used.prompts),
        traits=used.population().traits,
        calibration=None,
        error_rates=_error_rates(used, trusted, mapper),
        provenance={**(provenance or {}), **notes},
        phrases=phrases.hashes,
        phrase_models=phrases.models,
        more_prompts=tuple(p.sha256 for p in outputs.prompts if p.sha256 not in sketched),
        **_sketched(used, mapper),
    )
    calibrated = _calibrated(cohort, used.labelled(trusted), seed, mapper)
    return _with_reference(calibrated, used, trusted, seed, mapper)


def _calibrated(cohort: Cohort, labelled: Labelled, seed: int, mapper: Mapper) -> Cohort:
    """Add what labelled pairs say: the calibration, and how far to trust it."""
    similarities, excluded = cohort.similarities(), cohort.excluded()
    learned = fit_learned(similarities, excluded, labelled, seed, mapper)
    cohort = replace(cohort, learned=learned)
    used = _kin_and_unrelated(labelled)
    if not len(used.pairs):
        return cohort
    scores = scores_by_size(similarities, excluded, used, seed=seed, mapper=mapper)
    fitted = fit_scores(scores, used)
    if fitted is None:
        return cohort
    validation = validate(scores, used, fitted, seed, mapper)
    return replace(cohort, calibration=fitted, validation=validation)


def _with_reference(
    cohort: Cohort, outputs: Outputs, pairs: Sequence[LabelledPair], seed: int, mapper: Mapper
) -> Cohort:
    """Add what pairs of the cohort's models score, for a score to be set beside."""
    used = _kin_and_unrelated(outputs.labelled(neighbours(pairs, outputs.models)))
    if not len(used.pairs):
        return cohort
    every = [len(cohort.prompts)]
    ((size, drawn),) = scores_by_size(
        cohort.similarities(), cohort.excluded(), used, every, seed, mapper
    )
    known = (
        {judging.NAME: histogram(drawn[0], used, cohort.name, size)}
        if np.isfinite(drawn[0]).any()
        else {}
    )
    measured = reference_scores(outputs, used, cohort.name, seed, mapper)
    return replace(cohort, reference={**measured, **known})


def _kin_and_unrelated(labelled: Labelled) -> Labelled:
    return labelled.where(labelled.are(*CLOSE_KIN, "independent"))


def add(
    cohort: Cohort,
    facts: Mapping[str, ModelFacts],
    answers: Mapping[str, Sequence[Response]],
    provenance: Mapping[str, Any] | None = None,
) -> Cohort:
    """Add models to a cohort in the space that it has; what was fitted stays as it is.

    Args:
        cohort: the cohort.
        facts: of the new models.
        answers: theirs, to the cohort's prompts (others do not count).
        provenance: what to note of this addition.

    Raises:
        UsageError: a model is there already, or a new one has no facts.
        InputFileError: a model answered too few of the cohort's prompts.
    """
    models = dict(cohort.facts)
    traits, sketches, scales = [], [cohort.sketches], [cohort.scales]
    repeats = [cohort.repeats]
    for model, responses in answers.items():
        if model in models:
            raise UsageError(f"cohort {cohort.name!r} has a model {model!r}; rename one of them")
        if model not in facts:
            raise UsageError(f"the table of models has no row for {model!r}; add one")
        texts = _by_prompt(cohort, responses)
        if len(texts) < MIN_PROMPTS:
            raise InputFileError(
                f"{model!r} answered {len(texts)} of the {len(cohort.prompts)} prompts of cohort "
                f"{cohort.name!r}; {MIN_PROMPTS} are needed"
            )
        models[model] = facts[model]
        packed, scale = quantise(cohort.sketch(texts))
        sketches.append(packed[:, None])
        scales.append(scale[:, None])
        repeats.append(np.full_like(cohort.repeats[:, :1], np.nan))
        given = [text for samples in texts.values() for text in samples]
        reasons = any(response.reasoning for response in responses)
        traits.append(traits_of(facts[model], given, reasons))
    added = [*cohort.provenance.get("added", ()), {**(provenance or {}), "models": list(answers)}]
    return replace(
        cohort,
        facts=models,
        traits=(*cohort.traits, *traits),
        sketches=np.concatenate(sketches, axis=1),
        scales=np.concatenate(scales, axis=1),
        repeats=np.concatenate(repeats, axis=1) if cohort.repeats.size else cohort.repeats,
        provenance={**cohort.provenance, "added": added},
        learned=lines_of(cohort),
        sha256="",
    )


def _by_prompt(cohort: Cohort, responses: Iterable[Response]) -> dict[str, list[str]]:
    known = {prompt.sha256 for prompt in cohort.prompts}
    texts: dict[str, list[str]] = {}
    for response in responses:
        usable = response.status in ("ok", "truncated") and response.text.strip()
        if usable and response.prompt.sha256 in known:
            texts.setdefault(response.prompt.sha256, []).append(response.text)
    return texts


def near_copies(outputs: Outputs) -> frozenset[str]:
    """Name the models that give other models' answers as theirs.

    Those are models of which a tenth of the answers or more is, character by character, a long
    answer of a model of another cluster and family that was out before (or when that is unknown).
    """
    related = outputs.excluded()
    released = [fact.released for fact in outputs.facts.values()]
    copied = np.zeros(len(outputs.models), dtype=np.int64)
    answered = np.zeros(len(outputs.models), dtype=np.int64)
    for row in outputs.texts:
        givers: dict[str, list[int]] = {}
        for model, samples in enumerate(row):
            answered[model] += bool(samples)
            for text in {sample.strip() for sample in samples}:
                if len(text) >= MIN_CHARS:
                    givers.setdefault(text, []).append(model)
        shared = [models for models in givers.values() if len(models) > 1]
        copiers = {
            model
            for models in shared
            for model in models
            for other in models
            if not related[model, other] and not released[model] < released[other]
        }
        copied[sorted(copiers)] += 1
    copies = np.flatnonzero((copied > 0) & (copied >= _COPY_SHARE * answered))
    return frozenset(outputs.models[i] for i in copies)


def _choose(outputs: Outputs, wanted: int, seed: int) -> NDArray[np.intp]:
    """Return the numbers of the prompts most models answered, by `seed` among equals."""
    answered = np.array([sum(map(bool, row)) for row in outputs.texts])
    shuffled = np.random.default_rng(seed).permutation(len(answered))
    order = shuffled[np.argsort(-answered[shuffled], kind="stable")]
    return np.sort(order[:wanted])


@dataclass(frozen=True, eq=False)
class _PromptSketches:
    """One prompt of a cohort; the fields as in `Cohort`, without their first axis."""

    sketches: NDArray[np.uint8]
    scales: NDArray[np.float16]
    frequency: NDArray[np.uint8]
    texts: int
    repeats: NDArray[np.float16]


def _sketched(outputs: Outputs, mapper: Mapper) -> dict[str, Any]:
    of_prompts = list(mapper(_sketch_prompt, None, outputs.texts))
    repeats = np.stack([prompt.repeats for prompt in of_prompts])
    return {
        "sketches": np.stack([prompt.sketches for prompt in of_prompts]),
        "scales": np.stack([prompt.scales for prompt in of_prompts]),
        "frequency": np.stack([prompt.frequency for prompt in of_prompts]),
        "texts": np.array([prompt.texts for prompt in of_prompts], dtype=np.uint16),
        "repeats": repeats if np.isfinite(repeats).any() else np.zeros((0, 0), "f2"),
    }


def _sketch_prompt(_: None, row: Sequence[Sequence[str]]) -> _PromptSketches:
    """Sketch the models' samples of one prompt."""
    counts = count_sequences([text for samples in row for text in samples])
    stored, total = _stored(document_frequency(counts), len(counts))
    owner = np.repeat(np.arange(len(row)), [len(samples) for samples in row])
    weighed = weigh(counts, stored.astype(np.int64), total)
    packed, scale = quantise(fold(mean_rows(weighed, owner, len(row))))
    repeats = _repeats(weighed, owner, len(row))
    return _PromptSketches(packed, scale, stored, total, repeats)


def _repeats(rows: SparseRows, owner: NDArray[np.intp], models: int) -> NDArray[np.float16]:
    """Return the mean cosine of two answers of each model, shape (models,); NaN for one answer."""
    sums = rows.summed(owner, models).astype(np.float64)
    answers = np.bincount(owner[np.diff(rows.bounds) > 0], minlength=models)
    pairs = np.where(answers > 1, answers * (answers - 1.0), np.nan)
    # Every row has unit length: what is left of the sum's squared length is the pairs' cosines.
    cosines = (np.einsum("ij,ij->i", sums, sums) - answers) / pairs
    repeats: NDArray[np.float16] = cosines.astype(np.float16)
    return repeats


def _stored(frequency: NDArray[np.int64], texts: int) -> tuple[NDArray[np.uint8], int]:
    """Return document frequencies and their number of texts, scaled down to what a byte counts.

    Scaling keeps the rarity of common sequences, which a mere cap would overstate.
    """
    if texts <= _MOST:
        return frequency.astype(np.uint8), texts
    return np.ceil(frequency * (_MOST / texts)).astype(np.uint8), _MOST


@dataclass(frozen=True)
class _Phrases:
    hashes: NDArray[np.uint32]
    models: NDArray[np.uint8]
    note: Mapping[str, int]


def _phrases(outputs: Outputs, mapper: Mapper) -> _Phrases:
    """Count in how many models word 5-grams stand; keep those of most clusters."""
    numbers = clusters(outputs.facts)
    of_model = np.array([numbers[model] for model in outputs.models])
    answers = (
        [text for row in outputs.texts for text in row[model]] for model in range(len(of_model))
    )
    phrases = list(mapper(_model_phrases, None, answers))
    grams = np.concatenate(phrases)
    owner = np.repeat(of_model, [len(phrases_of_model) for phrases_of_model in phrases])
    order = np.lexsort((owner, grams))
    grams, owner = grams[order], owner[order]
    starts = np.flatnonzero(np.diff(grams, prepend=grams[:1] + 1)) if len(grams) else grams
    starts = starts.astype(np.intp)
    models = np.diff(starts, append=len(grams))
    other = np.diff(owner, prepend=-1) != 0
    other[starts] = True
    used_by = np.add.reduceat(other, starts, dtype=np.int64) if len(starts) else models
    chosen = np.flatnonzero(used_by >= _MIN_PHRASE_CLUSTERS)
    chosen = chosen[np.argsort(-used_by[chosen], kind="stable")]
    least = _MIN_PHRASE_CLUSTERS
    if len(chosen) > _MAX_PHRASES:
        # Whole levels only: of a phrase that is not listed it is then known how rare it is.
        least = int(used_by[chosen[_MAX_PHRASES]]) + 1
        chosen = chosen[used_by[chosen] >= least]
    chosen = np.sort(chosen)
    return _Phrases(
        grams[starts[chosen]],
        np.minimum(models[chosen], _MOST).astype(np.uint8),
        {"counted": len(starts), "kept": len(chosen), "least_clusters": least},
    )


def _model_phrases(_: None, texts: Sequence[str]) -> NDArray[np.uint32]:
    """Return hashes of the word 5-grams of one model's answers, ascending, each once."""
    hashes = [phrase_hashes(words(text)) for text in texts]
    return np.unique(np.concatenate([np.empty(0, np.uint32), *hashes]))


def _error_rates(outputs: Outputs, pairs: Sequence[LabelledPair], mapper: Mapper) -> dict[str, Any]:
    if not pairs:
        return {}
    figures = evaluate(outputs, pairs, mapper=mapper)["hypotheses"]
    return {
        name: {figure: values[figure] for figure in _FIGURES if figure in values}
        for name, values in figures.items()
        if values["n_pos"]
    }
