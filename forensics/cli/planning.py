"""Case file ↔ command line: freezing what options say, and running what a plan says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensics.errors import UsageError

if TYPE_CHECKING:
    from forensics.case.document import Case, CasePlan
    from forensics.cohorts.cohort import Cohort
    from forensics.custody.plan import Planned, PlannedCohort, PlannedSubject, PlannedSuite
    from forensics.evidence import Comparator
    from forensics.subjects.subject import Subject
    from forensics.suites.suite import Suite
    from forensics.transcripts.transcript import Transcript


def by_plan(
    path: Path | None, specs: tuple[str | None, str | None], options: Mapping[str, Any]
) -> tuple[CasePlan | None, list[str], dict[str, Any]]:
    """Return the plan, both subjects and all options; the command line wins over the plan.

    Args:
        path: the case file; None without one.
        specs: the subjects as given.
        options: of `compare`.

    Raises:
        InputFileError: the case file was changed, or is none.
        UsageError: a subject is missing.
    """
    context = click.get_current_context()
    if path is None:
        for name, spec in zip(("KNOWN", "QUESTIONED"), specs, strict=True):
            if spec is None:
                raise click.UsageError(f"Missing argument '{name}'.", context)
        return None, [spec for spec in specs if spec is not None], dict(options)
    from forensics.custody.case_file import read_case_file
    from forensics.custody.plan import planned
    from forensics.workflows.progress import note

    found = read_case_file(path)
    if found.cut_off:
        note(f"{path}: a note that was cut off while being written is left out")
    plan = found.plan
    wanted = planned(plan)
    if not options["blind"]:
        # The file may be somebody else's: say who will be asked, and where a key will be sent.
        note(f"planned: {wanted.known.spec} (known), {wanted.questioned.spec} (questioned)")
    given = {
        name: value
        for name, value in options.items()
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    }
    names = (wanted.known.spec, wanted.questioned.spec)
    subjects = [name if spec is None else spec for spec, name in zip(specs, names, strict=True)]
    return plan, subjects, {**options, **_options(wanted), **given}


def _options(wanted: Planned) -> dict[str, Any]:
    suite, cohort = wanted.suite, wanted.cohort
    return {
        "suite_name": suite.chosen if suite else None,
        "category": suite.category if suite else (),
        "limit": suite.limit if suite else None,
        **wanted.generation.model_dump(),
        **wanted.backend.model_dump(),
        "api": _api(wanted),
        "only": wanted.comparators,
        "without": (),
        "tiers": wanted.tiers,
        "controls": tuple(control.spec for control in wanted.controls),
        "cohort_name": cohort.chosen if cohort else _without_cohort(wanted),
        "known_released": wanted.known.released or None,
        "questioned_released": wanted.questioned.released or None,
    }


def _without_cohort(wanted: Planned) -> str | None:
    # With no cohort asked for, nothing is calibrated; with none found, the transferred lines are.
    return None if wanted.transferred else "none"


def _api(wanted: Planned) -> str | None:
    """Return what endpoints are spoken to by; None where the two subjects differ or have none."""
    identities = (wanted.known.identity or {}, wanted.questioned.identity or {})
    found = {identity["api"] for identity in identities if identity.get("api")}
    return str(found.pop()) if len(found) == 1 else None


def with_plan(case: Case, plan: CasePlan | None, transcripts: Sequence[Transcript | None]) -> Case:
    """Return the case with its plan, and say on stderr how many deviations there are."""
    if plan is None:
        return case
    from forensics.custody.plan import with_deviations
    from forensics.workflows.progress import note

    case = with_deviations(case, plan, transcripts)
    found = len(case.plan.deviations) if case.plan else 0
    note(f"plan frozen at {plan.frozen_at}, sha256 {plan.sha256}; deviations: {found}")
    return case


def plan_from(specs: tuple[str, str], options: Mapping[str, Any]) -> Planned:
    """Return what `case init` freezes: every name resolved to what it means now.

    Raises:
        UsageError, InputFileError, BackendError: a subject, suite or cohort is not to be had.
    """
    from dataclasses import asdict

    from forensics.custody.plan import Planned, PlannedBackend, PlannedGeneration, thresholds
    from forensics.evidence import load_comparators
    from forensics.examination.token_probabilities import check_controls
    from forensics.support.months import check_month
    from forensics.support.version import VERSION
    from forensics.verdicts.measurable import of_tiers
    from forensics.workflows.obtaining import subject_from
    from forensics.workflows.settings import settings_from

    months = [check_month(options[f"{side}_released"], f"--{side}-released") for side in _SIDES]
    comparators = of_tiers(load_comparators(options["only"], options["without"]), options["tiers"])
    subjects = [subject_from(spec, dict(options)) for spec in specs]
    controls = [subject_from(spec, dict(options)) for spec in options["controls"]]
    check_controls(controls)
    # Where no answers are looked at, no prompts are asked and no cohort can judge.
    from_answers = any("answers" in comparator.needs for comparator in comparators)
    suite, asked = _prompts(subjects, options) if from_answers else (None, None)
    cohort = _cohort(subjects, options["cohort_name"], asked)
    known, questioned = (
        _subject(subject, month, cohort, options)
        for subject, month in zip(subjects, months, strict=True)
    )
    return Planned(
        version=VERSION,
        known=known,
        questioned=questioned,
        suite=_frozen_suite(suite, options) if suite else None,
        generation=PlannedGeneration(**asdict(settings_from(dict(options)))),
        backend=PlannedBackend(dtype=options["dtype"], batch_size=options["batch_size"]),
        comparators=tuple(comparator.name for comparator in comparators),
        tiers=options["tiers"],
        controls=tuple(_subject(control, "", None, options) for control in controls),
        cohort=_frozen_cohort(cohort, options) if cohort else None,
        transferred=None if cohort else _transferred(options["cohort_name"], comparators),
        thresholds=thresholds(options["log10_lr"]),
    )


_SIDES = ("known", "questioned")


def _frozen_suite(suite: Suite, options: Mapping[str, Any]) -> PlannedSuite:
    from forensics.custody.plan import PlannedSuite

    return PlannedSuite(
        chosen=options["suite_name"],
        name=suite.name,
        version=suite.version,
        sha256=suite.sha256,
        prompts=len(suite.prompts),
        category=options["category"],
        limit=options["limit"],
    )


def _frozen_cohort(cohort: Cohort, options: Mapping[str, Any]) -> PlannedCohort:
    from forensics.custody.plan import PlannedCohort

    chosen = _named(options["cohort_name"]) or cohort.name
    return PlannedCohort(chosen=chosen, name=cohort.name, sha256=cohort.sha256)


def _transferred(cohort: str | None, comparators: Sequence[Comparator[Any]]) -> str | None:
    """Return the sha256 of the calibration that stands in where no cohort answered the prompts."""
    from forensics.cohorts.transferred import FEATURES, shipped

    if cohort == "none" or not {one.name for one in comparators}.issuperset(FEATURES):
        return None
    known = shipped()
    return known.sha256 if known else None


def _named(cohort: str | None) -> str | None:
    return None if cohort == "none" else cohort


def _prompts(
    subjects: list[Subject], options: Mapping[str, Any]
) -> tuple[Suite | None, Suite | None]:
    """Return the suite the comparison is cut to, and the prompts a cohort is looked for by."""
    from forensics.workflows.obtaining import suite_for

    if all(subject.kind != "cohort" for subject in subjects):
        return suite_for(subjects, dict(options))
    if options["suite_name"] or options["category"] or options["limit"]:
        raise UsageError("a cohort's model answered the cohort's prompts; drop the suite options")
    return None, None


def _cohort(subjects: Sequence[Subject], name: str | None, asked: Suite | None) -> Cohort | None:
    from forensics.cohorts.finding import find_cohort, find_model, matching_cohort

    members = [subject for subject in subjects if subject.kind == "cohort"]
    if members:
        given = [find_cohort(name)] if name else []
        return find_model(members[0].target, given)[0]
    if name:
        return find_cohort(name) if _named(name) else None
    return matching_cohort({prompt.sha256 for prompt in asked.prompts}) if asked else None


def _subject(
    subject: Subject, month: str, cohort: Cohort | None, options: Mapping[str, Any]
) -> PlannedSubject:
    from forensics.custody.plan import PlannedSubject
    from forensics.subjects.backends import open_backend
    from forensics.transcripts.transcript import read_transcript
    from forensics.workflows.settings import backend_options_from

    spec = subject.spec
    if subject.kind == "cohort":
        return PlannedSubject(spec=spec, released=month, sha256=cohort.sha256 if cohort else None)
    if subject.kind == "transcript":
        sha256 = read_transcript(Path(subject.target)).sha256
        return PlannedSubject(spec=spec, released=month, sha256=sha256)
    if subject.kind == "openai" and spec == f"openai:{subject.target}":
        spec = f"{spec}@{subject.base_url}"
    identity = open_backend(subject, backend_options_from(dict(options))).identity()
    return PlannedSubject(spec=spec, released=month, identity=dict(identity))
