"""Subject × policy → result: what `forensics check` does before anything is rendered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from forensics.case.document import Case
from forensics.errors import (
    BackendError,
    ForensicsError,
    InputFileError,
    ModelFileError,
    OutputError,
)
from forensics.exitcodes import ExitCode
from forensics.policy.declarations import Declarations, DeclaredModel, declarations_of
from forensics.policy.declared_claims import Compared, declared_claims
from forensics.policy.drift import DriftReport, compare_with_baseline
from forensics.policy.false_alarms import false_alarms
from forensics.policy.judgements import Known
from forensics.policy.measured import Measured
from forensics.policy.model import Budget
from forensics.policy.outcomes import CheckResult, Outcome, Status, decide, was_checked
from forensics.policy.rules import apply_rules, drift_outcome, settle
from forensics.report.check.view import headline
from forensics.support.clock import now
from forensics.support.version import VERSION
from forensics.workflows.asking_again import ask_again
from forensics.workflows.asks import Ask, check_spending
from forensics.workflows.budget import asks
from forensics.workflows.callbacks import Progress
from forensics.workflows.comparing import compared
from forensics.workflows.local_models import check_control, check_model
from forensics.workflows.obtaining import needed, obtain
from forensics.workflows.policy_run import PolicyRun, ResolvedReference
from forensics.workflows.searching import own_lineage, search_cohort


@dataclass(frozen=True)
class Fault:
    """Why a model could not be measured; `damaged`: one of its files is damaged or incomplete."""

    text: str
    damaged: bool


Faults = Mapping[str, Fault]  # by the model's spec


def would_ask(run: PolicyRun) -> list[Ask]:
    """Return what `check` would ask, see `asks`."""
    return _asks(run, _faults(run))


def _asks(run: PolicyRun, faults: Faults) -> list[Ask]:
    if run.subject.subject.spec in faults:  # nothing will be asked of anybody
        return []
    whole = tuple(reference for reference in run.references if not _fault(run, reference, faults))
    return asks(replace(run, references=whole).asked)


def check(
    run: PolicyRun, progress: Progress, card: Path | None = None, strict: bool = False
) -> CheckResult:
    """Compare the subject with every reference of the policy and apply the rules.

    Args:
        run: what `prepare` gave.
        progress: is told of answers and comparators.
        card: a model card to read besides the subject's own files.
        strict: whether what is undecided fails, also where the policy does not say so.

    Raises:
        UsageError, InputFileError: the policy asks for something impossible. What a model or
            endpoint could not answer raises nothing: it becomes outcomes of status `error`.
    """
    declared = _declared(run, card)
    faults = _faults(run)
    if run.policy.budget != Budget():
        check_spending(_asks(run, faults), run.spending)
    measured = list(_measured(run, faults, progress))
    judged = apply_rules(run.file, Known(declared, run.terms), measured)
    drifted, fault = _drift(run, faults, progress)
    causes = [reference.damaged for reference in measured if reference.error]
    causes += [fault.damaged] if fault else []
    outcomes, notes = settle([*judged, *drifted], run.file, datetime.now(UTC).date())
    damaged = bool(causes) and all(causes)
    strict = strict or run.policy.strict
    decided = decide((outcome.status for outcome in outcomes), strict, damaged)
    return _result(run, declared, measured, outcomes, notes, strict, decided)


def _result(
    run: PolicyRun,
    declared: Declarations,
    measured: Sequence[Measured],
    outcomes: Sequence[Outcome],
    notes: Sequence[str],
    strict: bool,
    decided: tuple[Status, ExitCode],
) -> CheckResult:
    cases = [reference.case for reference in measured if reference.case is not None]
    notes = [*notes, *_broken(cases)]
    if not declared.base_models:
        notes = [*notes, "No parent is declared: neither by card or configuration nor the policy."]
    result = CheckResult(
        checked=was_checked(outcomes),
        created_at=now(),
        version=VERSION,
        command=run.settings.command,
        subject=run.subject.subject.spec,
        policy=str(run.file.path),
        policy_sha256=run.file.sha256,
        strict=strict,
        declared=declared,
        declared_claims=declared_claims(
            declared,
            [Compared((*m.names, *m.kin), m.case) for m in measured if m.case is not None],
        ),
        outcomes=tuple(outcomes),
        false_alarms=false_alarms(run.policy, measured, declared),
        notes=tuple(notes),
        kept=tuple(_kept(cases, measured, run.settings.asking.folder)),
        cases=tuple(cases),
        status=decided[0],
        exit_code=decided[1],
    )
    return result.model_copy(update={"headline": headline(result)})


def _broken(cases: Sequence[Case]) -> Iterator[str]:
    """Yield what is to be told of transcripts that were taken although they were changed."""
    warnings = (w for case in cases for side in (case.a, case.b) for w in side.warnings)
    yield from dict.fromkeys(text for text in warnings if "--allow-broken" in text)


def _kept(cases: Sequence[Case], measured: Sequence[Measured], folder: Path) -> Iterator[str]:
    paths = (side.transcript_path for case in cases for side in (case.a, case.b))
    yield from dict.fromkeys(path for path in paths if path)
    if any(reference.case is None and not reference.unmeasured for reference in measured):
        yield f"{folder}/"


def _declared(run: PolicyRun, card: Path | None) -> Declarations:
    entry = run.policy.declared
    where = f"{run.file.path.name}, line {run.file.line('declared', 'base_models')}"
    in_policy = Declarations(
        base_models=tuple(DeclaredModel(name=name, source=where) for name in entry.base_models),
        license=entry.license or "",
        datasets=entry.datasets,
    )
    return in_policy.joined(declarations_of(run.subject.subject, card))


def _faults(run: PolicyRun) -> Faults:
    """Look at every model's files, each once, before any model is asked."""
    tiers, dtype = run.policy.tiers, run.settings.asking.backend.dtype
    faults: dict[str, Fault] = {}
    subjects = (model.subject for model in (run.subject, *run.models))
    for subject in {subject.spec: subject for subject in subjects}.values():
        try:
            check_model(subject, run.comparators, tiers, dtype)
        except (InputFileError, BackendError) as error:
            faults[subject.spec] = Fault(str(error), isinstance(error, InputFileError))
    for control in run.controls:
        try:
            check_control(control, run.comparators)
        except (InputFileError, BackendError) as error:
            # Without it no reference can be read as the policy asks.
            fault = Fault(f"control: {error}", isinstance(error, InputFileError))
            faults.setdefault(run.subject.subject.spec, fault)
    return faults


