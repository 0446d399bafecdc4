"""Another tool's file named as a subject: imported once into the cache, and used from there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from forensics.errors import ForensicsError, InputFileError, UsageError
from forensics.subjects.subject import Subject
from forensics.support.cache import cached_folder
from forensics.support.sanitise import one_line
from forensics.support.version import VERSION
from forensics.transcripts.importers import ImportedFile, import_file, source_sha256
from forensics.transcripts.importers.importer import Importer
from forensics.transcripts.importers.registry import is_transcript, recognise
from forensics.workflows.callbacks import Progress

_INDEX = "models.json"  # in the cache folder: model → file name of its transcript
_MODEL = "#"  # between a file and one of its models: outputs.parquet#gpt-4
_NAMES_SHOWN = 8
_CACHE_KEY_DIGITS = 32


def foreign_subject(spec: str, progress: Progress) -> Subject | None:
    """Return the transcript that another tool's file becomes; None where `spec` names no such file.

    Args:
        spec: a file, or FILE#MODEL of a file with several models' answers; `transcript:` may stand
            before it.
        progress: is told what was imported.

    Raises:
        InputFileError: the file is in two formats at once, keeps its prompts in a second file, or
            cannot be read.
        UsageError: it holds several models and none was chosen, or not the one that was.
        OutputError: the cache cannot be written.
    """
    path, model = _file_and_model(spec.removeprefix("transcript:"))
    importer = _importer(path)
    if importer is None:
        return None
    with progress.step(f"importing {path.name}"):
        folder = _imported(path, importer, progress)
    names: dict[str, str] = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
    return Subject(spec, "transcript", str(folder / names[_chosen(path, names, model)]))


def _file_and_model(place: str) -> tuple[Path, str | None]:
    if _MODEL not in place or Path(place).is_file():
        return Path(place), None
    file, _, model = place.partition(_MODEL)
    return Path(file), model


def _importer(path: Path) -> Importer | None:
    """Return what reads a file, None for transcripts, model files and whatever no importer knows.

    What is no answers at all is refused where subjects are parsed, or transcripts read.
    """
    try:
        if path.suffix == ".gguf" or not path.is_file() or is_transcript(path):
            return None
        fitting = recognise(path)
    except (ForensicsError, OSError):
        return None
    if not fitting:
        return None
    advice = f"import it first: forensics import {path} -o DIR"
    if len(fitting) > 1:
        names = " or ".join(importer.name for importer in fitting)
        raise InputFileError(f"{path} could be in two formats; {advice} --format {names}")
    if hasattr(fitting[0], "with_prompts"):
        # The prompts may change while the answers stay: nothing here would notice.
        raise InputFileError(f"{path} may keep its prompts in a second file; {advice}")
    return fitting[0]


def _imported(path: Path, importer: Importer, progress: Progress) -> Path:
    """Return the cache folder with a file's transcripts; its name is what the file holds."""
    digest = source_sha256(path)[:_CACHE_KEY_DIGITS]
    # A file that names no model is named after itself, so its name is part of the content.
    return cached_folder(
        "imported",
        f"{path.stem[:40]}-{digest}-{importer.name}-{VERSION}",
        lambda folder: _import(path, folder, importer, progress),
    )


def _import(path: Path, folder: Path, importer: Importer, progress: Progress) -> None:
    files = import_file(path, folder, importer.name)
    index = {file.model: file.path.name for file in files}
    (folder / _INDEX).write_text(json.dumps(index), encoding="utf-8")
    for text in _about(path, files):
        progress.note(text)


def _about(path: Path, files: Sequence[ImportedFile]) -> list[str]:
    answers = sum(file.responses for file in files)
    models = f"of {len(files)} models" if len(files) > 1 else f"of {files[0].model}"
    skipped = dict.fromkeys(file.skipped for file in files)
    return [
        f"{path.name}: imported {answers} answers {models} (provenance unverified)",
        *(line for about in skipped for line in about.lines),
    ]


def _chosen(path: Path, names: dict[str, str], model: str | None) -> str:
    if model is None and len(names) == 1:
        return next(iter(names))
    if model in names:
        return model
    shown = ", ".join(one_line(name, 60) for name in sorted(names)[:_NAMES_SHOWN])
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    if model is None:
        raise UsageError(
            f"{path} holds answers of several models; write {path}#MODEL: {shown}{more}"
        )
    raise UsageError(f"{path} holds no answers of {one_line(model, 60)!r}; it holds {shown}{more}")
