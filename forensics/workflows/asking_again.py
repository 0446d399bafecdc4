"""A baseline's prompts once more: fresh answers, never those on file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from forensics.errors import ForensicsError, InputFileError, UsageError
from forensics.examination.collect import only_asked, transcript_name
from forensics.subjects.backends import open_backend
from forensics.subjects.backends.backend import GenerationSettings
from forensics.suites.loading import load_suite
from forensics.suites.suite import Suite
from forensics.transcripts.transcript import Transcript, ad_hoc_suite
from forensics.workflows.callbacks import Progress
from forensics.workflows.obtaining import collect_answers
from forensics.workflows.resolving import ResolvedSubject
from forensics.workflows.settings import Asking


def ask_again(
    subject: ResolvedSubject, baseline: Transcript, asking: Asking, progress: Progress
) -> Transcript:
    """Return a subject's answers to a baseline's prompts, asked now with the baseline's settings.

    The answers go to a new file each time: answers on file are the very thing in question.

    Args:
        subject: who is asked; of a transcript, what it holds counts.
        baseline: what was asked, and how.
        asking: how backends run, and the folder for transcripts.
        progress: is told of answers as they arrive.

    Raises:
        InputFileError: the baseline does not hold its prompts' text.
        UsageError: the subject cannot be asked.
    """
    asked = subject.subject
    if asked.kind == "cohort":
        raise UsageError(f"{asked.spec} cannot be asked; name a model, endpoint or transcript")
    asking, suite = again(baseline, asking)
    if asked.kind == "transcript":
        return only_asked(subject.recorded, suite, asking.generation)
    identity = open_backend(asked, asking.backend).identity()
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    name = Path(transcript_name(asked, identity, asking.generation))
    path = asking.folder / f"{name.stem}-{stamp}.jsonl"
    return collect_answers(asked, suite, asking, progress, path)


def again(baseline: Transcript, asking: Asking) -> tuple[Asking, Suite]:
    """Return how, and what, a baseline's subject was asked, to be asked once more.

    Raises:
        InputFileError: the baseline does not hold its prompts' text, or settings that mean nothing.
    """
    return replace(asking, generation=_settings(baseline), texts=None), _suite(baseline)


def _settings(baseline: Transcript) -> GenerationSettings:
    recorded = baseline.manifests[0].settings
    known = {n: recorded[n] for n in GenerationSettings.__dataclass_fields__ if n in recorded}
    samples = max((r.sample for r in baseline.responses), default=0) + 1
    try:
        return GenerationSettings(**(known | {"samples": samples}))
    except (TypeError, ValueError) as error:
        raise InputFileError(f"{baseline.path} has invalid settings: {error}") from error


def _suite(baseline: Transcript) -> Suite:
    """Return the baseline's prompts, with the token limits of their suite where it is at hand."""
    suite = ad_hoc_suite([baseline])
    try:
        known = {p.sha256: p for p in load_suite(str(baseline.manifests[0].suite["name"])).prompts}
    except (ForensicsError, KeyError):
        known = {}
    prompts = tuple(
        replace(p, max_tokens=known[p.sha256].max_tokens) if p.sha256 in known else p
        for p in suite.prompts
    )
    if not all(p.messages for p in prompts):
        raise InputFileError(f"{baseline.path} does not hold its prompts' text; save it again")
    return replace(suite, prompts=prompts)
