"""Writes the page on students: `python -m studies.students.page DATA`.

From what is kept of finished students: nothing is trained.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from forensics.support.files import write_text
from studies.students import changing_page, paired, store
from studies.students.changing_page import exact_interval
from studies.students.finished import FinishedStudents, read_finished
from studies.students.material import read_material
from studies.students.paired_fit import LEAST_NULLS, NullStanding
from studies.students.plan import TEACHERS, Student, plan, replication

PAGE = "STUDENTS.md"
_FALSE_ALARMS = 0.05


def main() -> None:
    """Write the page from what is finished."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path, help="folder with the reference data")
    parser.add_argument("--out", type=Path, default=Path("reports") / PAGE)
    given = parser.parse_args()
    write_text(given.out, page(given.data))


def page(data: Path, folder: Path = store.FITS, answers: Path = store.ANSWERS) -> str:
    """Return the page.

    Args:
        data: folder with the reference data.
        folder: tables of finished students.
        answers: what they answered.
    """
    finished = read_finished(data, folder, answers)
    replicated = read_finished(data, folder, answers, replication())
    lines = (
        *_lines(plan(), finished.fits, finished.authors),
        *changing_page.section(finished.changes, finished.developers),
        *changing_page.by_reading(plan(), read_material(data), finished.developers, answers),
        *_replication(replicated),
    )
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def _lines(
    whole: Sequence[Student],
    made: Mapping[Student, paired.Fits],
    authors: Mapping[str, paired.Author],
) -> Iterator[str]:
    yield "# Students of known teachers: paired fit and shift"
    yield ""
    yield f"Made by `python -m studies.students.page DATA`. {len(made)} of {len(whole)} students "
    yield "are done; `make students` makes those that are missing, and goes on where it was."
    yield ""
    yield "A student is SmolLM2-135M-Instruct tuned on 200 story answers. It is read twice: by its "
    yield "probabilities of the candidates' answers (paired fit), and by its own answers (shift)."
    yield ""
    yield "## Paired fit"
    yield ""
    yield "*D* is by how many nats per token the student came to expect the teacher's answers more "
    yield "than those of the median of at least five models of other developers, of about the same "
    yield "date and length; what the untuned model expects is taken off. Only tokens count where "
    yield "the untuned model is unsure (more than one nat), the first five left out."
    yield ""
    yield from _nulls(made)
    yield from _students(paired.findings(made, authors))


def _nulls(made: Mapping[Student, paired.Fits]) -> Iterator[str]:
    nulls = [fits for student, fits in made.items() if paired.is_null(student)]
    yield "### Students without a teacher"
    yield ""
    if len(nulls) < LEAST_NULLS:
        yield f"Done so far: {len(nulls)}. {LEAST_NULLS} are needed for a p-value, so this page "
        yield "gives no p-value."
    else:
        yield f"Done so far: {len(nulls)}; p-values are shares of these, p = (1 + b) / (1 + n)."
    yield ""
    if not nulls:
        return
    yield "| teacher that they did not have | n | mean D | largest D |"
    yield "|---|---|---|---|"
    for teacher in TEACHERS:
        values = [fits[teacher].difference for fits in nulls if teacher in fits]
        if values:
            mean = statistics.fmean(values)
            yield f"| {teacher} | {len(values)} | {mean:.3f} | {max(values):.3f} |"
    yield ""


def _students(rows: list[paired.StudentFinding]) -> Iterator[str]:
    yield "### Students of one teacher"
    yield ""
    if not rows:
        yield "No student is done."
        return
    yield "The interval is over prompts (signs flipped): it does not say what a student without "
    yield "this teacher would show. *Rank* is the teacher's among the candidates after what "
    yield "students without a teacher show is taken off; *rank by D alone* has no such reference. "
    yield "The teacher, not the student, is the unit."
    yield ""
    yield (
        "| student | D [95 %] | prompts | rank by D alone | rank "
        "| beyond students without a teacher | beyond students of other developers |"
    )
    yield "|---|---|---|---|---|---|---|"
    yield from (_row(row) for row in rows)
    yield ""
    for share in (1.0, 0.3, 0.1, 0.03):
        yield from _by_share(paired.share_of_teachers(rows, share), share)


def _row(row: paired.StudentFinding) -> str:
    fit = row.fit
    rank = f"{row.rank} of {row.candidates}" if row.rank else "no nulls yet"
    return (
        f"| {row.student.name} | {fit.difference:.3f} [{fit.low:.3f}, {fit.high:.3f}] "
        f"| {fit.prompts} | {row.raw_rank} of {row.candidates} | {rank} "
        f"| {_standing(row.nulls)} | {_standing(row.others)} |"
    )


def _standing(standing: NullStanding) -> str:
    parts = [f"n = {standing.nulls}"]
    if standing.standardised is not None:
        parts.insert(0, f"{standing.standardised:.1f} standard deviations")
    if standing.p_value is not None:
        parts.append(f"p = {standing.p_value:.3f}")
    return ", ".join(parts)


def _by_share(rows: list[paired.StudentFinding], share: float) -> Iterator[str]:
    teachers = {row.student.teachers[0] for row in rows}
    if not teachers:
        return
    first = {row.student.teachers[0] for row in rows if row.rank == 1}
    yield f"Teachers that have a student at {100 * share:.0f} % of the text: {len(teachers)}."
    ranked = [row for row in rows if row.rank is not None]
    if ranked:
        yield f"The teacher ranks first for a student of {len(first)} of them."
    if all(row.nulls.p_value is not None for row in rows):
        shown = {
            row.student.teachers[0]
            for row in rows
            if row.nulls.p_value is not None and row.nulls.p_value <= _FALSE_ALARMS
        }
        low, high = exact_interval(len(shown), len(teachers))
        yield f"{len(shown)} of {len(teachers)} show it at 5 % false alarms "
        yield f"(95 % interval {100 * low:.0f} to {100 * high:.0f} %)."
    yield ""


def _replication(made: FinishedStudents) -> Iterator[str]:
    yield "## The same on another base"
    yield ""
    yield "Students of three teachers at 100 % of the text, tuned from Gemma-3-270M as it was "
    yield "pretrained instead of SmolLM2-135M-Instruct. There are no students of this base without "
    yield f"a teacher: ranks are by D and by change alone. Done: {len(made.fits)} of "
    yield f"{len(replication())}."
    yield ""
    if not made.fits:
        return
    changes = {change.student: change for change in made.changes}
    yield (
        "| student | D [95 %] | rank by D | change towards the teacher, rank "
        "| developer by change, rank |"
    )
    yield "|---|---|---|---|---|"
    for row in paired.findings(made.fits, made.authors):
        change, fit = changes[row.student], row.fit
        yield (
            f"| {row.student.name} | {fit.difference:.3f} [{fit.low:.3f}, {fit.high:.3f}] "
            f"| {row.raw_rank} of {row.candidates} "
            f"| {changing_page.teacher_rank(change)} of {len(change.candidates)} "
            f"| {changing_page.developer_rank(change, made.developers)} of "
            f"{len(set(made.developers.values()))} |"
        )
    yield ""


if __name__ == "__main__":
    main()
