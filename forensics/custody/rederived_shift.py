"""Change against the questioned model's past, derived again from a bundle's transcripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from forensics.case.document import Case
from forensics.case.evidence import Evidence
from forensics.custody.bundled_pasts import examined_pasts
from forensics.errors import ForensicsError
from forensics.examination.examined import Examined
from forensics.suites.suite import Suite
from forensics.transcripts.transcript import Transcript
from forensics.verdicts.shifting import SHIFT, shifted

if TYPE_CHECKING:
    from forensics.cohorts.cohort import Cohort


def shift_again(
    case: Case,
    a: Examined,
    b: Examined,
    pasts: Sequence[Transcript | None],
    suite: Suite | None,
    released: tuple[str, str],
    cohort: Cohort | None,
    unjudged: Mapping[str, str],
) -> tuple[Evidence | None, dict[str, str]]:
    """Return the evidence as it comes out now, and why the record has to do, if so.

    Args:
        case: the recorded case.
        a: the known subject.
        b: the questioned subject.
        pasts: transcripts of its pasts; None of a cohort's model.
        suite: what the comparison was cut to; None for all prompts.
        released: `YYYY-MM` of A and B, where known.
        cohort: that judged the case.
        unjudged: why the cohort that did is not here, if so.
    """
    if not any(entry.comparator == SHIFT for entry in case.evidence):
        return None, {}
    bases, why = examined_pasts(case, pasts, suite)
    why = why or next(iter(unjudged.values()), "")
    if why:
        return None, {SHIFT: why}
    try:
        return shifted(a, b, bases, cohort, released), {}
    except ForensicsError as error:
        return None, {SHIFT: str(error)}
