"""Small jobs and the pools to run them on."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from forensics.fleet.demand import Demand
from forensics.fleet.drivers import sign_of_life
from forensics.fleet.job_file import JobFile, read_job
from forensics.fleet.job_run import JobRun, RunCount
from forensics.fleet.listing import listed_subjects
from forensics.fleet.result_store import open_store
from forensics.fleet.subject_result import DoneSubject
from forensics.fleet.subject_work import SubjectTask
from forensics.fleet.task_pool import TaskPool, work_on
from tests.builders import essays, write

# Ray imports jsonschema, and with the libraries of development that builds a grammar of addresses:
# 1.3 s of a processor in each of Ray's ten processes. Without this module it is left out.
_GRAMMAR = "rfc3987_syntax"

COMPARE = """\
results = "{results}"
work = "compare"
scratch = "scratch"
[subjects]
folder = "subjects"
[compare]
references = ["transcript:known.jsonl"]
only = ["lexicon", "style"]
cohort = "none"
"""


def make_subjects(folder: Path, count: int, broken: int = 0) -> None:
    """Write a known transcript, and so many others of which the last ones are no transcripts."""
    write(folder / "known.jsonl", essays(12))
    (folder / "subjects").mkdir()
    for number in range(count):
        path = folder / "subjects" / f"model-{number:03}.jsonl"
        if number < count - broken:
            write(path, essays(12, number))
        else:
            path.write_text("no transcript\n")


def make_job(folder: Path, text: str = COMPARE, results: str = "results") -> JobFile:
    path = folder / "job.toml"
    path.write_text(text.format(results=results))
    return read_job(path)


@dataclass
class HerePool:
    """Does every task in this process, when its result is asked for."""

    waiting: deque[SubjectTask] = field(default_factory=deque)

    def submit(self, task: SubjectTask, demand: Demand) -> None:
        self.waiting.append(task)

    def next_done(self, timeout: float) -> DoneSubject | None:
        return work_on(self.waiting.popleft(), str(Path.cwd()), {})

    @property
    def under_way(self) -> int:
        return len(self.waiting)


def run_here(file: JobFile, pool: TaskPool | None = None, *, retry: bool = False) -> RunCount:
    """Run a job in this process, as `run_fleet` does on Ray."""
    store = open_store(file.job.results)
    with sign_of_life(store) as driver:
        run = JobRun(file, store, driver, pool or HerePool())
        return run.run(listed_subjects(file.job.subjects), retry)


def contents(folder: Path) -> dict[str, bytes]:
    """Return name → content of the files of a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def light_imports(folder: Path) -> str:
    """Return a PYTHONPATH with which Ray's processes start in a third of the time."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{_GRAMMAR}.py").write_text("raise ImportError('left out, for it costs a second')")
    return os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
