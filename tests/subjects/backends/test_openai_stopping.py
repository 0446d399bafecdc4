"""The endpoint backend against a real server: stopped runs lose and repeat nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forensics.errors import BackendError, OutputError, UsageError
from forensics.examination.collect import transcript_name
from forensics.subjects.subject import parse_subject
from forensics.transcripts.transcript import Response, read_transcript
from tests.loopback import (
    Loopback,
    Reply,
    Script,
    echo,
    error_reply,
)
from tests.subjects.backends.endpoint import (
    KEY,  # noqa: F401
    SETTINGS,
    Start,
    make_backend,
    make_requests,
    run_collect,
)


def test_answers_received_before_a_fatal_error_are_kept(loopback: Start) -> None:
    server = loopback(lambda call: echo(call) if call.number < 3 else error_reply(401))
    found: list[Response] = []
    with pytest.raises(BackendError):
        make_backend(server.url, concurrency=1).answer(make_requests(9), SETTINGS, found.append)
    assert [r.status for r in found] == ["ok"] * 3


@pytest.mark.parametrize("error", [OutputError("disk full"), KeyboardInterrupt()])
def test_what_the_sink_raises_surfaces_as_it_is(loopback: Start, error: BaseException) -> None:
    server = loopback()
    seen: list[Response] = []

    def sink(response: Response) -> None:
        seen.append(response)
        raise error

    with pytest.raises(type(error)) as caught:
        make_backend(server.url, concurrency=8).answer(make_requests(40), SETTINGS, sink)
    assert caught.value is error
    assert len(seen) == 1


CHILD = """
import signal, sys
from pathlib import Path
from forensics.subjects.backends.backend import BackendOptions, GenerationSettings
from forensics.subjects.backends.openai import OpenAIBackend
from forensics.examination.collect import collect
from forensics.subjects.subject import parse_subject
from forensics.suites.suite import Message, Prompt, Suite
signal.signal(signal.SIGINT, signal.default_int_handler)
url, path, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
prompts = tuple(Prompt(f"p{i}", (Message("user", f"Question {i}"),)) for i in range(count))
subject = parse_subject("openai:m", base_url=url)
backend = OpenAIBackend(subject, BackendOptions(concurrency=4))
try:
    collect(Suite("test", "1", "Test", prompts), subject, backend,
            GenerationSettings(max_tokens=16), path)
except KeyboardInterrupt:
    sys.exit(130)
"""


def lines_in(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def start_child(server: Loopback, path: Path, count: int) -> subprocess.Popen[bytes]:
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, server.url, str(path), str(count)],
        env={**os.environ, "PYTHONPATH": str(root)},
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_keeps_its_answers_and_repeats_none(
    loopback: Start, tmp_path: Path, blow: signal.Signals
) -> None:
    stalled: Script = lambda call: echo(call) if call.number < 6 else Reply(hang=True)  # noqa: E731
    server = loopback(stalled)
    path = tmp_path / "t.jsonl"
    child = start_child(server, path, 12)
    deadline = time.monotonic() + 60
    while lines_in(path) < 6 and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    child.send_signal(blow)
    _, stderr = child.communicate(timeout=30)
    assert child.returncode == (130 if blow == signal.SIGINT else -blow)
    assert b"Traceback" not in stderr
    kept = read_transcript(path)
    written = {r.prompt.messages[0].content for r in kept.responses}
    assert len(written) == 6
    assert kept.count("ok") == 6

    server.script = echo
    before = len(server.calls)
    transcript = run_collect(server, path, 12)
    assert transcript.count("ok") == 12
    assert len(server.calls) - before == 6
    assert {server.count(prompt) for prompt in written} == {1}


def test_one_name_at_two_addresses_never_shares_an_answer(loopback: Start, tmp_path: Path) -> None:
    first, second = loopback(), loopback()
    path = tmp_path / "t.jsonl"
    run_collect(first, path, 2)
    with pytest.raises(UsageError, match="base_url"):
        run_collect(second, path, 2)
    assert second.calls == []
    names = {
        transcript_name(
            parse_subject("openai:m", base_url=server.url),
            make_backend(server.url).identity(),
            SETTINGS,
        )
        for server in (first, second)
    }
    assert len(names) == 2


def test_a_second_run_asks_only_what_failed(loopback: Start, tmp_path: Path) -> None:
    bad = error_reply(400, "too long", code="context_length_exceeded")
    server = loopback(lambda call: bad if call.prompt == "Question 1" else echo(call))
    path = tmp_path / "t.jsonl"
    assert run_collect(server, path, 3).count("error") == 1
    server.script = echo
    assert run_collect(server, path, 3).count("ok") == 3
    assert [server.count(f"Question {i}") for i in range(3)] == [1, 2, 1]
    assert all("chain" in json.loads(line) for line in path.read_text().splitlines())
