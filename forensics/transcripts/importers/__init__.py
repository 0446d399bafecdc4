"""Importers: other tools' files → transcripts, one file per model."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from forensics.errors import InputFileError, OutputError
from forensics.suites.suite import Suite
from forensics.support.clock import now
from forensics.support.version import VERSION
from forensics.transcripts.importers.importer import Imported, Importer
from forensics.transcripts.importers.joining import join
from forensics.transcripts.importers.naming import file_names
from forensics.transcripts.importers.problems import NOTHING_SKIPPED, Skipped
from forensics.transcripts.importers.records import check_unchanged, file_state, open_input
from forensics.transcripts.importers.registry import choose, importers
from forensics.transcripts.transcript import Manifest
from forensics.transcripts.writer import write_transcript

__all__ = ["Imported", "ImportedFile", "Importer", "import_file", "importers", "source_sha256"]


@dataclass(frozen=True)
class ImportedFile:
    """What was written: `responses` lines, of which `blank` hold no text.

    `skipped` says what of the whole source could not be read; it is the same for all its models.
    `joined` counts the answers from other sources that the transcript held before and holds still.
    """

    model: str
    path: Path
    responses: int
    blank: int
    notes: tuple[str, ...] = ()
    skipped: Skipped = NOTHING_SKIPPED
    joined: int = 0


def import_file(
    path: Path,
    out: Path,
    format: str | None = None,
    progress: Callable[[int], None] | None = None,
    prompts: Path | None = None,
    strict: bool = False,
    siblings: frozenset[str] = frozenset(),
) -> list[ImportedFile]:
    """Write one transcript per model found in `path` into the folder `out`; all of them or none.

    A transcript that is there keeps what it holds from other sources; the answers of the same
    source are replaced, see `joining`.

    Args:
        path: another tool's file.
        out: folder for the transcripts; made if missing.
        format: name of the importer; None detects it from the content.
        progress: called after each model with the number of answers just read and staged.
        prompts: second file with the prompts, for formats that keep them apart.
        strict: refuse a file of which a record cannot be read, or holds a key twice.
        siblings: sha256s (hex) of files that are imported with it, see `source_sha256`: their
            answers to the same prompts are further samples, not another version.

    Raises:
        InputFileError: the file cannot be read, changes meanwhile, or its format is not known.
        UsageError: no such format, or a file in `out` would be overwritten that is not a former
            import of the same model and source.
        OutputError: `out` cannot be written.
    """
    importer, before = choose(path, format, prompts), file_state(path)
    digest = source_sha256(path)
    with _staging(out) as folder:
        staged: dict[str, tuple[Path, ImportedFile]] = {}
        for imported in importer.read(path):
            if strict and imported.skipped:
                raise InputFileError(_refusal(path, imported.skipped))
            if imported.model in staged:
                raise InputFileError(f"{path}: the importer gave {imported.model!r} twice")
            target = folder / f"{len(staged)}.jsonl"
            write_transcript(target, _manifest(imported, importer.name, digest), imported.responses)
            staged[imported.model] = (target, _summary(imported, target))
            if progress is not None:
                progress(len(imported.responses))
        if not staged:
            raise InputFileError(f"{path} holds no answers")
        check_unchanged(path, before)
        return _publish(staged, out, digest, siblings)


def _summary(imported: Imported, path: Path) -> ImportedFile:
    blank = sum(not response.text.strip() for response in imported.responses)
    return ImportedFile(
        imported.model, path, len(imported.responses), blank, imported.notes, imported.skipped
    )


def _refusal(path: Path, skipped: Skipped) -> str:
    """Return why a file with bad records is refused under `strict`."""
    if skipped.records:
        return (
            f"{path}: {skipped.records} records cannot be read; the first: {skipped.reasons[0]} "
            "(without --strict they are left out)"
        )
    return (
        f"{path}: {skipped.odd} records hold a key twice; the first: {skipped.oddities[0]} "
        "(without --strict the last value counts)"
    )


def _manifest(imported: Imported, format: str, digest: str) -> Manifest:
    prompts = {response.prompt.sha256: response.prompt for response in imported.responses}
    suite = Suite("imported", "1", "", tuple(prompts.values()))
    return Manifest(
        subject=imported.model,
        identity={
            "kind": "imported",
            "model": imported.model,
            "source_sha256": digest,
            "format": format,
        },
        suite={"name": suite.name, "version": suite.version, "sha256": suite.sha256},
        settings={},
        provenance="imported",
        started_at=now(),
        version=VERSION,
        notes=("provenance unverified", *imported.notes, *imported.skipped.notes),
    )


@contextmanager
def _staging(out: Path) -> Iterator[Path]:
    """Yield a folder inside `out`: names are known, and files moved, once all models are read."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".import-", dir=out))
    except OSError as error:
        raise OutputError(f"cannot write to {out}: {error.strerror}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _publish(
    staged: dict[str, tuple[Path, ImportedFile]], out: Path, digest: str, siblings: frozenset[str]
) -> list[ImportedFile]:
    """Move the staged transcripts to `out`, joined with what stands there from other sources."""
    names = file_names(staged)
    # All of them first: what cannot be joined must stop the import before anything is moved.
    joined = {
        model: join(prepared, out / names[model], model, digest, siblings)
        for model, (prepared, _) in staged.items()
    }
    published = []
    for model, (prepared, summary) in staged.items():
        target = out / names[model]
        try:
            prepared.replace(target)
        except OSError as error:
            raise OutputError(f"cannot write {target}: {error.strerror}") from error
        published.append(replace(summary, path=target, joined=joined[model]))
    return published


def source_sha256(path: Path) -> str:
    """Return the sha256 (hex) of what a file holds, unpacked.

    Raises:
        InputFileError: it cannot be read.
    """
    with open_input(path) as file:  # unpacked: a file and its packed copy are one source
        return hashlib.file_digest(file, "sha256").hexdigest()
