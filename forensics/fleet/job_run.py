"""A driver: hands the subjects of a job to a pool of tasks, and writes what comes back.

Only the driver writes results, and only of subjects that it has claimed. So a task may run twice,
as after the death of a node, and there is still one result.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forensics.errors import UsageError
from forensics.fleet.demand import demand_of, holds
from forensics.fleet.drivers import DriverWatch
from forensics.fleet.job_file import JobFile
from forensics.fleet.listed_subject import ListedSubject
from forensics.fleet.ray_session import RayNode
from forensics.fleet.result_store import ResultStore
from forensics.fleet.subject_claims import Claims
from forensics.fleet.subject_result import (
    DOCUMENTS,
    FAILED,
    RESULTS,
    RUNS,
    DoneSubject,
    read_result,
)
from forensics.fleet.subject_work import SubjectTask
from forensics.fleet.task_pool import TaskPool
from forensics.support.clock import now
from forensics.support.resources import cache_folder
from forensics.support.version import VERSION

JOB, SUBJECTS = "job.json", "subjects.json"
_LOOK = 1.0  # seconds between two looks at subjects that another driver has
_FEWEST = 4


@dataclass
class RunCount:
    """What became of a run's subjects: `done` and `failed` now, `before` had their results."""

    total: int
    before: int = 0
    done: int = 0
    failed: int = 0


@dataclass
class JobRun:
    """One driver's run of a job.

    Args:
        file: the job.
        store: where its results lie.
        driver: this driver's name, see `sign_of_life`.
        pool: where tasks run.
        nodes: what the pool's nodes offer; nothing, where that does not count.
        tell: is called with each result as it is written.
    """

    file: JobFile
    store: ResultStore
    driver: str
    pool: TaskPool
    nodes: Sequence[RayNode] = ()
    tell: Callable[[DoneSubject], object] = lambda _: None
    _count: RunCount = field(default_factory=lambda: RunCount(0))

    def run(self, subjects: Sequence[ListedSubject], retry: bool = False) -> RunCount:
        """Do what is open of these subjects; return once each has a result.

        Args:
            subjects: of the job.
            retry: whether subjects that failed are done again.

        Raises:
            UsageError: the results are another job's.
            OutputError: they cannot be written.
        """
        self._take_place(subjects)
        waiting = deque(open_subjects(self.store, subjects, retry))
        self._count = RunCount(len(subjects), before=len(subjects) - len(waiting))
        claims = Claims(self.store, self.driver, DriverWatch(self.store))
        taken: set[str] = set()  # claimed by others when last looked at
        while waiting or self.pool.under_way:
            if waiting and self.pool.under_way < self._at_once and len(taken) < len(waiting):
                subject = waiting.popleft()
                if not self._begin(subject, claims, retry):
                    taken.add(subject.key)
                    waiting.append(subject)
                else:
                    taken.discard(subject.key)
                continue
            came = self.pool.next_done(_LOOK) if self.pool.under_way else None
            if not self.pool.under_way and came is None:
                time.sleep(_LOOK)
            if came is None:
                taken.clear()  # look again whether somebody died
            else:
                self._write(came, claims)
        return self._count

    @property
    def _at_once(self) -> int:
        task = self.file.job.task
        if task.at_once:
            return task.at_once
        return max(_FEWEST, round(2 * sum(node.cpus for node in self.nodes) / task.cpus))

    def _begin(self, subject: ListedSubject, claims: Claims, retry: bool) -> bool:
        """Begin a subject, unless it is another driver's; return whether it is settled."""
        if not claims.take(subject.key):
            return self._has_result(subject.key, retry)
        # Whoever claimed it before may have finished since the results were listed.
        if self._has_result(subject.key, retry):
            claims.release(subject.key)
            return True
        job = self.file.job
        task = SubjectTask(job, subject.spec, subject.key, self._scratch)
        demand = demand_of(subject.size, job.task, job.server is not None)
        if self.nodes and not job.task.autoscaled and not holds(self.nodes, demand):
            reason = (
                f"its task takes {demand}, and no node has that; set [task] memory_gib or gpus, "
                "or autoscaled = true where nodes come when they are needed"
            )
            self._write(task.failed(reason), claims)
            return True
        self.pool.submit(task, demand)
        return True

    @property
    def _scratch(self) -> Path:
        named = self.file.job.scratch
        root = Path(named) if named else cache_folder("fleet")
        return root / self.file.fingerprint[:16]

    def _has_result(self, key: str, retry: bool) -> bool:
        if self.store.read(f"{RESULTS}/{key}.json") is not None:
            self._count.before += 1
            return True
        if not retry and self.store.read(f"{FAILED}/{key}.json") is not None:
            self._count.before += 1
            return True
        return False

    def _write(self, came: DoneSubject, claims: Claims) -> None:
        """Write a subject's files; the result comes last, and makes it done."""
        result = came.result
        for document in came.documents:
            self.store.put(f"{DOCUMENTS}/{result.key}/{document.name}", document.content)
        about = {
            "driver": self.driver,
            "host": came.host,
            "recorded_at": now(),
            "seconds": round(came.seconds, 3),
            "version": VERSION,
        }
        self.store.put(f"{RUNS}/{result.key}.json", _json(about))
        folder = RESULTS if result.status == "done" else FAILED
        self.store.put(f"{folder}/{result.key}.json", result.to_bytes())
        if result.status == "done":
            self._count.done += 1
            self.store.remove(f"{FAILED}/{result.key}.json")
        else:
            self._count.failed += 1
        claims.release(result.key)
        self.tell(came)

    def _take_place(self, subjects: Sequence[ListedSubject]) -> None:
        """Make the place this job's, and note its subjects for `fleet status`."""
        job = {"fingerprint": self.file.fingerprint, "work": self.file.job.work}
        known = self.store.read(JOB)
        if known is None:
            self.store.put(JOB, _json(job))
        elif json.loads(known).get("fingerprint") != self.file.fingerprint:
            raise UsageError(
                f"{self.file.job.results} holds results of another job, with other work or "
                "settings; name another place in results"
            )
        noted = noted_subjects(self.store)
        self.store.put(SUBJECTS, _json(noted | {s.key: s.spec for s in subjects}))


def open_subjects(
    store: ResultStore, subjects: Sequence[ListedSubject], retry: bool
) -> list[ListedSubject]:
    """Return the subjects that have no result; with `retry` a failure is none."""
    names = [*store.names(RESULTS), *(() if retry else store.names(FAILED))]
    finished = {name.removesuffix(".json") for name in names}
    return [subject for subject in subjects if subject.key not in finished]


def noted_subjects(store: ResultStore) -> dict[str, str]:
    """Return key → subject of those that some driver listed."""
    content = store.read(SUBJECTS)
    noted: dict[str, str] = json.loads(content) if content else {}
    return noted


def failures(store: ResultStore) -> list[tuple[str, str]]:
    """Return (subject, reason) of the subjects that failed and have no other result."""
    finished = set(store.names(RESULTS))
    names = [name for name in store.names(FAILED) if name not in finished]
    results = [read_result(store.read(f"{FAILED}/{name}") or b"") for name in names]
    return [(result.subject, result.reason) for result in results if result]


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=True, indent=1, sort_keys=True) + "\n").encode("ascii")
