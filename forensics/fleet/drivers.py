"""Who works on a job: every driver gives a sign of life that other drivers see in the results.

No clock of another machine is read. A driver is taken for dead if it says that it ended, if it ran
on this machine and its process is gone, or if its sign of life has not changed for so long that
this process watched it.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from forensics.errors import ForensicsError
from forensics.fleet.result_store import ResultStore

FOLDER = "drivers"
BEAT = 10.0  # seconds between two signs of life
STALE = 60.0  # seconds without one, after which a driver is taken for dead
_NAMESPACE = Path("/proc/self/ns/pid")
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class SignOfLife:
    """What a driver writes of itself; `beat` counts up, `machine` is empty where unknown."""

    machine: str
    process: int
    started: float
    beat: int
    ended: bool = False

    def to_bytes(self) -> bytes:
        """Return it as a file's content."""
        return json.dumps(vars(self), sort_keys=True).encode("ascii")


def this_machine() -> str:
    """Return what names this machine until it restarts, with its process numbers; or nothing.

    Containers that share a machine, or a host's name, number their processes apart.
    """
    try:
        return f"{_BOOT.read_text().strip()} {_NAMESPACE.readlink()}"
    except OSError:
        return ""


@contextmanager
def sign_of_life(store: ResultStore, beat: float = BEAT) -> Iterator[str]:
    """Give the name of a new driver, and signs of its life while the block runs.

    Args:
        store: the job's results.
        beat: seconds between two signs.

    Raises:
        OutputError: the results cannot be written.
    """
    name = uuid.uuid4().hex
    sign = SignOfLife(this_machine(), os.getpid(), _started(os.getpid()) or 0.0, 0)
    store.put(_file(name), sign.to_bytes())
    over = threading.Event()

    def give_signs() -> None:
        number = 0
        while not over.wait(beat):
            number += 1
            try:
                store.put(_file(name), SignOfLife(**(vars(sign) | {"beat": number})).to_bytes())
            except ForensicsError:  # a store that is away for a moment; the next sign follows
                continue

    thread = threading.Thread(target=give_signs, name="sign of life", daemon=True)
    thread.start()
    try:
        yield name
    finally:
        over.set()
        thread.join()
        store.put(_file(name), SignOfLife(**(vars(sign) | {"ended": True})).to_bytes())


@dataclass
class DriverWatch:
    """Tells which drivers are alive; `stale` is how long, in seconds, one may be silent."""

    store: ResultStore
    stale: float = STALE
    _seen: dict[str, tuple[int | None, float]] = field(default_factory=dict)
    _dead: set[str] = field(default_factory=set)

    def is_alive(self, name: str) -> bool:
        """Tell whether a driver is alive, as far as can be seen from here."""
        if name in self._dead:
            return False
        alive = self._is_alive(name)
        if not alive:
            self._dead.add(name)
        return alive

    def _is_alive(self, name: str) -> bool:
        sign = _read(self.store.read(_file(name)) or b"")
        if sign is not None and sign.ended:
            return False
        if sign is not None and sign.machine and sign.machine == this_machine():
            return _started(sign.process) == sign.started
        now = time.monotonic()
        beat, since = self._seen.get(name, (None, now))
        # What cannot be read is no sign, and no proof of a death either.
        if name not in self._seen or (sign is not None and beat != sign.beat):
            beat, since = (sign.beat if sign is not None else None), now
            self._seen[name] = (beat, since)
        return now - since < self.stale


def _read(content: bytes) -> SignOfLife | None:
    try:
        return SignOfLife(**json.loads(content))
    except (ValueError, TypeError):
        return None


def _started(process: int) -> float | None:
    """Return when a process started, in seconds; None where there is none of that number."""
    import psutil

    try:
        running = psutil.Process(process)
        if running.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(running.create_time())
    except psutil.Error:
        return None


def _file(name: str) -> str:
    return f"{FOLDER}/{name}.json"
