"""Asking one subject a suite, and saying what it will cost before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import BackendError
from forensics.examination.collect import Plan, plan, transcript_name
from forensics.subjects.backends import open_backend
from forensics.subjects.subject import Subject
from forensics.suites.references import with_texts
from forensics.transcripts.transcript import Transcript
from forensics.workflows.callbacks import Progress
from forensics.workflows.obtaining import collect_answers
from forensics.workflows.resolving import SuiteChoice
from forensics.workflows.settings import ProbeSettings


@dataclass(frozen=True)
class ProbePlan:
    """What a probe would ask, and the file its answers would go to."""

    path: Path
    calls: Plan


def would_probe(subject: Subject, settings: ProbeSettings) -> ProbePlan:
    """Return what `probe` would ask; nothing is asked."""
    asking = settings.asking
    suite = SuiteChoice(settings.prompts).suite
    identity = open_backend(subject, asking.backend).identity()
    path = settings.output or Path(transcript_name(subject, identity, asking.generation))
    # With their texts: their length is what the prompt tokens are counted by.
    calls = plan(with_texts(suite, asking.texts), identity, asking.generation, path)
    return ProbePlan(path, calls)


def probe(subject: Subject, settings: ProbeSettings, progress: Progress) -> Transcript:
    """Ask a subject a suite and return its answers; those on file are not asked for again.

    Raises:
        UsageError: there is no such suite, or the output holds other answers.
        BackendError: the subject cannot be asked.
    """
    suite = SuiteChoice(settings.prompts).suite
    return collect_answers(subject, suite, settings.asking, progress, settings.output)


def check_answered(spec: str, transcript: Transcript) -> None:
    """Check that a probe's calls were answered.

    Raises:
        BackendError: more than half of them failed; the message has the reason of most.
    """
    failed = [r.error or "no reason given" for r in transcript.responses if r.status == "error"]
    total = len(transcript.responses)
    if 2 * len(failed) <= total:
        return
    share = "every call" if len(failed) == total else f"{len(failed)} of {total} calls"
    reason, times = Counter(failed).most_common(1)[0]
    raise BackendError(
        f"{share} to {spec} failed, {times} of them with: {reason}; answers so far are kept, run "
        "again to ask only what is missing"
    )
