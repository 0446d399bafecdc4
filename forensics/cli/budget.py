"""A policy's budget, counted before anything is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from forensics.backends import open_backend
from forensics.baseline import read_baseline
from forensics.cli.obtaining import Asking, asking_from, subject_from, suite_for
from forensics.cohorts.finding import find_cohort, find_model
from forensics.collect import plan, transcript_name
from forensics.errors import UsageError
from forensics.policy.model import Policy, ReferenceEntry
from forensics.referenced import with_texts
from forensics.subjects import Subject
from forensics.suites import Suite, load_suite

_RECORDED = ("transcript", "cohort")


def check_budget(
    policy: Policy, subject: Subject, options: dict[str, Any], needs_answers: bool = True
) -> None:
    """Refuse a check that would ask more than its policy allows; without a budget nothing is done.

    Args:
        policy: with the budget.
        subject: who is checked.
        options: how it is asked.
        needs_answers: whether any comparator looks at answers; a cohort is searched by them anyway.

    Raises:
        UsageError: it would; the message has the figures.
    """
    budget = policy.budget
    if budget.max_calls is None and budget.max_output_tokens is None:
        return
    asking = asking_from(options)
    entries = [e for e in policy.against if needs_answers or e.cohort or _in_cohort(e, options)]
    asked = _asked(entries, subject, options)
    counted = [_open(one, suite, asking) for one, suite in asked]
    calls = sum(one for one, _ in counted) + _drift_calls(policy, subject)
    tokens = sum(one for _, one in counted)
    if budget.max_calls is not None and calls > budget.max_calls:
        raise UsageError(
            f"this check would make {calls} calls, and budget.max_calls is {budget.max_calls}; "
            "lower limit or samples, or raise it"
        )
    if budget.max_output_tokens is not None and tokens > budget.max_output_tokens:
        raise UsageError(
            f"this check may ask for {tokens} answer tokens, and budget.max_output_tokens is "
            f"{budget.max_output_tokens}; lower limit, samples or max_tokens, or raise it"
        )


def _in_cohort(entry: ReferenceEntry, options: dict[str, Any]) -> bool:
    return entry.subject is not None and subject_from(entry.subject, options).kind == "cohort"


def _asked(
    entries: Iterable[ReferenceEntry], subject: Subject, options: dict[str, Any]
) -> Iterator[tuple[Subject, Suite]]:
    """Yield every live subject with the prompts it will be asked, once."""
    seen = set()
    for entry in entries:
        both = [subject]
        if entry.subject:
            both.append(subject_from(entry.subject, options))
        suite = _suite(both, entry.cohort, options)
        for one in both:
            if one.kind not in _RECORDED and (one.spec, suite.sha256) not in seen:
                seen.add((one.spec, suite.sha256))
                yield one, suite


def _suite(subjects: list[Subject], cohort: str | None, options: dict[str, Any]) -> Suite:
    members = [one for one in subjects if one.kind == "cohort"]
    if not members and cohort is None:
        return suite_for(subjects[::-1], options)[1]
    found = find_cohort(cohort) if cohort else find_model(members[0].target)[0]
    suite = load_suite(options["suite_name"] or found.name)
    return suite.select(options["category"], options["limit"])


def _open(subject: Subject, suite: Suite, asking: Asking) -> tuple[int, int]:
    identity = open_backend(subject, asking.options).identity()
    path = asking.folder / transcript_name(subject, identity, asking.settings)
    todo = plan(with_texts(suite, asking.texts), identity, asking.settings, path)
    return len(todo.requests), todo.max_output_tokens


def _drift_calls(policy: Policy, subject: Subject) -> int:
    if policy.rules.drift is None or subject.kind in _RECORDED:
        return 0
    return len(read_baseline(Path(policy.rules.drift.baseline)).responses)
