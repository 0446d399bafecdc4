"""What other readings of answers do for shift: one by one, all together, and chosen inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from forensics.case.details.shift import ShiftDetails
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.lineage.models import clusters
from forensics.cohorts.manner import manner_reference
from forensics.cohorts.manner_shift import release_order
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.shift_candidates import candidates_of
from forensics.cohorts.similarity import Similarities
from forensics.evaluation.step_rates import (
    JudgedStep,
    KnownStep,
    auc_within_families,
    judged_steps,
)
from forensics.evidence.features.sketches import BUCKETS, Floats32, fold
from forensics.evidence.shift.manner_change import MannerSide
from forensics.evidence.shift.shift_evidence import ShiftQuestion, shift_in
from forensics.evidence.text.shared_manner.centring import InReference, MannerReference
from forensics.evidence.text.shared_manner.known_pairs import KnownPairs
from forensics.evidence.text.shared_manner.manner_evidence import PromptName
from studies.shift.readings import COUNTED, HABITS, read_all

ALL, CHOSEN = "all of these together", "the best on the other clusters"
_NEAR = 0.8  # of the limit: what shares less than this of it is not measured to the end

Judged = Mapping[str, list[JudgedStep]]


def once(outputs: Outputs, steps: Sequence[KnownStep]) -> dict[str, list[JudgedStep]]:
    """Judge steps by one answer a prompt: by every reading, and by the mean of their cosines."""
    judged: dict[str, list[JudgedStep]] = {}
    size = len(outputs.models)
    total = np.zeros((len(outputs.prompts), size, size), dtype=np.float32)
    texts = [[samples[0] if samples else "" for samples in row] for row in outputs.texts]
    for name in (*COUNTED, *HABITS):
        # Row by row: all of them at once would take gigabytes.
        cosines: Floats32 = np.stack([unit @ unit.T for unit in read_all(name, texts)])
        total += cosines
        judged[name] = judged_steps(outputs.facts, _similarities(outputs, cosines), steps)
    mean: Floats32 = total / np.float32(len(judged))
    return judged | {ALL: judged_steps(outputs.facts, _similarities(outputs, mean), steps)}


def _similarities(outputs: Outputs, cosines: Floats32) -> Similarities:
    answered = np.einsum("pmm->pm", cosines) > 1e-6
    return Similarities(outputs.models, tuple(p.sha256 for p in outputs.prompts), cosines, answered)


def chosen(judged: Judged) -> tuple[list[JudgedStep], dict[str, int]]:
    """Judge every lineage cluster by the reading that is best within families on the others.

    Returns:
        The steps so judged, and for how many clusters each reading was chosen.
    """
    numbers = sorted({step.cluster for steps in judged.values() for step in steps})
    result, counts = [], dict.fromkeys(judged, 0)
    for number in numbers:
        areas = {
            name: auc_within_families(
                [s for s in steps if s.step.teacher and s.cluster != number],
                [s for s in steps if not s.step.teacher and s.cluster != number],
            )
            for name, steps in judged.items()
        }
        best = max(areas, key=lambda name: areas[name] or 0)
        counts[best] += 1
        result += [step for step in judged[best] if step.cluster == number]
    return result, counts


def repeatedly(outputs: Outputs, cohort: Cohort) -> Iterator[tuple[str, MannerReference]]:
    """Yield a cohort as the reference of shared manner by each reading, then by all together.

    Args:
        outputs: the texts of the cohort's models.
        cohort: which prompts and models, and who is related.
    """
    reference = manner_reference(cohort)
    place = {prompt.sha256: number for number, prompt in enumerate(outputs.prompts)}
    columns = [outputs.models.index(model) for model in reference.models]
    groups = [
        [outputs.texts[place[prompt]][column] for column in columns] for prompt in reference.prompts
    ]
    every = []
    texts = [[text for samples in row for text in samples] for row in groups]
    for name in (*COUNTED, *HABITS):
        parts = [
            _means(part, [len(samples) for samples in row])
            for part, row in zip(read_all(name, texts), groups, strict=True)
        ]
        made = replace(
            reference,
            rows=np.stack([means for means, _ in parts]),
            repeats=np.stack([within for _, within in parts]),
        )
        every.append(made)
        yield name, made
    yield ALL, _together(every)


def _means(rows: Floats32, sizes: Sequence[int]) -> tuple[Floats32, np.ndarray]:
    """Return each model's mean row, and the mean cosine of two of its answers (NaN of one)."""
    owner = np.repeat(np.arange(len(sizes)), sizes)
    sums = np.zeros((len(sizes), rows.shape[1]), dtype=np.float64)
    np.add.at(sums, owner, rows)
    count = np.asarray(sizes)
    own = np.bincount(owner, np.einsum("ij,ij->i", rows, rows), minlength=len(sizes))
    pairs = np.einsum("ij,ij->i", sums, sums) - own
    within = np.where(count > 1, pairs / np.maximum(count * (count - 1), 1), np.nan)
    means = (sums / np.maximum(count, 1)[:, None]).astype(np.float32)
    return (fold(means) if means.shape[1] == BUCKETS else means), within


