"""Probes that are killed at random points and run again: what they leave is held to a server's log.

Used by a quick test and by the campaign in `tests/long`.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.asking import ONCE
from tests.cli.cli import ROOT
from tests.loopback import Call, Loopback, Reply, chat_reply


def campaign(
    start: Callable[..., Loopback], folder: Path, *, kills: int, prompts: int, seed: int
) -> int:
    """Kill probes of one suite with SIGKILL, resume them, and check that nothing is lost.

    A trial is one file: killed one to three times, then run to its end.

    Args:
        start: starts a server.
        folder: for suite and transcripts.
        kills: how many in all.
        prompts: in the suite.
        seed: of the random points.

    Returns:
        How many of the kills came while answers were still open.
    """
    chance = random.Random(seed)
    suite = _suite(folder / "suite.yaml", prompts)
    midway = trial = done = 0
    while done < kills:
        server = start(_slow(chance.randrange(10**6)))
        blows = min(1 + trial % 3, kills - done)
        midway += _trial(server, suite, folder / f"t{trial}.jsonl", prompts, blows, chance)
        done += blows
        trial += 1
    return midway


def _suite(path: Path, prompts: int) -> Path:
    entries = [
        f"  - {{id: p-{i}, category: open, language: en, prompt: 'Question {i}, please?'}}\n"
        for i in range(prompts)
    ]
    head = (
        'name: killed\nversion: "1.0"\ntitle: Killed\nlicense: CC0-1.0\ndescription: For kills.\n'
        "categories: {open: Anything}\nprompts:\n"
    )
    path.write_text(head + "".join(entries), encoding="utf-8")
    return path


def _slow(seed: int) -> Callable[[Call], Reply]:
    def script(call: Call) -> Reply:
        delay = random.Random(f"{seed} {call.number}").uniform(0.01, 0.12)
        words = f"To {call.prompt}: " + "words that take a while to write " * 20
        return Reply(chat_reply(words).body, delay=delay)

    return script


def _trial(
    server: Loopback, suite: Path, path: Path, prompts: int, blows: int, chance: random.Random
) -> int:
    midway = 0
    kept: list[bytes] = []
    for _ in range(blows):
        before = len(server.calls)
        process = _probe(server, suite, path)
        _wait_for(lambda: len(server.calls) > before or process.poll() is not None)  # noqa: B023
        time.sleep(chance.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        _not_asked_again(server, kept, before)
        kept = _unchanged(kept, path)
        midway += len(kept) < prompts
    before = len(server.calls)
    process = _probe(server, suite, path)
    _, complaint = process.communicate(timeout=120)
    assert process.returncode == 0, complaint
    _not_asked_again(server, kept, before)
    lines = [json.loads(line) for line in _unchanged(kept, path)]
    assert Counter(line["prompt_id"] for line in lines) == {f"p-{i}": 1 for i in range(prompts)}
    assert {line["status"] for line in lines} == {"ok"}
    assert _run("verify", str(path)).wait(timeout=60) == 0
    return midway


def _not_asked_again(server: Loopback, kept: list[bytes], before: int) -> None:
    """Check that calls from number `before` on ask nothing that was on file when they began."""
    written = {json.loads(line)["messages"][-1][1] for line in kept}
    assert not [call.prompt for call in server.calls[before:] if call.prompt in written]


def _unchanged(kept: list[bytes], path: Path) -> list[bytes]:
    now = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    assert now[: len(kept)] == kept
    return now


def _wait_for(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happens() and time.monotonic() < deadline:
        time.sleep(0.01)


def _probe(server: Loopback, suite: Path, path: Path) -> subprocess.Popen[bytes]:
    return _run("probe", f"openai:m@{server.url}", "--suite", str(suite), *ONCE, "-o", str(path))


def _run(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "forensics", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
