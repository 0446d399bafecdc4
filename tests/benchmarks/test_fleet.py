"""What Ray costs: 500 subjects on its tasks, and on two processes of this program.

Start-up is excluded: both have done a few subjects before. Blocks of subjects alternate between the
two, so that whatever else the machine does falls on both. Of clock and processors the median ratio
of blocks counts, fixed before it was measured.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import psutil
import pytest

from forensics.fleet.drivers import sign_of_life
from forensics.fleet.job_file import JobFile
from forensics.fleet.job_run import JobRun
from forensics.fleet.listed_subject import ListedSubject
from forensics.fleet.listing import listed_subjects
from forensics.fleet.ray_session import ray_nodes, ray_session
from forensics.fleet.result_store import open_store
from forensics.fleet.task_pool import ProcessesPool, RayPool, TaskPool
from tests.fleet.jobs import contents, light_imports, make_job, make_subjects

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

SUBJECTS, BLOCK, WARMING = 500, 25, 12
MOST_OVERHEAD = 0.15

pytest.importorskip("ray", reason="the extra `fleet` is not installed")


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and seconds of processors in this process and all below it."""

    clock: float
    processors: float


def _processors() -> float:
    total = 0.0
    here = psutil.Process()
    for process in (here, *here.children(recursive=True)):
        with suppress(psutil.Error):
            used = process.cpu_times()
            total += used.user + used.system
    return total


def _cost(file: JobFile, place: str, pool: TaskPool, block: Sequence[ListedSubject]) -> Cost:
    store = open_store(place)
    with sign_of_life(store) as driver:
        clock, processors = time.perf_counter(), _processors()
        JobRun(file, store, driver, pool, ray_nodes()).run(block)
        return Cost(time.perf_counter() - clock, _processors() - processors)


def _blocks(subjects: Sequence[ListedSubject]) -> Iterator[Sequence[ListedSubject]]:
    for first in range(WARMING, len(subjects), BLOCK):
        yield subjects[first : first + BLOCK]


def test_overhead_of_ray_against_processes(
    benchmark: BenchmarkFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    # Ray's workers are nice (15) by default, and would wait for whatever else runs here.
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.setenv("PYTHONPATH", light_imports(tmp_path / "light"))
    make_subjects(tmp_path, SUBJECTS + WARMING)
    file = make_job(tmp_path)
    subjects = listed_subjects(file.job.subjects)
    costs: list[tuple[Cost, Cost]] = []
    with ray_session(cpus=2):
        processes, on_ray = ProcessesPool(2), RayPool({})
        _cost(file, "processes", processes, subjects[:WARMING])
        _cost(file, "ray", on_ray, subjects[:WARMING])

        def alternate() -> None:
            for number, block in enumerate(_blocks(subjects)):
                both = [("processes", processes), ("ray", on_ray)]
                order = both if number % 2 else both[::-1]
                cost = {name: _cost(file, name, pool, block) for name, pool in order}
                costs.append((cost["processes"], cost["ray"]))

        benchmark.pedantic(alternate, rounds=1)
        processes.close()
    assert contents(tmp_path / "ray" / "results") == contents(tmp_path / "processes" / "results")
    alone, on_tasks = (median(cost[side].clock for cost in costs) / BLOCK for side in (0, 1))
    clock = median(ray.clock / other.clock for other, ray in costs)
    processors = median(ray.processors / other.processors for other, ray in costs)
    benchmark.extra_info |= {"clock": clock, "processors": processors}
    print(f"\nRay against two processes, {SUBJECTS} subjects in blocks of {BLOCK}:")
    print(f"clock {clock - 1:+.1%}, processors {processors - 1:+.1%}")
    print(f"{alone * 1e3:.1f} ms a subject without Ray, {on_tasks * 1e3:.1f} ms with it")
    for other, ray in costs:
        print(
            f"  {other.clock:6.2f} {ray.clock:6.2f} s, processors {other.processors:6.2f} ", end=""
        )
        print(f"{ray.processors:6.2f} s")
    assert clock - 1 <= MOST_OVERHEAD
    assert processors - 1 <= MOST_OVERHEAD
