"""What `case init` freezes: every name of an analysis, resolved to what it means now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from forensics.cohorts.transferred import FEATURES
from forensics.custody.plan import (
    Planned,
    PlannedBackend,
    PlannedCohort,
    PlannedGeneration,
    PlannedSubject,
    PlannedSuite,
    thresholds,
)
from forensics.errors import UsageError
from forensics.evidence import load_comparators
from forensics.subjects.backends import open_backend
from forensics.support.version import VERSION
from forensics.verdicts.measurable import of_tiers
from forensics.workflows.resolving import Pair, ResolvedSubject, suite_for

if TYPE_CHECKING:
    from forensics.cohorts.cohort import Cohort
    from forensics.evidence import Comparator
    from forensics.subjects.backends.backend import BackendOptions
    from forensics.suites.suite import Suite
    from forensics.workflows.settings import CompareSettings, Prompts


def plan_from(pair: Pair, settings: CompareSettings, log10_lr: float | None = None) -> Planned:
    """Return the plan of a comparison.

    Args:
        pair: the subjects, and what they are compared by.
        settings: as `compare` takes them.
        log10_lr: the planner's own threshold, if any.

    Raises:
        UsageError, InputFileError, BackendError: a subject, suite or cohort is not to be had.
    """
    analysis, backend = settings.analysis, settings.asking.backend
    comparators = of_tiers(load_comparators(analysis.only, analysis.without), analysis.tiers)
    # Where no answers are looked at, no prompts are asked and no cohort can judge.
    from_answers = any("answers" in comparator.needs for comparator in comparators)
    suite, asked = _prompts(pair) if from_answers else (None, None)
    cohort = _cohort(pair, asked)
    known, questioned = (
        _subject(side, month, cohort, backend)
        for side, month in (
            (pair.known, analysis.known_released),
            (pair.questioned, analysis.questioned_released),
        )
    )
    return Planned(
        version=VERSION,
        known=known,
        questioned=questioned,
        suite=_frozen_suite(suite, settings.prompts) if suite else None,
        generation=PlannedGeneration(**asdict(settings.asking.generation)),
        backend=PlannedBackend(dtype=backend.dtype, batch_size=backend.batch_size),
        comparators=tuple(comparator.name for comparator in comparators),
        tiers=analysis.tiers,
        all_embeddings=analysis.all_embeddings,
        controls=tuple(
            _subject(ResolvedSubject(control), "", None, backend) for control in pair.controls
        ),
        bases=tuple(_subject(base, "", cohort, backend) for base in pair.bases),
        cohort=_frozen_cohort(cohort, pair, analysis.cohort) if cohort else None,
        transferred=_transferred(pair, cohort, comparators),
        thresholds=thresholds(log10_lr),
    )


def _frozen_suite(suite: Suite, prompts: Prompts) -> PlannedSuite:
    return PlannedSuite(
        chosen=prompts.suite,
        name=suite.name,
        version=suite.version,
        sha256=suite.sha256,
        prompts=len(suite.prompts),
        category=prompts.category,
        limit=prompts.limit,
        every=prompts.every,
    )


def _frozen_cohort(cohort: Cohort, pair: Pair, name: str | None) -> PlannedCohort:
    chosen = name if name and not pair.cohort.nothing else cohort.name
    return PlannedCohort(chosen=chosen, name=cohort.name, sha256=cohort.sha256)


def _transferred(
    pair: Pair, cohort: Cohort | None, comparators: Sequence[Comparator[Any]]
) -> str | None:
    """Return the sha256 of the calibration that stands in where no cohort has one of its own."""
    if pair.members or not {comparator.name for comparator in comparators}.issuperset(FEATURES):
        return None
    calibration = pair.cohort.transferred(cohort)
    return calibration.sha256 if calibration else None


def _prompts(pair: Pair) -> tuple[Suite | None, Suite | None]:
    """Return the suite the comparison is cut to, and the prompts a cohort is looked for by."""
    if not pair.members:
        return suite_for(pair.sides, pair.suite)
    if pair.suite.prompts.chosen:
        raise UsageError("a cohort's model answered the cohort's prompts; drop the suite options")
    return None, None


def _cohort(pair: Pair, asked: Suite | None) -> Cohort | None:
    if pair.members:
        return pair.members[0].home
    if asked is None:
        return pair.cohort.named
    return pair.cohort.for_prompts({prompt.sha256 for prompt in asked.prompts})


def _subject(
    resolved: ResolvedSubject, month: str, cohort: Cohort | None, backend: BackendOptions
) -> PlannedSubject:
    subject = resolved.subject
    spec = subject.spec
    if subject.kind == "cohort":
        return PlannedSubject(spec=spec, released=month, sha256=cohort.sha256 if cohort else None)
    if subject.kind == "transcript":
        return PlannedSubject(spec=spec, released=month, sha256=resolved.recorded.sha256)
    if subject.kind == "openai" and spec == f"openai:{subject.target}":
        spec = f"{spec}@{subject.base_url}"
    identity = open_backend(subject, backend).identity()
    return PlannedSubject(spec=spec, released=month, identity=dict(identity))
