"""Lines that a CI service would obey, written so that it only shows them.

GitHub's runner takes a line that begins with `::` after blanks for a command, and `##[` anywhere in
one; Azure's agent `##vso[`, TeamCity `##teamcity[` (actions/runner, src/Runner.Common/
ActionCommand.cs; microsoft/azure-pipelines-agent, Command.cs). What models and files say may hold
any of these, and wrapping may bring them to the start of a line.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

_ENDS = r"\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029"
# Characters without width and terminal sequences, which who reads a log may drop; and spaces.
_UNSEEN = r"[\ufeff\u200b-\u200f\u2060-\u2064]|\x1b\[[0-?]*[ -/]*[@-~]"
_BLANKS = rf"(?:[^\S{_ENDS}]|{_UNSEEN})*"
# The last character of what a service looks for: without it the rest means nothing.
_COMMAND = re.compile(
    rf"(?:\A|[{_ENDS}]){_BLANKS}:(?:{_UNSEEN})*(?P<colon>:)|##[a-z]{{0,20}}(?P<bracket>\[)",
    re.IGNORECASE,
)
_LAST_END = re.compile(rf"(?s:.*)[{_ENDS}]")
_BLANK = re.compile(_BLANKS)
_KEPT = 64  # more than the longest thing looked for


def harmless(text: str) -> str:
    r"""Return `text` without a line that a CI service obeys: one character of it is an escape.

    The escapes (`\u003a` for a colon, `\u005b` for a bracket) mean the same inside JSON strings.
    """
    return _escaped(text, 0)


def _escaped(text: str, start: int) -> str:
    """Return `text` from `start` on, made harmless in the light of what comes before."""
    pieces, end = [], start
    for match in _COMMAND.finditer(text):
        at = match.start("colon") if match["colon"] else match.start("bracket")
        if at >= start:
            pieces += [text[end:at], f"\\u{ord(text[at]):04x}"]
            end = at + 1
    return "".join([*pieces, text[end:]])


class _Guard:
    """A text stream whose lines no CI service obeys, however they are written in pieces."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._line = ""  # what was written of the line that has no end yet

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # whoever wrote bytes would go past the guard
            raise AttributeError(name)
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text."""
        if not isinstance(text, str):
            raise TypeError(f"a text stream takes str, not {type(text).__name__}")
        whole = self._line + text
        self._stream.write(_escaped(whole, len(self._line)))
        end = _LAST_END.match(whole)
        line = whole[end.end() :] if end else whole
        if len(line) > _KEPT:
            line = "" if _BLANK.fullmatch(line) else f"x{line[-_KEPT:]}"
        self._line = line
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write several pieces of text."""
        for line in lines:
            self.write(line)


@contextmanager
def guarded_output() -> Iterator[None]:
    """Guard what this program writes to stdout and stderr, progress and errors included."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (
        cast(TextIO, _Guard(stream)) if stream is not None else stream for stream in before
    )
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
