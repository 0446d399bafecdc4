"""Which subjects a job is about: of a file, of a folder, of a hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from forensics.errors import InputFileError, UsageError
from forensics.fleet.job_model import JobSubjects
from forensics.fleet.listed_subject import ListedSubject
from forensics.support.files import read_at_most
from forensics.support.resources import is_folder

_LARGEST = 64 * 1024 * 1024


def listed_subjects(named: JobSubjects) -> list[ListedSubject]:
    """Return the subjects of a job, each once, in the order in which they are named.

    Raises:
        InputFileError: the file cannot be read.
        UsageError: the folder is not there, or nothing is named at all.
        BackendError: the hub cannot be asked.
    """
    subjects: list[ListedSubject] = []
    if named.file:
        subjects += [_measured(spec) for spec in _lines(Path(named.file))]
    if named.folder:
        subjects += [_measured(spec) for spec in _inside(Path(named.folder))]
    if named.hub:
        from forensics.fleet.hub import queried

        subjects += queried(named.hub)
    if not subjects:
        raise UsageError("the job names no subject: its file, folder or hub query is empty")
    return list({subject.spec: subject for subject in subjects}.values())


def _lines(path: Path) -> Iterator[str]:
    try:
        text = read_at_most(path, _LARGEST, "the list of subjects").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputFileError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    for line in text.splitlines():
        spec = line.strip()
        if spec and not spec.startswith("#"):
            yield spec


def _inside(folder: Path) -> Iterator[str]:
    if not is_folder(folder):
        raise UsageError(f"subjects.folder: there is no folder {folder}; check the path")
    for path in sorted(folder.iterdir()):
        if path.suffix == ".jsonl" and path.is_file():
            yield f"transcript:{path}"
        elif path.suffix == ".gguf" and path.is_file():
            yield f"gguf:{path}"
        elif is_folder(path) and (
            (path / "config.json").is_file() or (path / "adapter_config.json").is_file()
        ):
            yield f"hf:{path}"


def _measured(spec: str) -> ListedSubject:
    """Return a subject with the size of its weights, where they lie on this machine."""
    kind, _, target = spec.partition(":")
    path = Path(target if kind in ("hf", "gguf") else spec)
    if kind == "gguf" or path.suffix == ".gguf":
        return ListedSubject(spec, _size_of(path))
    if is_folder(path):
        sizes = [_size_of(file) or 0 for file in path.glob("*.safetensors")]
        return ListedSubject(spec, sum(sizes) or None)
    return ListedSubject(spec)


def _size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return None
