"""Every finished student against every teacher: D(A, B), its rank and where nulls stand."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from studies.students import store
from studies.students.paired_fit import (
    LEAST_DECOYS,
    Gains,
    NullStanding,
    PairedFit,
    among_nulls,
    paired_fit,
)
from studies.students.plan import TEACHERS, Student

MODELS_TABLE = "modern/slop_score_models.csv"
MOST_MONTHS = 12  # between a candidate's release and a decoy's
MOST_LENGTH = 1.5  # times a candidate's characters that a decoy's may have, or the reverse


@dataclass(frozen=True)
class Author:
    """Who wrote answers: its developer, months since the year 0, and median characters."""

    developer: str
    month: int
    length: float


@dataclass(frozen=True)
class StudentFinding:
    """What a student's probabilities say of its teacher.

    `rank` is that of the teacher among all candidates, by the difference less the nulls' mean,
    `raw_rank` by the difference alone.
    `others` is the standing among students of other developers' models.
    """

    student: Student
    fit: PairedFit
    raw_rank: int
    rank: int | None
    candidates: int
    nulls: NullStanding
    others: NullStanding


def read_authors(data: Path, names: list[str], length: Mapping[str, float]) -> dict[str, Author]:
    """Read developer and month of release of models from the table of stories' models.

    Args:
        data: folder with the reference data.
        names: of models.
        length: median characters of each one's answers.
    """
    import pandas as pd

    table = pd.read_csv(data / MODELS_TABLE).set_index("model")
    return {
        name: _author(
            str(table.loc[name, "developer"]), str(table.loc[name, "released"]), length[name]
        )
        for name in names
    }


def _author(developer: str, released: str, length: float) -> Author:
    year, month = released.split("-")
    return Author(developer, 12 * int(year) + int(month), length)


def decoys(candidate: str, authors: Mapping[str, Author]) -> list[str]:
    """Return models of other developers with about the candidate's date and length."""
    of = authors[candidate]
    return [
        name
        for name, author in sorted(authors.items())
        if author.developer != of.developer
        and abs(author.month - of.month) <= MOST_MONTHS
        and 1 / MOST_LENGTH <= author.length / of.length <= MOST_LENGTH
    ]


def read_gains(name: str, folder: Path = store.FITS) -> Gains:
    """Return a student's gains by candidate and prompt."""
    table: dict[str, dict[str, float]] = {}
    for gain in store.read_gains(name, folder):
        table.setdefault(gain.candidate, {})[gain.prompt_id] = gain.gain
    return table


def differences(gains: Gains, authors: Mapping[str, Author]) -> dict[str, PairedFit]:
    """Return D(A, B) for every candidate A that has decoys enough."""
    fits = {}
    for candidate in sorted(authors):
        chosen = decoys(candidate, authors)
        if len(chosen) >= LEAST_DECOYS:
            fits[candidate] = paired_fit(gains, candidate, chosen)
    return fits


Fits = Mapping[str, PairedFit]


def findings(made: Mapping[Student, Fits], authors: Mapping[str, Author]) -> list[StudentFinding]:
    """Return what each student of one teacher shows, in the order given.

    Args:
        made: finished students with their differences, nulls among them.
        authors: of all candidates.
    """
    nulls = [fits for student, fits in made.items() if is_null(student)]
    return [
        _finding(student, fits, nulls, made, authors)
        for student, fits in made.items()
        if len(student.teachers) == 1 and student.teachers[0] in fits
    ]


def is_null(student: Student) -> bool:
    """Tell whether a student had no teacher of its own."""
    return not student.teachers


def _finding(
    student: Student,
    fits: Fits,
    nulls: list[Fits],
    made: Mapping[Student, Fits],
    authors: Mapping[str, Author],
) -> StudentFinding:
    teacher = student.teachers[0]
    others = [
        of[teacher].difference
        for other, of in made.items()
        if other.kind == "taught"
        and other.share == student.share
        and other.seed == student.seed
        and all(authors[name].developer != authors[teacher].developer for name in other.teachers)
    ]
    return StudentFinding(
        student=student,
        fit=fits[teacher],
        raw_rank=_rank(teacher, fits, []),
        rank=_rank(teacher, fits, nulls) if nulls else None,
        candidates=len(fits),
        nulls=among_nulls(fits[teacher].difference, [null[teacher].difference for null in nulls]),
        others=among_nulls(fits[teacher].difference, others),
    )


def _rank(teacher: str, fits: Fits, nulls: list[Fits]) -> int:
    beyond = {
        name: fit.difference
        - (statistics.fmean(null[name].difference for null in nulls) if nulls else 0.0)
        for name, fit in fits.items()
    }
    return 1 + sum(value > beyond[teacher] for value in beyond.values())


def share_of_teachers(rows: list[StudentFinding], share: float) -> list[StudentFinding]:
    """Return the findings of students with this share of their teacher's text."""
    return [
        row
        for row in rows
        if row.student.share == share
        and row.student.kind == "taught"
        and row.student.teachers[0] in TEACHERS
    ]
