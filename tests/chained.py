"""Real transcripts for tests: answers collected from a loopback server, and cases made of them."""

from __future__ import annotations

import json
import random
from pathlib import Path

from forensics.cli import run
from tests.asking import ONCE
from tests.loopback import Call, Loopback, Reply, chat_reply

WORDS = """river stone market winter engine garden letter number answer question careful plain small
great quiet morning paper window travel music planet history weather simple reason object measure
colour shadow forest bridge harbour kitchen teacher doctor village mountain story market""".split()
PROMPTS = 16


def write_suite(path: Path, count: int = PROMPTS) -> Path:
    """Write a suite file of `count` prompts."""
    topics = [{"id": f"q{i}", "category": "open", "prompt": f"Tell me about {w} {i}."}
              for i, w in enumerate(WORDS[:count])]  # fmt: skip
    suite = {"name": "short", "version": "1", "title": "Short", "prompts": topics}
    path.write_text(json.dumps(suite))
    return path


def speaker(model: str, claim: str = "") -> Loopback:
    """Return an endpoint that answers the same prompt the same way; `claim` starts answers."""

    def answer(call: Call) -> Reply:
        rng = random.Random(f"{model} {call.prompt}")
        text = " ".join(rng.choice(WORDS) for _ in range(60))
        reply = chat_reply(f"{claim} About {call.prompt} {text}.".strip())
        body = reply.body
        assert isinstance(body, dict)
        body |= {"model": model, "system_fingerprint": f"fp_{model}", "id": f"chat-{call.number}"}
        return Reply(body, headers={"x-request-id": f"req-{call.number}"})

    return Loopback(answer)


def probe(folder: Path, model: str, claim: str = "", counts: tuple[int, ...] = (PROMPTS,)) -> Path:
    """Collect a transcript over HTTP, one session for each count, and return its path."""
    path = folder / f"{model}.jsonl"
    with speaker(model, claim) as server:
        for count in counts:
            suite = write_suite(folder / "suite.json", count)
            subject = f"openai:{model}@{server.url}"
            asked = ["--suite", str(suite), "--max-tokens", "64", *ONCE]
            code = run(["probe", subject, *asked, "-o", str(path)])
            assert code == 0
    return path


def make_case(folder: Path, a: Path, b: Path, *options: str) -> Path:
    """Compare two transcripts and return the case's path."""
    case = folder / "case.json"
    subjects = [f"transcript:{a}", f"transcript:{b}"]
    code = run(["compare", *subjects, "--without", "embedding", "--json", str(case), *options])
    assert code == 0
    return case
