"""Subject × policy → result: what `forensics check` does before anything is rendered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forensics.case.document import Case
from forensics.errors import (
    BackendError,
    ForensicsError,
    InputFileError,
    ModelFileError,
    OutputError,
    UsageError,
)
from forensics.evidence import BUILT_IN, Comparator, load_comparators
from forensics.examination.token_probabilities import check_controls
from forensics.exitcodes import ExitCode
from forensics.policy.declarations import Declarations, DeclaredModel, declarations_of
from forensics.policy.drift import DriftReport, compare_with_baseline, read_baseline
from forensics.policy.false_alarms import false_alarms
from forensics.policy.judgements import Known
from forensics.policy.measured import Measured
from forensics.policy.model import Budget, Policy, ReferenceEntry
from forensics.policy.outcomes import CheckResult, Outcome, Status, decide, was_checked
from forensics.policy.reading import PolicyFile
from forensics.policy.rules import apply_rules, drift_outcome, settle
from forensics.policy.terms import restricted_terms
from forensics.report.check.view import headline
from forensics.subjects.subject import Subject
from forensics.support.clock import now
from forensics.support.plugins import plugin_names
from forensics.support.secrets import command_line
from forensics.support.version import VERSION
from forensics.transcripts.transcript import Transcript
from forensics.verdicts.measurable import of_tiers
from forensics.workflows.asking_again import ask_again
from forensics.workflows.budget import Ask, asks, check_budget
from forensics.workflows.comparing import compared
from forensics.workflows.local_models import check_control, check_model
from forensics.workflows.obtaining import asking_from, chosen_suite, obtain, subject_from
from forensics.workflows.searching import own_lineage, search_cohort


@dataclass(frozen=True)
class Fault:
    """Why a model could not be measured; `damaged`: one of its files is damaged or incomplete."""

    text: str
    damaged: bool


Faults = Mapping[str, Fault]  # by the model's spec


@dataclass(frozen=True)
class Check:
    """One run: the policy, the subject, and how it is asked (the options of `compare`)."""

    file: PolicyFile
    subject: Subject
    options: dict[str, Any]

    @property
    def policy(self) -> Policy:
        """The policy."""
        return self.file.policy


def prepare(file: PolicyFile, spec: str, given: dict[str, Any]) -> Check:
    """Return a run, with the policy's settings beside the options given on the command line."""
    policy = file.policy
    options = given | {
        "suite_name": policy.suite,
        "suite_text": given["suite_text"] or _path(policy.suite_text),
        "category": policy.category,
        "limit": policy.limit,
        "samples": policy.samples,
        "temperature": policy.temperature,
        "max_tokens": policy.max_tokens,
        "seed": policy.seed,
        "system_prompt": policy.system_prompt,
        "cohort_name": policy.cohort,
        "only": policy.comparators,
        "without": policy.without,
        "tiers": policy.tiers,
        "controls": policy.controls,
        "known_released": "",
        "questioned_released": policy.released or "",
        "blind": False,
    }
    if policy.endpoints and not options["endpoints"]:
        options["endpoints"] = file.path
    check_controls([subject_from(control, options) for control in policy.controls])
    return Check(file, subject_from(spec, options), options)


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def would_ask(check: Check) -> list[Ask]:
    """Return what `run` would ask, see `asks`."""
    comparators = _comparators(check.policy)
    return _asks(check, comparators, _faults(check, comparators))


def _asks(check: Check, comparators: Sequence[Comparator[Any]], faults: Faults) -> list[Ask]:
    if check.subject.spec in faults:  # nothing will be asked of anybody
        return []
    entries = tuple(e for e in check.policy.against if not _fault(check, e, faults))
    policy = check.policy.model_copy(update={"against": entries})
    return asks(policy, check.subject, check.options, comparators)