def _measured(run: PolicyRun, faults: Faults, progress: Progress) -> Iterator[Measured]:
    reference_faults = [_fault(run, reference, faults) for reference in run.references]
    ask = "answers" in needed(run.comparators) and not all(reference_faults)
    failed = _asked_first(run, progress) if ask else None
    number = 0
    seen: set[str] = set()
    for reference, fault in zip(run.references, reference_faults, strict=True):
        for judged in _of_reference(run, reference, fault or failed, progress):
            if judged.name in seen:  # a search may find what is named besides
                continue
            seen.add(judged.name)
            yield replace(judged, number=None if judged.case is None else number)
            number += judged.case is not None


def _of_reference(
    run: PolicyRun, reference: ResolvedReference, fault: Fault | None, progress: Progress
) -> list[Measured]:
    if fault is not None:
        return [_unmeasured(reference, fault)]
    try:
        if reference.cohort is not None:
            return search_cohort(run, reference, progress)
        return [_compared(run, reference, progress)]
    except ForensicsError as error:
        _raise_unless_of_model(error)
        return [_unmeasured(reference, _fault_of(error))]


def _unmeasured(reference: ResolvedReference, fault: Fault) -> Measured:
    names = (reference.name, *reference.entry.names)
    return Measured(reference.name, names, error=fault.text, damaged=fault.damaged)


def _fault_of(error: ForensicsError) -> Fault:
    return Fault(str(error), isinstance(error, ModelFileError))


def _fault(run: PolicyRun, reference: ResolvedReference, faults: Faults) -> Fault | None:
    """Return what is wrong with the files of the subject or of a reference, None where nothing."""
    fault = faults.get(run.subject.subject.spec)
    if fault or reference.model is None:
        return fault
    return faults.get(reference.model.subject.spec)


def _asked_first(run: PolicyRun, progress: Progress) -> Fault | None:
    """Ask the subject before any reference: if it fails, no reference need be asked.

    Returns why it failed, None where it did not or where a reference decides what is asked.
    """
    if not run.models or not all(model.is_live for model in (run.subject, *run.models)):
        return None
    try:
        obtain(run.subject, run.suite.suite, run.settings.asking, progress)
    except ForensicsError as error:
        _raise_unless_of_model(error)
        return _fault_of(error)
    return None


def _raise_unless_of_model(error: ForensicsError) -> None:
    # A full disk, or a command that means nothing, is no statement about any reference.
    if isinstance(error, ModelFileError):
        return
    if isinstance(error, OutputError) or error.exit_code is not ExitCode.FAILURE:
        raise error


def _compared(run: PolicyRun, reference: ResolvedReference, progress: Progress) -> Measured:
    settings = run.compare_settings(reference.entry)
    case, _ = compared(run.pair(reference), settings, progress, run.comparators)
    subject = reference.compared.subject
    names = (reference.name, subject.name, subject.target, *reference.entry.names)
    calls, tiers = _failed_calls(case), _failed_tiers(case)
    return Measured(
        reference.name,
        names,
        own_lineage(reference.compared),
        case,
        error=calls or tiers,
        damaged=not calls,
        cohort=run.judging(reference.compared),
    )


def _failed_calls(case: Case) -> str:
    """Return what failed while asking; errors that a recorded transcript holds are its own."""
    failed = [
        f"{side.errors} calls to {side.spec} failed"
        for side in (case.a, case.b)
        if side.errors and side.kind not in ("transcript", "cohort")
    ]
    return "; ".join(failed)


def _failed_tiers(case: Case) -> str:
    """Return what beyond text could not be computed: damaged files prove nothing either way."""
    failed = [
        f"{evidence.title}: {evidence.reason}"
        for evidence in case.evidence
        if evidence.status == "error" and evidence.tier != "text"
    ]
    return "; ".join(failed)


def _drift(
    run: PolicyRun, faults: Faults, progress: Progress
) -> tuple[list[Outcome], Fault | None]:
    """Return what the rule `drift` says, and what kept it from being measured."""
    rule = run.policy.rules.drift
    if rule is None or run.baseline is None:
        return [], None
    fault = faults.get(run.subject.subject.spec)
    if fault:
        return [drift_outcome(run.file, rule.baseline, fault.text)], fault
    report: DriftReport | str
    try:
        answers = ask_again(run.subject, run.baseline, run.settings.asking, progress)
        report = compare_with_baseline(run.baseline, answers, rule.level)
    except ForensicsError as error:
        _raise_unless_of_model(error)
        fault = _fault_of(error)
        report = fault.text
    return [drift_outcome(run.file, rule.baseline, report)], fault
