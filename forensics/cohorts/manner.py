"""A cohort as the reference of shared manner: the same sketches, as long as the models' means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case.evidence import Evidence
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.lineage.models import ModelFacts, clusters
from forensics.cohorts.placed import Placed
from forensics.cohorts.steps import own_steps
from forensics.evidence.comparator import MIN_PROMPTS, Comparator, without_score
from forensics.evidence.features.matched_prompts import Floats
from forensics.evidence.text.shared_manner.centring import (
    Flags,
    InReference,
    MannerReference,
    place,
)
from forensics.evidence.text.shared_manner.manner_evidence import (
    PromptName,
    SharedManner,
    evidence_of,
    too_few_repeats,
)
from forensics.evidence.text.shared_manner.measuring import measured_in
from forensics.evidence.text.shared_manner.repeated import Repeated, SequenceRarity
from forensics.transcripts.answers import Answer


def centred_on(comparators: Sequence[Comparator[Any]], cohort: Cohort) -> list[Comparator[Any]]:
    """Give shared manner the cohort's models to centre on; the others stay as they are."""
    if not any(isinstance(comparator, SharedManner) for comparator in comparators):
        return list(comparators)
    reference = manner_reference(cohort)
    return [
        replace(comparator, reference=reference)
        if isinstance(comparator, SharedManner)
        else comparator
        for comparator in comparators
    ]


def manner_in(
    a: tuple[Placed, Sequence[Answer]], b: tuple[Placed, Sequence[Answer]], cohort: Cohort
) -> Evidence:
    """Return what two subjects share of which one at least is a cohort's model, without text.

    Args:
        a: where the one lies in the cohort, and its answers; none of a cohort's own model.
        b: the other.
        cohort: whose space it is.
    """
    comparator, reference = SharedManner(), manner_reference(cohort)
    sides = [Repeated.of(answers) if answers else None for _, answers in (a, b)]
    known = np.ones(len(reference.prompts), dtype=bool)
    for (placed, _), texts in zip((a, b), sides, strict=True):
        known &= asked_twice(placed, texts, reference)
    prompts = [prompt for prompt, both in zip(reference.prompts, known, strict=True) if both]
    if len(prompts) < MIN_PROMPTS:
        return without_score(
            comparator, "insufficient", too_few_repeats(len(prompts)), len(prompts)
        )
    cut = reference.on(prompts)
    first, second = (
        located(placed, texts, cut) for (placed, _), texts in zip((a, b), sides, strict=True)
    )
    shown = {prompt.sha256: prompt for prompt in cohort.prompts}
    names = [PromptName(p, shown[p].id, shown[p].category) for p in prompts]
    usual = round(float(np.median(_answers_a_prompt(cohort))))
    samples = [usual if texts is None else texts.median_samples(prompts) for texts in sides]
    measured = measured_in(first, second, cut)
    return evidence_of(comparator, measured, names, (samples[0], samples[1]))


def asked_twice(placed: Placed, texts: Repeated | None, reference: MannerReference) -> Flags:
    """Flag the reference's prompts that a subject was asked repeatedly, shape (prompts,)."""
    if texts is not None:
        return np.isin(reference.prompts, texts.prompts)
    flags: Flags = np.isfinite(
        reference.repeats[:, reference.models.index(placed.known_as or placed.name)]
    )
    return flags


def located(placed: Placed, texts: Repeated | None, reference: MannerReference) -> InReference:
    """Place a subject among reference models: by its texts, or as one of them."""
    if texts is not None:
        return place(texts.rows(reference.prompts, reference.weights), reference)
    number = reference.models.index(placed.known_as or placed.name)
    return InReference(reference.rows[:, number], reference.repeats[:, number], number)


def manner_reference(cohort: Cohort) -> MannerReference:
    """Return what shared manner is centred on, and judged against, in a cohort."""
    numbers = clusters(cohort.facts)
    of_model = np.array([numbers[model] for model in cohort.models], dtype=np.intp)
    repeats = _repeats(cohort)
    return MannerReference(
        name=cohort.name,
        sha256=cohort.sha256,
        models=cohort.models,
        prompts=tuple(prompt.sha256 for prompt in cohort.prompts),
        categories=tuple(prompt.category for prompt in cohort.prompts),
        weights=SequenceRarity(cohort.frequency, cohort.texts),
        rows=(cohort.rows() * _lengths(cohort, repeats)[:, :, None]).astype(np.float32),
        repeats=repeats,
        clusters=of_model,
        unrelated=_unrelated(cohort, of_model),
        relatives=_relatives(cohort, of_model),
        steps=own_steps(cohort.facts),
    )


def _repeats(cohort: Cohort) -> Floats:
    if not cohort.repeats.size:
        return np.full(cohort.scales.shape, np.nan)
    return cohort.repeats.astype(np.float64)


def _lengths(cohort: Cohort, repeats: Floats) -> Floats:
    """Return how long the mean of a model's n unit rows is: sqrt((1 + (n - 1) r) / n)."""
    n = np.maximum(_answers_a_prompt(cohort), 1)[:, None]
    squares = (1 + (n - 1) * np.nan_to_num(repeats)) / n
    return np.where(np.isfinite(repeats), np.sqrt(np.maximum(squares, 0)), 1.0)


def _answers_a_prompt(cohort: Cohort) -> Floats:
    """Return how many answers a model gave to each prompt, on average: shape (prompts,)."""
    answers: Floats = cohort.texts / np.maximum((cohort.scales > 0).sum(axis=1), 1)
    return answers


def _unrelated(cohort: Cohort, numbers: NDArray[np.intp]) -> Flags:
    """Flag pairs of different developers without a documented link: shape (models, models)."""
    facts = list(cohort.facts.values())
    size = len(facts)
    flags = np.zeros((size, size), dtype=np.bool_)
    for i, first in enumerate(facts):
        for j, second in enumerate(facts[:i]):
            flags[i, j] = flags[j, i] = numbers[i] != numbers[j] and _no_link(first, second)
    return flags


def _no_link(first: ModelFacts, second: ModelFacts) -> bool:
    if not first.developer or not second.developer or first.developer == second.developer:
        return False
    bases = [{fact.base_model, fact.base_family} - {""} for fact in (first, second)]
    teachers = [{teacher.name.casefold() for teacher in f.teachers} for f in (first, second)]
    names = [{f.model.casefold(), f.weights_id.casefold()} for f in (first, second)]
    taught = teachers[0] & (names[1] | teachers[1]) or teachers[1] & names[0]
    return not (bases[0] & bases[1] or taught)


def _relatives(cohort: Cohort, numbers: NDArray[np.intp]) -> Flags:
    """Flag near relatives of other weights: one family of one developer, or one descent."""
    facts = list(cohort.facts.values())
    size = len(facts)
    flags = np.zeros((size, size), dtype=np.bool_)
    for i, first in enumerate(facts):
        for j, second in enumerate(facts):
            same_weights = first.weights_id.casefold() == second.weights_id.casefold()
            family = bool(first.family) and (first.family, first.developer) == (
                second.family,
                second.developer,
            )
            flags[i, j] = not same_weights and (family or numbers[i] == numbers[j])
    return flags
