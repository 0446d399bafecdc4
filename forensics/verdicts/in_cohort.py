"""Two subjects of which one at least is a cohort's own model: no text, numbers only.

What a cohort keeps of its models is sketches. Only likeness can be judged then; exhibits are
prompt ids with scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forensics.case.document import Case, CaseSubject, CopyTripwire, LedgerEntry, Overlap
from forensics.case.evidence import Evidence
from forensics.case.run_records import CaseSuite, LedgerSettings
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.judging import judge
from forensics.cohorts.manner import manner_in
from forensics.cohorts.manner_shift import InCohort, manner_shift
from forensics.cohorts.placed import Placed
from forensics.cohorts.relatives import relatives
from forensics.subjects.subject import Subject
from forensics.support.clock import now
from forensics.support.version import VERSION
from forensics.transcripts.answers import Answer, usable_answers
from forensics.transcripts.transcript import Transcript
from forensics.verdicts.answer_records import answers_of
from forensics.verdicts.copy_tripwire import MIN_CHARS, MIN_IDENTICAL
from forensics.verdicts.verdict import changed, decide_in_cohort
from forensics.verdicts.verdict_wording import NO_TEXT, worded

_NOTHING_CHOSEN = LedgerSettings()


@dataclass(frozen=True)
class Side:
    """A subject as the user named it, and where it lies in the cohort."""

    subject: Subject
    placed: Placed
    transcript: Transcript | None = None


def compare_in_cohort(
    a: Side,
    b: Side,
    cohort: Cohort,
    command: str = "",
    settings: LedgerSettings = _NOTHING_CHOSEN,
    bases: Sequence[Side] = (),
) -> Case:
    """Compare two subjects by their likeness in a cohort's space.

    Args:
        a: the known subject.
        b: the questioned subject.
        cohort: whose space it is.
        command: what the user typed, for the record.
        settings: what was chosen, for the ledger.
        bases: the questioned subject's own pasts.
    """
    judged = judge(a.placed, b.placed, cohort)
    evidence: tuple[Evidence, ...] = (judged, _manner(a, b, cohort))
    if bases:
        known, questioned, *pasts = (InCohort(x.placed, _answers(x)) for x in (a, b, *bases))
        evidence = (*evidence, manner_shift(known, questioned, pasts, cohort))
    overlap = Overlap(a=a.placed.answered, b=b.placed.answered, both=judged.n)
    tripwire = CopyTripwire(
        identical=0, compared=0, limit=MIN_IDENTICAL, min_chars=MIN_CHARS, tripped=False
    )
    decision = decide_in_cohort(judged, overlap, tripwire)
    first, second = _subject(a, cohort), _subject(b, cohort)
    return Case(
        created_at=now(),
        version=VERSION,
        command=command,
        suite=CaseSuite(name=cohort.name, version="cohort", sha256=None),
        a=first,
        b=second,
        overlap=overlap,
        prompts=(),
        evidence=evidence,
        copy_tripwire=tripwire,
        comparability=(NO_TEXT,),
        verdict=worded(
            decision,
            changed(a.transcript, b.transcript),
            answers=answers_of(decision, evidence, first, second),
        ),
        relatives=relatives(a.placed, b.placed, cohort),
        ledger=(LedgerEntry(at=now(), what="compare", settings=settings),),
    )


def _manner(a: Side, b: Side, cohort: Cohort) -> Evidence:
    sides = [(side.placed, _answers(side)) for side in (a, b)]
    return manner_in(sides[0], sides[1], cohort)


def _answers(side: Side) -> Sequence[Answer]:
    return usable_answers(side.transcript.responses if side.transcript else ())


def _subject(side: Side, cohort: Cohort) -> CaseSubject:
    return CaseSubject(
        spec=side.subject.spec,
        name=side.placed.name,
        kind=side.subject.kind,
        provenance="imported",
        transcript_sha256=(side.transcript and side.transcript.sha256) or cohort.sha256,
        answers=side.placed.answered,
        empty=0,
        errors=0,
        warnings=side.transcript.warnings if side.transcript and side.transcript.broken else (),
    )
