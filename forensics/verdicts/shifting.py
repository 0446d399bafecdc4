"""The questioned model against its own past: what `--base` adds to a case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forensics.case.details.shift import ShiftDetails
from forensics.case.evidence import Evidence
from forensics.evidence.shift.shift_evidence import NAME, without_shift
from forensics.examination.examined import Examined

if TYPE_CHECKING:
    from forensics.cohorts.cohort import Cohort
    from forensics.cohorts.manner_shift import InCohort

SHIFT = NAME
_NO_COHORT = (
    "no cohort answered these prompts, so how far a model changes without a teacher is not "
    "known; ask all three models the prompts of a cohort: --suite misguided-attention --samples "
    "3 --temperature 0.7"
)


def shifted(
    a: Examined,
    b: Examined,
    bases: Sequence[Examined],
    cohort: Cohort | None,
    released: tuple[str, str],
) -> Evidence:
    """Return whether `b` changed, against its own past, towards `a`.

    Args:
        a: the known subject.
        b: the questioned subject.
        bases: its pasts.
        cohort: whose models are the yardstick.
        released: `YYYY-MM` of A and B, where known.
    """
    if cohort is None:
        return without_shift(_NO_COHORT)
    from forensics.cohorts.manner_shift import InCohort, manner_shift
    from forensics.cohorts.placed import place_examined

    known, questioned = (
        InCohort(place_examined(side, cohort, month), side.answers)
        for side, month in zip((a, b), released, strict=True)
    )
    return manner_shift(known, questioned, [_past(base, cohort) for base in bases], cohort)


def _past(base: Examined, cohort: Cohort) -> InCohort:
    from forensics.cohorts.finding import find_model
    from forensics.cohorts.manner_shift import InCohort
    from forensics.cohorts.placed import place_examined, place_member

    if base.subject.kind == "cohort":
        return InCohort(place_member(find_model(base.subject.target, (cohort,))[1], cohort))
    return InCohort(place_examined(base, cohort), base.answers)


def shift_of(evidence: Sequence[Evidence]) -> ShiftDetails | None:
    """Return what was measured of the questioned model's change; None where nothing was."""
    for entry in evidence:
        if entry.status == "ok" and isinstance(entry.details, ShiftDetails):
            return entry.details
    return None
