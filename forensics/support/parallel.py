"""Tasks that do not depend on one another, done on two cores where that is safe."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from typing import TypeVar

T = TypeVar("T")


def run_all(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Return what the tasks return, in their order.

    A forked copy of this process takes every task that this one has not begun, and sends what it
    found when none is left. What it fails at is done here, so that errors show where they belong.

    Args:
        tasks: each at most once begun in either process; their results must pickle.
    """
    if len(tasks) < 2 or not _can_fork():
        return [task() for task in tasks]
    context = multiprocessing.get_context("fork")
    try:
        begun: Synchronized[int] = context.Value("i", 0)
        receiver, sender = context.Pipe(duplex=False)
        helper = context.Process(target=_help, args=(tasks, begun, sender), daemon=True)
        helper.start()
    except (ImportError, OSError):  # no semaphores, or no room for another process
        return [task() for task in tasks]
    sender.close()  # else the end of a helper that was killed would not be noticed
    try:
        found = _take(tasks, begun)
        with suppress(EOFError):
            found |= receiver.recv()
    except BaseException:
        helper.kill()
        raise
    finally:
        receiver.close()
        helper.join()
    return [found[i] if i in found else task() for i, task in enumerate(tasks)]


def _can_fork() -> bool:
    """Tell whether there is a second core, and nothing loaded that a fork may leave hanging.

    torch's thread pool does not survive a fork, and macOS's own libraries forbid it.
    """
    return (
        sys.platform == "linux" and "torch" not in sys.modules and len(os.sched_getaffinity(0)) > 1
    )


def _help(tasks: Sequence[Callable[[], T]], begun: Synchronized[int], sender: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that was asked
    with suppress(Exception):
        sender.send(_take(tasks, begun))


def _take(tasks: Sequence[Callable[[], T]], begun: Synchronized[int]) -> dict[int, T]:
    found: dict[int, T] = {}
    while True:
        with begun.get_lock():
            i = begun.value
            begun.value += 1
        if i >= len(tasks):
            return found
        found[i] = tasks[i]()
