"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from forensics.errors import InputFileError, OutputError
from forensics.support.ci_commands import harmless


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write, which takes the place of `path` once the block ends well.

    Otherwise `path` stays as it was, and nothing half-written stays beside it. A device or pipe is
    written to, never replaced.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        if _is_device(path):
            with path.open("wb") as device:
                yield device
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        file = partial.open("wb")
        try:
            with file:
                yield file
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {_reason(path, error)}") from error


# os.path looks without raising: a name may be too long, or a folder one that nobody may enter.
def _is_device(path: Path) -> bool:
    return os.path.exists(path) and not os.path.isfile(path)  # noqa: PTH110, PTH113


def _reason(path: Path, error: OSError) -> str:
    file = next((parent for parent in path.parents if os.path.isfile(parent)), None)  # noqa: PTH113
    return f"{file} is a file, not a folder" if file else error.strerror or str(error)


def read_at_most(path: Path, largest: int, what: str, if_missing: str = "") -> bytes:
    """Return the content of a file that people write by hand.

    Args:
        path: the file.
        largest: most bytes that such a file can have; a multiple of 1 MiB.
        what: what it should be, for messages.
        if_missing: what to do where there is no such file, for messages.

    Raises:
        InputFileError: it cannot be read, or is larger.
    """
    try:
        with path.open("rb") as opened:
            raw = opened.read(largest + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        advice = f"; {if_missing}" if if_missing and isinstance(error, FileNotFoundError) else ""
        raise InputFileError(f"cannot read {what} {path}: {reason}{advice}") from error
    if len(raw) > largest:
        raise InputFileError(f"{path} is larger than {largest >> 20} MiB; is it the right file?")
    return raw


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all; to a device, as a log may hold it.

    Raises:
        OutputError: it cannot be written.
    """
    if _is_device(path):
        text = harmless(text)
    content = text.encode("utf-8")
    with whole_file(path) as file:
        file.write(content)
