"""The doctor, against real servers that behave well, badly and with hostility."""

from __future__ import annotations

import itertools
import json

import pytest

from forensics.examination.doctor import MAX_CALLS, MAX_TOKENS, Check, diagnose, usable
from forensics.subjects.backends.backend import BackendOptions
from forensics.subjects.subject import parse_subject
from tests.builders import essays, write
from tests.cli.conftest import cli_fixture, here_fixture
from tests.loopback import Call, Loopback, Reply, chat_reply, completion_reply, error_reply

__all__ = ["cli_fixture", "here_fixture"]

KEY = "sk-test-4Zq9wLrT7bKd2mVx"
HOSTILE = "<script>\x1b[31m[bold]\x00\u202e\ud800 [/bold]"


def good(call: Call) -> Reply:
    """Answer as a well-behaved endpoint does, log probabilities included."""
    system = any(m["role"] == "system" for m in call.body["messages"])
    reply = chat_reply("ORCHID Rhine, Nile, Amazon." if system else "Rhine, Nile, Amazon.")
    assert isinstance(reply.body, dict)
    if call.body.get("logprobs"):
        reply.body["choices"][0]["logprobs"] = {"content": [{"token": "R", "logprob": -0.1}]}
    return reply


def examine(server: Loopback, spec: str = "openai:m", **options) -> dict[str, Check]:
    checks = diagnose(parse_subject(spec, server.url), BackendOptions(**options))
    assert len({check.name for check in checks}) == len(checks)
    assert len(server.calls) <= MAX_CALLS
    return {check.name: check for check in checks}


