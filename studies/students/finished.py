"""What the finished students show, read from what is kept of them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from studies.students import paired, store
from studies.students.changing import StudentChange
from studies.students.changing_page import changes_of
from studies.students.material import read_material
from studies.students.plan import Student, plan


@dataclass(frozen=True, eq=False)
class FinishedStudents:
    """Finished students in the order of the plan: their differences and their changes."""

    authors: Mapping[str, paired.Author]
    fits: Mapping[Student, paired.Fits]
    changes: tuple[StudentChange, ...]

    @property
    def developers(self) -> dict[str, str]:
        """The developer of every candidate."""
        return {name: author.developer for name, author in self.authors.items()}


def read_finished(
    data: Path,
    folder: Path = store.FITS,
    answers: Path = store.ANSWERS,
    planned: Sequence[Student] | None = None,
) -> FinishedStudents:
    """Read what is kept of all finished students.

    Args:
        data: folder with the reference data.
        folder: tables of gains.
        answers: what they answered.
        planned: of which students; by default those of the plan.
    """
    whole = plan() if planned is None else planned
    material = read_material(data)
    length = {
        name: statistics.median(len(answer) for answer in by_prompt.values())
        for name, by_prompt in material.answers.items()
    }
    authors = paired.read_authors(data, sorted(length), length)
    fits = {
        student: paired.differences(paired.read_gains(student.name, folder), authors)
        for student in whole
        if store.fit_file(student.name, folder).exists()
    }
    return FinishedStudents(authors, fits, tuple(changes_of(whole, material, answers)))
