"""What may be said of a subject's teacher, in sentences; `teachers` decides what it is."""

from __future__ import annotations

from forensics.cohorts.calibration import ErrorRate
from forensics.cohorts.teacher_level import ASSISTANT_STYLE, MAX_ERROR, MIN_FOUND, HeldOut, Level
from forensics.support.numbers import percent


def held_out_words(tried: HeldOut) -> str:
    """Return how the cohort's own models fare, without a full stop."""
    return (
        f"Of the cohort's own models, each compared with others of its time, {tried.found} of "
        f"{tried.students} documented students and {tried.wrong} of {tried.others} lineage "
        "clusters documented to have had no teacher lean towards students"
    )


def teacher_statement(level: Level, tried: HeldOut, rate: ErrorRate, covered: bool) -> str:
    """Return what is said of a subject's teacher.

    Args:
        level: at which a teacher is named.
        tried: how the cohort's own models fare.
        rate: of the clusters without a teacher that lean as far as the subject.
        covered: whether the subject lies inside the relevant population.
    """
    counts = held_out_words(tried)
    if level == ASSISTANT_STYLE:
        return (
            f"Teacher: {ASSISTANT_STYLE}: none of {int(rate.trials)} lineage clusters of its time "
            f"without a teacher leans as far (upper 95 % limit {percent(rate.upper)}). {counts}. "
            "No model, family or developer is named."
        )
    if tried.holds and not covered:
        return "Teacher: no model is named; the subject lies outside the validated population."
    if not rate.trials:
        return (
            "Teacher: no model is named; the cohort has no model of the subject's time that is "
            "documented to have had no teacher."
        )
    if tried.holds:
        return (
            f"Teacher: no model is named. {counts}; this subject does not, which is not evidence "
            "that it had no teacher."
        )
    return (
        f"Teacher: no model, family or developer is named. {counts}; that does not identify "
        f"students (needed: {percent(MIN_FOUND)} of the students, and an upper 95 % limit of "
        f"{percent(MAX_ERROR)} on the share of the others)."
    )
