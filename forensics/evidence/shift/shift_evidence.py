"""Shift as evidence: change against a model's own past, beside models without that teacher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.case.details.shift import (
    ChangeFromBase,
    OtherSteps,
    ReleaseOrder,
    ShiftDetails,
    ShiftReading,
)
from forensics.case.evidence import Evidence, Interval, PromptScore
from forensics.evidence.shift.manner_change import (
    MannerChange,
    MannerSide,
    manner_change,
    steps_towards,
    unrelated_p99,
)
from forensics.evidence.text.shared_manner.centring import MannerReference
from forensics.evidence.text.shared_manner.manner_evidence import PromptName

NAME = "shift"
TITLE = "Change against its own past"
LEAST_OTHERS = 10  # models: fewer bound no rate
_SCALE = (
    "change of the share of manner that the questioned model has in common with the known one, "
    "against its own past (0 = none)"
)
LIMITS = (
    "Two models that learned from the same data, and not from each other, change alike.",
    "A trace fades with later tuning, paraphrase weakens it, two teachers mix, and the base family "
    "changes its size: a negative result is not evidence that nothing was learned.",
    "Public data sets and web pages repeat models' answers: it does not show from whom they were "
    "had.",
)


@dataclass(frozen=True, eq=False)
class ShiftQuestion:
    """The known model A, the questioned model B, and B's pasts, on prompts all of them answered."""

    a: MannerSide
    b: MannerSide
    bases: tuple[MannerSide, ...]
    prompts: tuple[PromptName, ...]
    order: ReleaseOrder


def without_shift(reason: str, n: int = 0) -> Evidence:
    """Return that the change could not be measured, and why."""
    return Evidence(
        comparator=NAME, title=TITLE, tier="text", status="insufficient", weight="low",
        reason=reason, n=n,
    )  # fmt: skip


def shift_in(question: ShiftQuestion, reference: MannerReference) -> Evidence:
    """Measure the change among reference models.

    Args:
        question: the models.
        reference: cut to their prompts.
    """
    a, b = question.a, question.b
    for base in question.bases:
        for other, which in ((b, "questioned"), (a, "known")):
            if base.same_answers(other):
                return without_shift(_not_a_past(base.name, which), len(question.prompts))
    changes = [manner_change(a, b, base, reference) for base in question.bases]
    if not all(change.measurable for change in changes):
        reason = "the repeated answers of one of the models are no more alike than any answers"
        return without_shift(reason, len(question.prompts))
    named = zip(question.bases, changes, strict=True)
    records = tuple(_record(base, change) for base, change in named)
    least = min(range(len(records)), key=lambda i: records[i].change)
    others = _others(question, reference, records[least].change)
    details = ShiftDetails(
        bases=records, reading=_reading(records, others, question.order), order=question.order,
        others=others,
    )  # fmt: skip
    return _evidence(question, changes[least], details)


def _not_a_past(base: str, which: str) -> str:
    return (
        f"the base {base} gave the same answers as the {which} model: name the questioned model's "
        "own past, its instruct base or previous release, with --base"
    )


def _record(base: MannerSide, change: MannerChange) -> ChangeFromBase:
    low, high = change.interval()
    return ChangeFromBase(
        base=base.name,
        past=round(change.before.share, 4),
        share=round(change.after.share, 4),
        change=round(change.change, 4),
        low=round(low, 4),
        high=round(high, 4),
        n=len(change.after),
    )


def _others(
    question: ShiftQuestion, reference: MannerReference, change: float
) -> OtherSteps | None:
    p99 = unrelated_p99(reference)
    sides = (question.a, question.b, *question.bases)
    known = [side.placed.known_as for side in sides if side.placed.known_as is not None]
    steps = steps_towards(question.a.placed, reference, known)
    if p99 is None or not len(steps):
        return None
    return OtherSteps(
        cohort=reference.name,
        models=len(steps),
        less=int((steps.changes < change).sum()),
        clusters=len(np.unique(reference.clusters[steps.models])),
        settings=int(steps.settings.sum()),
        most=round(float(steps.changes.max()), 4),
        share_p99=round(p99, 4),
    )


def _reading(
    records: Sequence[ChangeFromBase], others: OtherSteps | None, order: ReleaseOrder
) -> ShiftReading:
    """Return what the changes come to; reports/SHIFT.md has how often that misleads."""
    if others is None or others.models < LEAST_OTHERS:
        return "uncalibrated"
    pointing = [
        base.low > 0 and base.change > others.most and base.share > others.share_p99
        for base in records
    ]
    if not any(pointing):
        return "silent"
    if not all(pointing):
        return "disagree"
    return "too_early" if order == "before" else "points"


def _evidence(question: ShiftQuestion, change: MannerChange, details: ShiftDetails) -> Evidence:
    least = details.least
    return Evidence(
        comparator=NAME,
        title=TITLE,
        tier="text",
        status="ok",
        # It is the ground of an answer of its own and no further count of what is alike.
        weight="low",
        scale=_SCALE,
        score=least.change,
        interval=Interval(low=least.low, high=least.high),
        n=len(question.prompts),
        per_prompt=tuple(
            PromptScore(prompt_sha256=p.sha256, prompt_id=p.id, score=round(float(score), 6))
            for p, score in zip(question.prompts, change.scores, strict=True)
        ),
        caveats=LIMITS,
        details=details,
    )
