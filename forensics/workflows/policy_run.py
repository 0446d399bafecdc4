"""Policy × subject → a run: every name resolved, once, before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from forensics.cohorts.cohort import Cohort
from forensics.cohorts.finding import find_cohort
from forensics.errors import InputFileError, UsageError
from forensics.evidence import BUILT_IN, Comparator, load_comparators
from forensics.policy.drift import read_baseline
from forensics.policy.model import Policy, ReferenceEntry
from forensics.policy.reading import PolicyFile
from forensics.policy.terms import RestrictedTerms, restricted_terms
from forensics.subjects.backends.backend import GenerationSettings
from forensics.subjects.subject import Subject
from forensics.support.plugins import plugin_names
from forensics.transcripts.transcript import Transcript
from forensics.verdicts.measurable import of_tiers
from forensics.workflows import budget
from forensics.workflows.callbacks import Progress
from forensics.workflows.resolving import (
    CohortChoice,
    Named,
    Pair,
    ResolvedSubject,
    SuiteChoice,
    check_pasts,
    cohort_choice,
    resolve,
    resolve_controls,
)
from forensics.workflows.settings import (
    Analysis,
    CheckSettings,
    CompareSettings,
    LimitNames,
    Prompts,
    Spending,
)

_IN_POLICY = LimitNames(
    "check", "budget.max_calls", "budget.max_output_tokens", "limit", "samples", "max_tokens"
)


@dataclass(frozen=True)
class ResolvedReference:
    """An entry of `[[against]]`: a model, or a cohort to search."""

    entry: ReferenceEntry
    model: ResolvedSubject | None = None
    cohort: Cohort | None = None

    @property
    def compared(self) -> ResolvedSubject:
        """The model; only of an entry that names one."""
        assert self.model is not None  # noqa: S101
        return self.model

    @property
    def searched(self) -> Cohort:
        """The cohort; only of an entry that names one."""
        assert self.cohort is not None  # noqa: S101
        return self.cohort

    @property
    def name(self) -> str:
        """The reference as the policy names it."""
        return self.entry.subject or f"cohort {self.entry.cohort}"


@dataclass(frozen=True)
class PolicyRun:
    """A policy and a subject, and all that both name.

    `settings` are those of a comparison, of which every reference sets its own month of release.
    `baseline` are the stored answers of the rule `drift`, `terms` the table of the rule
    `restricted-teacher`, `bases` the subject's own pasts.
    """

    file: PolicyFile
    subject: ResolvedSubject
    references: tuple[ResolvedReference, ...]
    controls: tuple[Subject, ...]
    cohort: CohortChoice
    suite: SuiteChoice
    comparators: Sequence[Comparator[Any]]
    settings: CompareSettings
    baseline: Transcript | None = None
    terms: tuple[RestrictedTerms, ...] = ()
    bases: tuple[ResolvedSubject, ...] = ()

    @property
    def policy(self) -> Policy:
        """The policy."""
        return self.file.policy

    @property
    def models(self) -> list[ResolvedSubject]:
        """The references that are models."""
        return [reference.model for reference in self.references if reference.model is not None]

    @property
    def spending(self) -> Spending:
        """What the policy allows to be asked."""
        most = self.policy.budget
        return Spending(most.max_calls, most.max_output_tokens, names=_IN_POLICY)

    @property
    def asked(self) -> budget.Run:
        """What of it is counted before anything is asked."""
        references = (reference.model or reference.searched for reference in self.references)
        return budget.Run(
            self.subject,
            tuple(references),
            self.suite,
            self.settings.asking,
            self.comparators,
            self.policy.tiers,
            self.controls,
            self.baseline,
            self.bases,
        )

    def pair(self, reference: ResolvedReference) -> Pair:
        """Return a reference's model and the subject, to be compared."""
        pair = Pair(reference.compared, self.subject, self.controls, self.cohort, self.suite)
        return replace(pair, bases=self.bases)

    def judging(self, model: ResolvedSubject) -> Cohort | None:
        """Return the cohort that a pair is judged by as far as names tell; None by its prompts."""
        members = [side for side in (model, self.subject) if side.subject.kind == "cohort"]
        return members[0].home if members else self.cohort.named

    def compare_settings(self, entry: ReferenceEntry) -> CompareSettings:
        """Return how one reference is compared with the subject."""
        analysis = replace(self.settings.analysis, known_released=entry.released or "")
        return replace(self.settings, analysis=analysis)


