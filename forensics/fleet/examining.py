"""What a subject's files are, and what they declare; nothing is asked and no weights are loaded."""

from __future__ import annotations

import json
from pathlib import Path

from forensics.errors import UsageError
from forensics.fleet.subject_result import SubjectFinding
from forensics.subjects.backends.served import served_source
from forensics.subjects.subject import Subject
from forensics.transcripts.transcript import read_transcript, unbroken


def examined_files(subject: Subject, dtype: str) -> SubjectFinding:
    """Return what can be said of a subject without asking it.

    Args:
        subject: a local or hub model, of which weights are hashed, or a transcript.
        dtype: of converted copies.

    Raises:
        UsageError: an endpoint or a cohort's model, which has no files.
        InputFileError: a file is damaged or incomplete.
        BackendError: the model cannot be found.
    """
    if subject.kind == "transcript":
        return _transcript(Path(subject.target))
    if subject.kind not in ("hf", "gguf", "demo"):
        raise UsageError(f"{subject.spec} has no files to examine; probe it instead")
    return _model(subject, dtype)


def _transcript(path: Path) -> SubjectFinding:
    transcript = unbroken(read_transcript(path))
    errors = transcript.count("error")
    return SubjectFinding(
        model_format="transcript", answers=len(transcript.responses) - errors, errors=errors
    )


def _model(subject: Subject, dtype: str) -> SubjectFinding:
    from forensics.policy.declarations import declarations_of
    from forensics.subjects.model_files.folder import model_files

    identity = served_source(subject, dtype).identity
    files = model_files(subject, dtype)
    declared = declarations_of(subject)
    digests = (identity.get(name) for name in ("files_sha256", "sha256"))
    return SubjectFinding(
        model_format="gguf" if subject.kind == "gguf" else "safetensors",
        architecture=_architecture(files.config if files else None),
        parameters=_parameters(files.weights if files and files.gguf is None else ()),
        weights_sha256=next((str(digest) for digest in digests if digest), ""),
        declared_parents=tuple(parent.name for parent in declared.base_models),
    )


def _architecture(config: Path | None) -> str:
    try:
        names = json.loads(config.read_bytes()).get("architectures") if config else None
    except (OSError, ValueError, AttributeError, RecursionError):
        return ""
    return str(names[0])[:200] if isinstance(names, list) and names else ""


def _parameters(files: tuple[Path, ...]) -> int | None:
    """Return how many numbers safetensors files hold; None of other formats."""
    from forensics.subjects.model_files.safetensors_header import read_header

    if not files or any(file.suffix != ".safetensors" for file in files):
        return None
    return sum(entry.size for file in files for entry in read_header(file))
