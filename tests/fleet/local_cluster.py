"""A Ray cluster of several nodes on this machine, whose processes are ended by number.

`ray stop` would end every Ray of this machine, also other people's.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil

from forensics.fleet.ray_session import end_processes
from tests.fleet.jobs import light_imports

_START = (sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-gpus=0")
_LEAN = ("--object-store-memory=78643200", "--disable-usage-stats", "--include-log-monitor=false")
_PATIENCE = 120.0


@dataclass
class LocalNode:
    """One node: the process that started its daemons, and those."""

    starter: subprocess.Popen[bytes]
    log: Path

    @property
    def processes(self) -> list[psutil.Process]:
        """Every process of the node that runs now."""
        try:
            top = psutil.Process(self.starter.pid)
            return [top, *top.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    @property
    def workers(self) -> list[psutil.Process]:
        """The processes that do tasks, those at work first."""
        named = [(p, _title(p)) for p in self.processes]
        tasks = [(p, title) for p, title in named if title.startswith("ray::")]
        daemons = ("Agent", "IDLE")
        return [p for p, title in tasks if not any(word in title for word in daemons)]

    def remove(self) -> None:
        """End the node, as if its machine were switched off."""
        running = self.processes
        for process in running:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(running, timeout=10)
        self.starter.wait()


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@dataclass
class LocalCluster:
    """`with LocalCluster(folder) as cluster:` has a head without processors of its own.

    `environment` is what drivers need to join it, the token among it.
    """

    folder: Path
    nodes: list[LocalNode] = field(default_factory=list)
    address: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self.environment = os.environ | {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            "PYTHONPATH": light_imports(self.folder / "light"),
        }
        return self

    def start(self, cpus: int = 1, *more: str) -> LocalNode:
        """Start a node; the first one is the head."""
        where = (f"--address={self.address}",) if self.nodes else self._head()
        log = self.folder / f"node-{len(self.nodes)}.log"
        with log.open("wb") as file:
            starter = subprocess.Popen(
                [*_START, *_LEAN, f"--num-cpus={cpus}", *where, *more],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=file,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
        node = LocalNode(starter, log)
        self.nodes.append(node)
        self._wait(node)
        return node

    def _head(self) -> tuple[str, ...]:
        temporary = f"--temp-dir={self.folder}"
        return "--head", "--port=0", "--include-dashboard=false", temporary

    def _wait(self, node: LocalNode) -> None:
        """Wait until a node says that it runs; of the head learn the address."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            said = node.log.read_text(errors="replace")
            if "Ray runtime started" in said:
                address = re.search(r"--address='([^']+)'", said)
                self.address = self.address or (address[1] if address else "")
                return
            if node.starter.poll() is not None:
                raise RuntimeError(f"a node did not start: {said[-2000:]}")
            time.sleep(0.2)
        raise RuntimeError(f"a node did not start in {_PATIENCE:g} s: {said[-2000:]}")

    def __exit__(self, *_: object) -> None:
        running = [process for node in self.nodes for process in node.processes]
        for process in running:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        end_processes(running, patience=5)
        for node in self.nodes:
            node.starter.wait()