def prepare(
    file: PolicyFile, subject: Named, given: CheckSettings, progress: Progress
) -> PolicyRun:
    """Return a run, with what the policy says beside what was given.

    Every file that the policy names is read here: an hour later is too late to miss it.

    Args:
        file: the policy.
        subject: as the user names it, or its answers.
        given: how endpoints and local models are reached; generation is the policy's.
        progress: is told where a named endpoint is.

    Raises:
        UsageError, InputFileError: a name means nothing, or its file cannot be read.
    """
    policy = file.policy
    settings = _settings(file, given)
    controls = resolve_controls(settings, progress)
    allow = given.asking.allow_broken
    checked = resolve(subject, settings.endpoints, allow, progress)
    specs = dict.fromkeys(entry.subject for entry in policy.against if entry.subject)
    models = {
        spec: checked if spec == subject else resolve(spec, settings.endpoints, allow, progress)
        for spec in specs
    }
    choice = cohort_choice(policy.cohort)
    bases = [resolve(spec, settings.endpoints, allow, progress) for spec in policy.bases]
    if "cohort" in {side.subject.kind for side in (checked, *models.values(), *bases)}:
        bases = [replace(side, given=choice.given) for side in bases]
        checked = replace(checked, given=choice.given)
        models = {spec: replace(side, given=choice.given) for spec, side in models.items()}
    check_pasts(bases)
    cohorts = {
        name: choice.named if name == policy.cohort else find_cohort(name)
        for name in dict.fromkeys(_searched(policy))
    }
    references = tuple(
        ResolvedReference(entry, models[entry.subject])
        if entry.subject
        else ResolvedReference(entry, cohort=cohorts[str(entry.cohort)])
        for entry in policy.against
    )
    return PolicyRun(
        file,
        checked,
        references,
        controls,
        choice,
        SuiteChoice(settings.prompts, usual=False),
        _comparators(policy),
        settings,
        _baseline(file, allow),
        _terms(policy),
        tuple(bases),
    )


def _searched(policy: Policy) -> list[str]:
    return [entry.cohort for entry in policy.against if entry.cohort]


def _settings(file: PolicyFile, given: CheckSettings) -> CompareSettings:
    policy = file.policy
    generation = GenerationSettings(
        temperature=policy.temperature,
        max_tokens=policy.max_tokens,
        samples=policy.samples,
        seed=policy.seed,
        system_prompt=policy.system_prompt,
    )
    texts = given.asking.texts or _path(policy.suite_text)
    endpoints = given.endpoints
    if policy.endpoints and not endpoints.file:
        endpoints = replace(endpoints, file=file.path)
    return CompareSettings(
        prompts=Prompts(policy.suite, policy.category, policy.limit),
        asking=replace(given.asking, generation=generation, texts=texts),
        endpoints=endpoints,
        analysis=Analysis(
            only=policy.comparators,
            without=policy.without,
            tiers=policy.tiers,
            controls=policy.controls,
            bases=policy.bases,
            cohort=policy.cohort,
            questioned_released=policy.released or "",
        ),
        command=given.command,
    )


def _baseline(file: PolicyFile, allow_broken: bool) -> Transcript | None:
    rule = file.policy.rules.drift
    if rule is None:
        return None
    try:
        return read_baseline(Path(rule.baseline), allow_broken)
    except InputFileError as error:
        where = f"{file.path}, line {file.line('rules', 'drift', 'baseline')}"
        raise InputFileError(
            f"{where}: {error}; forensics baseline save SUBJECT -o {rule.baseline} writes one, and "
            "a relative path starts in the working folder"
        ) from error


def _comparators(policy: Policy) -> list[Comparator[Any]]:
    known = (*BUILT_IN, *plugin_names("comparators"))
    limits = policy.rules.max_similarity.limits if policy.rules.max_similarity else {}
    unknown = next((name for name in limits if name not in known), None)
    if unknown is not None:
        raise UsageError(
            f"rules.max-similarity.limits: no comparator {unknown!r}; choose from: "
            f"{', '.join(known)}"
        )
    return of_tiers(load_comparators(policy.comparators, policy.without), policy.tiers)


def _terms(policy: Policy) -> tuple[RestrictedTerms, ...]:
    rule = policy.rules.restricted_teacher
    return restricted_terms(_path(rule.table)) if rule else ()


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
