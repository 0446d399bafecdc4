"""Files of chained lines as they are written: locked, appended to by whole lines, mended."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import IO

_RETRY = 0.02


def lock(file: IO[bytes], wait: float = 0.0) -> bool:
    """Lock an open file until it is closed; return whether that came off.

    Args:
        file: what is locked.
        wait: how many seconds to wait for another who holds the lock.
    """
    try:
        import fcntl
    except ImportError:  # not a POSIX system: two writers at once are then the user's to avoid
        return True
    end = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(_RETRY)
        else:
            return True


def append(file: IO[bytes], line: bytes) -> None:
    """Write a whole line to the end of an unbuffered file, or leave the file as it was.

    Raises:
        OSError: it could not be written, the disk being full for instance.
    """
    size = file.seek(0, 2)
    rest = memoryview(line)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except BaseException:
        file.truncate(size)
        raise


def mend(file: IO[bytes], path: Path) -> bytes:
    """Complete the last line, or set it aside where it was cut off; return the file's content.

    What was cut off is added to `<file>.cut-off`. Nothing else is touched.
    """
    file.seek(0)
    raw = file.read()
    if not raw or raw.endswith(b"\n"):
        return raw
    head, end, tail = raw.rpartition(b"\n")
    if is_json(tail):
        append(file, b"\n")
        return raw + b"\n"
    aside = path.with_name(path.name + ".cut-off")
    with aside.open("ab") as other:
        other.write((b"\n" if other.tell() else b"") + tail)
    file.truncate(len(head + end))
    return head + end


def is_json(line: bytes) -> bool:
    """Tell whether a line is whole: half a JSON object is not JSON."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def is_begun(line: bytes) -> bool:
    """Tell whether a line is the beginning of a JSON object: cut off, not altered."""
    try:
        json.JSONDecoder().raw_decode(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return True
    return False  # a whole object, with or without something behind it
