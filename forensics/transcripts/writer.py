"""Writing transcripts: line by line as answers arrive, or a whole file at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

from forensics.errors import OutputError, UsageError
from forensics.support.chained_file import append, lock, mend
from forensics.support.files import whole_file
from forensics.support.hash_chain import CHAIN_START, encode_line, split_lines
from forensics.transcripts.transcript import Manifest, Response


@dataclass
class TranscriptWriter:
    """Appends responses to a transcript file as they arrive; each is on disk before the next.

    Use as a context manager. A file that a killed run left with a cut-off last line is mended
    first: the cut-off bytes are moved to `<file>.cut-off`, nothing else is touched.
    """

    path: Path
    manifest: Manifest
    _file: IO[bytes] | None = field(default=None, init=False)
    _chain: str = field(default=CHAIN_START, init=False)
    _manifest_due: bool = field(default=True, init=False)

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab+", buffering=0)
            if not lock(self._file):
                raise UsageError(
                    f"{self.path} is being written by another run; wait or choose another -o"
                )
            self._chain = _last_chain(mend(self._file, self.path))
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}") from error
        return self

    def write(self, response: Response) -> None:
        """Append one response.

        Raises:
            OutputError: the disk is full or the file cannot be written; what was written stays.
        """
        if self._file is None:
            raise ValueError("the writer is not open")
        content = response.to_json()
        if self._manifest_due:
            content["manifest"] = self.manifest.to_json()
        line, chain = encode_line(content, self._chain)
        try:
            append(self._file, line)
        except OSError as error:
            raise OutputError(
                f"cannot write {self.path}: {error.strerror}; answers so far are kept, "
                "run the same command again to go on"
            ) from error
        self._chain, self._manifest_due = chain, False

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def _last_chain(raw: bytes) -> str:
    lines, _ = split_lines(raw.rstrip(b"\n") + b"\n")
    return lines[-1].chain or CHAIN_START


def write_transcript(path: Path, manifest: Manifest, responses: Iterable[Response]) -> int:
    """Write a whole transcript at once (an import), replacing the file; return how many lines."""
    count, chain = 0, CHAIN_START
    with whole_file(path) as file:
        for response in responses:
            content = response.to_json()
            if not count:
                content["manifest"] = manifest.to_json()
            line, chain = encode_line(content, chain)
            file.write(line)
            count += 1
    return count
