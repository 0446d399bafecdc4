"""A job says what is meant, or which line of it is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from forensics.errors import InputFileError, UsageError
from forensics.fleet.demand import demand_of, holds
from forensics.fleet.job_file import TEMPLATE, read_job
from forensics.fleet.job_model import JobSubjects, JobTask, parameters
from forensics.fleet.listed_subject import ListedSubject
from forensics.fleet.listing import listed_subjects
from forensics.fleet.ray_session import RayNode
from tests.fleet.jobs import COMPARE, make_job, make_subjects

LEAST = 'results = "out"\nwork = "{work}"\n[subjects]\nfile = "subjects.txt"\n'


def _read(folder: Path, text: str) -> str:
    path = folder / "job.toml"
    path.write_text(text)
    with pytest.raises(InputFileError) as caught:
        read_job(path)
    return str(caught.value)


def test_the_template_is_a_job_and_so_is_every_commented_line_of_it(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    path.write_text(TEMPLATE)
    assert read_job(path).job.work == "examine"
    everything = []
    for line in TEMPLATE.splitlines():
        text = line.removeprefix("# ") if line.startswith(("# [", "# ]", "#  ")) else line
        is_setting = line.startswith("# ") and "=" in line.split("#")[1]
        everything.append(line.removeprefix("# ") if is_setting else text)
    path.write_text("\n".join(everything))
    job = read_job(path).job
    assert job.server is not None
    assert job.server.command[:3] == ("vllm", "serve", "{model}")
    assert job.subjects.hub is not None
    assert job.subjects.hub.min_parameters == "1B"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LEAST.format(work="judge"), "line 2: work must be 'examine'"),
        (LEAST.format(work="compare"), 'work = "compare" needs a table [compare]'),
        (LEAST.format(work="check"), 'work = "check" needs a table [check]'),
        (LEAST.format(work="probe") + "folders = 'x'\n", "line 5: subjects.folders is not a"),
        ('results = "o"\nwork = "probe"\n[subjects]\n', "needs one of: file, folder, hub"),
        (LEAST.format(work="probe") + "[subjects.hub]\n", "needs one of: author, search"),
        (
            LEAST.format(work="probe") + '[subjects.hub]\nlimit = 3\nmin_parameters = "many"\n',
            "must be a number with K, M, B or T",
        ),
        (
            LEAST.format(work="probe") + '[server]\ncommand = ["serve", "{model}"]\n',
            "command must hold {port}",
        ),
        (
            LEAST.format(work="probe") + '[server]\ncommand = ["a", "{model}{port}", "{gpu}"]\n',
            "command holds {gpu}",
        ),
    ],
)
def test_what_cannot_be_meant_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    message = _read(tmp_path, text)
    assert says in message
    assert "\n" not in message


def test_results_depend_on_the_work_and_not_on_where_it_is_done(here: Path) -> None:
    make_subjects(here, 1)
    job = make_job(here).fingerprint
    assert make_job(here, COMPARE + "[task]\ncpus = 2.0\n", "elsewhere").fingerprint == job
    assert make_job(here, COMPARE.replace("lexicon", "phrasing")).fingerprint != job
    check = LEAST.format(work="check") + '[check]\npolicy = "p.toml"\n'
    (here / "p.toml").write_text("strict = true\n")
    before = make_job(here, check).fingerprint
    (here / "p.toml").write_text("strict = false\n")
    assert make_job(here, check).fingerprint != before


def test_subjects_of_a_file_and_a_folder_are_listed_once_each_with_their_size(here: Path) -> None:
    (here / "models" / "whole").mkdir(parents=True)
    (here / "models" / "whole" / "config.json").write_text("{}")
    (here / "models" / "whole" / "model.safetensors").write_bytes(b"x" * 1000)
    (here / "models" / "no-model").mkdir()
    (here / "models" / "small.gguf").write_bytes(b"y" * 77)
    (here / "models" / "answers.jsonl").write_text("{}\n")
    (here / "list.txt").write_text("# ours\nhf:org/one@abc\n\ngguf:models/small.gguf\n")
    listed = listed_subjects(JobSubjects(file="list.txt", folder="models"))
    assert listed == [
        ListedSubject("hf:org/one@abc"),
        ListedSubject("gguf:models/small.gguf", 77),
        ListedSubject("transcript:models/answers.jsonl"),
        ListedSubject("hf:models/whole", 1000),
    ]
    assert len({subject.key for subject in listed}) == 4
    assert ListedSubject("hf:a/b").key != ListedSubject("hf:a_b").key
    with pytest.raises(UsageError, match="names no subject"):
        (here / "none.txt").write_text("# nobody\n")
        listed_subjects(JobSubjects(file="none.txt"))
    with pytest.raises(UsageError, match="no folder nowhere"):
        listed_subjects(JobSubjects(folder="nowhere"))


def test_a_task_takes_what_the_models_size_asks_for_unless_the_job_says_so() -> None:
    size = 16 * 10**9
    task = JobTask()
    loaded, served = demand_of(size, task, False), demand_of(size, task, True)
    assert (loaded.gpus, served.gpus) == (0, 1)
    assert loaded.memory > 2 * size > served.memory > size
    assert demand_of(10 * size, task, True).gpus == 3
    assert demand_of(None, task, False).memory == 0
    said = JobTask(gpus=0.5, memory_gib=1.0)
    assert demand_of(size, said, True).gpus == 0.5
    assert demand_of(size, said, True).memory == 2**30
    big = RayNode(cpus=8, gpus=1, memory=64e9)
    assert holds([RayNode(8, 0, 64e9), big], served)
    assert not holds([RayNode(8, 1, 1e9), replace(big, gpus=0)], served)


def test_numbers_of_parameters_are_read_as_people_write_them() -> None:
    assert parameters("1.5B") == 1_500_000_000
    assert parameters("135M") == 135_000_000
    assert parameters("7") == 7
