"""Suite × subject → transcript: resumes, and loses nothing that was answered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from forensics.errors import BackendError, UsageError
from forensics.subjects.backends.backend import Backend, GenerationSettings, Request, request_key
from forensics.subjects.subject import Subject
from forensics.suites.suite import Suite
from forensics.support.clock import now
from forensics.support.slug import slug
from forensics.support.version import VERSION
from forensics.transcripts.transcript import (
    Manifest,
    Response,
    Transcript,
    iter_keys,
    read_transcript,
)
from forensics.transcripts.writer import TranscriptWriter

Progress = Callable[[Response], None]


@dataclass(frozen=True)
class Plan:
    """What a run will ask: `requests` are still open, `answered` are already on file."""

    requests: tuple[Request, ...]
    answered: int

    @property
    def max_output_tokens(self) -> int:
        """Upper bound on generated tokens of the open requests."""
        return sum(request.max_tokens for request in self.requests)

    @property
    def max_input_tokens(self) -> int:
        """Upper bound on prompt tokens: no tokenizer makes more than one token a byte, and chat
        templates add less than 64 a message.
        """
        return sum(
            len(message.content.encode("utf-8", "surrogatepass")) + 64
            for request in self.requests
            for message in request.prompt.messages
        )


def plan(
    suite: Suite, identity: Mapping[str, Any], settings: GenerationSettings, path: Path | None
) -> Plan:
    """Return the calls that are still open, given what `path` already holds; None holds nothing.

    Raises:
        UsageError: `path` holds answers of another subject or with other settings.
        InputFileError: `path` is not a transcript.
    """
    done = _answered(path, identity, settings) if path else set()
    requests = [
        Request(
            prompt,
            sample,
            settings.tokens_for(prompt),
            request_key(identity, settings, prompt, sample),
        )
        for sample in range(settings.samples)
        for prompt in suite.prompts
    ]
    still_open = tuple(request for request in requests if request.key not in done)
    return Plan(still_open, len(requests) - len(still_open))


def _answered(path: Path, identity: Mapping[str, Any], settings: GenerationSettings) -> set[str]:
    if not path.exists() or path.stat().st_size == 0 or _starts_cut_off(path):
        return set()
    transcript = read_transcript(path)
    for manifest in transcript.manifests:
        difference = _difference(manifest.identity, identity) or _difference(
            _without_samples(manifest.settings), _without_samples(asdict(settings))
        )
        if difference:
            raise UsageError(
                f"{path} holds other answers, of {manifest.subject} ({difference}); "
                "choose another file with -o"
            )
    return set(iter_keys(transcript))


def _starts_cut_off(path: Path) -> bool:
    """Tell whether the file holds only a piece of a first response: the run was killed there."""
    begins = b'{"prompt_id":'
    try:
        line = path.read_bytes()
        json.loads(line)
    except OSError:
        return False
    except (ValueError, RecursionError):
        return b"\n" not in line and begins.startswith(line[: len(begins)])
    return False


def _without_samples(settings: Mapping[str, Any]) -> dict[str, Any]:
    # More samples of the same settings may join a file; anything else would mix two experiments.
    return {key: value for key, value in settings.items() if key != "samples"}


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    keys = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
    return ", ".join(f"{key}: {old.get(key)!r} there, {new.get(key)!r} now" for key in keys[:2])


def collect(
    suite: Suite,
    subject: Subject,
    backend: Backend,
    settings: GenerationSettings,
    path: Path,
    progress: Progress | None = None,
) -> Transcript:
    """Ask `subject` every prompt of `suite` that `path` does not yet answer; return it all.

    Args:
        suite: the prompts.
        subject: who is asked, for the manifest.
        backend: answers the requests.
        settings: generation settings.
        path: transcript file; appended to as answers arrive.
        progress: called with each response after it is on disk.

    Raises:
        BackendError, OutputError, UsageError: see the backend and the writer.
    """
    if plan(suite, backend.identity(), settings, path).requests:
        manifest = Manifest(
            subject=subject.spec,
            identity=backend.identity(),
            suite={"name": suite.name, "version": suite.version, "sha256": suite.sha256},
            settings=asdict(settings),
            provenance="collected",
            started_at=now(),
            version=VERSION,
        )
        with TranscriptWriter(path, manifest) as writer:
            _ask(suite, backend, settings, writer, progress)
    if not path.exists():
        raise BackendError(f"{subject.spec} returned no answer at all; nothing was written")
    return only_asked(read_transcript(path), suite, settings)


def _ask(
    suite: Suite,
    backend: Backend,
    settings: GenerationSettings,
    writer: TranscriptWriter,
    progress: Progress | None,
) -> None:
    """Ask what is open now that no other run can write the file: one may just have ended."""
    todo = plan(suite, backend.identity(), settings, writer.path)
    notes: Callable[[], tuple[str, ...]] = getattr(backend, "notes", tuple)

    def sink(response: Response) -> None:
        # Known since the first call: how an endpoint had to be asked.
        writer.manifest = replace(writer.manifest, notes=notes())
        writer.write(response)
        if progress is not None:
            progress(response)

    if todo.requests:
        backend.answer(todo.requests, settings, sink)


def only_asked(transcript: Transcript, suite: Suite, settings: GenerationSettings) -> Transcript:
    """Return the transcript cut to `suite` and `samples`: a file may hold more than this run."""
    hashes = {prompt.sha256 for prompt in suite.prompts}
    asked_for = tuple(
        r for r in transcript.responses if r.prompt.sha256 in hashes and r.sample < settings.samples
    )
    return replace(transcript, responses=asked_for)


def transcript_name(
    subject: Subject, identity: Mapping[str, Any], settings: GenerationSettings
) -> str:
    """Return a file name for a subject's answers: readable, and unique to who answered and how."""
    exact = [dict(identity), _without_samples(asdict(settings))]
    digest = hashlib.sha256(json.dumps(exact, sort_keys=True).encode("ascii")).hexdigest()
    return f"{slug(subject.name)}-{digest[:8]}.jsonl"
