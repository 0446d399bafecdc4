"""How far a job is, from what its drivers wrote."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.fleet.drivers import FOLDER as DRIVERS
from forensics.fleet.drivers import DriverWatch
from forensics.fleet.job_run import noted_subjects
from forensics.fleet.result_store import ResultStore
from forensics.fleet.subject_claims import Claims
from forensics.fleet.subject_result import FAILED, RESULTS


@dataclass(frozen=True)
class JobStatus:
    """Counts of subjects, and of drivers that are alive.

    Of the `listed` ones `finished` have a result, `failed` one that says why there is no other,
    `begun` are claimed by a driver that lives, and `waiting` is the rest.
    """

    listed: int
    finished: int
    failed: int
    begun: int
    drivers: int

    @property
    def waiting(self) -> int:
        """How many nobody has begun."""
        return self.listed - self.finished - self.failed - self.begun


def job_status(store: ResultStore) -> JobStatus:
    """Return how far a job is.

    A driver of another machine counts as alive until it has been watched for a minute, which this
    does not do.
    """
    finished = {name.removesuffix(".json") for name in store.names(RESULTS)}
    failed = {name.removesuffix(".json") for name in store.names(FAILED)} - finished
    listed = set(noted_subjects(store)) | finished | failed
    watch = DriverWatch(store)
    claims = Claims(store, "", watch)
    alive = [n for n in store.names(DRIVERS) if watch.is_alive(n.removesuffix(".json"))]
    open_keys = listed - finished - failed if alive else set()
    begun = sum(claims.holder(key) is not None for key in open_keys)
    return JobStatus(len(listed), len(finished), len(failed), begun, len(alive))
