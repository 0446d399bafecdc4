"""A driver writes one result for each subject, and a job goes on where it was left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from forensics.case.document import read_case
from forensics.cli import run as command
from forensics.errors import UsageError
from forensics.fleet.demand import Demand
from forensics.fleet.drivers import sign_of_life
from forensics.fleet.job_run import JobRun
from forensics.fleet.job_status import job_status
from forensics.fleet.listing import listed_subjects
from forensics.fleet.ray_session import RayNode
from forensics.fleet.result_store import open_store
from forensics.fleet.subject_result import DoneSubject, read_result
from forensics.fleet.subject_work import SubjectTask
from tests.fleet.jobs import COMPARE, HerePool, contents, make_job, make_subjects, run_here


class _Interrupted(Exception):
    pass


class _StopsAfter(HerePool):
    """A pool whose driver dies after some results."""

    left = 3

    def next_done(self, timeout: float) -> DoneSubject | None:
        if not self.left:
            raise _Interrupted
        self.left -= 1
        return super().next_done(timeout)


def test_every_subject_has_one_result_and_the_next_run_does_only_what_is_open(here: Path) -> None:
    make_subjects(here, 8, broken=1)
    whole = make_job(here, results="whole")
    counted = run_here(whole)
    assert (counted.done, counted.failed, counted.before) == (7, 1, 0)
    file = make_job(here)
    with pytest.raises(_Interrupted):
        run_here(file, _StopsAfter())
    done_then = contents(here / "results" / "results")
    assert 0 < len(done_then) <= 3
    again = run_here(file)
    assert again.before == 3
    assert again.done + again.failed == 5
    assert contents(here / "results" / "results") == contents(here / "whole" / "results")
    assert contents(here / "results" / "failed") == contents(here / "whole" / "failed")
    assert done_then.items() <= contents(here / "results" / "results").items()
    assert run_here(file).before == 8


def test_a_result_holds_what_compare_says_and_names_its_case(here: Path) -> None:
    make_subjects(here, 1)
    run_here(make_job(here))
    (path,) = (here / "results" / "results").iterdir()
    result = read_result(path.read_bytes())
    assert result is not None
    assert (result.subject, result.status) == ("transcript:subjects/model-000.jsonl", "done")
    case = read_case(here / "results" / "documents" / result.key / result.documents[0])
    assert [f.one_model for f in result.findings] == [case.verdict.answers[0].answer]
    assert result.findings[0].reference == "transcript:known.jsonl"
    text = path.read_text()
    about = json.loads((here / "results" / "runs" / path.name).read_text())
    assert about["recorded_at"][:10] not in text
    assert about["host"] not in json.loads(text).values()


def test_a_failing_subject_is_a_record_that_another_run_may_put_right(here: Path) -> None:
    make_subjects(here, 3, broken=3)
    file = make_job(here)
    assert run_here(file).failed == 3
    (path,) = sorted((here / "results" / "failed").iterdir())[:1]
    result = read_result(path.read_bytes())
    assert result is not None
    assert "not JSON; is this a transcript?" in result.reason
    assert "\n" not in result.reason
    (here / "subjects" / "model-000.jsonl").write_bytes((here / "known.jsonl").read_bytes())
    assert run_here(file).failed == 0
    counted = run_here(file, retry=True)
    assert (counted.done, counted.failed) == (1, 2)
    assert not path.exists()
    status = job_status(open_store("results"))
    assert (status.listed, status.finished, status.failed, status.waiting) == (3, 1, 2, 0)


def test_two_drivers_at_once_share_a_job(here: Path) -> None:
    make_subjects(here, 10)
    file = make_job(here)
    done_by: list[list[str]] = [[], []]
    store, both = open_store("results"), threading.Barrier(2)
    subjects = listed_subjects(file.job.subjects)

    def drive(number: int) -> None:
        with sign_of_life(store) as driver:
            both.wait()
            run = JobRun(file, store, driver, HerePool(), tell=note(done_by[number]))
            run.run(subjects)

    def note(into: list[str]):  # type: ignore[no-untyped-def]
        return lambda came: into.append(came.result.key)

    threads = [threading.Thread(target=drive, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    keys = sorted(done_by[0] + done_by[1])
    assert keys == sorted(subject.key for subject in subjects)
    assert len(contents(here / "results" / "results")) == 10


def test_other_work_does_not_mix_into_a_jobs_results(here: Path) -> None:
    make_subjects(here, 1)
    run_here(make_job(here))
    other = make_job(here, COMPARE.replace('"lexicon", ', ""))
    with pytest.raises(UsageError, match="holds results of another job"):
        run_here(other)


def test_a_subject_that_no_node_can_hold_fails_at_once_unless_nodes_may_come(here: Path) -> None:
    make_subjects(here, 1)
    asking_much = make_job(here, COMPARE + "[task]\nmemory_gib = 10.0\n")
    subjects = listed_subjects(asking_much.job.subjects)
    store = open_store("results")
    with sign_of_life(store) as driver:
        nodes = (RayNode(2, 0, 4e9),)
        counted = JobRun(asking_much, store, driver, HerePool(), nodes).run(subjects)
        assert (counted.failed, counted.done) == (1, 0)
        growing = make_job(here, COMPARE + "[task]\nmemory_gib = 10.0\nautoscaled = true\n")
        again = JobRun(growing, store, driver, HerePool(), nodes).run(subjects, retry=True)
        assert again.done == 1


def test_whatever_goes_wrong_in_a_task_is_its_subjects_result(here: Path) -> None:
    make_subjects(here, 1)
    job = make_job(here).job
    assert job.compare is not None
    absent = replace(_task(job, here), spec="transcript:nowhere.jsonl")
    pool = HerePool()
    pool.submit(absent, Demand(1, 0, 0))
    came = pool.next_done(1)
    assert came is not None
    assert came.result.status == "failed"
    assert "nowhere.jsonl" in came.result.reason


def _task(job, here: Path) -> SubjectTask:  # type: ignore[no-untyped-def]
    return SubjectTask(job, "transcript:known.jsonl", "known-1", here / "scratch")


def test_the_table_is_read_by_duckdb_and_pandas(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import duckdb
    import pandas as pd

    make_subjects(here, 4, broken=1)
    make_job(here)
    assert command(["fleet", "results", "job.toml", "--parquet", "r.parquet"]) == 2
    run_here(make_job(here))
    assert command(["fleet", "results", "job.toml", "--parquet", "r.parquet"]) == 0
    counted = duckdb.sql(
        "select status, count(*) from 'r.parquet' group by 1 order by 1"
    ).fetchall()
    assert counted == [("done", 3), ("failed", 1)]
    table = pd.read_parquet("r.parquet")
    assert list(table["subject"]) == sorted(table["subject"])
    assert set(table.loc[table["status"] == "done", "reference"]) == {"transcript:known.jsonl"}
    assert table["answers"].isna().all()
    capsys.readouterr()
    assert command(["fleet", "status", "job.toml"]) == 0
    assert command(["fleet", "failed", "job.toml"]) == 0
    out = capsys.readouterr().out
    assert "4 subjects: 3 done, 1 failed, 0 begun, 0 waiting; 0 runs under way" in out
    assert "transcript:subjects/model-003.jsonl\t" in out
    assert command(["fleet", "run", "job.toml", "--dry-run"]) == 0
    assert "0 of 4 subjects have no result" in capsys.readouterr().err


def test_a_new_job_is_written_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["fleet", "new", "mine.toml"]) == 0
    assert command(["fleet", "new", "mine.toml"]) == 2
    assert "is there already" in capsys.readouterr().err


def test_without_ray_one_line_says_what_to_install(here: Path) -> None:
    make_subjects(here, 1)
    make_job(here)
    (here / "none").mkdir()
    (here / "none" / "ray.py").write_text("raise ImportError('not installed here')")
    path = os.pathsep.join(filter(None, (str(here / "none"), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-m", "forensics", "fleet", "run", "job.toml"],
        env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 4
    assert done.stderr.strip().splitlines()[-1] == (
        "forensics: a fleet needs Ray, which is not installed; pip install 'model-forensics[fleet]'"
    )
