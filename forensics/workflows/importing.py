"""Importing a file, or of a folder every file that some importer recognises."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from forensics.errors import ForensicsError, InputFileError, OutputError
from forensics.suites.suite import Suite
from forensics.support.compressed import ArchiveError, check_unpacked
from forensics.support.numbers import counted
from forensics.transcripts.importers import ImportedFile, import_file, source_sha256
from forensics.transcripts.importers.importer import Importer
from forensics.transcripts.importers.registry import by_name, is_transcript, no_answers, recognise
from forensics.transcripts.transcript import read_transcript
from forensics.workflows.callbacks import Progress

_SHOWN = 100


@dataclass(frozen=True)
class ImportSettings:
    """How other tools' files are read.

    `format` names an importer, None detects it; `prompts` is a file with the prompts, for formats
    that keep them apart; `strict` refuses a file of which a record cannot be read; `suite` is one
    whose coverage is told.
    """

    format: str | None = None
    prompts: Path | None = None
    strict: bool = False
    suite: Suite | None = None


def imported(
    source: Path, output: Path, settings: ImportSettings, progress: Progress
) -> list[Path]:
    """Write a transcript for every model in a file or folder, and return their paths.

    Args:
        source: another tool's file, or a folder of such.
        output: folder for the transcripts; made if missing.
        settings: how files are read.
        progress: is told what was left out, skipped or joined.

    Raises:
        InputFileError: a file cannot be read; of a folder, the others are imported.
        UsageError: no such format, or a file in `output` would be overwritten that is no import.
        OutputError: `output` cannot be written.
    """
    form, prompts, strict = settings.format, settings.prompts, settings.strict
    folder = None
    with progress.step(f"importing {source.name}"):
        if source.is_dir():
            folder = import_folder(source, output, form, None, prompts, strict)
            files = folder.imported
        else:
            files = import_file(source, output, form, None, prompts, strict)
    paths = list(dict.fromkeys(file.path for file in files))
    for text in _about(files, output):
        progress.note(text)
    for text in _coverage(paths, settings.suite):
        progress.note(text)
    if folder is not None:
        for text in _about_folder(folder):
            progress.note(text)
        _check_folder(folder, source, output)
    return paths


def _about(files: Sequence[ImportedFile], output: Path) -> Iterator[str]:
    if not files:
        return
    answers = sum(file.responses for file in files)
    written = counted(len({file.path for file in files}), "transcript")
    yield f"{written} with {answers} answers in {output} (provenance unverified)"
    for skipped in dict.fromkeys(file.skipped for file in files):
        yield from skipped.lines
    for file in files:
        if file.joined:
            yield f"{file.path.name}: joined with {file.joined} answers that were imported before"
        for text in file.notes:
            yield f"{file.path.name}: {text}"
        if file.blank:
            yield f"{file.path.name}: {file.blank} of {file.responses} answers are blank"


def _coverage(paths: Sequence[Path], suite: Suite | None) -> Iterator[str]:
    if suite is None:
        return
    known = {prompt.sha256 for prompt in suite.prompts}
    for path in paths:
        covered = len(known & read_transcript(path).prompts.keys())
        yield f"{path.name}: answers {covered} of {len(known)} prompts of {suite.name}"


def _about_folder(folder: ImportedFolder) -> Iterator[str]:
    for path, reason in folder.skipped[:_SHOWN]:
        yield f"skipped {path}: {reason}"
    if len(folder.skipped) > _SHOWN:
        yield f"skipped {len(folder.skipped) - _SHOWN} more files"
    for path, reason in folder.failed:
        yield f"not imported: {reason if str(path) in reason else f'{path}: {reason}'}"


def _check_folder(folder: ImportedFolder, source: Path, output: Path) -> None:
    if folder.failed:
        rest = f"; the others are in {output}" if folder.imported else ""
        raise InputFileError(f"{len(folder.failed)} files of {source} were not imported{rest}")
    if not folder.imported:
        raise InputFileError(
            f"no file of {source} is in a known format; see: forensics import --list-formats"
        )


@dataclass
class ImportedFolder:
    """What became of a folder's files, each list in the order of their paths.

    `skipped` are files that no importer recognises, `failed` those that could not be read; each
    with the reason.
    """

    imported: list[ImportedFile] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    failed: list[tuple[Path, str]] = field(default_factory=list)


def import_folder(
    folder: Path,
    out: Path,
    format: str | None = None,
    progress: Callable[[int], None] | None = None,
    prompts: Path | None = None,
    strict: bool = False,
) -> ImportedFolder:
    """Import every file below `folder`, in the order of their paths; one that fails loses no other.

    Args:
        folder: where to look, its folders included; hidden files and `out` are left alone.
        out: folder for the transcripts; made if missing.
        format: only the files that this importer recognises; None takes all formats.
        progress: called with the number of answers, each time some were read.
        prompts: file with the prompts, for formats that keep them apart.
        strict: a record that cannot be read costs its file, not only itself.

    Raises:
        UsageError: no such format.
        OutputError: `out` cannot be written.
    """
    chosen = None if format is None else by_name(format)
    result = ImportedFolder()
    importers: dict[Path, Importer] = {}
    for path in _files(folder, out):
        importer = _known(path, chosen, result, folder)
        if importer is not None:
            importers[path] = importer
    siblings = frozenset(source_sha256(path) for path in importers)
    for path, importer in importers.items():
        asked = prompts if hasattr(importer, "with_prompts") else None
        try:
            result.imported += import_file(
                path, out, importer.name, progress, asked, strict, siblings
            )
        except OutputError:
            raise
        except ForensicsError as error:
            result.failed.append((path.relative_to(folder), str(error)))
    result.failed.sort()
    return result


def _known(
    path: Path, chosen: Importer | None, result: ImportedFolder, folder: Path
) -> Importer | None:
    """Return the importer for a file; without one, note in `result` why."""
    name = path.relative_to(folder)
    try:
        check_unpacked(path)
        importer = _importer(path, chosen)
        if importer is None:
            result.skipped.append((name, _reason(path, chosen)))
        return importer
    except ArchiveError as error:
        result.skipped.append((name, _without(path, str(error))))
    except (ForensicsError, OSError) as error:
        result.failed.append((name, str(error)))
    return None


def _importer(path: Path, chosen: Importer | None) -> Importer | None:
    fitting = recognise(path)
    if chosen is not None:
        return chosen if chosen.name in [importer.name for importer in fitting] else None
    if len(fitting) > 1:
        names = [importer.name for importer in fitting]
        raise InputFileError(
            f"{path} could be {' and '.join(names)}; import it alone with --format "
            f"{' or '.join(names)}"
        )
    return fitting[0] if fitting else None


def _without(path: Path, message: str) -> str:
    """Return a message without the path that it begins with."""
    return message.removeprefix(str(path)).lstrip(": ")


def _reason(path: Path, chosen: Importer | None) -> str:
    if is_transcript(path):
        return "already a transcript"
    reason = no_answers(path)
    if reason is not None:
        return reason
    return "in an unknown format" if chosen is None else f"not in the format {chosen.name}"


def _files(folder: Path, out: Path) -> Iterator[Path]:
    files: list[Path] = []
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = [name for name in folders if _wanted(here / name, out, folder)]
        files += [here / name for name in names if not name.startswith(".")]
    for path in sorted(files, key=lambda path: path.relative_to(folder).parts):
        if path.is_file():
            yield path


def _wanted(place: Path, out: Path, folder: Path) -> bool:
    return not place.name.startswith(".") and place.resolve() != out.resolve() != folder.resolve()
