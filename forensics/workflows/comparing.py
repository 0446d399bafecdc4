"""Collecting what is missing of two subjects, and comparing them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from forensics.case.run_records import CaseIdentity, IdentityOf, LedgerSettings
from forensics.evidence import load_comparators
from forensics.examination.examined import Examined
from forensics.subjects.backends import open_backend
from forensics.verdicts.compare import compare
from forensics.verdicts.measurable import measurable, of_tiers
from forensics.workflows.asks import Ask, announce
from forensics.workflows.budget import asks, of_pair
from forensics.workflows.local_models import check_control, check_model, check_pair
from forensics.workflows.observing import Observer
from forensics.workflows.obtaining import examine, obtain
from forensics.workflows.placing import place
from forensics.workflows.resolving import Pair, ResolvedSubject, suite_for

if TYPE_CHECKING:
    from forensics.case.document import Case
    from forensics.evidence.comparator import Comparator
    from forensics.suites.suite import Suite
    from forensics.transcripts.transcript import Transcript
    from forensics.workflows.callbacks import Progress, Tick
    from forensics.workflows.settings import CompareSettings


def compared(
    pair: Pair,
    settings: CompareSettings,
    progress: Progress,
    comparators: Sequence[Comparator[Any]] | None = None,
) -> tuple[Case, Sequence[Transcript | None]]:
    """Collect what is missing of two subjects and compare them.

    Args:
        pair: the subjects, and what they are compared by.
        settings: how they are asked, what is measured, and what is recorded.
        progress: is told of answers and of each comparator.
        comparators: what to measure, of models whose files were checked; those that the settings
            name, by default.

    Returns:
        The case, and either subject's transcript, None of a cohort's model.

    Raises:
        UsageError: prompts or comparators that mean nothing for these subjects.
        InputFileError: a transcript or a model's file is damaged.
        BackendError: a model or endpoint cannot be asked.
    """
    analysis, asking = settings.analysis, settings.asking
    if pair.members:
        # Checked, not used: numbers are all there is. Loading every comparator would take longest.
        if analysis.only or analysis.without:
            load_comparators(analysis.only, analysis.without)
        if comparators is None:
            announce(_asks(pair, settings, ()), settings.spending, progress)
        return _in_cohort(pair, settings, progress)
    # Before answers are collected, which may take an hour.
    if comparators is None:
        comparators = _checked(pair, settings)
        announce(_asks(pair, settings, comparators), settings.spending, progress)
    subjects = [side.subject for side in pair.sides]
    check_pair(subjects, comparators, analysis.tiers, asking.backend.dtype)
    cut, asked = suite_for(pair.sides, pair.suite)
    first, second = examine(pair.sides, asked, asking, comparators, progress)
    bases = _answering(pair, asked, settings, progress)
    observer = Observer(pair.controls, analysis.tiers, asking, progress)
    first, second = observer.observed(first, second, comparators)
    answered = [{answer.prompt_sha256 for answer in side.answers} for side in (first, second)]
    cohort = pair.cohort.for_prompts(answered[0] & answered[1])
    with progress.step("comparing") as retitle:
        case = compare(
            first,
            second,
            measurable(_counted(comparators, settings, progress), first, second),
            cut,
            settings.command,
            progress=retitle,
            settings=_chosen(settings, cut, _identities(pair, first, second, settings)),
            cohort=cohort,
            released=(analysis.known_released, analysis.questioned_released),
            transferred=pair.cohort.transferred(cohort),
            shown=progress.evidence,
            bases=bases,
        )
    return case, (first.transcript, second.transcript)


def would_compare(pair: Pair, settings: CompareSettings) -> list[Ask]:
    """Return what `compared` would ask; nothing is asked.

    Raises:
        UsageError, InputFileError, BackendError: see `compared`.
    """
    return _asks(pair, settings, () if pair.members else _checked(pair, settings))


def comparison_asks(pair: Pair, settings: CompareSettings) -> list[Ask]:
    """Return what `compared` would ask; the models' files are not looked at.

    Raises:
        UsageError, InputFileError, BackendError: see `compared`.
    """
    return _asks(pair, settings, () if pair.members else _named(settings))


def _asks(
    pair: Pair, settings: CompareSettings, comparators: Sequence[Comparator[Any]]
) -> list[Ask]:
    return asks(of_pair(pair, settings.asking, comparators, settings.analysis.tiers))


def _checked(pair: Pair, settings: CompareSettings) -> Sequence[Comparator[Any]]:
    """Return the comparators that will run, once the files they read have been looked at."""
    analysis = settings.analysis
    comparators = _named(settings)
    for side in pair.sides:
        check_model(side.subject, comparators, analysis.tiers, settings.asking.backend.dtype)
    for control in pair.controls:
        check_control(control, comparators)
    return comparators


def _named(settings: CompareSettings) -> Sequence[Comparator[Any]]:
    analysis = settings.analysis
    return of_tiers(load_comparators(analysis.only, analysis.without), analysis.tiers)


def _counted(
    comparators: Sequence[Comparator[Any]], settings: CompareSettings, progress: Progress
) -> list[Comparator[Any]]:
    """Return the comparators; embeddings, which take longest, tell how far they are."""
    from forensics.evidence.text.embedding import MOST_PROMPTS, Embedding

    def counting(total: int) -> AbstractContextManager[Tick]:
        return progress.answers("meaning (embeddings)", total, 0)

    most = None if settings.analysis.all_embeddings else MOST_PROMPTS
    return [
        replace(comparator, most=most, counting=counting)
        if isinstance(comparator, Embedding)
        else comparator
        for comparator in comparators
    ]


def _in_cohort(
    pair: Pair, settings: CompareSettings, progress: Progress
) -> tuple[Case, list[Transcript | None]]:
    """Compare where one subject at least is a cohort's model, of which only numbers are kept."""
    from forensics.errors import UsageError
    from forensics.verdicts.in_cohort import Side, compare_in_cohort

    cohort = pair.members[0].home
    if any(member.home.name != cohort.name for member in pair.members):
        raise UsageError("the subjects are models of different cohorts; they share no prompts")
    months = settings.analysis.known_released, settings.analysis.questioned_released
    sides = []
    transcripts: list[Transcript | None] = []
    subjects = (*pair.sides, *pair.bases)
    for subject, month in zip(subjects, (*months, *("" for _ in pair.bases)), strict=True):
        placed, transcript = place(subject, cohort, month, pair.suite, settings.asking, progress)
        sides.append(Side(subject.subject, placed, transcript))
        transcripts.append(transcript)
    chosen = _chosen(settings, None)
    first, second, *bases = sides
    case = compare_in_cohort(first, second, cohort, settings.command, chosen, bases)
    return case, transcripts[:2]