def run(check: Check, card: Path | None, strict: bool) -> CheckResult:
    """Compare the subject with every reference of the policy and apply the rules.

    Args:
        check: what `prepare` gave.
        card: a model card to read besides the subject's own files.
        strict: whether what is undecided fails.

    Raises:
        UsageError, InputFileError: the policy asks for something impossible. What a model or
            endpoint could not answer raises nothing: it becomes outcomes of status `error`.
    """
    comparators = _comparators(check.policy)
    declared = _declared(check, card)
    # What the policy names is read before anything is asked: an hour later is too late to miss it.
    stored = _baseline(check)
    terms = check.policy.rules.restricted_teacher
    table = restricted_terms(_path(terms.table)) if terms else ()
    faults = _faults(check, comparators)
    if check.policy.budget != Budget():
        check_budget(check.policy.budget, _asks(check, comparators, faults))
    measured = list(_measured(check, comparators, faults))
    found = apply_rules(check.file, Known(declared, table), measured)
    drifted, fault = _drift(check, stored, faults)
    found += drifted
    causes = [one.damaged for one in measured if one.error]
    causes += [fault.damaged] if fault else []
    outcomes, notes = settle(found, check.file, datetime.now(UTC).date())
    damaged = bool(causes) and all(causes)
    strict = strict or check.policy.strict
    decided = decide((one.status for one in outcomes), strict, damaged)
    return _result(check, declared, measured, outcomes, notes, strict, decided)


def _result(
    check: Check,
    declared: Declarations,
    measured: Sequence[Measured],
    outcomes: Sequence[Outcome],
    notes: Sequence[str],
    strict: bool,
    decided: tuple[Status, ExitCode],
) -> CheckResult:
    cases = [one.case for one in measured if one.case is not None]
    notes = [*notes, *_broken(cases)]
    if not declared.base_models:
        notes = [*notes, "No parent is declared: neither by card or configuration nor the policy."]
    result = CheckResult(
        checked=was_checked(outcomes),
        created_at=now(),
        version=VERSION,
        command=command_line(),
        subject=check.subject.spec,
        policy=str(check.file.path),
        policy_sha256=check.file.sha256,
        strict=strict,
        declared=declared,
        outcomes=tuple(outcomes),
        false_alarms=false_alarms(check.policy, measured, declared),
        notes=tuple(notes),
        kept=tuple(_kept(cases, measured, check.options["folder"])),
        cases=tuple(cases),
        status=decided[0],
        exit_code=decided[1],
    )
    return result.model_copy(update={"headline": headline(result)})


def _broken(cases: Sequence[Case]) -> Iterator[str]:
    """Yield what is to be told of transcripts that were taken although they were changed."""
    told = (w for case in cases for side in (case.a, case.b) for w in side.warnings)
    yield from dict.fromkeys(text for text in told if "--allow-broken" in text)


def _kept(cases: Sequence[Case], measured: Sequence[Measured], folder: Path) -> Iterator[str]:
    paths = (side.transcript_path for case in cases for side in (case.a, case.b))
    yield from dict.fromkeys(path for path in paths if path)
    if any(one.case is None and not one.unmeasured for one in measured):
        yield f"{folder}/"


def _comparators(policy: Policy) -> list[Comparator[Any]]:
    known = (*BUILT_IN, *plugin_names("comparators"))
    limits = policy.rules.max_similarity.limits if policy.rules.max_similarity else {}
    unknown = next((name for name in limits if name not in known), None)
    if unknown is not None:
        raise UsageError(
            f"rules.max-similarity.limits: no comparator {unknown!r}; there are: {', '.join(known)}"
        )
    return of_tiers(load_comparators(policy.comparators, policy.without), policy.tiers)


def _needs_answers(comparators: Sequence[Comparator[Any]]) -> bool:
    return any("answers" in one.needs for one in comparators)


def _declared(check: Check, card: Path | None) -> Declarations:
    entry = check.policy.declared
    where = f"{check.file.path.name}, line {check.file.line('declared', 'base_models')}"
    own = Declarations(
        base_models=tuple(DeclaredModel(name=name, source=where) for name in entry.base_models),
        license=entry.license or "",
        datasets=entry.datasets,
    )
    return own.joined(declarations_of(check.subject, card))


def _faults(check: Check, comparators: Sequence[Comparator[Any]]) -> Faults:
    """Look at every model's files, each once, before any model is asked."""
    given = [subject_from(e.subject, check.options) for e in check.policy.against if e.subject]
    faults: dict[str, Fault] = {}
    for one in {s.spec: s for s in (check.subject, *given)}.values():
        try:
            check_model(one, comparators, check.policy.tiers, check.options["dtype"])
        except (InputFileError, BackendError) as error:
            faults[one.spec] = Fault(str(error), isinstance(error, InputFileError))
    for control in check.policy.controls:
        try:
            check_control(subject_from(control, check.options), comparators)
        except (InputFileError, BackendError) as error:
            # Without it no reference can be read as the policy asks.
            fault = Fault(f"control: {error}", isinstance(error, InputFileError))
            faults.setdefault(check.subject.spec, fault)
    return faults


