"""Searching a cohort for undeclared relatives of a subject."""

from __future__ import annotations

from forensics.case.document import LedgerEntry
from forensics.case.run_records import LedgerSettings
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.lineage.models import clusters, excluded_with
from forensics.cohorts.placed import Placed, place_member
from forensics.cohorts.similarity import MIN_PROMPTS
from forensics.cohorts.trace import Trace, trace
from forensics.policy import rule_wording as words
from forensics.policy.measured import Measured, Search
from forensics.subjects.subject import Subject
from forensics.suites.loading import suite_names
from forensics.support.clock import now
from forensics.verdicts.in_cohort import Side, compare_in_cohort
from forensics.workflows.callbacks import Progress
from forensics.workflows.placing import place
from forensics.workflows.policy_run import PolicyRun, ResolvedReference
from forensics.workflows.resolving import ResolvedSubject

_MOST = 5


def search_cohort(
    run: PolicyRun, reference: ResolvedReference, progress: Progress
) -> list[Measured]:
    """Return the cohort's models that a search names, and its best one where there is any.

    Of a lineage cluster only its best model is taken.

    Args:
        run: whose subject relatives are sought of.
        reference: the cohort to search.
        progress: is told of answers as they arrive.
    """
    cohort, subject, settings = reference.searched, run.subject, run.settings
    released = settings.analysis.questioned_released
    placed, transcript = place(subject, cohort, released, run.suite, settings.asking, progress)
    search_trace = trace(placed, cohort)
    if not search_trace.relatives:
        return [_unsearched(reference.name, cohort, placed)]
    unmet = tuple(condition.text for condition in search_trace.conditions if not condition.met)
    measured = []
    for model in _candidates(search_trace, cohort):
        candidate = Subject(f"cohort:{model}", "cohort", model)
        known = Side(candidate, place_member(model, cohort))
        questioned = Side(subject.subject, placed, transcript)
        record = LedgerSettings(search=cohort.name)
        case = compare_in_cohort(known, questioned, cohort, settings.command, record)
        case = case.model_copy(update={"ledger": (*case.ledger, _entry(search_trace, model))})
        best = next((r for r in search_trace.relatives if r.model == model), None)
        search = Search(
            cohort.name,
            len(search_trace.relatives),
            model in search_trace.named,
            best.family_wise if best else None,
            unmet,
        )
        kin = _lineage(model, cohort)
        measured.append(Measured(candidate.spec, (candidate.spec, model), kin, case, search=search))
    return measured


def _unsearched(reference: str, cohort: Cohort, placed: Placed) -> Measured:
    """Return that nothing was searched, and why."""
    if placed.answered < MIN_PROMPTS:
        prompts = len(cohort.prompts)
        why = words.too_few_answered(
            placed.name, cohort.name, placed.answered, prompts, MIN_PROMPTS
        )
    else:
        why = words.no_candidate(cohort.name)
    step = words.ask_cohort(cohort.name if cohort.name in suite_names() else None)
    return Measured(reference, (reference,), unmeasured=why, next_step=step)


def _entry(search_trace: Trace, model: str) -> LedgerEntry:
    """Return what the ledger says of a candidate that a search chose, on these very answers."""
    settings = LedgerSettings(
        cohort=search_trace.cohort,
        candidates=len(search_trace.relatives),
        named=model in search_trace.named,
    )
    return LedgerEntry(at=now(), what="search", settings=settings)


def _candidates(search_trace: Trace, cohort: Cohort) -> list[str]:
    numbers = clusters(cohort.facts)
    best: dict[int, str] = {}
    for model in (search_trace.relatives[0].model, *search_trace.named):
        best.setdefault(numbers[model], model)
    return list(best.values())[:_MOST]


def own_lineage(reference: ResolvedSubject) -> tuple[str, ...]:
    """Return the names of a cohort model's kin, itself included; none of any other subject."""
    if reference.subject.kind != "cohort":
        return ()
    return _lineage(reference.model_in(reference.home), reference.home)


def _lineage(model: str, cohort: Cohort) -> tuple[str, ...]:
    """Return every name in a model's lineage cluster and family: to declare one declares them.

    These are the models that no calibration counts as unrelated to it.
    """
    kin = (cohort.facts[name] for name in sorted(excluded_with(cohort.facts, model)))
    names = (name for fact in kin for name in (fact.model, fact.weights_id, *fact.parents()))
    return tuple(dict.fromkeys((model, *names)))
