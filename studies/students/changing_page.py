"""The section of the students' page on shift: whose answers did they learn, by text alone?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from studies.shift.readings import COUNTED, HABITS, read_all
from studies.students import store
from studies.students.changing import (
    CHARS,
    Reading,
    StudentChange,
    by_sequences,
    change_of,
    read_texts,
    usual_change,
)
from studies.students.material import Material
from studies.students.paired import is_null
from studies.students.plan import Student

_HEAD = f"""## Shift: by their answers alone

The same students, from what they answered to prompts that they were not tuned on, three times
each. The change against the untuned model towards each candidate is in units of the student's own
manner (the root of how alike its own answers are). A candidate answered once; all texts are cut to
{CHARS} characters. Nothing is fitted. The *margin* is that of the first developer over the second,
a t over prompts: it tests no teacher, it says how clear a lead is. The rule was fixed when the
first three students were done.
"""


def changes_of(
    whole: Sequence[Student],
    material: Material,
    folder: Path = store.ANSWERS,
    read: Reading = by_sequences,
) -> list[StudentChange]:
    """Return the changes of all students whose answers are kept, in the order of the plan."""
    made = [student for student in whole if store.answers_file(student.name, folder).exists()]
    bases = {student.base for student in made}
    past = {base: read_texts(store.untuned(base), folder) for base in bases}
    return [
        change_of(student, read_texts(student.name, folder), past[student.base], material, read)
        for student in made
    ]


def section(changes: Sequence[StudentChange], developers: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of the section.

    Args:
        changes: of all students that are done.
        developers: of the candidates.
    """
    nulls = [change for change in changes if is_null(change.student)]
    taught = [change for change in changes if change.student.teachers]
    yield _HEAD
    yield ""
    yield from _nulls(nulls, developers)
    yield from _taught(taught, nulls, developers)


def _nulls(nulls: Sequence[StudentChange], developers: Mapping[str, str]) -> Iterator[str]:
    yield "### Students without a teacher first"
    yield ""
    if not nulls:
        yield "No student without a teacher is done."
        yield ""
        return
    yield "| student | largest change | towards | margin |"
    yield "|---|---|---|---|"
    for null in nulls:
        yield f"| {null.student.name} | {_first(null, developers)} |"
    yield ""
    most = max(null.leads(developers)[0].margin for null in nulls)
    yield f"n = {len(nulls)}; the largest margin is {most:.1f}."
    yield ""


def _first(change: StudentChange, developers: Mapping[str, str]) -> str:
    lead = change.leads(developers)[0]
    mean = change.changes.mean(axis=0).max()
    return f"{mean:.3f} | {change.order[0]} | {lead.margin:.1f}"


def _taught(
    taught: Sequence[StudentChange],
    nulls: Sequence[StudentChange],
    developers: Mapping[str, str],
) -> Iterator[str]:
    yield "### Students with a teacher"
    yield ""
    if not taught:
        yield "No student with a teacher is done."
        yield ""
        return
    yield "*Rank* is the teacher's among the candidates, *developer* its developer's among "
    yield "developers. *Less the nulls* takes off what students without a teacher change on "
    yield "average. Of two teachers the better rank counts."
    yield ""
    yield (
        "| student | change towards the teacher | rank | developer | rank less the nulls "
        "| developer less the nulls | first developer, margin |"
    )
    yield "|---|---|---|---|---|---|---|"
    for change in taught:
        yield _row(change, nulls, developers)
    yield ""
    for share, seed in dict.fromkeys((c.student.share, c.student.seed) for c in taught):
        some = [c for c in taught if (c.student.share, c.student.seed) == (share, seed)]
        yield from _rates(some, share, seed, developers)


def _row(
    change: StudentChange, nulls: Sequence[StudentChange], developers: Mapping[str, str]
) -> str:
    teachers = change.student.teachers
    towards = max(
        float(change.changes[:, change.candidates.index(name)].mean()) for name in teachers
    )
    less = change.less(usual_change(nulls)) if nulls else None
    lead = change.leads(developers)[0]
    cells = [
        change.student.name,
        f"{towards:.3f}",
        *_ranks(change, developers),
        *(_ranks(less, developers) if less else ("no nulls yet", "no nulls yet")),
        f"{lead.name}, {lead.margin:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def _ranks(change: StudentChange, developers: Mapping[str, str]) -> tuple[str, str]:
    houses = [lead.name for lead in change.leads(developers)]
    return (
        f"{teacher_rank(change)} of {len(change.candidates)}",
        f"{developer_rank(change, developers)} of {len(houses)}",
    )


def teacher_rank(change: StudentChange) -> int:
    """Return the rank of the student's teacher, the better one of two."""
    return 1 + min(change.order.index(name) for name in change.student.teachers)


def developer_rank(change: StudentChange, developers: Mapping[str, str]) -> int:
    """Return the rank of the teacher's developer, the better one of two."""
    houses = [lead.name for lead in change.leads(developers)]
    return 1 + min(houses.index(developers[name]) for name in change.student.teachers)


def _rates(
    some: Sequence[StudentChange], share: float, seed: int, developers: Mapping[str, str]
) -> Iterator[str]:
    plain = [
        change
        for change in some
        if change.student.kind == "taught" and len(change.student.teachers) == 1
    ]
    if not plain:
        return
    first = sum(teacher_rank(change) == 1 for change in plain)
    house = sum(developer_rank(change, developers) == 1 for change in plain)
    yield f"At {100 * share:.0f} % of the text, seed {seed}, n = {len(plain)} teachers: the "
    yield f"teacher's developer is first for {_share(house, len(plain))}, the teacher for "
    yield f"{_share(first, len(plain))}."
    yield ""


def _share(hits: int, n: int) -> str:
    low, high = exact_interval(hits, n)
    return f"{hits} (95 % interval {100 * low:.0f} to {100 * high:.0f} %)"


def exact_interval(hits: int, n: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a share (Clopper, Pearson 1934)."""
    from scipy.stats import binomtest

    bounds = binomtest(hits, n).proportion_ci(method="exact")
    return float(bounds.low), float(bounds.high)


def by_reading(
    whole: Sequence[Student],
    material: Material,
    developers: Mapping[str, str],
    folder: Path = store.ANSWERS,
) -> Iterator[str]:
    """Yield the lines that say what other readings of the same answers give."""
    yield "### Other readings of the same answers"
    yield ""
    yield "Names and numbers, and turns of reasoning, were written when all of these students were"
    yield "done, all others when students of two teachers were. Counted are students at 100 % of"
    yield "the text, seed 1; *largest null margin* is that of students without a teacher."
    yield ""
    yield "| reading | students | developer first | teacher first | largest null margin |"
    yield "|---|---|---|---|---|"
    for name in (*COUNTED, *HABITS):
        changes = changes_of(whole, material, folder, partial(read_all, name))
        taught = [c for c in changes if (c.student.share, c.student.seed) == (1.0, 1)]
        taught = [c for c in taught if c.student.kind == "taught" and len(c.student.teachers) == 1]
        nulls = [c.leads(developers)[0].margin for c in changes if is_null(c.student)]
        cells = (
            name,
            len(taught),
            sum(developer_rank(change, developers) == 1 for change in taught),
            sum(teacher_rank(change) == 1 for change in taught),
            f"{max(nulls):.1f}" if nulls else "-",
        )
        yield f"| {' | '.join(map(str, cells))} |"
    yield ""
