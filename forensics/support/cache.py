"""Files' digests, and folders of the cache that appear only when complete."""

from __future__ import annotations

import glob
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from forensics.errors import InputFileError, OutputError
from forensics.support.quiet import why
from forensics.support.resources import cache_folder


def file_sha256(path: Path) -> str:
    """Return a file's sha256 (hex).

    Raises:
        InputFileError: it cannot be read.
    """
    try:
        about = path.stat()
        return _hashed(path.resolve(), about.st_size, about.st_mtime_ns)
    except OSError as error:
        raise InputFileError(f"cannot read {path}: {error.strerror}; check the path") from error


@lru_cache(maxsize=256)  # a run asks twice who a model is: to count its calls, and to make them
def _hashed(path: Path, size: int, modified_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cached_folder(cache: str, name: str, build: Callable[[Path], None]) -> Path:
    """Return the cache folder `name`, calling `build` with an empty folder to fill if it is new.

    The folder appears under its name only when it is complete; of two processes one builds and
    the other waits.

    Raises:
        OutputError: the cache cannot be written.
    """
    from safetensors import SafetensorError

    try:
        root = cache_folder(cache)
        final = root / name
        if final.is_dir():
            return final
        with _locked(root / f"{name}.lock"):
            if final.is_dir():
                return final
            return _build(final, build)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or why(error)
        raise OutputError(
            f"cannot write the cache folder of {name[:40]}: {reason}; "
            "make room or set FORENSICS_CACHE to another folder"
        ) from error


def _build(final: Path, build: Callable[[Path], None]) -> Path:
    partial = final.with_name(f"{final.name}.partial")
    for leftover in final.parent.glob(f"{glob.escape(partial.name)}*"):  # of a run that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir()
    try:
        build(partial)
        partial.rename(final)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return final


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        try:
            import fcntl
        except ImportError:  # not a POSIX system: two first runs at once are then the user's care
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
