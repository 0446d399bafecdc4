"""Where tasks run: on Ray, or in processes of this program to hold Ray against."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import ProcessPoolExecutor
from contextlib import chdir
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

from forensics.fleet.demand import Demand
from forensics.fleet.subject_result import DoneSubject
from forensics.fleet.subject_work import SubjectTask, done
from forensics.support.quiet import why


class TaskPool(Protocol):
    """Takes tasks and gives back what came of them, in any order."""

    def submit(self, task: SubjectTask, demand: Demand) -> None:
        """Take a task."""
        ...

    def next_done(self, timeout: float) -> DoneSubject | None:
        """Return what came of one task, None if nothing did in so many seconds."""
        ...

    @property
    def under_way(self) -> int:
        """How many tasks were taken and not given back."""
        ...


def work_on(task: SubjectTask, folder: str, environment: Mapping[str, str]) -> DoneSubject:
    """Do one task in a worker: in the driver's folder, so that paths mean what they say there.

    Args:
        task: what to do.
        folder: the driver's working folder; where this node has no such folder, its own is used.
        environment: variables that the job sets.
    """
    began = time.monotonic()
    os.environ.update(environment)
    task.scratch.mkdir(parents=True, exist_ok=True)
    with chdir(folder if Path(folder).is_dir() else Path.cwd()):
        came = done(task)
    return replace(came, host=socket.gethostname(), seconds=time.monotonic() - began)


class RayPool:
    """Tasks on the Ray that this process uses, see `ray_session`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Prepare; `environment` holds variables for every task."""
        import ray

        # Ray pickles the task and what it returns, between its own processes.
        self._remote = ray.remote(work_on)
        self._ray = ray
        self._environment = dict(environment)
        self._tasks: dict[Any, SubjectTask] = {}

    def submit(self, task: SubjectTask, demand: Demand) -> None:
        """See `TaskPool`."""
        remote = self._remote.options(
            num_cpus=demand.cpus,
            num_gpus=demand.gpus,
            memory=demand.memory or None,
            max_retries=task.job.task.retries,
            name=task.key,
        )
        self._tasks[remote.remote(task, str(Path.cwd()), self._environment)] = task

    def next_done(self, timeout: float) -> DoneSubject | None:
        """See `TaskPool`; a task whose process died too often is a failed one."""
        ready, _ = self._ray.wait(list(self._tasks), num_returns=1, timeout=timeout)
        if not ready:
            return None
        task = self._tasks.pop(ready[0])
        try:
            came: DoneSubject = self._ray.get(ready[0])
        except self._ray.exceptions.RayError as error:
            times = task.job.task.retries + 1
            return task.failed(f"the process of its task died {times} times: {_kind(error)}")
        return came

    @property
    def under_way(self) -> int:
        """See `TaskPool`."""
        return len(self._tasks)


def _kind(error: Exception) -> str:
    """Return the first sentence of what Ray says, which has names of hosts and files after it."""
    name = type(error).__name__.removesuffix("Error")
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return words.strip() or why(error)


class ProcessesPool:
    """Tasks in so many processes of this program: what Ray is measured against."""

    def __init__(self, processes: int) -> None:
        """Start the processes; they end with the pool."""
        self._executor = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
        self._futures: set[Future[DoneSubject]] = set()

    def submit(self, task: SubjectTask, demand: Demand) -> None:
        """See `TaskPool`; demands are not looked at."""
        self._futures.add(self._executor.submit(work_on, task, str(Path.cwd()), {}))

    def next_done(self, timeout: float) -> DoneSubject | None:
        """See `TaskPool`."""
        ready, _ = wait(self._futures, timeout, return_when=FIRST_COMPLETED)
        if not ready:
            return None
        future = ready.pop()
        self._futures.remove(future)
        return future.result()

    @property
    def under_way(self) -> int:
        """See `TaskPool`."""
        return len(self._futures)

    def close(self) -> None:
        """End the processes."""
        self._executor.shutdown(cancel_futures=True)
