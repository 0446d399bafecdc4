"""Comparing endpoints, end to end against a server on this machine."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from forensics.transcripts.transcript import read_transcript
from tests.asking import ONCE
from tests.builders import essays
from tests.cli.cli import ONE, QUICK, ROOT, forensics
from tests.kills import campaign
from tests.loopback import Call, Reply, chat_reply, error_reply

FULL = Path("/dev/full")
ECHO = chat_reply("An answer.")
ASK = ("--limit", "12", "--max-tokens", "16", *ONCE)


def _saying(shift: int):
    texts = essays(12, shift)
    return lambda call: chat_reply(texts[hash(call.prompt) % 12])


def test_endpoints_that_say_nothing_are_insufficient_never_independent(cli, loopback):
    one, two = loopback(lambda call: chat_reply("")), loopback(lambda call: chat_reply("  \n"))
    pair = (f"openai:m@{one.url}", f"openai:m@{two.url}")
    shown = cli("compare", *pair, *ASK, *QUICK, "--verbose")
    assert shown.code == 0
    assert "Insufficient data" in shown.out
    case = json.loads(cli("compare", *pair, *ASK, *QUICK, "--json", "-").out)
    assert case["verdict"]["status"] == "insufficient"
    assert {answer["answer"] for answer in case["verdict"]["answers"]} == {"cannot be told"}
    assert "independent" not in json.dumps(case["verdict"] | {"answers": ()})
    assert (case["a"]["empty"], case["b"]["empty"]) == (12, 12)
    assert len(one.calls) == 12  # the second run asked nothing again


def test_one_name_at_two_addresses_shares_no_answer(cli, loopback, here):
    one, two = (loopback(_saying(shift)) for shift in (0, 1))
    result = cli(
        "compare", f"openai:m@{one.url}", f"openai:m@{two.url}", *ASK, *QUICK, "--json", "-"
    )
    case = json.loads(result.out)
    assert (len(one.calls), len(two.calls)) == (12, 12)
    assert len(list((here / "transcripts").glob("*.jsonl"))) == 2
    for prompt in case["prompts"]:
        assert prompt["a"][0]["text"] in essays(12, 0)
        assert prompt["b"][0]["text"] in essays(12, 1)
    assert case["a"]["transcript_sha256"] != case["b"]["transcript_sha256"]


def test_one_endpoint_against_itself_is_asked_once(cli, loopback):
    server = loopback(_saying(0))
    spec = f"openai:m@{server.url}"
    case = json.loads(cli("compare", spec, spec, *ASK, *QUICK, "--json", "-").out)
    assert len(server.calls) == 12
    assert "same transcript" in case["comparability"][0]


def test_a_live_model_is_asked_what_a_transcript_holds(cli, loopback):
    server = loopback(_saying(1))
    result = cli("compare", "a.jsonl", f"openai:m@{server.url}", *QUICK, "--json", "-")
    assert json.loads(result.out)["overlap"]["both"] == 20
    assert {call.prompt for call in server.calls} == {f"Question {i}?" for i in range(20)}


def test_a_model_that_always_refuses_alike_is_compared_without_crashing(cli, loopback):
    server = loopback(lambda call: chat_reply("I'm sorry, but I can't help with that."))
    other = loopback(lambda call: chat_reply("I'm sorry, but I can't help with that."))
    pair = (f"openai:m@{server.url}", f"openai:n@{other.url}")
    result = cli("compare", *pair, *ASK, *QUICK, "--verbose")
    assert result.code == 0
    assert "Insufficient data" in result.out
    assert "the same answer to every prompt" in " ".join(result.out.split())


def test_an_echoed_name_that_changes_mid_run_is_flagged(cli, loopback):
    def script(call: Call) -> Reply:
        reply = chat_reply(essays(12)[call.number % 12])
        assert isinstance(reply.body, dict)
        return Reply(reply.body | {"model": "m-1" if call.number < 6 else "m-2"})

    server = loopback(script)
    result = cli("compare", f"openai:m@{server.url}", "a.jsonl", *QUICK, "--json", "-")
    notes = json.loads(result.out)["comparability"]
    assert any("changed mid-run" in note for note in notes)


def test_answers_before_a_failure_are_kept_and_not_asked_again(cli, loopback, here):
    broken = [True]

    def script(call: Call) -> Reply:
        if broken[0] and call.number >= 5:
            return error_reply(401, "bad key")
        return chat_reply(f"Answer to {call.prompt}")

    server = loopback(script)
    command = ("probe", f"openai:m@{server.url}", *ASK, "--concurrency", 1, "-o", "t.jsonl", "-q")
    failed = cli(*command)
    assert failed.code == 4
    assert failed.complaint
    kept = read_transcript(here / "t.jsonl")
    assert kept.count("ok") == 5
    broken[0] = False
    asked = len(server.calls)
    assert cli(*command).code == 0
    assert len(server.calls) - asked == 7
    assert read_transcript(here / "t.jsonl").count("ok") == 12


@pytest.mark.parametrize(("failing", "code"), [(12, 4), (7, 4), (6, 0), (0, 0)])
def test_more_failed_calls_than_answers_are_a_failure_that_keeps_the_answers(
    cli, loopback, here, failing, code
):
    refused = ["Question"]

    def script(call: Call) -> Reply:
        # Other reasons each time: one reason alone would end the run before its end.
        bad = refused and call.number < failing
        return error_reply(422, f"no {call.number}", code=f"e{call.number}") if bad else ECHO

    server = loopback(script)
    command = ("probe", f"openai:m@{server.url}", *ASK, "-o", "t.jsonl", "--concurrency", 1)
    result = cli(*command)
    assert result.code == code
    share = "every call" if failing == 12 else f"{failing} of 12 calls"
    assert (f"{share} to openai:m@" in result.err) == bool(code)
    assert ("run again to ask only what is missing" in result.err) == bool(code)
    assert read_transcript(here / "t.jsonl").count("ok") == 12 - failing
    refused.clear()
    assert cli(*command).code == 0
    assert len(server.calls) == 12 + failing
    assert read_transcript(here / "t.jsonl").count("ok") == 12


def test_a_second_writer_waits_or_is_told_and_nothing_is_asked_twice(loopback, here):
    server = loopback(lambda call: Reply(chat_reply("fine").body, delay=0.1))
    command = ("probe", f"openai:m@{server.url}", *ASK, "-o", "t.jsonl", "--concurrency", 1)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(forensics, *command, cwd=here)
        deadline = time.monotonic() + 60
        while not server.calls and time.monotonic() < deadline:
            time.sleep(0.02)
        second = forensics(*command, cwd=here)
        assert first.result().code == 0
    if second.code:  # it came while the first was still writing
        assert second.code == 2
        assert "is being written by another run" in second.err
    assert len(server.calls) == 12
    assert forensics(*command, cwd=here).code == 0
    assert len(server.calls) == 12


def test_killed_runs_lose_nothing_and_ask_nothing_twice(loopback, tmp_path):
    assert campaign(loopback, tmp_path, kills=2, prompts=24, seed=5) > 0


def test_a_dry_run_asks_nothing_and_gives_the_exact_number(cli, loopback, here):
    server = loopback()
    result = cli("probe", f"openai:m@{server.url}", *ASK, "--samples", 3, "--dry-run")
    assert result.code == 0
    assert result.out.startswith("36 calls")
    assert f"{36 * 16} answer tokens" in result.out
    assert server.calls == []
    assert sorted(p.name for p in here.iterdir()) == ["a.jsonl", "b.jsonl"]


def test_a_full_disk_keeps_what_was_written_and_the_run_goes_on_later(loopback, here):
    server = loopback(lambda call: chat_reply(f"Answer to {call.prompt}. " * 20))
    command = ("probe", f"openai:m@{server.url}", *ASK, "-o", "t.jsonl", "--concurrency", 1, "-q")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, 16_000))

    full = forensics(*command, cwd=here, limit=limit)
    assert full.code == 4
    assert "cannot write t.jsonl" in full.complaint
    assert "answers so far are kept" in full.err
    kept = read_transcript(here / "t.jsonl").count("ok")
    assert 0 < kept < 12
    asked = len(server.calls)
    assert forensics(*command, cwd=here).code == 0
    assert len(server.calls) - asked == 12 - kept
    assert read_transcript(here / "t.jsonl").count("ok") == 12


def test_a_disk_full_from_the_first_line_on_does_not_block_the_next_run(loopback, here):
    server = loopback(lambda call: chat_reply("words " * 200))
    command = ("probe", f"openai:m@{server.url}", *ASK, "-o", "t.jsonl", "--concurrency", 1, "-q")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))

    assert "cannot write" in forensics(*command, cwd=here, limit=limit).complaint
    assert forensics(*command, cwd=here).code == 0
    assert read_transcript(here / "t.jsonl").count("ok") == 12


@pytest.mark.skipif(not FULL.exists(), reason="this system has no full device")
@pytest.mark.parametrize("option", [(), ("--json", "-"), ("--markdown", "-")])
def test_a_full_disk_behind_stdout_is_one_line(here, option):
    with FULL.open("w") as full:
        result = forensics("compare", "a.jsonl", "b.jsonl", *ONE, *option, cwd=here, stdout=full)
    assert result.code == 4
    assert "No space left" in result.complaint


def test_an_interrupted_run_leaves_a_valid_file_and_exits_130(loopback, here):
    server = loopback(lambda call: Reply(chat_reply("fine").body, delay=0.2))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "forensics",
            "probe",
            "--quiet",
            f"openai:m@{server.url}",
            "-o",
            "t.jsonl",
            "--concurrency",
            "1",
            "--max-tokens",
            "8",
        ],
        cwd=here,
        env=environment,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    deadline = time.monotonic() + 60
    while len(server.calls) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "forensics: interrupted; answers so far are kept\n"
    assert read_transcript(here / "t.jsonl").count("ok") >= 3
