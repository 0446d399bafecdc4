"""A server for one model: waited for, asked, recorded, and gone with whoever asked for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from forensics.errors import BackendError, MissingDependencyError
from forensics.fleet.job_file import JobFile, read_job
from forensics.fleet.job_model import JobServer
from forensics.fleet.model_server import served_model
from forensics.fleet.subject_result import SubjectResult, read_result
from forensics.subjects.subject import parse_subject
from forensics.transcripts.transcript import read_transcript
from tests.fleet.jobs import contents, run_here
from tests.subjects.backends.tiny_model import make_tiny_model

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="a server ends with its process group, which Windows has not"
)
# Any program that answers on a port can stand where nothing of the OpenAI protocol is asked.
FILES = (sys.executable, "-m", "http.server", "{port}", "--bind", "127.0.0.1", "-d", "{model}")
PLAIN = JobServer(command=FILES, engine="files", version_command=(), health="/config.json")
_SERVE = """
import sys, time
from forensics.fleet.model_server import served_model
from forensics.subjects.subject import parse_subject
from tests.fleet.test_model_server import PLAIN
with served_model(PLAIN, parse_subject(sys.argv[1])) as served:
    print(served.base_url, flush=True)
    time.sleep(60)
"""


def test_a_server_runs_on_a_free_port_of_loopback_while_the_block_does(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "tiny")
    subject = parse_subject(f"hf:{folder}")
    with served_model(PLAIN, subject) as first, served_model(PLAIN, subject) as second:
        assert first.base_url != second.base_url
        assert first.base_url.startswith("http://127.0.0.1:")
        assert (first.engine, first.precision, first.model) == ("files", "bfloat16", str(folder))
        assert _answers(first.base_url)
    assert not _answers(first.base_url)


def test_a_server_ends_when_its_task_is_killed(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "tiny")
    task = subprocess.Popen(
        [sys.executable, "-c", _SERVE, f"hf:{folder}"], stdout=subprocess.PIPE, text=True
    )
    assert task.stdout is not None
    address = task.stdout.readline().strip()
    started = psutil.Process(task.pid).children(recursive=True)
    assert len(started) == 2  # the guard, and the server
    assert _answers(address)
    os.kill(task.pid, signal.SIGKILL)
    task.wait()
    _, alive = psutil.wait_procs(started, timeout=20)
    assert alive == []


def test_a_server_that_ends_or_is_never_ready_is_one_line(tmp_path: Path) -> None:
    subject = parse_subject(f"hf:{make_tiny_model(tmp_path / 'tiny')}")
    says = "import sys; sys.exit('no GPU is there, {model} {port}')"
    ends = JobServer(command=(sys.executable, "-c", says), version_command=())
    with (
        pytest.raises(BackendError, match="ended at once: no GPU is there"),
        served_model(ends, subject),
    ):
        pass
    slow = PLAIN.model_copy(update={"startup": 0.3, "health": "/never"})
    begun = time.monotonic()
    with pytest.raises(BackendError, match=r"was not ready in 0\.3 s"), served_model(slow, subject):
        pass
    assert time.monotonic() - begun < 30
    absent = JobServer(command=("no-such-server", "{model}", "{port}"))
    with (
        pytest.raises(MissingDependencyError, match="not installed on this node"),
        served_model(absent, subject),
    ):
        pass


def _answers(address: str) -> bool:
    try:
        return httpx.get(address.replace("/v1", "/config.json"), trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


JOB = """\
results = "{results}"
work = "probe"
scratch = "{results}-scratch"
[subjects]
file = "subjects.txt"
[asking]
suite = "core"
limit = 3
samples = 2
temperature = 0.0
max_tokens = 6
concurrency = 1
[server]
command = [
  "{python}", "-m", "transformers.cli.transformers", "serve", "{{model}}",
  "--host", "127.0.0.1", "--port", "{{port}}", "--dtype", "{{dtype}}", "--device", "cpu",
]
engine = "transformers serve"
version_command = ["{python}", "-c", "import transformers; print(transformers.__version__)"]
dtype = "float32"
"""


def _job(here: Path, results: str) -> JobFile:
    text = JOB.format(results=results, python=sys.executable)
    (here / "job.toml").write_text(text)
    return read_job(here / "job.toml")


def _result(here: Path, results: str) -> SubjectResult:
    ((_, content),) = contents(here / results / "results").items()
    result = read_result(content)
    assert result is not None
    return result


@pytest.mark.slow
@pytest.mark.demo
def test_a_model_that_a_real_server_runs_is_asked_and_recorded(here: Path) -> None:
    pytest.importorskip("uvicorn", reason="transformers[serving] is not installed")
    (here / "subjects.txt").write_text("demo:smollm2\n")
    counted = run_here(_job(here, "results"))
    assert counted.done == 1, contents(here / "results" / "failed")
    result = _result(here, "results")
    assert result.served_by is not None
    assert (result.served_by.engine, result.served_by.precision) == (
        "transformers serve",
        "float32",
    )
    assert result.served_by.version.startswith("5.")
    assert (result.findings[0].answers, result.findings[0].errors) == (6, 0)
    path = here / "results" / "documents" / result.key / "transcript.jsonl"
    transcript = read_transcript(path)
    identity = transcript.manifests[0].identity
    assert identity["engine"] == "transformers serve"
    assert identity["dtype"] == "float32"
    assert "127.0.0.1" not in str(identity)  # the port is another one every time
    assert all(response.text.strip() for response in transcript.responses)
    kept = len(path.read_bytes())
    # Begun anew elsewhere, as after the death of a node: nothing is asked twice.
    again = _job(here, "again")
    (here / "results-scratch").rename(here / "again-scratch")
    assert run_here(again).done == 1
    assert _result(here, "again") == result
    other = here / "again" / "documents" / result.key / "transcript.jsonl"
    assert len(other.read_bytes()) == kept