@pytest.fixture(autouse=True)
def _no_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def test_a_good_endpoint_passes_every_check(loopback, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server = loopback(good)
    checks = examine(server)
    assert {check.result for check in checks.values()} == {"ok"}, checks
    assert len(server.calls) == 4
    assert all(call.headers["Authorization"] == f"Bearer {KEY}" for call in server.calls)
    assert all(call.body["temperature"] == 0 for call in server.calls)
    assert {call.body["max_tokens"] for call in server.calls} == {MAX_TOKENS}
    assert server.calls[0].body == server.calls[1].body  # seed included: really the same call
    assert [call.body.get("logprobs") for call in server.calls] == [None, None, None, True]
    assert "followed" in checks["system prompt"].detail
    assert "7 tokens in and 3 out" in checks["usage"].detail


def test_completions_are_asked_in_their_own_form(loopback):
    server = loopback(lambda call: completion_reply("x"))
    checks = examine(server, api="completions")
    assert {call.path for call in server.calls} == {"/v1/completions"}
    assert server.calls[-1].body["logprobs"] == 5
    assert checks["system prompt"].result == "ok"
    assert checks["usage"].result == checks["logprobs"].result == "warn"


@pytest.mark.parametrize(
    ("reply", "failing", "says", "advice"),
    [
        (error_reply(401, "bad key"), "key", "wants a key", "OPENAI_API_KEY"),
        (error_reply(402, "pay"), "key", "no quota", "billing"),
        (error_reply(403, "not yours"), "key", "refuses access", "may use"),
        (error_reply(404, "no model m"), "answers", "does not know model", "model's name"),
        (error_reply(404, "Not Found"), "answers", "nothing answers at", "--base-url"),
        (error_reply(400, "odd"), "answers", "HTTP 400", "--api"),
        (error_reply(429, "slow down"), "answers", "HTTP 429", "wait"),
        (error_reply(429, "x", {"Retry-After": "3600"}), "answers", "3600 s", "wait"),
        (error_reply(503, "loading"), "answers", "HTTP 503", "later"),
        (Reply("<!doctype html><title>x"), "answers", "HTML", "--base-url"),
        (Reply({"hello": 1}), "answers", "no `choices`", "--base-url"),
        (Reply("[" * 5000), "answers", "not JSON", "--base-url"),
        (Reply(b""), "answers", "empty", "--base-url"),
        (Reply("", 302, {"Location": "http://evil/"}), "answers", "redirects", "--base-url"),
        (Reply(drop=True), "reachable", "connection failed", "server"),
        (chat_reply(""), "answers", "an empty answer", "template"),
    ],
)
def test_what_stands_in_the_way_is_named_with_what_to_do(loopback, reply, failing, says, advice):
    server = loopback([reply])
    checks = examine(server)
    failed = [check for check in checks.values() if check.result == "fail"]
    assert [check.name for check in failed] == [failing], checks
    assert says in failed[0].detail and advice in failed[0].advice
    assert not usable(tuple(checks.values()))
    if says != "an empty answer":
        assert len(server.calls) == 1  # nothing more is asked of what does not work


def test_a_rejected_key_is_named_by_its_variable_only(loopback, monkeypatch):
    monkeypatch.setenv("MY_KEY", KEY)
    server = loopback([error_reply(401, f"Incorrect API key provided: {KEY}")])
    checks = diagnose(parse_subject("openai:m", server.url, "MY_KEY"))
    assert [(c.name, c.result) for c in checks] == [("reachable", "ok"), ("key", "fail")]
    assert "MY_KEY" in checks[1].detail and KEY not in repr(checks)


def test_a_system_role_that_is_refused_is_told(loopback):
    def script(call: Call) -> Reply:
        if call.body["messages"][0]["role"] == "system":
            return error_reply(400, "System role not supported")
        return good(call)

    server = loopback(script)
    check = examine(server)["system prompt"]
    assert check.result == "warn" and "put before the first question" in check.detail


def test_an_unknown_path_that_is_answered_with_200_is_told_by_its_address(loopback):
    server = loopback([Reply({"error": "Unexpected endpoint or method. (POST /chat/completions)"})])
    checks = {c.name: c for c in diagnose(parse_subject("openai:m", server.root))}
    assert "usually ends in /v1" in checks["answers"].detail
    assert "--base-url" in checks["answers"].advice
    assert len(server.calls) == 1


def test_a_variable_that_is_not_set_is_a_failing_key(loopback):
    [check] = diagnose(parse_subject("openai:m", loopback(good).url, "MY_UNSET_KEY"))
    assert (check.name, check.result) == ("key", "fail")


def test_a_key_that_cannot_be_sent_fails_without_a_call(loopback, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-\u201cquoted\u201d")
    server = loopback(good)
    assert [(c.name, c.result) for c in examine(server).values()] == [("key", "fail")]
    assert not server.calls


def test_nobody_listens():
    with Loopback() as server:
        url = server.url
    [check] = diagnose(parse_subject("openai:m", url))
    assert (check.name, check.result) == ("reachable", "fail")
    assert "cannot reach" in check.detail and "start the server" in check.advice


def test_a_server_that_hangs_is_given_up_after_one_timeout(loopback):
    server = loopback([Reply(hang=True)])
    [check] = examine(server, timeout=0.3).values()
    assert check.result == "fail" and "0.3 s" in check.detail
    assert len(server.calls) == 1


def test_refused_parameters_stay_within_the_calls(loopback):
    refused = ["max_tokens", "temperature", "seed"]

    def picky(call: Call) -> Reply:
        for name in refused:
            if name in call.body:
                return error_reply(400, f"Unsupported parameter: '{name}'", param=name)
        return good(call)

    server = loopback(picky)
    checks = examine(server)  # three refused, three answered: none is left for logprobs
    assert len(server.calls) == MAX_CALLS
    assert checks["settings"].detail == "refuses seed and temperature"
    assert "calls were spent" in checks["logprobs"].detail
    assert usable(tuple(checks.values()))

    refused.pop()
    server = loopback(picky)
    checks = examine(server)  # learned once, so that nothing is refused twice
    assert len(server.calls) == MAX_CALLS
    assert checks["logprobs"].result == "ok"


def test_a_wandering_model_is_noticed(loopback):
    counter = itertools.count()

    def script(call: Call) -> Reply:
        reply = chat_reply(f"Answer {next(counter)}")
        assert isinstance(reply.body, dict)
        reply.body["model"] = f"other-{len(server.calls) % 2}"
        return reply

    server = loopback(script)
    checks = examine(server)
    assert checks["determinism"].result == "warn" and "--samples" in checks["determinism"].advice
    assert checks["model"].detail.startswith("changes between calls")
    assert usable(tuple(checks.values()))


@pytest.mark.parametrize(
    ("echoed", "result"),
    [("m", "ok"), ("m-2024-08-06", "ok"), ("m-mini", "warn"), ("org/m", "warn"), (None, "warn")],
)
def test_the_echoed_model_is_compared(loopback, echoed, result):
    reply = chat_reply("x")
    assert isinstance(reply.body, dict)
    reply.body["model"] = echoed
    assert examine(loopback([reply]))["model"].result == result


def test_system_prompts_refused_or_ignored(loopback):
    def refuses(call: Call) -> Reply:
        if call.body["messages"][0]["role"] == "system":
            return error_reply(400, "System role is wrong here")
        return good(call)

    check = examine(loopback(refuses))["system prompt"]
    assert check.result == "warn" and "System role is wrong" in check.detail
    # One count of input tokens with and without it: the server drops it.
    assert "ignored" in examine(loopback([chat_reply("x")]))["system prompt"].detail


def test_logprobs_refused_with_403_leave_the_endpoint_usable(loopback):
    def refuses(call: Call) -> Reply:
        if "logprobs" in call.body:
            return error_reply(403, "You are not allowed to request logprobs from this model")
        return good(call)

    checks = examine(loopback(refuses))
    assert checks["logprobs"].result == "warn" and "not allowed" in checks["logprobs"].detail
    assert usable(tuple(checks.values()))


def test_reasoning_that_eats_the_tokens(loopback):
    checks = examine(loopback([chat_reply("", "length", reasoning_content="Hmm, rivers")]))
    assert checks["answers"].result == "warn" and "--max-tokens" in checks["answers"].advice
    assert "channel" in checks["reasoning"].detail


@pytest.mark.parametrize(
    "body",
    [
        {"choices": [{"message": {"content": HOSTILE}}], "model": HOSTILE, "usage": [1]},
        {"choices": [{"message": {"content": [{"text": HOSTILE}]}, "logprobs": {"content": [7]}}]},
        {
            "choices": [
                {"message": {"content": "x"}, "logprobs": {"tokens": [1], "token_logprobs": "n"}}
            ]
        },
        {
            "choices": [{"message": {"content": "x"}}],
            "usage": {"prompt_tokens": -1, "completion_tokens": 10**4000},
        },
        {
            "choices": [{"message": {"content": "x"}}],
            "model": ["a"],
            "usage": {"prompt_tokens": True},
        },
        {"choices": [{"message": None}]},
        {"choices": "none", "model": HOSTILE},
        {"error": {"message": HOSTILE, "code": [1], "type": {"a": 1}}},
        [HOSTILE],
        HOSTILE.encode("utf-8", "surrogatepass"),
    ],
)
def test_hostile_replies_never_crash_it_nor_reach_the_terminal(cli, loopback, body):
    for status in (200, 400):
        spec = f"openai:m@{loopback([Reply(body, status)]).url}"
        shown = cli("doctor", spec)
        assert shown.code in (0, 4), shown.err
        assert "internal error" not in shown.err and "Traceback" not in shown.err
        assert not set("\x1b\x00\u202e") & set(shown.out)
        assert max(map(len, shown.out.splitlines())) <= 80
        document = json.loads(cli("doctor", spec, "--json", "-").out)
        assert document["usable"] == (shown.code == 0)


def test_the_table_and_the_json(cli, loopback, here):
    spec = f"openai:m@{loopback(good).url}"
    shown = cli("doctor", spec)
    assert shown.code == 0
    assert shown.out.splitlines()[-1] == "usable"
    assert "determinism" in shown.out and "asking" in shown.err
    whole = cli("doctor", spec, "--json", "-")
    document = json.loads(whole.out)
    assert (document["subject"], document["usable"]) == (spec, True)
    assert {tuple(check) for check in document["checks"]} == {
        ("name", "result", "detail", "advice")
    }
    cli("doctor", spec, "--json", "d.json")
    assert json.loads((here / "d.json").read_text())["usable"] is True


def test_not_usable_exits_4(cli, loopback):
    shown = cli("doctor", f"openai:m@{loopback([error_reply(401)]).url}")
    assert shown.code == 4
    assert "not usable" in shown.out and "fail" in shown.out


def test_a_named_endpoint(cli, loopback, here):
    server = loopback(good)
    (here / "forensics.toml").write_text(f'[endpoints.local]\nbase_url = "{server.url}"\n')
    assert cli("doctor", "openai:m@local").code == 0
    assert len(server.calls) == 4


def test_a_transcript_is_counted_and_not_called(cli, here):
    document = json.loads(cli("doctor", "a.jsonl", "--json", "-").out)
    found = {check["name"]: check for check in document["checks"]}
    assert document["usable"]
    assert found["transcript"]["detail"].startswith("20 answers to 20 prompts")
    assert found["answers"]["detail"] == "20 ok"
    assert found["logprobs"]["detail"] == "held by 0 of 20"
    write(here / "bad.jsonl", essays(3), status="error", error="HTTP 500")
    assert cli("doctor", "bad.jsonl").code == 4
    missing = cli("doctor", "none.jsonl")
    assert missing.code == 2 and "none.jsonl" in missing.complaint


def test_a_damaged_model_is_an_input_file_as_a_transcript_is(cli, here):
    (here / "broken.gguf").write_bytes(b"GGUF but no more")
    result = cli("doctor", "broken.gguf")
    assert result.code == 2
    assert "usable" not in result.out
    assert "broken.gguf is not a complete GGUF file" in result.err


@pytest.mark.demo
def test_a_local_model():
    checks = {check.name: check for check in diagnose(parse_subject("demo:smollm2"))}
    assert usable(tuple(checks.values())), checks
    assert checks["chat template"].result == checks["determinism"].result == "ok"
    assert checks["usage"].result == "ok"
    assert checks["logprobs"].result == "warn"
