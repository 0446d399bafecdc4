"""Placing a subject in a cohort: by its answers, collected if they are missing, or as a member."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from forensics.cohorts.cohort import Cohort
from forensics.cohorts.finding import find_cohort, find_model, matching_cohort
from forensics.cohorts.subject import Placed, place_examined, place_member
from forensics.examination.examined import Examined
from forensics.subjects.subject import Subject
from forensics.suites.loading import load_suite
from forensics.transcripts.transcript import Transcript, read_transcript, unbroken
from forensics.verdicts.compare import restrict
from forensics.workflows.obtaining import asking_from, obtain

_USUAL = "alpaca-eval"


def cohort_for(subject: Subject, name: str | None) -> Cohort:
    """Return the cohort to search for a subject's relatives.

    Args:
        subject: whose relatives are wanted.
        name: of a cohort, or its file; None takes the one that the subject is a model of, or that
            answered most of a transcript's prompts, and `alpaca-eval` for all others.

    Raises:
        UsageError: no cohort has that name, or that model.
        InputFileError: the transcript or the cohort cannot be read.
    """
    if name:
        return find_cohort(name)
    if subject.kind == "cohort":
        return find_model(subject.target)[0]
    if subject.kind != "transcript":
        return find_cohort(_USUAL)
    responses = read_transcript(Path(subject.target)).responses
    return matching_cohort({one.prompt.sha256 for one in responses}) or find_cohort(_USUAL)


def place(
    subject: Subject, cohort: Cohort, released: str, options: dict[str, Any]
) -> tuple[Placed, Transcript | None]:
    """Place a subject among a cohort's models.

    Args:
        subject: a model of the cohort, a transcript, or a model that can be asked its suite.
        cohort: whose prompts count.
        released: `YYYY-MM`, where the user knows it.
        options: of suite, generation and backends, as the verb has them.

    Returns:
        Where it stands, and its transcript; None of a cohort's model.

    Raises:
        UsageError: the cohort has no such model, or no suite of its name that could be asked.
        InputFileError: the transcript cannot be read, or its hash chain is broken.
    """
    if subject.kind == "cohort":
        return place_member(find_model(subject.target, (cohort,))[1], cohort), None
    examined = _examined(subject, cohort, options)
    return place_examined(examined, cohort, released), examined.transcript


def _examined(subject: Subject, cohort: Cohort, options: dict[str, Any]) -> Examined:
    chosen = options["suite_name"] or options["category"] or options["limit"]
    if subject.kind == "transcript" and not chosen:
        # A cohort of the user's own need not have a suite of its name.
        read = unbroken(read_transcript(Path(subject.target)), bool(options.get("allow_broken")))
        return Examined(subject, read)
    suite = load_suite(options["suite_name"] or cohort.name)
    asked = suite.select(options["category"], options["limit"])
    return restrict(Examined(subject, obtain(subject, asked, asking_from(options))), asked)
