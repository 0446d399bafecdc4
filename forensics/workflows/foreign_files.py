"""Another tool's file named as a subject: imported once into the cache, and used from there."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

from forensics.errors import ForensicsError, InputFileError, UsageError
from forensics.subjects.subject import BUILT_IN_KINDS, Subject
from forensics.support.cache import cached_folder
from forensics.support.compressed import plain_path
from forensics.support.resources import is_file
from forensics.support.sanitise import one_line
from forensics.support.slug import slug
from forensics.support.version import VERSION
from forensics.transcripts.importers import ImportedFile, import_file, source_sha256
from forensics.transcripts.importers.importer import BesideImporter, Importer
from forensics.transcripts.importers.records import check_unchanged, file_state
from forensics.transcripts.importers.registry import choose, is_transcript, recognise
from forensics.workflows.callbacks import Progress

_INDEX = "models.json"  # in the cache folder: model → file name of its transcript
_MODEL = "#"  # between a file and one of its models: outputs.parquet#gpt-4
_NAMES_SHOWN = 8
_NAME_CHARACTERS = 60
_CACHE_KEY_DIGITS = 32
_TABLES = frozenset({".jsonl", ".json", ".csv", ".tsv", ".parquet"})


def foreign_subject(spec: str, progress: Progress) -> Subject | None:
    """Return the transcript that another tool's file becomes; None where `spec` names no such file.

    Args:
        spec: a file, or FILE#MODEL of a file with several models' answers; `transcript:` may stand
            before it.
        progress: is told what was imported.

    Raises:
        InputFileError: the file is in two formats at once, keeps its prompts in a second file,
            changes meanwhile, or cannot be read; FILE#MODEL names no file.
        UsageError: it holds several models and none was chosen, or not the one that was.
        OutputError: the cache cannot be written.
    """
    path, model = _file_and_model(spec.removeprefix("transcript:"))
    importer = _importer(path, spec)
    if importer is None:
        if model is not None:
            raise InputFileError(f"{path} holds one model's answers; leave out #MODEL")
        return None
    with progress.step(f"importing {path.name}"):
        folder, names = _imported(path, importer, progress)
    return Subject(spec, "transcript", str(folder / names[_chosen(path, names, model)]))


def _file_and_model(place: str) -> tuple[Path, str | None]:
    """Return FILE and MODEL; either may have # in its name, and the longest file there is counts.

    Raises:
        InputFileError: it can only be FILE#MODEL, and there is no such file.
    """
    file, model = place, ""
    while not is_file(Path(file)):
        file, mark, last = file.rpartition(_MODEL)
        if not mark:
            _refuse_missing(place)
            return Path(place), None
        model = f"{last}{_MODEL}{model}" if model else last
    return Path(file), None if file == place else model


def _refuse_missing(place: str) -> None:
    file, mark, _ = place.partition(_MODEL)
    # What may be an address is left to whoever reads addresses, and is not repeated.
    if not mark or "://" in place or "@" in place:
        return
    if plain_path(Path(file)).suffix.lower() in _TABLES:
        raise InputFileError(f"cannot read {file}: no such file; check the path before the #")


def _importer(path: Path, spec: str) -> Importer | None:
    """Return what reads a file, None for transcripts, model files and whatever no importer knows.

    What may be a transcript and is none is refused where transcripts are read; of any other file
    nobody else can say what is wrong with it.
    """
    try:
        if path.suffix == ".gguf" or not is_file(path):
            return None
        fitting = [] if is_transcript(path) else recognise(path)
    except (ForensicsError, OSError):
        fitting = []
    if not fitting:
        literal = path.suffix == ".jsonl" or spec.partition(":")[0] in BUILT_IN_KINDS
        return None if literal else choose(path, None, None)
    advice = f"import it first: forensics import {path} -o DIR"
    if len(fitting) > 1:
        names = " or ".join(importer.name for importer in fitting)
        raise InputFileError(f"{path} could be in two formats; {advice} --format {names}")
    if hasattr(fitting[0], "with_prompts"):
        # The prompts may change while the answers stay: nothing here would notice.
        raise InputFileError(f"{path} may keep its prompts in a second file; {advice}")
    return fitting[0]


def _imported(path: Path, importer: Importer, progress: Progress) -> tuple[Path, dict[str, str]]:
    """Return the cache folder with a file's transcripts, and model → name of its transcript.

    The folder's name says all that its content comes from: what the file holds, where it lies
    (folders and files name models) and what is looked at beside it.
    """
    before = file_state(path)
    name = f"{slug(path.stem)[:40]}-{_key(path, importer)}-{importer.name}-{VERSION}"

    def build(folder: Path) -> None:
        _import(path, folder, importer, progress)
        check_unchanged(path, before)

    folder = cached_folder("imported", name, build)
    names = _index(folder)
    if names is None:  # whoever clears caches by age leaves half a folder
        shutil.rmtree(folder, ignore_errors=True)
        folder = cached_folder("imported", name, build)
        names = _index(folder)
    return folder, names or {}


def _key(path: Path, importer: Importer) -> str:
    parts = [os.fsencode(path.absolute()), source_sha256(path).encode()]
    if hasattr(importer, "beside"):
        for file in cast(BesideImporter, importer).beside(path):
            parts.append(f"{os.fsencode(file.name)!r} {file_state(file)}".encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:_CACHE_KEY_DIGITS]


def _index(folder: Path) -> dict[str, str] | None:
    """Return what the cache folder of a file holds, None where something of it is missing."""
    try:
        names: dict[str, str] = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return names if all(is_file(folder / name) for name in names.values()) else None


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
    shown = {name: one_line(name, _NAME_CHARACTERS) for name in sorted(names)}
    if model is None:
        raise UsageError(
            f"{path} holds answers of several models; write {path}#MODEL: {_some(shown.values())}"
        )
    # Of a name with line breaks or control characters only this is ever seen.
    as_shown = [name for name, text in shown.items() if text == model]
    if len(as_shown) == 1:
        return as_shown[0]
    wanted = one_line(model, _NAME_CHARACTERS)
    alike = {text.casefold(): text for text in shown.values()}
    nearest = difflib.get_close_matches(wanted.casefold(), alike, n=_NAMES_SHOWN)
    ordered = dict.fromkeys([*(alike[text] for text in nearest), *shown.values()])
    raise UsageError(f"{path} holds no answers of {wanted!r}; it holds {_some(ordered)}")


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _NAMES_SHOWN} more" if len(listed) > _NAMES_SHOWN else ""
    return ", ".join(listed[:_NAMES_SHOWN]) + more
