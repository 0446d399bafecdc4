"""Importing a folder: every file in it that some importer recognises."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from forensics.errors import ForensicsError, InputFileError, OutputError
from forensics.support.compressed import ArchiveError, check_unpacked
from forensics.transcripts.importers import ImportedFile, import_file, source_sha256
from forensics.transcripts.importers.base import Importer
from forensics.transcripts.importers.registry import by_name, is_transcript, no_answers, recognise


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
    found: dict[Path, Importer] = {}
    for path in _files(folder, out):
        importer = _known(path, chosen, result, folder)
        if importer is not None:
            found[path] = importer
    siblings = frozenset(source_sha256(path) for path in found)
    for path, importer in found.items():
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
        return chosen if chosen.name in [one.name for one in fitting] else None
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
        return "a transcript already"
    reason = no_answers(path)
    if reason is not None:
        return reason
    return "in no format that is known" if chosen is None else f"not in the format {chosen.name}"


def _files(folder: Path, out: Path) -> Iterator[Path]:
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = [name for name in folders if _wanted(here / name, out, folder)]
        found += [here / name for name in names if not name.startswith(".")]
    for path in sorted(found, key=lambda path: path.relative_to(folder).parts):
        if path.is_file():
            yield path


def _wanted(place: Path, out: Path, folder: Path) -> bool:
    return not place.name.startswith(".") and place.resolve() != out.resolve() != folder.resolve()