def _together(every: Sequence[MannerReference]) -> MannerReference:
    """Put readings side by side, each as long as its models are alike to themselves."""
    floors = []
    for made in every:
        population = KnownPairs.of(made)
        assert population is not None  # noqa: S101 (the cohort was asked repeatedly)
        floors.append(float(np.nanmean(population.own)))
    scales = [1 / np.sqrt(floor * len(every)) for floor in floors]
    rows = [made.rows * scale for made, scale in zip(every, scales, strict=True)]
    repeats = [made.repeats * scale**2 for made, scale in zip(every, scales, strict=True)]
    return replace(
        every[0],
        rows=np.concatenate(rows, axis=2).astype(np.float32),
        repeats=np.sum(repeats, axis=0),
    )


def towards(
    reference: MannerReference, cohort: Cohort, known: str, step: KnownStep
) -> ShiftDetails | None:
    """Return a step's change towards one model, by a reference that `repeatedly` made."""
    names = (known, step.model, *step.bases)
    places = [reference.models.index(name) for name in names]
    asked = np.flatnonzero(np.isfinite(reference.repeats[:, places]).all(axis=1))
    cut = reference.on([reference.prompts[row] for row in asked])
    sides = [
        MannerSide(name, InReference(cut.rows[:, place], cut.repeats[:, place], place))
        for name, place in zip(names, places, strict=True)
    ]
    prompts = tuple(PromptName(prompt, prompt[:8], "") for prompt in cut.prompts)
    order = release_order(cohort.facts[known].released, cohort.facts[step.model].released)
    question = ShiftQuestion(sides[0], sides[1], tuple(sides[2:]), prompts, order)
    details = shift_in(question, cut).details
    return details if isinstance(details, ShiftDetails) else None


def alarms(
    reference: MannerReference, cohort: Cohort, nulls: Sequence[KnownStep]
) -> tuple[int, int]:
    """Return of how many null clusters a step points to somebody, and how many there are."""
    population = KnownPairs.of(reference)
    assert population is not None  # noqa: S101 (the cohort was asked repeatedly)
    limit, numbers = float(np.quantile(population.unrelated(), 0.99)), clusters(cohort.facts)
    every, named = set(), set()
    for step in nulls:
        if not {step.model, *step.bases} <= set(reference.models):
            continue
        every.add(numbers[step.model])
        shares = population.shares[reference.models.index(step.model)]
        bases = [cohort.facts[base] for base in step.bases]
        for place in candidates_of(cohort.facts, cohort.facts[step.model], bases):
            if not shares[place] > _NEAR * limit:
                continue
            details = towards(reference, cohort, reference.models[place], step)
            if details is not None and details.reading == "points":
                named.add(numbers[step.model])
    return len(named), len(every)
