"""Compressed files, unpacked while they are read: gzip, bzip2, xz and Zstandard.

Nothing is unpacked onto disk or whole into memory. A small file may unpack to terabytes; how much
is read of one is bounded, see `MAX_UNPACKED` and `MAX_RATIO`.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol, cast

from forensics.errors import InputFileError

# The first bytes of each kind: RFC 1952; bzip2's and xz's format descriptions; RFC 8878.
_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}
_FOREIGN = {
    b"\x04\x22\x4d\x18": "LZ4",
    b"\x1f\x9d": "compress (.Z)",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!": "RAR",
}
_SUFFIXES = (".gz", ".gzip", ".bz2", ".xz", ".zst", ".zstd")
# Text rarely shrinks to less than a fiftieth; runs of one byte shrink to a thousandth and less.
MAX_RATIO = 200
MAX_UNPACKED = 4 << 30
_FREE = 4 << 20  # a file that unpacks to no more than this may shrink as much as it will
_XZ_MEMORY = 66 << 20  # what `xz -9` needs to unpack
_CHUNK = 1 << 16
_TAR_MARK = slice(257, 262)


class ArchiveError(InputFileError):
    """A file of several files, or packed in a way that is not read."""


def compression(head: bytes) -> str | None:
    """Return the kind of compression that a file's first bytes show, or None."""
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)


def plain_path(path: Path) -> Path:
    """Return `path` without the ending that says it is compressed: `a.jsonl.gz` → `a.jsonl`."""
    return path.with_suffix("") if path.suffix.lower() in _SUFFIXES and path.stem else path


@contextmanager
def open_unpacked(path: Path) -> Iterator[io.BufferedReader]:
    """Open a file for reading; a compressed one gives what it holds.

    Raises:
        InputFileError: a compressed file that is damaged, cut off, compressed twice or unpacks to
            too much; on opening or later.
        ArchiveError: it holds several files, or is packed in a way that is not read.
        OSError: it is missing, a folder or unreadable.
    """
    with path.open("rb") as file:
        head = file.read(512)
        kind = compression(head)
        if kind is None:
            _refuse_foreign(head, path)
            file.seek(0)
            yield file
            return
        file.seek(0)
        size = path.stat().st_size
        stream = _Unpacked(_unpacker(kind, file), path, kind, size)
        with io.BufferedReader(cast(io.RawIOBase, stream)) as unpacked:
            _refuse_archive(unpacked.peek(512), path, kind)
            yield cast(io.BufferedReader, unpacked)


def check_unpacked(path: Path) -> None:
    """Make sure, before anything is parsed, that a compressed file is whole and not too large.

    Raises:
        InputFileError: see `open_unpacked`.
        OSError: see `open_unpacked`.
    """
    with open_unpacked(path) as file:
        packed = not isinstance(file.raw, io.FileIO)
        while packed and file.read(_CHUNK):
            pass


def _refuse_foreign(head: bytes, path: Path) -> None:
    kind = next((kind for magic, kind in _FOREIGN.items() if head.startswith(magic)), None)
    if kind is not None:
        raise ArchiveError(
            f"{path} is compressed with {kind}, which is not read (gzip, bzip2, xz and Zstandard "
            "are); unpack it first"
        )
    if head[_TAR_MARK] == b"ustar":
        raise ArchiveError(f"{path} is a tar archive; unpack it and give the folder")


def _refuse_archive(head: bytes, path: Path, kind: str) -> None:
    if compression(head) is not None:
        raise InputFileError(f"{path} is compressed twice; unpack it once ({kind}) first")
    if head[_TAR_MARK] == b"ustar":
        raise ArchiveError(f"{path} is a compressed tar archive; unpack it and give the folder")
    if head.startswith((b"PAR1", b"PK\x03\x04")):
        what = "a parquet file" if head.startswith(b"PAR1") else "a zip archive"
        raise ArchiveError(f"{path} holds {what} behind {kind}; unpack it first")


class _ByteSource(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


def _unpacker(kind: str, file: IO[bytes]) -> _ByteSource:
    if kind == "gzip":
        import gzip

        return cast(_ByteSource, gzip.GzipFile(fileobj=file, mode="rb"))
    if kind == "bzip2":
        return bz2.BZ2File(file)
    if kind == "xz":
        return _Xz(file)
    import pyarrow as pa

    stream = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")
    return cast(_ByteSource, stream)


class _Xz:
    """`lzma.open` with a limit of memory, which it does not take itself."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._packed = b""
        self._decoder: lzma.LZMADecompressor | None = None

    def read(self, size: int = -1, /) -> bytes:
        while True:
            if (self._decoder is None or self._decoder.eof) and not self._next_stream():
                return b""
            decoder = cast(lzma.LZMADecompressor, self._decoder)
            packed = b""
            if decoder.needs_input:
                packed, self._packed = self._packed or self._file.read(_CHUNK), b""
                if not packed:
                    raise EOFError
            unpacked = decoder.decompress(packed, max_length=size)
            if unpacked:
                return unpacked

    def _next_stream(self) -> bool:
        """Begin the first stream, or one that follows another; padding between them is passed."""
        rest = self._decoder.unused_data if self._decoder is not None else b""
        packed = rest or self._file.read(_CHUNK)
        while packed and not packed.strip(b"\x00"):
            packed = self._file.read(_CHUNK)
        if not packed:
            return False
        self._packed = packed.lstrip(b"\x00")
        self._decoder = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
        return True


class _Unpacked(io.RawIOBase):
    """What a compressed file holds, read as it is unpacked, counted and limited."""

    def __init__(self, stream: _ByteSource, path: Path, kind: str, packed: int) -> None:
        self._stream, self._path, self._kind = stream, path, kind
        self._limit = min(MAX_UNPACKED, max(_FREE, MAX_RATIO * packed))
        self._count = 0

    def readable(self) -> bool:
        """Tell the standard library that this stream can be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill `buffer` with unpacked bytes and return how many there were."""
        try:
            chunk = self._stream.read(min(len(buffer), _CHUNK))
        except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError, MemoryError) as error:
            reason = " ".join(str(error).split())[:100] or "cut off"
            raise InputFileError(
                f"{self._path}: damaged or cut off; it does not unpack as {self._kind} ({reason})"
            ) from error
        self._count += len(chunk)
        if self._count > self._limit:
            raise InputFileError(
                f"{self._path} unpacks to more than {_amount(self._limit)} ({self._kind}); "
                "if it is what you mean to read, unpack it yourself and give the plain file"
            )
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _amount(count: int) -> str:
    if count < 1 << 20:
        return f"{max(1, count >> 10)} KiB"
    return f"{count >> 20} MiB" if count < 1 << 30 else f"{count >> 30} GiB"
