"""Change in shared manner among a cohort's models: where text is known, and where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.case.details.shift import ReleaseOrder
from forensics.case.evidence import Evidence
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.manner import asked_twice, located, manner_reference
from forensics.cohorts.placed import Placed
from forensics.evidence.comparator import MIN_PROMPTS
from forensics.evidence.features.sketches import Floats32
from forensics.evidence.shift.manner_change import MannerSide
from forensics.evidence.shift.shift_evidence import ShiftQuestion, shift_in, without_shift
from forensics.evidence.text.shared_manner.centring import MannerReference
from forensics.evidence.text.shared_manner.manner_evidence import PromptName
from forensics.evidence.text.shared_manner.repeated import Repeated
from forensics.transcripts.answers import Answer

_ASKED_REPEATEDLY = "misguided-attention"


@dataclass(frozen=True)
class InCohort:
    """Where a model lies in a cohort, and its answers; none of a cohort's own model."""

    placed: Placed
    answers: Sequence[Answer] = ()

    @property
    def name(self) -> str:
        """What it is called."""
        return self.placed.known_as or self.placed.name


def manner_shift(a: InCohort, b: InCohort, bases: Sequence[InCohort], cohort: Cohort) -> Evidence:
    """Return whether B, against its own past, changed towards A's manner.

    Args:
        a: the known model.
        b: the questioned model.
        bases: its pasts, one or more.
        cohort: whose models are subtracted, and are the yardstick.
    """
    reference = manner_reference(cohort)
    sides = (a, b, *bases)
    texts = [Repeated.of(side.answers) if side.answers else None for side in sides]
    asked = [
        asked_twice(side.placed, repeated, reference)
        for side, repeated in zip(sides, texts, strict=True)
    ]
    known = np.logical_and.reduce(asked)
    if known.sum() < MIN_PROMPTS:
        each = [(side.name, int(flags.sum())) for side, flags in zip(sides, asked, strict=True)]
        return without_shift(too_few(int(known.sum()), each, _asks_of(cohort)), int(known.sum()))
    prompts = [p for p, asked_of_all in zip(reference.prompts, known, strict=True) if asked_of_all]
    cut = reference.on(prompts)
    placed = [_side(side, repeated, cut) for side, repeated in zip(sides, texts, strict=True)]
    shown = {prompt.sha256: prompt for prompt in cohort.prompts}
    names = tuple(PromptName(p, shown[p].id, shown[p].category) for p in prompts)
    order = release_order(a.placed.traits.released, b.placed.traits.released)
    return shift_in(ShiftQuestion(placed[0], placed[1], tuple(placed[2:]), names, order), cut)


def too_few(common: int, asked: Sequence[tuple[str, int]], suite: str) -> str:
    """Return why no change can be measured, and how it could be.

    Args:
        common: prompts that all models were asked repeatedly.
        asked: every model's name, and how many prompts it was asked repeatedly.
        suite: what to ask.
    """
    each = ", ".join(f"{name} {count}" for name, count in asked)
    least = min(asked, key=lambda pair: pair[1])[0]
    return (
        f"{common} prompts were asked repeatedly of all models ({each}), and {MIN_PROMPTS} are "
        f"needed; ask them the same prompts three times, {least} first: forensics probe MODEL "
        f"--suite {suite} --samples 3 --temperature 0.7"
    )


def _asks_of(cohort: Cohort) -> str:
    """Return the suite to ask: of a cohort that answered once nothing can be calibrated."""
    return cohort.name if cohort.repeats.size else _ASKED_REPEATEDLY


def release_order(known: str, questioned: str) -> ReleaseOrder:
    """Tell whether the questioned model was released after the known one; months as `YYYY-MM`."""
    if not known or not questioned:
        return "unknown"
    if known == questioned:
        return "same_month"
    return "after" if questioned > known else "before"


def _side(side: InCohort, texts: Repeated | None, reference: MannerReference) -> MannerSide:
    means: Floats32 | None = None
    if texts is not None:
        means = texts.rows(reference.prompts, reference.weights).means
    return MannerSide(side.name, located(side.placed, texts, reference), means)
