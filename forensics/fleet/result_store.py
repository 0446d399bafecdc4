"""Where results lie: a folder, or object storage through pyarrow; whole or not at all."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any, Protocol

from forensics.errors import InputFileError, OutputError
from forensics.support.quiet import why


class ResultStore(Protocol):
    """Files by name, `folder/file`; nobody ever sees half of one."""

    def names(self, folder: str) -> list[str]:
        """Return the names of the files of a folder, sorted; none where it is not there."""
        ...

    def read(self, name: str) -> bytes | None:
        """Return a file's content, None where it is not there."""
        ...

    def put(self, name: str, content: bytes) -> None:
        """Write a file, or replace it.

        Raises:
            OutputError: it cannot be written.
        """
        ...

    def create(self, name: str, content: bytes) -> bool | None:
        """Write a file that must not be there; return whether this call did.

        None says that the store cannot do that in one step.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove a file; nothing where it is not there."""
        ...


def open_store(place: str) -> ResultStore:
    """Return the store at a folder's path or a URI such as `s3://bucket/prefix`.

    Raises:
        InputFileError: pyarrow knows no such store.
    """
    if "://" not in place:
        return FolderStore(Path(place))
    if place.startswith("file://"):
        return FolderStore(Path(place.removeprefix("file://")))
    from pyarrow.fs import FileSystem

    try:
        filesystem, root = FileSystem.from_uri(place)
    except (ValueError, OSError) as error:
        scheme = place.partition("://")[0]
        raise InputFileError(f"no results can lie at a {scheme}:// place: {why(error)}") from error
    return ObjectStore(filesystem, root.rstrip("/"))


class FolderStore:
    """A folder of this machine, or one that several share."""

    def __init__(self, root: Path) -> None:
        """Take the folder, which is made when the first file is written."""
        self._root = root

    def names(self, folder: str) -> list[str]:
        """See `ResultStore`; files that are being written are none yet."""
        try:
            entries = [entry.name for entry in (self._root / folder).iterdir() if entry.is_file()]
        except OSError:
            return []
        return sorted(entry for entry in entries if not entry.startswith("."))

    def read(self, name: str) -> bytes | None:
        """See `ResultStore`."""
        try:
            return (self._root / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise InputFileError(f"cannot read {self._root / name}: {error.strerror}") from error

    def put(self, name: str, content: bytes) -> None:
        """See `ResultStore`."""
        path = self._root / name
        partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                partial.write_bytes(content)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror}") from error

    def create(self, name: str, content: bytes) -> bool | None:
        """See `ResultStore`; a link appears at once and whole, or not where there is a file."""
        path = self._root / name
        partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                partial.write_bytes(content)
                os.link(partial, path)
            except FileExistsError:
                return False
            finally:
                partial.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror}") from error
        return True

    def remove(self, name: str) -> None:
        """See `ResultStore`."""
        (self._root / name).unlink(missing_ok=True)


class ObjectStore:
    """Object storage that pyarrow knows: S3 and what speaks like it, GCS, Azure, HDFS.

    An object appears when its upload is complete, as these stores promise.
    """

    def __init__(self, filesystem: Any, root: str) -> None:
        """Take a filesystem of `pyarrow.fs` and a path in it without a slash at its end."""
        self._filesystem = filesystem
        self._root = root

    def names(self, folder: str) -> list[str]:
        """See `ResultStore`."""
        from pyarrow.fs import FileSelector

        selector = FileSelector(f"{self._root}/{folder}", allow_not_found=True)
        try:
            entries = self._filesystem.get_file_info(selector)
        except OSError as error:
            raise InputFileError(f"cannot list {self._root}/{folder}: {why(error)}") from error
        return sorted(entry.base_name for entry in entries if entry.is_file)

    def read(self, name: str) -> bytes | None:
        """See `ResultStore`."""
        try:
            with self._filesystem.open_input_stream(f"{self._root}/{name}") as stream:
                content: bytes = stream.read()
                return content
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputFileError(f"cannot read {self._root}/{name}: {why(error)}") from error

    def put(self, name: str, content: bytes) -> None:
        """See `ResultStore`."""
        path = f"{self._root}/{name}"
        try:
            try:
                self._write(path, content)
            except FileNotFoundError:  # a store with real folders, which S3 has not
                self._filesystem.create_dir(path.rpartition("/")[0], recursive=True)
                self._write(path, content)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {why(error)}") from error

    def _write(self, path: str, content: bytes) -> None:
        with self._filesystem.open_output_stream(path) as stream:
            stream.write(content)

    def create(self, name: str, content: bytes) -> bool | None:
        """See `ResultStore`; pyarrow offers no write on condition."""
        return None

    def remove(self, name: str) -> None:
        """See `ResultStore`."""
        try:
            self._filesystem.delete_file(f"{self._root}/{name}")
        except FileNotFoundError:
            return
        except OSError as error:
            raise OutputError(f"cannot remove {self._root}/{name}: {why(error)}") from error
