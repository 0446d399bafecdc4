"""A subject placed among a cohort's models: its sketch, its traits, whether it is one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forensics.cohorts.cohort import Cohort
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.population import Traits, measured
from forensics.cohorts.similarity import MIN_PROMPTS, Flags
from forensics.evidence.features.sketches import Floats32
from forensics.examination.examined import Examined

# A model's own answers come back with a cosine of 1; its closest relatives reach .6.
_SAME_ANSWERS = 0.9
_ENOUGH = 16  # prompts that tell whose answers they are


@dataclass(frozen=True)
class Placed:
    """A subject in a cohort's space.

    `rows` has shape (prompts, dimensions); `known_as` is the cohort model whose answers these are.
    """

    name: str
    rows: Floats32
    traits: Traits
    known_as: str | None = None

    @property
    def answered(self) -> int:
        """How many of the cohort's prompts it answered."""
        return int(np.any(self.rows != 0, axis=1).sum())


def place_examined(subject: Examined, cohort: Cohort, released: str = "") -> Placed:
    """Place a subject by its answers.

    Args:
        subject: with its transcript.
        cohort: whose prompts count.
        released: `YYYY-MM`, where the user knows it.
    """
    asked = {prompt.sha256 for prompt in cohort.prompts}
    # The cohort's ranges are those of these prompts: answers to others would not compare.
    compared = [answer for answer in subject.answers if answer.prompt_sha256 in asked]
    answers: dict[str, list[str]] = {}
    for answer in compared:
        answers.setdefault(answer.prompt_sha256, []).append(answer.text)
    rows = cohort.sketch(answers)
    reasons = any(answer.reasoning for answer in compared)
    policy = _system_prompt(subject.transcript.manifests)
    traits = Traits(released, *measured([a.text for a in compared]), policy, reasons)
    return _recognised(Placed(subject.name, rows, traits), cohort)


def place_member(model: str, cohort: Cohort) -> Placed:
    """Place one of the cohort's own models.

    Raises:
        UsageError: there is no such model.
    """
    number = cohort.place(model)
    return Placed(model, cohort.row(number), cohort.traits[number], model)


def excluded_for(subject: Placed, cohort: Cohort) -> Flags:
    """Flag the cohort models that may not be a reference for the subject, shape (models,)."""
    if subject.known_as is None:
        return np.zeros(len(cohort.models), dtype=bool)
    flags: Flags = cohort.excluded()[cohort.place(subject.known_as)]
    return flags


def shares_answers(outputs: Outputs, cohort: Cohort) -> bool:
    """Tell whether some model of these outputs is one of the cohort's, under whatever name."""
    place = {prompt.sha256: row for row, prompt in enumerate(outputs.prompts)}
    picked = [i for i, prompt in enumerate(cohort.prompts) if prompt.sha256 in place][:_ENOUGH]
    if len(picked) < MIN_PROMPTS:
        return False
    known, answered = cohort.rows(picked), cohort.scales[picked] > 0
    texts = [(cohort.prompts[i].sha256, outputs.texts[place[cohort.prompts[i].sha256]])
             for i in picked]  # fmt: skip
    return any(
        _same_answers(
            cohort.sketch({sha256: row[model] for sha256, row in texts})[picked], known, answered
        )
        is not None
        for model in range(len(outputs.models))
    )


def _same_answers(rows: Floats32, known: Floats32, answered: Flags) -> int | None:
    """Return the model whose answers these are: rows (prompts, d), known (prompts, models, d)."""
    both = np.any(rows != 0, axis=1)[:, None] & answered
    shared = both.sum(axis=0)
    means = (np.einsum("pd,pnd->pn", rows, known) * both).sum(axis=0) / np.maximum(shared, 1)
    means[shared < MIN_PROMPTS] = 0  # one "Yes." in common is no identity
    best = int(np.argmax(means))
    return best if means[best] >= _SAME_ANSWERS else None


def _recognised(subject: Placed, cohort: Cohort) -> Placed:
    best = _same_answers(subject.rows, cohort.rows(), cohort.scales > 0)
    if best is None:
        return subject
    known = cohort.traits[best]
    traits = replace(
        subject.traits,
        released=subject.traits.released or known.released,
        system_prompt=subject.traits.system_prompt or known.system_prompt,
    )
    return replace(subject, known_as=cohort.models[best], traits=traits)


def _system_prompt(manifests: tuple[Any, ...]) -> str:
    settings: list[Mapping[str, Any]] = [m.settings for m in manifests]
    return next((str(s["system_prompt"]) for s in settings if s.get("system_prompt")), "")
