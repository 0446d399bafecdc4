"""A job from its file to its last result: subjects, a Ray, a driver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forensics.fleet.drivers import sign_of_life
from forensics.fleet.job_run import JobRun, RunCount
from forensics.fleet.listing import listed_subjects
from forensics.fleet.ray_session import ray_nodes, ray_session
from forensics.fleet.result_store import open_store
from forensics.fleet.task_pool import RayPool

if TYPE_CHECKING:
    from forensics.fleet.job_file import JobFile
    from forensics.fleet.subject_result import DoneSubject
    from forensics.workflows.callbacks import Progress


@dataclass(frozen=True)
class FleetSettings:
    """Where a job runs: a cluster's address, or so many processors of this machine.

    `retry` does subjects again that failed.
    """

    address: str | None = None
    cpus: int | None = None
    retry: bool = False


def run_fleet(file: JobFile, settings: FleetSettings, progress: Progress) -> RunCount:
    """Do what is open of a job, on a Ray of our own or a cluster.

    Args:
        file: the job.
        settings: where it runs.
        progress: is told of every subject that is done.

    Returns:
        What became of its subjects.

    Raises:
        UsageError: the job names no subject, or its results are another job's.
        InputFileError: a file that the job names cannot be read.
        BackendError: Ray or the hub do not answer.
        MissingDependencyError: Ray is not installed.
        OutputError: a result cannot be written.
    """
    store = open_store(file.job.results)
    subjects = listed_subjects(file.job.subjects)
    with ray_session(settings.address, settings.cpus):
        pool, nodes = RayPool(_environment(file)), ray_nodes()
        with (
            sign_of_life(store) as driver,
            progress.answers("subjects", len(subjects), 0) as tick,
        ):

            def tell(came: DoneSubject) -> None:
                tick(came)
                if came.result.status == "failed":
                    progress.note(f"{came.result.subject}: {came.result.reason}")

            run = JobRun(file, store, driver, pool, nodes, tell)
            return run.run(subjects, settings.retry)


def _environment(file: JobFile) -> dict[str, str]:
    hub = file.job.subjects.hub
    return {"HF_ENDPOINT": hub.endpoint} if hub and hub.endpoint else {}
