"""Finding a subject's relatives among the models of a cohort."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from forensics.cohorts.cohort import Cohort
from forensics.cohorts.finding import find_cohort, matching_cohort
from forensics.cohorts.manner_shift import InCohort
from forensics.cohorts.placed import Placed
from forensics.cohorts.shift_trace import shift_trace
from forensics.cohorts.trace import Trace, trace
from forensics.transcripts.answers import usable_answers
from forensics.transcripts.transcript import Transcript
from forensics.workflows.asks import Ask, announce
from forensics.workflows.budget import Run, asks
from forensics.workflows.callbacks import Progress
from forensics.workflows.placing import place
from forensics.workflows.resolving import (
    Named,
    ResolvedSubject,
    SuiteChoice,
    check_pasts,
    resolve,
)
from forensics.workflows.settings import TraceSettings

_USUAL = "alpaca-eval"


def cohort_for(subject: ResolvedSubject, name: str | None) -> Cohort:
    """Return the cohort to search for a subject's relatives.

    Args:
        subject: whose relatives are wanted.
        name: of a cohort, or its file; None takes the one that the subject is a model of, or that
            answered most of a transcript's prompts, and `alpaca-eval` for all others.

    Raises:
        UsageError: no cohort has that name, or that model.
        InputFileError: the transcript or the cohort cannot be read.
    """
    if name:
        return find_cohort(name)
    if subject.subject.kind == "cohort":
        return subject.home
    if subject.subject.kind != "transcript":
        return find_cohort(_USUAL)
    return matching_cohort(subject.recorded.prompts.keys()) or find_cohort(_USUAL)


def traced(
    subject: Named, settings: TraceSettings, progress: Progress, cohort: Cohort | None = None
) -> Trace:
    """Rank a cohort's models by how likely a subject is related to each.

    Args:
        subject: as the user names it, or its answers.
        settings: the cohort, and how the subject is asked.
        progress: is told of answers as they arrive.
        cohort: one that was read already, instead of the one that the settings name.

    Raises:
        UsageError: a name means nothing, or the cohort's suite cannot be asked.
        InputFileError: a transcript or cohort cannot be read.
        BackendError: the subject cannot be asked.
    """
    asking, choice = settings.asking, SuiteChoice(settings.prompts)
    resolved, cohort = _resolved(subject, settings, progress, cohort)
    bases = _pasts(settings, progress, cohort)
    announce(
        asks(Run(resolved, (cohort,), choice, asking, bases=bases)), settings.spending, progress
    )
    placed, transcript = place(resolved, cohort, settings.released, choice, asking, progress)
    pasts = [place(base, cohort, "", choice, asking, progress) for base in bases]
    with progress.step(f"tracing {placed.name}"):
        ranked = trace(placed, cohort)
        if not pasts:
            return ranked
        subject_and_pasts = [_in_cohort(*side) for side in ((placed, transcript), *pasts)]
        shift = shift_trace(subject_and_pasts[0], subject_and_pasts[1:], cohort)
        return replace(ranked, shift=shift)


def trace_document(result: Trace) -> dict[str, Any]:
    """Return a trace as `forensics trace --json` writes it."""
    return asdict(result) | {"covered": result.covered}


def would_trace(subject: Named, settings: TraceSettings, progress: Progress) -> list[Ask]:
    """Return what `traced` would ask; nothing is asked.

    Raises:
        UsageError, InputFileError, BackendError: see `traced`.
    """
    resolved, cohort = _resolved(subject, settings, progress, None)
    bases = _pasts(settings, progress, cohort)
    choice = SuiteChoice(settings.prompts)
    return asks(Run(resolved, (cohort,), choice, settings.asking, bases=bases))


def _pasts(
    settings: TraceSettings, progress: Progress, cohort: Cohort
) -> tuple[ResolvedSubject, ...]:
    allow = settings.asking.allow_broken
    named = (resolve(base, settings.endpoints, allow, progress) for base in settings.bases)
    pasts = tuple(replace(base, given=(cohort,)) for base in named)
    check_pasts(pasts)
    return pasts


def _in_cohort(placed: Placed, transcript: Transcript | None) -> InCohort:
    return InCohort(placed, usable_answers(transcript.responses if transcript else ()))


def _resolved(
    subject: Named, settings: TraceSettings, progress: Progress, cohort: Cohort | None
) -> tuple[ResolvedSubject, Cohort]:
    allow = settings.asking.allow_broken
    resolved = resolve(subject, settings.endpoints, allow, progress)
    return resolved, cohort or cohort_for(resolved, settings.cohort)