def _answering(
    pair: Pair, asked: Suite, settings: CompareSettings, progress: Progress
) -> list[Examined]:
    """Return the questioned model's pasts with their answers, collected where they are missing."""
    return [
        Examined(base.subject, _no_answers(base))
        if base.subject.kind == "cohort"
        else Examined(base.subject, obtain(base, asked, settings.asking, progress))
        for base in pair.bases
    ]


def _no_answers(member: ResolvedSubject) -> Transcript:
    """Return what a cohort keeps of a model's text: nothing."""
    from forensics.transcripts.transcript import Transcript

    return Transcript(member.subject.name, ())


def _chosen(
    settings: CompareSettings, cut: Suite | None, identities: Sequence[IdentityOf] = ()
) -> LedgerSettings:
    """Return what a bundle needs to find the prompts again, and the ledger should show."""
    prompts, analysis = settings.prompts, settings.analysis
    return LedgerSettings(
        cut=cut is not None,
        suite=prompts.suite or (cut.name if cut else None),
        category=prompts.category,
        limit=prompts.limit,
        every=prompts.every,
        samples=settings.asking.generation.samples,
        only=analysis.only,
        without=analysis.without,
        blind=settings.blind,
        tiers=analysis.tiers,
        controls=analysis.controls,
        bases=analysis.bases,
        all_embeddings=analysis.all_embeddings,
        cohort_name=analysis.cohort,
        known_released=analysis.known_released,
        questioned_released=analysis.questioned_released,
        identities=tuple(identities),
    ).as_chosen()


def _identities(
    pair: Pair, first: Examined, second: Examined, settings: CompareSettings
) -> list[IdentityOf]:
    """Return who the models are that no transcript tells of, for a plan to be held against.

    Without a plan nobody asks, and hashing the weights of large models takes minutes.
    """
    read = [
        side.subject for side in (first, second) if side.files and not side.transcript.manifests
    ]
    if first.controls or second.controls:
        read += pair.controls
    if not read or not settings.planned:
        return []
    backend = settings.asking.backend
    return [
        IdentityOf(
            spec=subject.spec,
            identity=CaseIdentity.model_validate(open_backend(subject, backend).identity()),
        )
        for subject in read
    ]
