"""Ends the daemons of a Ray whose driver was killed: some of them outlive it for minutes.

`python -m forensics.fleet.ray_guard` reads lines `PID STARTED` from a pipe, until its other end is
closed by the driver or by its death, and then ends those processes that still run.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress

import psutil

from forensics.fleet.ray_session import end_processes


def main() -> int:
    """Wait, and end what is left; an interruption is for the driver, which then closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    left: list[psutil.Process] = []
    for line in sys.stdin:
        number, started = line.split()
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(int(number))
            if process.create_time() == float(started):
                left.append(process)
    end_processes(left)
    return 0


if __name__ == "__main__":
    sys.exit(main())
