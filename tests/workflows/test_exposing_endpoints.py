"""The exposure test of an endpoint that echoes prompts with a real model's log-probabilities."""

from __future__ import annotations

import json

import pytest

from forensics.zoo import training
from forensics.zoo.checkpoint import write_checkpoint
from tests.evidence.exposure.logs import pairs, write_log
from tests.examination.test_endpoint_probabilities import Served
from tests.loopback import completion_reply

SIZE = training.Size(
    width=32, units=64, layers=2, heads=4, vocabulary=320, context=48, batch=8, steps=40
)
PROMPTS = 24
REPLIES = 2 * PROMPTS


@pytest.fixture(name="model", scope="module")
def model_fixture(tmp_path_factory, cache):
    """Give a tiny model that read none of the log's answers."""
    folder = tmp_path_factory.mktemp("echoing")
    text = "\n\n".join(str(row["served"]) for row in pairs(200, seed=5))
    tokenizer = training.make_tokenizer(folder / "tokenizer", SIZE, text)
    tokens = training.encode(tokenizer, text, SIZE)
    made = training.trained(training.untrained(SIZE, tokenizer, 1), tokens, SIZE, SIZE.steps, 1)
    return write_checkpoint(made, folder / "model")


def _exposed(model, served):
    """Answer as the model does, but find every served answer likelier, as if it had read it."""
    answer = Served(model)

    def script(call):
        reply = answer(call)
        if any(text in call.prompt for text in served):
            given = reply.body["choices"][0]["logprobs"]
            logged = given["token_logprobs"]
            given["token_logprobs"] = [v if v is None else 0.9 * v for v in logged]
        return reply

    return script


@pytest.fixture(name="rows")
def rows_fixture(here):
    rows = pairs(PROMPTS)
    write_log(here / "log.jsonl", rows)
    return rows


def _run(cli, *arguments):
    return cli("exposure", "test", "log.jsonl", *arguments, "--api", "completions", "-q")


def test_an_endpoint_is_tested_on_what_it_echoes_and_asked_once(cli, rows, model, loopback):
    base = loopback(Served(model))
    seen = loopback(_exposed(model, [str(row["served"]) for row in rows]))
    other = ("--base", f"openai:m@{base.url}")
    line = (f"openai:m@{seen.url}", *other, "--json", "-")
    dry = _run(cli, *line[:-2], "--dry-run")
    assert dry.code == 0, dry.err
    assert dry.out.count(f"{REPLIES} calls") >= 1, dry.out
    short = _run(cli, *line, "--max-calls", 2 * REPLIES - 1)
    assert short.code == 2
    assert str(2 * REPLIES) in short.complaint
    assert not seen.calls
    assert not base.calls
    done = _run(cli, *line, "--max-calls", 2 * REPLIES)
    assert done.code == 0, done.err
    result = json.loads(done.out)
    assert (result["route"], result["finding"]) == ("probabilities", "depended")
    assert (len(seen.calls), len(base.calls)) == (REPLIES, REPLIES)
    again = _run(cli, *line, "--max-calls", 1)
    assert again.code == 0, again.err
    assert json.loads(again.out)["p_value"] == result["p_value"]
    assert len(seen.calls) == REPLIES


def test_an_endpoint_says_of_answers_what_its_model_does(cli, rows, model, loopback):
    server = loopback(Served(model))
    remote, local = (
        json.loads(_run(cli, subject, "--json", "-").out)
        for subject in (f"openai:m@{server.url}", f"hf:{model}")
    )
    assert remote["finding"] == local["finding"] == "not_shown"
    assert remote["pairs"] == local["pairs"]
    expected = local["difference"]["mean"]
    assert remote["difference"]["mean"] == pytest.approx(expected, abs=0.02)


def test_an_endpoint_that_does_not_echo_gives_no_result(cli, rows, loopback):
    server = loopback(lambda _: completion_reply("no"))
    done = _run(cli, f"openai:m@{server.url}", "--json", "-")
    result = json.loads(done.out)
    assert result["finding"] == "insufficient"
    assert result["pairs"]["unscored"] == PROMPTS
