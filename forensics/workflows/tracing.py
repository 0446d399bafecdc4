"""Finding a subject's relatives among the models of a cohort."""

from __future__ import annotations

from forensics.cohorts.cohort import Cohort
from forensics.cohorts.finding import find_cohort, matching_cohort
from forensics.cohorts.trace import Trace, trace
from forensics.workflows.asks import Ask, announce
from forensics.workflows.budget import Run, asks
from forensics.workflows.callbacks import Progress
from forensics.workflows.placing import place
from forensics.workflows.resolving import Named, ResolvedSubject, SuiteChoice, resolve
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
    announce(asks(Run(resolved, (cohort,), choice, asking)), settings.spending, progress)
    placed, _ = place(resolved, cohort, settings.released, choice, asking, progress)
    with progress.step(f"tracing {placed.name}"):
        return trace(placed, cohort)


def would_trace(subject: Named, settings: TraceSettings, progress: Progress) -> list[Ask]:
    """Return what `traced` would ask; nothing is asked.

    Raises:
        UsageError, InputFileError, BackendError: see `traced`.
    """
    resolved, cohort = _resolved(subject, settings, progress, None)
    return asks(Run(resolved, (cohort,), SuiteChoice(settings.prompts), settings.asking))


def _resolved(
    subject: Named, settings: TraceSettings, progress: Progress, cohort: Cohort | None
) -> tuple[ResolvedSubject, Cohort]:
    allow = settings.asking.allow_broken
    resolved = resolve(subject, settings.endpoints, allow, progress)
    return resolved, cohort or cohort_for(resolved, settings.cohort)
