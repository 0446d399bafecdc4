"""The folder that is shown: which files it has, and nothing that lies outside it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes

from forensics.errors import InputFileError, UsageError
from forensics.support.resources import is_folder

SITE_MARK = ".model-forensics-site.json"  # in every folder that `--export` wrote


@dataclass(frozen=True)
class Place:
    """A file of the folder, by its path within it; `number` is that of a case within a check."""

    relative: str
    number: int | None = None

    @property
    def quoted(self) -> str:
        """The path as a link holds it: ASCII, with nothing that a link would take for its own."""
        return quote_from_bytes(os.fsencode(self.relative), safe="")

    def of_case(self, number: int) -> Place:
        """Return the place of a case within this check."""
        return Place(self.relative, number)


ALL = Place("")  # everything that the folder holds


@dataclass(frozen=True)
class NotRead:
    """A file that is not shown, and why."""

    relative: str
    reason: str


@dataclass(frozen=True)
class ViewedFolder:
    """A folder, with links followed to where it really is."""

    root: Path

    @classmethod
    def of(cls, path: Path) -> ViewedFolder:
        """Return the folder at `path`.

        Raises:
            UsageError: it is missing, or not a folder.
        """
        if not is_folder(path):
            raise UsageError(f"{path} is not a folder; give the folder that holds the results")
        return cls(path.resolve())

    def files(self) -> Iterator[Place | NotRead]:
        """Yield every file below, by name; those whose names begin with a dot are left out.

        Links to folders are not followed, nor are sites that `--export` wrote entered.
        """
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            try:
                entries = sorted(os.scandir(self.root / folder), key=lambda entry: entry.name)
            except OSError as error:
                yield NotRead(folder or ".", f"the folder cannot be read: {error.strerror}")
                continue
            if any(entry.name == SITE_MARK for entry in entries):
                continue
            inner = []
            for entry in entries:
                relative = f"{folder}/{entry.name}" if folder else entry.name
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    inner.append(relative)
                else:
                    yield self._seen(relative)
            waiting.extend(reversed(inner))

    def _seen(self, relative: str) -> Place | NotRead:
        try:
            self.inside(relative)
        except InputFileError as error:
            return NotRead(relative, str(error))
        return Place(relative)

    def inside(self, relative: str) -> Path:
        """Return where a file of the folder really is.

        Args:
            relative: its path within the folder, from anywhere, even from a stranger.

        Raises:
            InputFileError: there is no such file, it is none to be read (a folder, a device, a
                pipe, a name with a dot in front), or it leads out of the folder.
        """
        parts = Path(relative).parts
        if not parts or "\0" in relative or any(part.startswith((".", "/")) for part in parts):
            raise InputFileError("it is not a file of the folder")
        try:
            path = (self.root / relative).resolve(strict=True)
            mode = path.stat().st_mode
        except (OSError, RuntimeError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "a link that leads nowhere"
            raise InputFileError(f"it cannot be read: {reason}") from error
        if not path.is_relative_to(self.root):
            raise InputFileError("it leads out of the folder, and is not followed")
        if any(part.startswith(".") for part in path.relative_to(self.root).parts):
            raise InputFileError("it leads to a hidden file, and is not followed")
        if stat.S_ISDIR(mode):
            raise InputFileError("it is a link to a folder, and is not followed")
        if not stat.S_ISREG(mode):
            raise InputFileError("it is not a regular file, and is not opened")
        return path

    def reason(self, error: Exception) -> str:
        """Return a failure's message with paths as they are within the folder."""
        return str(error).replace(f"{self.root}{os.sep}", "")