def _measured(
    check: Check, comparators: Sequence[Comparator[Any]], faults: Faults
) -> Iterator[Measured]:
    wrong = [_fault(check, entry, faults) for entry in check.policy.against]
    failed = _asked_first(check) if _needs_answers(comparators) and not all(wrong) else None
    number = 0
    seen: set[str] = set()
    for entry, fault in zip(check.policy.against, wrong, strict=True):
        found: list[Measured]
        try:
            reason = fault or failed
            if reason:
                found = [_unmeasured(entry, reason)]
            elif entry.cohort:
                found = search_cohort(entry.cohort, check.subject, check.options)
            else:
                found = [_one(check, entry, comparators)]
        except ForensicsError as error:
            _raise_unless_of_model(error)
            found = [_unmeasured(entry, _fault_of(error))]
        for one in found:
            if one.name in seen:  # a search may find what is named besides
                continue
            seen.add(one.name)
            yield replace(one, number=None if one.case is None else number)
            number += one.case is not None


def _unmeasured(entry: ReferenceEntry, fault: Fault) -> Measured:
    names = (_name(entry), *entry.names)
    return Measured(_name(entry), names, error=fault.text, damaged=fault.damaged)


def _fault_of(error: ForensicsError) -> Fault:
    return Fault(str(error), isinstance(error, ModelFileError))


def _fault(check: Check, entry: ReferenceEntry, faults: Faults) -> Fault | None:
    """Return what is wrong with the files of the subject or of a reference, None where nothing."""
    own = faults.get(check.subject.spec)
    if own or not entry.subject:
        return own
    return faults.get(subject_from(entry.subject, check.options).spec)


def _asked_first(check: Check) -> Fault | None:
    """Ask the subject before any reference: if it fails, no reference need be asked.

    Returns why it failed, None where it did not or where a reference decides what is asked.
    """
    recorded = ("transcript", "cohort")
    kinds = [subject_from(e.subject, check.options).kind for e in check.policy.against if e.subject]
    if check.subject.kind in recorded or not kinds or any(kind in recorded for kind in kinds):
        return None
    suite = chosen_suite(check.options)
    try:
        if suite is not None:
            obtain(check.subject, suite, asking_from(check.options))
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


def _name(entry: ReferenceEntry) -> str:
    return entry.subject or f"cohort {entry.cohort}"


def _one(check: Check, entry: ReferenceEntry, comparators: Sequence[Comparator[Any]]) -> Measured:
    reference = subject_from(str(entry.subject), check.options)
    released = (entry.released or "", check.policy.released or "")
    options = check.options | {"known_released": released[0]}
    case, _ = compared([reference, check.subject], released, options, comparators)
    names = (_name(entry), reference.name, reference.target, *entry.names)
    kin = own_lineage(reference)
    calls, tiers = _failed_calls(case), _failed_tiers(case)
    return Measured(_name(entry), names, kin, case, error=calls or tiers, damaged=not calls)


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


def _baseline(check: Check) -> Transcript | None:
    rule = check.policy.rules.drift
    if rule is None:
        return None
    try:
        return read_baseline(Path(rule.baseline), check.options["allow_broken"])
    except InputFileError as error:
        where = f"{check.file.path}, line {check.file.line('rules', 'drift', 'baseline')}"
        raise InputFileError(
            f"{where}: {error}; forensics baseline save SUBJECT -o {rule.baseline} writes one, and "
            "a relative path starts in the working folder"
        ) from error


def _drift(
    check: Check, stored: Transcript | None, faults: Faults
) -> tuple[list[Outcome], Fault | None]:
    """Return what the rule `drift` says, and what kept it from being measured."""
    rule = check.policy.rules.drift
    if rule is None or stored is None:
        return [], None
    fault = faults.get(check.subject.spec)
    if fault:
        return [drift_outcome(check.file, rule.baseline, fault.text)], fault
    found: DriftReport | str
    try:
        answers = ask_again(check.subject, stored, check.options)
        found = compare_with_baseline(stored, answers, rule.level)
    except ForensicsError as error:
        _raise_unless_of_model(error)
        fault = _fault_of(error)
        found = fault.text
    return [drift_outcome(check.file, rule.baseline, found)], fault
