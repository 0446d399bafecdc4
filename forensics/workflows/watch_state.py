"""A watch's state: every call it made, a line each, chained by hashes and locked while in use.

Nothing is summed up in it: what the draws prove is computed from them anew at every look, so that a
look that was killed loses no answer and counts none twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import IO, Any, Self

from forensics.errors import InputFileError, OutputError, UsageError
from forensics.support.chained_file import append, lock, mend
from forensics.support.hash_chain import CHAIN_START, broken_link, encode_line, split_lines

_WHAT_TO_DO = "move it away to begin a new watch"


@dataclass(frozen=True)
class WatchHead:
    """What a watch is of: the baseline's hash, who is asked, and the chance of a false alarm."""

    baseline_sha256: str
    identity: Mapping[str, Any]
    level: float
    started_at: str
    version: str


@dataclass(frozen=True)
class WatchCall:
    """One call: its number from 0, the prompt, and what came back; `counted` if it is a draw."""

    call: int
    prompt_sha256: str
    text: str
    status: str
    counted: bool
    completed_at: str = ""
    model: str = ""


@dataclass
class WatchState:
    """The file of a watch, open for one look; a context manager that holds its lock."""

    path: Path
    head: WatchHead | None = field(default=None, init=False)
    calls: list[WatchCall] = field(default_factory=list, init=False)
    reported: bool = field(default=False, init=False)
    _file: IO[bytes] | None = field(default=None, init=False)
    _chain: str = field(default=CHAIN_START, init=False)

    def __enter__(self) -> Self:
        try:
            self._file = self.path.open("ab+", buffering=0)
            if not lock(self._file):
                raise UsageError(f"{self.path} is in use by another look; wait until it has ended")
            raw = mend(self._file, self.path)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}") from error
        except BaseException:
            self.__exit__()
            raise
        try:
            self._read(raw)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def _read(self, raw: bytes) -> None:
        link = broken_link(raw)
        if link is not None:
            raise InputFileError(f"state {self.path}, line {link.line}: {link.what}; {_WHAT_TO_DO}")
        lines, _ = split_lines(raw)
        for number, line in enumerate(lines, 1):
            try:
                self._take(json.loads(line.raw))
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise InputFileError(
                    f"state {self.path}, line {number}: not written by a watch; {_WHAT_TO_DO}"
                ) from error
            self._chain = line.chain or self._chain
        if lines and self.head is None:
            raise InputFileError(f"{self.path} is not a watch's state; {_WHAT_TO_DO}")

    def _take(self, line: Mapping[str, Any]) -> None:
        kind = line["kind"]
        if kind == "watch":
            self.head = WatchHead(**{f.name: line[f.name] for f in fields(WatchHead)})
            self.head = WatchHead(**(asdict(self.head) | {"level": float(self.head.level)}))
        elif kind == "call":
            call = WatchCall(**{f.name: line[f.name] for f in fields(WatchCall)})
            if not isinstance(call.text, str) or not isinstance(call.call, int):
                raise TypeError("a call's text or number")
            self.calls.append(call)
        elif kind == "reported":
            self.reported = True
        else:
            raise ValueError(kind)

    def begin(self, head: WatchHead) -> None:
        """Write what the watch is of.

        Raises:
            OutputError: the disk is full, or the file cannot be written.
        """
        self._write({"kind": "watch"} | asdict(head))
        self.head = head

    def add(self, call: WatchCall) -> None:
        """Write a call; it is on disk before the next.

        Raises:
            OutputError: see `begin`.
        """
        self._write({"kind": "call"} | asdict(call))
        self.calls.append(call)

    def mark_reported(self, at: str) -> None:
        """Write that the finding was reported, after it was.

        Raises:
            OutputError: see `begin`.
        """
        self._write({"kind": "reported", "at": at})
        self.reported = True

    @property
    def next_call(self) -> int:
        """The number of the first call that was not made yet."""
        return max((call.call for call in self.calls), default=-1) + 1

    def _write(self, content: Mapping[str, Any]) -> None:
        if self._file is None:
            raise ValueError("the state is not open")
        line, chain = encode_line(content, self._chain)
        try:
            append(self._file, line)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}") from error
        self._chain = chain
