"""How models are asked unless told: 64 prompts, three answers each, at temperature 0.7."""

from __future__ import annotations

import pytest

import forensics
from forensics.suites.loading import load_suite
from tests.asking import ONCE

NOBODY = "openai:m@http://127.0.0.1:9/v1"
CALLS = {
    (): 64 * 3,
    ("--limit", "202"): 202 * 3,
    ("--all-prompts",): 202 * 3,
    ("--category", "choice"): 20 * 3,
    ONCE: 64,
}


@pytest.mark.parametrize(("options", "calls"), CALLS.items())
def test_a_probe_asks_64_prompts_three_times_unless_told(cli, options, calls):
    result = cli("probe", NOBODY, *options, "--dry-run")
    assert result.code == 0, result.err
    assert result.out.startswith(f"{calls} calls to")


def test_the_usual_prompts_are_of_every_category():
    suite = load_suite("core")
    usual = [prompt.category for prompt in suite.select(limit=suite.usual).prompts]
    assert {category: usual.count(category) for category in usual} == dict.fromkeys(
        suite.categories, 4
    )


def test_a_search_asks_once_and_a_baseline_at_temperature_0(cli):
    assert "[default: 1; " in cli("trace", "--help").out
    assert "0.0; 0<=x<=5]" in cli("baseline", "save", "--help").out
    assert "[default: 3; " in cli("compare", "--help").out


def test_python_asks_as_the_command_line_does(loopback, tmp_path):
    from tests.loopback import chat_reply

    server = loopback(lambda call: chat_reply(f"{call.prompt} indeed"))
    subject = f"openai:m@{server.url}"
    transcript = forensics.probe(subject, limit=2, output=tmp_path / "m.jsonl")
    assert len(transcript.responses) == len(server.calls) == 6
    assert {call.body["temperature"] for call in server.calls} == {0.7}
