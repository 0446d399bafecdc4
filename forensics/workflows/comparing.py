"""Collecting what is missing of two subjects, and comparing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.support.secrets import command_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.case.document import Case
    from forensics.cohorts.cohort import Cohort
    from forensics.cohorts.transferred import Transferred
    from forensics.evidence.base import Comparator
    from forensics.examination.examined import Examined
    from forensics.subjects.subject import Subject
    from forensics.suites.suite import Suite
    from forensics.transcripts.transcript import Transcript


def compared(
    subjects: list[Subject],
    released: tuple[str, str],
    options: dict[str, Any],
    comparators: Sequence[Comparator[Any]] | None = None,
) -> tuple[Case, Sequence[Transcript | None]]:
    """Collect what is missing of two subjects and compare them.

    Args:
        subjects: the known and the questioned one.
        released: `YYYY-MM` of either, where known.
        options: of suite, generation, backends and cohort, as this verb has them.
        comparators: what to measure, of models whose files were checked; those that the options
            name, by default.

    Returns:
        The case, and either subject's transcript, None of a cohort's model.
    """
    from forensics.evidence import load_comparators
    from forensics.examination.token_probabilities import check_controls
    from forensics.workflows.local_models import check_control, check_model, check_pair
    from forensics.workflows.obtaining import (
        asking_from,
        examine,
        observed,
        subject_from,
        suite_for,
    )
    from forensics.workflows.progress import step_spinner

    if any(subject.kind == "cohort" for subject in subjects):
        # Checked, not used: numbers are all there is. Loading every comparator would take longest.
        if options["only"] or options["without"]:
            load_comparators(options["only"], options["without"])
        return _in_cohort(subjects, released, options)
    from forensics.verdicts.compare import compare
    from forensics.verdicts.measurable import measurable, of_tiers

    # Before answers are collected, which may take an hour.
    controls = [subject_from(control, options) for control in options["controls"]]
    check_controls(controls)
    if comparators is None:
        comparators = of_tiers(
            load_comparators(options["only"], options["without"]), options["tiers"]
        )
        for subject in subjects:
            check_model(subject, comparators, options["tiers"], options["dtype"])
        for control in controls:
            check_control(control, comparators)
    check_pair(subjects, comparators, options["tiers"], options["dtype"])
    cut, asked = suite_for(subjects, options)
    asking = asking_from(options)
    first, second = examine(subjects, asked, asking, comparators)
    first, second = observed(first, second, asking, comparators, options)
    comparators = measurable(comparators, first, second)
    cohort = _cohort(options["cohort_name"], first, second)
    with step_spinner() as spinner:
        task = spinner.add_task("comparing", total=None)
        case = compare(
            first,
            second,
            comparators,
            cut,
            command_line(),
            progress=lambda title: spinner.update(task, description=title),
            settings=_chosen(options, cut) | _identities(first, second, options),
            cohort=cohort,
            released=released,
            transferred=_transferred(options["cohort_name"], cohort),
        )
    return case, (first.transcript, second.transcript)


def _in_cohort(
    subjects: Sequence[Subject], released: tuple[str, str], options: dict[str, Any]
) -> tuple[Case, list[Transcript | None]]:
    """Compare where one subject at least is a cohort's model, of which only numbers are kept."""
    from forensics.cohorts.finding import find_cohort, find_model
    from forensics.errors import UsageError
    from forensics.verdicts.in_cohort import Side, compare_in_cohort
    from forensics.workflows.placing import place

    given = [find_cohort(options["cohort_name"])] if options["cohort_name"] else []
    found = {s.spec: find_model(s.target, given) for s in subjects if s.kind == "cohort"}
    cohort = next(iter(found.values()))[0]
    if any(one.name != cohort.name for one, _ in found.values()):
        raise UsageError("the two subjects are models of different cohorts; they share no prompts")
    sides = []
    transcripts: list[Transcript | None] = []
    for subject, month in zip(subjects, released, strict=True):
        placed, transcript = place(subject, cohort, month, options)
        sides.append(Side(subject, placed, transcript))
        transcripts.append(transcript)
    chosen = _chosen(options, None)
    case = compare_in_cohort(sides[0], sides[1], cohort, command_line(), chosen)
    return case, transcripts


def _cohort(name: str | None, first: Examined, second: Examined) -> Cohort | None:
    """Return the cohort asked for, or the one that has most of the prompts both answered."""
    if name == "none":
        return None
    from forensics.cohorts.finding import find_cohort, matching_cohort

    if name:
        return find_cohort(name)
    answered = [{answer.prompt_sha256 for answer in side.answers} for side in (first, second)]
    return matching_cohort(answered[0] & answered[1])


def _transferred(name: str | None, cohort: Cohort | None) -> Transferred | None:
    """Return the calibration for prompts that no cohort answered."""
    if cohort is not None or name == "none":
        return None
    from forensics.cohorts.transferred import shipped

    return shipped()


def _chosen(options: dict[str, Any], cut: Suite | None) -> dict[str, Any]:
    """Return what a bundle needs to find the prompts again, and the ledger should show."""
    names = (
        "category",
        "limit",
        "samples",
        "only",
        "without",
        "blind",
        "tiers",
        "controls",
        "cohort_name",
        "known_released",
        "questioned_released",
    )
    chosen = {name: options[name] for name in names if options[name]}
    suite = options["suite_name"] or (cut.name if cut else None)
    return {"cut": cut is not None, "suite": suite} | {
        name: list(value) if isinstance(value, tuple) else value for name, value in chosen.items()
    }


def _identities(first: Examined, second: Examined, options: dict[str, Any]) -> dict[str, Any]:
    """Return who the models are that no transcript tells of, for a plan to be held against.

    Without a plan nobody asks, and hashing the weights of large models takes minutes.
    """
    from forensics.subjects.backends import open_backend
    from forensics.workflows.obtaining import subject_from
    from forensics.workflows.settings import backend_options_from

    read = [
        side.subject for side in (first, second) if side.files and not side.transcript.manifests
    ]
    if first.controls or second.controls:
        read += [subject_from(spec, options) for spec in options["controls"]]
    if not read or not options.get("case_file"):
        return {}
    asked = backend_options_from(options)
    identities = [
        {"spec": one.spec, "identity": dict(open_backend(one, asked).identity())} for one in read
    ]
    return {"identities": identities}
