"""Searching a cohort for undeclared relatives of a subject."""

from __future__ import annotations

from typing import Any

from forensics.case.document import LedgerEntry
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.finding import find_cohort, find_model
from forensics.cohorts.likeness import MIN_PROMPTS
from forensics.cohorts.lineage.models import clusters, excluded_with
from forensics.cohorts.subject import Placed, place_member
from forensics.cohorts.tracing import Trace, trace
from forensics.policy import rule_wording as words
from forensics.policy.measured import Measured, Search
from forensics.subjects.subject import Subject
from forensics.suites.loading import suite_names
from forensics.support.clock import now
from forensics.support.secrets import command_line
from forensics.verdicts.in_cohort import Side, compare_in_cohort
from forensics.workflows.placing import place

_MOST = 5


def search_cohort(name: str, subject: Subject, options: dict[str, Any]) -> list[Measured]:
    """Return the cohort's models that a search names, and its best one where there is any.

    Of a lineage cluster only its best model is taken.

    Args:
        name: the cohort's name or file.
        subject: of whom relatives are sought.
        options: how it is asked, and when it was released.
    """
    cohort = find_cohort(name)
    placed, transcript = place(subject, cohort, options["questioned_released"], options)
    found = trace(placed, cohort)
    if not found.relatives:
        return [_unsearched(name, cohort, placed, subject)]
    unmet = tuple(one.text for one in found.conditions if not one.met)
    command = command_line()
    measured = []
    for model in _candidates(found, cohort):
        one = Subject(f"cohort:{model}", "cohort", model)
        sides = Side(one, place_member(model, cohort)), Side(subject, placed, transcript)
        case = compare_in_cohort(*sides, cohort, command, {"search": cohort.name})
        case = case.model_copy(update={"ledger": (*case.ledger, _entry(found, model))})
        best = next((r for r in found.relatives if r.model == model), None)
        search = Search(
            cohort.name,
            len(found.relatives),
            model in found.named,
            best.family_wise if best else None,
            unmet,
        )
        kin = _lineage(model, cohort)
        measured.append(Measured(one.spec, (one.spec, model), kin, case, search=search))
    return measured


def _unsearched(name: str, cohort: Cohort, placed: Placed, subject: Subject) -> Measured:
    """Return that nothing was searched, and why."""
    if placed.answered < MIN_PROMPTS:
        prompts = len(cohort.prompts)
        why = words.too_few_answered(
            subject.name, cohort.name, placed.answered, prompts, MIN_PROMPTS
        )
    else:
        why = words.no_candidate(cohort.name)
    step = words.ask_cohort(cohort.name if cohort.name in suite_names() else None)
    reference = f"cohort {name}"
    return Measured(reference, (reference,), unmeasured=why, next_step=step)


def _entry(found: Trace, model: str) -> LedgerEntry:
    """Return what the ledger says of a candidate that a search chose, on these very answers."""
    settings = {
        "cohort": found.cohort,
        "candidates": len(found.relatives),
        "named": model in found.named,
    }
    return LedgerEntry(at=now(), what="search", settings=settings)


def _candidates(found: Trace, cohort: Cohort) -> list[str]:
    numbers = clusters(cohort.facts)
    best: dict[int, str] = {}
    for model in (found.relatives[0].model, *found.named):
        best.setdefault(numbers[model], model)
    return list(best.values())[:_MOST]


def own_lineage(reference: Subject) -> tuple[str, ...]:
    """Return the names of a cohort model's kin, itself included; none of any other subject."""
    if reference.kind != "cohort":
        return ()
    cohort, model = find_model(reference.target)
    return _lineage(model, cohort)


def _lineage(model: str, cohort: Cohort) -> tuple[str, ...]:
    """Return every name in a model's lineage cluster and family: to declare one declares them.

    These are the models that no calibration counts as unrelated to it.
    """
    kin = (cohort.facts[name] for name in sorted(excluded_with(cohort.facts, model)))
    names = (name for fact in kin for name in (fact.model, fact.weights_id, *fact.parents()))
    return tuple(dict.fromkeys((model, *names)))
