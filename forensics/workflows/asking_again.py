"""A baseline's prompts once more: fresh answers, never those on file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forensics.errors import ForensicsError, InputFileError, UsageError
from forensics.examination.collect import only_asked, transcript_name
from forensics.subjects.backends import open_backend
from forensics.subjects.backends.base import GenerationSettings
from forensics.subjects.subject import Subject
from forensics.suites.loading import load_suite
from forensics.suites.suite import Suite
from forensics.transcripts.transcript import Transcript, ad_hoc_suite, read_transcript, unbroken
from forensics.workflows.obtaining import Asking, collect_answers
from forensics.workflows.settings import backend_options_from


def ask_again(subject: Subject, baseline: Transcript, options: dict[str, Any]) -> Transcript:
    """Return a subject's answers to a baseline's prompts, asked now with the baseline's settings.

    The answers go to a new file each time: answers on file are the very thing in question.

    Args:
        subject: who is asked; of a transcript, what it holds counts.
        baseline: what was asked, and how.
        options: those of backends, and the folder for transcripts.

    Raises:
        InputFileError: the baseline does not hold its prompts' text.
        UsageError: the subject cannot be asked.
    """
    if subject.kind == "cohort":
        raise UsageError(f"{subject.spec} cannot be asked; name a model, endpoint or transcript")
    asking, suite = again(baseline, options)
    if subject.kind == "transcript":
        read = unbroken(read_transcript(Path(subject.target)), asking.allow_broken)
        return only_asked(read, suite, asking.settings)
    identity = open_backend(subject, asking.options).identity()
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    name = Path(transcript_name(subject, identity, asking.settings))
    return collect_answers(subject, suite, asking, asking.folder / f"{name.stem}-{stamp}.jsonl")


def again(baseline: Transcript, options: dict[str, Any]) -> tuple[Asking, Suite]:
    """Return how, and what, a baseline's subject was asked, to be asked once more.

    Raises:
        InputFileError: the baseline does not hold its prompts' text, or settings that mean nothing.
    """
    settings, suite = _settings(baseline), _suite(baseline)
    allow = bool(options.get("allow_broken"))
    asking = Asking(settings, backend_options_from(options), options["folder"], allow_broken=allow)
    return asking, suite


def _settings(baseline: Transcript) -> GenerationSettings:
    recorded = baseline.manifests[0].settings
    known = {n: recorded[n] for n in GenerationSettings.__dataclass_fields__ if n in recorded}
    samples = max((r.sample for r in baseline.responses), default=0) + 1
    try:
        return GenerationSettings(**(known | {"samples": samples}))
    except (TypeError, ValueError) as error:
        raise InputFileError(f"{baseline.path} has settings that mean nothing: {error}") from error


def _suite(baseline: Transcript) -> Suite:
    """Return the baseline's prompts, with the token limits of their suite where it is at hand."""
    found = ad_hoc_suite([baseline])
    try:
        known = {p.sha256: p for p in load_suite(str(baseline.manifests[0].suite["name"])).prompts}
    except (ForensicsError, KeyError):
        known = {}
    prompts = tuple(
        replace(p, max_tokens=known[p.sha256].max_tokens) if p.sha256 in known else p
        for p in found.prompts
    )
    if not all(p.messages for p in prompts):
        raise InputFileError(f"{baseline.path} does not hold its prompts' text; save it again")
    return replace(found, prompts=prompts)
