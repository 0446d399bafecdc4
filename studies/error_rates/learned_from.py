"""The section on learning from answers: false alarms first, then known teachers.

The whole tables are on the pages of shift and of students; here is what rates can be read from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from forensics.cohorts.calibration import error_rate
from forensics.cohorts.finding import find_cohort
from forensics.evaluation.step_rates import read_steps
from forensics.support.numbers import counted
from studies.error_rates.cells import row
from studies.shift.measure import Pointed, pointed
from studies.shift.page import PUZZLES
from studies.shift.steps import table_of
from studies.students.changing import StudentChange, usual_change
from studies.students.changing_page import developer_rank, exact_interval, teacher_rank
from studies.students.finished import FinishedStudents, read_finished
from studies.students.paired import StudentFinding, findings, is_null, share_of_teachers
from studies.students.paired_fit import LEAST_NULLS
from studies.students.plan import Student

_FALSE_ALARMS = 0.05
_SHARES = (1.0, 0.3, 0.1, 0.03)


def section(data: Path) -> Iterator[str]:
    """Yield the lines of the section.

    Args:
        data: folder with the reference data.
    """
    students = read_finished(data)
    yield "## Learned from another's answers"
    yield ""
    yield (
        "No likelihood ratio is given for this question from text: a change against a model's "
        "own past *points to* a model at most. The error rates of those who served the answers "
        "are on [a page of their own](EXPOSURE.md). False alarms come first: cases in which "
        "nothing was learned from the models that are named."
    )
    yield ""
    yield from _nulls(_null_steps(), students)
    yield ""
    yield from _found(students)
    yield ""
    yield (
        "Every step and every student is listed on the pages on [change against a past](SHIFT.md) "
        "and on [students](STUDENTS.md)."
    )


def _null_steps() -> list[Pointed]:
    cohort = find_cohort("misguided-attention")
    steps = read_steps(table_of(PUZZLES), cohort.facts)
    return pointed(cohort, [step for step in steps if not step.teacher])


def _nulls(steps: Sequence[Pointed], students: FinishedStudents) -> Iterator[str]:
    clusters = {step.cluster for step in steps}
    wrong = {step.cluster for step in steps if step.named}
    rate = error_rate(len(wrong), len(clusters))
    nulls = [student for student in students.fits if is_null(student)]
    yield from row("without a link to the models named", "n", "false alarms")
    yield from row(*["---"] * 3)
    yield from row(
        "change against a past, three answers per prompt, altered puzzles",
        f"{len(steps)} steps in {len(clusters)} lineage clusters",
        f"{len(wrong)} of {len(clusters)} clusters (upper 95 % limit {rate.upper:.0%})",
    )
    yield from row(
        "students without a teacher, token probabilities and change of their own answers",
        f"{counted(len(nulls), 'student')} of one base",
        f"not known: {LEAST_NULLS} are needed"
        if len(nulls) < LEAST_NULLS
        else "set to 5 % by these students",
    )


def _found(students: FinishedStudents) -> Iterator[str]:
    yield (
        "The second table is on students of one known teacher: SmolLM2-135M tuned on 200 story "
        f"answers. There are {len(students.authors)} candidates; what students without a teacher "
        "show is subtracted. The teacher is the unit; intervals are exact 95 % intervals."
    )
    yield ""
    yield from row(
        "share of the text that is the teacher's",
        "teachers",
        "teacher first by token probabilities",
        "found at 5 % false alarms",
        "teacher's developer first by answers alone",
        "teacher first by answers alone",
    )
    yield from row(*["---"] * 6)
    rows = findings(students.fits, students.authors)
    nulls = [change for change in students.changes if is_null(change.student)]
    for share in _SHARES:
        some = [f for f in share_of_teachers(rows, share) if f.student.seed == 1]
        if some and nulls:
            usual = usual_change(nulls)
            changes = {c.student: c.less(usual) for c in students.changes}
            yield from row(*_cells(share, some, changes, students.developers))


def _cells(
    share: float,
    some: Sequence[StudentFinding],
    changes: Mapping[Student, StudentChange],
    developers: Mapping[str, str],
) -> Iterator[str]:
    changed = [changes[finding.student] for finding in some]
    p_values = [finding.nulls.p_value for finding in some]
    yield f"{share:.0%}"
    yield str(len(some))
    yield _of(sum(finding.rank == 1 for finding in some), len(some))
    if None in p_values:
        yield "not known"
    else:
        yield _of(sum(p is not None and p <= _FALSE_ALARMS for p in p_values), len(some))
    yield _of(sum(developer_rank(change, developers) == 1 for change in changed), len(some))
    yield _of(sum(teacher_rank(change) == 1 for change in changed), len(some))


def _of(hits: int, n: int) -> str:
    low, high = exact_interval(hits, n)
    return f"{hits} ({low:.0%} to {high:.0%})"
