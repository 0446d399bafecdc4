"""Subject → transcript, for every verb that needs answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.examination.collect import collect, plan, transcript_name
from forensics.subjects.backends import open_backend
from forensics.subjects.subject import Subject
from forensics.suites.references import with_texts
from forensics.suites.suite import Suite
from forensics.transcripts.transcript import Transcript, check_chain, unbroken
from forensics.workflows.callbacks import Progress
from forensics.workflows.resolving import ResolvedSubject
from forensics.workflows.settings import Asking

if TYPE_CHECKING:
    from forensics.evidence.comparator import Comparator
    from forensics.examination.examined import Examined, Need


def needed(comparators: Sequence[Comparator[Any]]) -> frozenset[Need]:
    """Return what comparators need of a subject, together."""
    return frozenset().union(*(comparator.needs for comparator in comparators))


def collect_answers(
    subject: Subject,
    suite: Suite,
    asking: Asking,
    progress: Progress,
    path: Path | None = None,
) -> Transcript:
    """Ask a subject what is still open; return all its answers."""
    suite = with_texts(suite, asking.texts)
    backend = open_backend(subject, asking.backend)
    identity = backend.identity()
    path = path or asking.folder / transcript_name(subject, identity, asking.generation)
    if not asking.allow_broken:
        check_chain(path)
    todo = plan(suite, identity, asking.generation, path)
    total = todo.answered + len(todo.requests)
    if todo.answered:
        progress.note(f"{subject.name}: {todo.answered} of {total} answers are on file in {path}")
    with progress.answers(subject.name, total, todo.answered) as tick:
        answers = collect(suite, subject, backend, asking.generation, path, tick)
    return unbroken(answers, asking.allow_broken)


def obtain(
    subject: ResolvedSubject, suite: Suite, asking: Asking, progress: Progress
) -> Transcript:
    """Return what a transcript holds; collect the answers of any other subject."""
    if subject.subject.kind == "transcript":
        return subject.recorded
    return collect_answers(subject.subject, suite, asking, progress)


def examine(
    subjects: Sequence[ResolvedSubject],
    suite: Suite,
    asking: Asking,
    comparators: Sequence[Comparator[Any]],
    progress: Progress,
) -> list[Examined]:
    """Obtain what the comparators need of each subject; see `check_model` for what comes first."""
    from forensics.examination.examined import Examined
    from forensics.subjects.model_files.folder import model_files

    needs = needed(comparators)
    files = [
        model_files(side.subject, asking.backend.dtype) if needs - {"answers"} else None
        for side in subjects
    ]
    if "answers" in needs:
        transcripts = [obtain(side, suite, asking, progress) for side in subjects]
    else:
        transcripts = [Transcript(side.subject.name, ()) for side in subjects]
    parts = zip((side.subject for side in subjects), transcripts, files, strict=True)
    return [Examined(*part) for part in parts]
