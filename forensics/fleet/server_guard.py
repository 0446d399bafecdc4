"""Runs a command until it ends or whoever asked for it is gone: no server outlives its task.

`python -m forensics.fleet.server_guard COMMAND…` with a pipe as standard input. When the pipe is
closed, also because its other end was killed, the command and its children are ended.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

_PATIENCE = 15.0  # seconds a server may take to end by itself
_LOOK = 0.2


def main(command: Sequence[str]) -> int:
    """Run a command; return its exit code, or 128 + its signal."""
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    try:
        while server.poll() is None and not _is_closed():
            pass
    finally:
        _end_group(server)
    code = server.wait()
    return code if code >= 0 else 128 - code


def _is_closed() -> bool:
    """Wait a little; tell whether nobody holds the other end of standard input."""
    readable, _, _ = select.select([0], [], [], _LOOK)
    return bool(readable) and not os.read(0, 4096)


def _end_group(server: subprocess.Popen[bytes]) -> None:
    """End a server and the processes that it started, which share its group."""
    _signal(server.pid, signal.SIGTERM)
    end = time.monotonic() + _PATIENCE
    while server.poll() is None and time.monotonic() < end:
        time.sleep(_LOOK)
    _signal(server.pid, signal.SIGKILL)


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
