"""Measured references → outcomes of a policy's rules, severities and allowances applied."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace

from forensics.policy.drift import DriftReport
from forensics.policy.drift import Verdict as DriftVerdict
from forensics.policy.judgements import JUDGES, Judgement, Known, undeclared_parents
from forensics.policy.measured import Measured
from forensics.policy.model import AllowEntry, RuleName
from forensics.policy.names import same_name
from forensics.policy.outcomes import NO_REFERENCE, Allowance, Outcome, Status
from forensics.policy.reading import PolicyFile
from forensics.support.sanitise import one_line

DRIFT_STATUS: Mapping[DriftVerdict, Status] = {
    "same": "pass",
    "different": "violated",
    "inconclusive": "inconclusive",
    "error": "error",
}
_AGAIN = "Nothing collected is lost: run the same command again to go on."
_SHOWN_CHARS = 120
_NONE_RESTRICTED = Judgement(
    "not_measured",
    "no reference is a model whose terms are in the table",
    "Name such models in [[against]], with names = [...], or search a cohort.",
)


def apply_rules(file: PolicyFile, known: Known, measured: Sequence[Measured]) -> list[Outcome]:
    """Return what every rule but `drift` says of every reference."""
    return [
        outcome_of(file, name, reference, judgement, case)
        for name in file.policy.rules.named()
        if name in JUDGES
        for reference, judgement, case in _judged(file, known, name, measured)
    ]


def _judged(
    file: PolicyFile, known: Known, name: RuleName, measured: Sequence[Measured]
) -> Iterator[tuple[str, Judgement, int | None]]:
    if name == "contradicted-declaration":
        for parent, judgement in undeclared_parents(known, measured):
            yield parent, judgement, None
    concerned = [reference for reference in measured if _concerns(name, known, reference)]
    if name == "restricted-teacher" and not concerned:
        yield NO_REFERENCE, _NONE_RESTRICTED, None
    rule = file.policy.rules.named()[name]
    for reference in concerned:
        if reference.unmeasured:
            yield (
                reference.name,
                Judgement("not_measured", reference.unmeasured, reference.next_step),
                None,
            )
            continue
        if reference.case is None or reference.error:
            yield reference.name, Judgement("error", reference.error, _AGAIN), reference.number
            continue
        for judgement in JUDGES[name](known, rule, reference, reference.case):
            yield reference.name, judgement, reference.number


def _concerns(name: RuleName, known: Known, reference: Measured) -> bool:
    if name == "contradicted-declaration":
        return known.parent(reference) is not None
    return name != "restricted-teacher" or known.restricted(reference) is not None


def outcome_of(
    file: PolicyFile, name: RuleName, reference: str, judgement: Judgement, case: int | None = None
) -> Outcome:
    """Return a judgement as an outcome, with its rule's line and severity."""
    rule = file.policy.rules.named()[name]
    return Outcome(
        rule=name,
        severity=rule.severity,
        reference=reference,
        line=file.line("rules", name),
        case=case,
        **(asdict(judgement) | {"exhibit": judgement.exhibit}),
    )


def drift_outcome(file: PolicyFile, baseline: str, report: DriftReport | str) -> Outcome:
    """Return what the rule `drift` says; `found` is an error's message where there is no report."""
    if isinstance(report, str):
        return outcome_of(file, "drift", baseline, Judgement("error", report, _AGAIN))
    step = (
        "If the change is wanted, store a new baseline: forensics baseline save."
        if report.verdict == "different"
        else ""
    )
    notes = "".join(f"; {note}" for note in (*report.notes, *_first_change(report)))
    exact = Judgement(DRIFT_STATUS[report.verdict], f"{report.reading}{notes}", step)
    if report.p_value is None:
        return outcome_of(
            file,
            "drift",
            baseline,
            replace(exact, measure="share of answers that are the same", value=report.agreement),
        )
    rule = file.policy.rules.drift
    bound = rule.level if rule else None
    tested = replace(exact, measure="p-value of equality", value=report.p_value, bound=bound)
    return outcome_of(file, "drift", baseline, tested)


def _first_change(report: DriftReport) -> Iterator[str]:
    if report.verdict == "different" and report.changed:
        change = report.changed[0]
        before, now = (one_line(text, _SHOWN_CHARS) for text in (change.before, change.after))
        yield f"prompt {change.prompt_id} was answered “{before}” and is now “{now}”"


def settle(
    outcomes: Iterable[Outcome], file: PolicyFile, today: datetime.date
) -> tuple[list[Outcome], list[str]]:
    """Apply severities and the list of what is allowed.

    Returns:
        The outcomes, and notes on entries of `[[allow]]` that have expired or accept nothing.
    """
    settled, used = [], set()
    for outcome in map(_by_severity, outcomes):
        number = next(
            (
                n
                for n, entry in enumerate(file.policy.allow)
                if _covers(entry, outcome) and entry.expires >= today
            ),
            None,
        )
        if number is None or outcome.status not in ("violated", "review"):
            settled.append(outcome)
            continue
        used.add(number)
        entry = file.policy.allow[number]
        allowed = Allowance(
            reason=entry.reason, expires=str(entry.expires), line=file.line("allow", number)
        )
        # What to do about it was done.
        update = {"status": "pass", "allowed": allowed, "next_step": ""}
        settled.append(outcome.model_copy(update=update))
    notes = []
    for number, entry in enumerate(file.policy.allow):
        where = f"{file.path}, line {file.line('allow', number)}: [[allow]] {entry.rule}"
        if entry.expires < today:
            notes.append(f"{where} expired on {entry.expires}: it allows nothing ({entry.reason})")
        elif number not in used:
            notes.append(f"{where} accepted nothing in this run; drop it if it is settled")
    return settled, notes


def _by_severity(outcome: Outcome) -> Outcome:
    if outcome.status == "violated" and outcome.severity == "warning":
        return outcome.model_copy(update={"status": "review"})
    return outcome


def _covers(entry: AllowEntry, outcome: Outcome) -> bool:
    if entry.rule != outcome.rule:
        return False
    return entry.reference is None or same_name(entry.reference, outcome.reference)
