"""A fleet on two nodes loses a worker, its driver and a node, and nothing of its results.

    python -m tests.fleet.faults [--subjects 200]

Prints what was done to it and what was held against a run without faults.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path

from tests.fleet.jobs import contents, make_job, make_subjects, run_here
from tests.fleet.local_cluster import LocalCluster

_PATIENCE = 900.0


@dataclass
class Faults:
    """A job in `folder`, run on a cluster, and what is done to it meanwhile."""

    folder: Path
    cluster: LocalCluster
    tell: Callable[[str], object]
    drivers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def results(self) -> Path:
        return self.folder / "results" / "results"

    def drive(self) -> subprocess.Popen[bytes]:
        """Start a driver in a process of its own."""
        command = [sys.executable, "-m", "forensics", "fleet", "run", "job.toml"]
        log = self.folder / f"driver-{len(self.drivers)}.log"
        with log.open("wb") as file:
            driver = subprocess.Popen(
                [*command, "--address", self.cluster.address],
                cwd=self.folder, env=self.cluster.environment, stdout=file,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.drivers.append(driver)
        return driver

    def wait_for(self, count: int) -> None:
        """Wait until so many subjects have results."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            if self.results.is_dir() and len(list(self.results.glob("[!.]*"))) >= count:
                return
            if self.drivers and all(driver.poll() is not None for driver in self.drivers):
                raise RuntimeError(f"every driver ended: {self.said()}")
            time.sleep(0.02)
        raise RuntimeError(f"{count} results were not there in {_PATIENCE:g} s: {self.said()}")

    def said(self) -> str:
        """Return what the drivers said."""
        logs = sorted(self.folder.glob("driver-*.log"))
        return "\n".join(log.read_text(errors="replace")[-2000:] for log in logs)

    def written(self) -> dict[str, tuple[int, int]]:
        """Return name → what tells whether a result was written again."""
        paths = list(self.results.glob("[!.]*"))
        return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}

    def kill_a_worker(self) -> None:
        """Kill a process that does a task, −9."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            at_work = [worker for node in self.cluster.nodes for worker in node.workers]
            if at_work:
                os.kill(at_work[0].pid, signal.SIGKILL)
                self.tell(f"killed worker {at_work[0].pid}")
                return
            time.sleep(0.01)
        raise RuntimeError(f"no worker was at work in 60 s: {self.said()}")


def run_with_faults(folder: Path, count: int, tell: Callable[[str], object]) -> list[str]:
    """Run a job of so many subjects with and without faults; return what differs, in sentences."""
    with chdir(folder):
        make_subjects(folder, count)
        job = make_job(folder, results="without")
        counted = run_here(job)
        tell(f"without faults, in one process: {counted.done} subjects")
        make_job(folder)
        with (
            tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as ray,
            LocalCluster(Path(ray)) as cluster,
        ):
            head, other = cluster.start(), cluster.start()
            tell(f"two nodes: {len(head.processes)} and {len(other.processes)} processes")
            faults = Faults(folder, cluster, tell)
            try:
                before = _faults(faults, count, other.remove)
            finally:
                for driver in faults.drivers:
                    if driver.poll() is None:
                        driver.kill()
                    driver.wait()
            return _differences(faults, count, before)


def _faults(faults: Faults, count: int, remove_node: Callable[[], None]) -> dict[str, object]:
    first = faults.drive()
    faults.wait_for(count // 10)
    faults.kill_a_worker()
    faults.wait_for(count // 4)
    first.kill()
    first.wait()
    before: dict[str, object] = dict(faults.written())
    faults.tell(f"killed the driver at {len(before)} results; two others go on")
    faults.drive()
    faults.drive()
    faults.wait_for(len(before) + count // 4)
    remove_node()
    faults.tell(f"removed a node at {len(faults.written())} results")
    codes = [driver.wait(_PATIENCE) for driver in faults.drivers[1:]]
    faults.tell(f"drivers ended with {codes}")
    if any(codes):
        raise RuntimeError(faults.said())
    return before


def _differences(faults: Faults, count: int, before: dict[str, object]) -> list[str]:
    with_faults = contents(faults.results)
    without = contents(faults.folder / "without" / "results")
    after = faults.written()
    runs = contents(faults.folder / "results" / "runs")
    failed = faults.folder / "results" / "failed"
    checks = {
        "as many results as subjects": len(with_faults) == count,
        "the same bytes as without faults": with_faults == without,
        "no failed subject": not failed.is_dir() or not any(failed.iterdir()),
        "one record of a run for each result": runs.keys() == with_faults.keys(),
        "no result written twice": before.items() <= after.items(),
    }
    for name, holds in checks.items():
        faults.tell(f"{'yes' if holds else 'NO '} {name}")
    return [name for name, holds in checks.items() if not holds]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=200)
    count = parser.parse_args().subjects
    begun = time.monotonic()

    def tell(text: str) -> None:
        print(f"{time.monotonic() - begun:6.1f} s  {text}", flush=True)

    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        return 1 if run_with_faults(Path(folder), count, tell) else 0


if __name__ == "__main__":
    sys.exit(main())
