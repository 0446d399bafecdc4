"""Files that stand where a model's file should be and are something else: pointers, web pages."""

from __future__ import annotations

from pathlib import Path

from forensics.errors import ModelFileError
from forensics.support.file_kinds import HEAD, POINTERS, foreign


def check_is_itself(path: Path) -> None:
    """Check that a model's file is not a pointer to it, a web page, a dead link or empty.

    Raises:
        ModelFileError: it is something else, or cannot be read.
    """
    if path.is_symlink() and not path.exists():
        raise ModelFileError(f"{path} is a link to a file that is not here; fetch the file itself")
    if path.exists() and not path.is_file():  # opening a pipe would wait for ever
        raise ModelFileError(f"{path} is a folder or device; put the file itself there")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror}; check the path") from error
    description = _stands_for(head)
    if description:
        raise ModelFileError(f"{path} is {description}")


def _stands_for(head: bytes) -> str:
    if not head:
        return "empty; download it again"
    for beginning, what, command in POINTERS:
        if head.startswith(beginning):
            return f"{what}; the file itself was not fetched ({command})"
    if head[8:].lstrip()[:1] == b"{":  # safetensors: its length may begin as a pickle does
        return ""
    format_and_advice = foreign(head)
    return f"{format_and_advice[0]}; {format_and_advice[1]}" if format_and_advice else ""
