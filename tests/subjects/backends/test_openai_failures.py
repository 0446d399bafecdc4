"""The endpoint backend against a real server: retries, and calls that are rejected."""

from __future__ import annotations

import re
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from forensics.errors import BackendError, UsageError
from forensics.subjects.backends.chat_errors import retry_after
from forensics.subjects.backends.chat_protocol import dropped_parameters
from forensics.subjects.backends.openai import OpenAIBackend
from forensics.transcripts.transcript import Response
from tests.loopback import (
    Call,
    Reply,
    chat_reply,
    echo,
    error_reply,
)
from tests.subjects.backends.endpoint import (
    KEY,  # noqa: F401
    SETTINGS,
    Start,
    ask,
    ask_one,
    make_backend,
    make_requests,
    run_collect,
)


@pytest.mark.parametrize(
    "bad",
    [
        error_reply(408),
        error_reply(409),
        error_reply(425),
        error_reply(429, "slow down", code="rate_limit_exceeded"),
        error_reply(500),
        Reply("<html>bad gateway</html>", 502),
        error_reply(503, headers={"Retry-After": "0"}),
        Reply({"error": {"message": "upstream", "code": 502}}),
        Reply({"error": {"message": "upstream", "code": "odd"}}),
        Reply(drop=True),
        Reply(b'{"choices": [', content_length=500),
        Reply(b'{"choices": [{"mess'),
        Reply(b""),
        Reply(b"\xff\xfe\x00not json"),
        Reply({"choices": []}),
        Reply({"hello": 1}),
        Reply([1]),
        Reply("null"),
        Reply({"choices": [{"text": "no message"}]}),
        chat_reply("half", "error"),
        chat_reply("", "abort"),
        chat_reply(None, "insufficient_system_resource"),
        Reply("[" * 100_000),
        Reply('{"choices":' + "[" * 200 + "]" * 200 + "}"),
    ],
)
def test_one_failure_then_an_answer(loopback: Start, bad: Reply) -> None:
    server = loopback([bad, chat_reply("Here.")])
    response = ask_one(server.url)
    assert (response.text, response.status) == ("Here.", "ok")
    assert len(server.calls) == 2


@pytest.mark.parametrize(
    "bad",
    [
        chat_reply(17),
        Reply({"choices": [{"message": {"role": "assistant", "said": "x"}}]}),
        Reply({"choices": [{"message": 5}]}),
        chat_reply("", "a_reason_of_tomorrow"),
    ],
)
def test_an_answer_in_a_shape_nobody_knows_is_not_asked_for_again(
    loopback: Start, bad: Reply
) -> None:
    server = loopback([bad, chat_reply("ok")])
    response = ask_one(server.url)
    assert (response.status, len(server.calls)) == ("error", 1)
    assert re.search(
        "not readable|reason 'a_reason_of_tomorrow' is not known", response.error or ""
    )


def test_retry_after_is_waited_for(loopback: Start) -> None:
    first: list[float] = []

    def script(call: Call) -> Reply:
        first.append(time.monotonic())
        early = time.monotonic() < first[0] + 0.4
        return error_reply(429, headers={"Retry-After": "0.4"}) if early else echo(call)

    backend = make_backend(loopback(script).url, concurrency=3)
    backend.attempts = 2
    assert [r.status for r in ask(backend, 6)] == ["ok"] * 6


def test_retry_after_holds_back_the_other_workers_too(loopback: Start) -> None:
    times: list[float] = []

    def script(call: Call) -> Reply:
        times.append(time.monotonic())
        if call.number == 0:
            return error_reply(429, headers={"Retry-After": "0.8"})
        early = call.number > 1 and time.monotonic() < times[0] + 0.8
        return error_reply(400, "too early") if early else Reply(echo(call).body, delay=0.3)

    found = ask(make_backend(loopback(script).url, concurrency=2), 4)
    assert [r.status for r in found] == ["ok"] * 4


def test_a_longer_retry_after_stops(loopback: Start) -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    for value in ("3600", when):
        server = loopback([error_reply(429, headers={"Retry-After": value})])
        with pytest.raises(BackendError, match=r"asks to wait 3\d\d\d s .*answers so far are kept"):
            ask(make_backend(server.url))
        assert len(server.calls) == 1


def test_retry_after_forms() -> None:
    now = datetime(2025, 1, 1, 12, 0, 0, tzinfo=UTC)
    cases = {
        "7": 7.0,
        "1.5": 1.5,
        "0": None,
        "Wed, 01 Jan 2025 12:00:30 GMT": 30.0,
        "Wed, 01 Jan 2025 11:00:00 GMT": None,
        "Wed, 01 Jan 2025 12:00:30 -0000": 30.0,
        "soon": None,
        "-5": None,
        "": None,
        "9" * 400: None,
    }
    assert {value: retry_after({"retry-after": value}, now) for value in cases} == cases
    assert retry_after({}, now) is None


def test_exhausted_retries_are_an_error_and_the_run_goes_on(loopback: Start) -> None:
    server = loopback(
        lambda call: error_reply(500, "boom\nline 2") if call.prompt == "Question 1" else echo(call)
    )
    found = {r.prompt.id: r for r in ask(make_backend(server.url), 4)}
    assert [found[f"p{i}"].status for i in range(4)] == ["ok", "error", "ok", "ok"]
    assert found["p1"].error == "HTTP 500: boom line 2"
    assert server.count("Question 1") == OpenAIBackend.attempts
    assert found["p1"].key == "key-1"


def test_an_endpoint_that_keeps_failing_stops_the_run(loopback: Start) -> None:
    server = loopback(lambda call: echo(call) if call.number < 2 else error_reply(500))
    found: list[Response] = []
    backend = make_backend(server.url, concurrency=1)
    with pytest.raises(BackendError, match=r"keeps failing \(HTTP 500.*run again to go on"):
        backend.answer(make_requests(50), SETTINGS, found.append)
    assert [r.status for r in found] == ["ok"] * 2 + ["error"] * 5


def test_a_hang_times_out(loopback: Start) -> None:
    server = loopback(lambda call: Reply(hang=True) if call.prompt == "Question 1" else echo(call))
    found = {r.prompt.id: r for r in ask(make_backend(server.url, timeout=0.3), 3)}
    assert [found[f"p{i}"].status for i in range(3)] == ["ok", "error", "ok"]
    assert "within 0.3 s" in str(found["p1"].error)
    assert server.count("Question 1") == OpenAIBackend.timeout_attempts


def test_html_stops_a_run_that_has_no_answer_yet(loopback: Start) -> None:
    page = Reply("\n<!DOCTYPE html><html>Welcome</html>", headers={"Content-Type": "text/html"})
    server = loopback([page])
    with pytest.raises(BackendError, match=r"returned HTML, not JSON: is --base-url right\?"):
        ask(make_backend(server.url, concurrency=1), 9)
    assert len(server.calls) == 1

    later = loopback(lambda call: page if call.prompt == "Question 1" else echo(call))
    found = ask(make_backend(later.url, concurrency=1), 3)
    assert [r.status for r in found] == ["ok", "error", "ok"]
    assert "returned HTML, not JSON" in str(found[1].error)


@pytest.mark.parametrize("bad", [Reply(b'{"choices": [', content_length=500), Reply(b"")])
def test_cut_off_bodies_end_as_one_line_errors(loopback: Start, bad: Reply) -> None:
    response = ask_one(loopback([bad]).url)
    assert response.status == "error"
    assert response.error
    assert "\n" not in response.error


def test_a_huge_body_is_an_error_and_is_not_asked_again(loopback: Start) -> None:
    server = loopback(
        lambda call: chat_reply("x" * 300_000) if call.prompt == "Question 0" else echo(call)
    )
    backend = make_backend(server.url)
    backend.max_body_bytes = 200_000
    found = {r.prompt.id: r for r in ask(backend, 2)}
    assert found["p0"].status == "error"
    assert "larger than" in str(found["p0"].error)
    assert found["p1"].status == "ok"
    assert server.count("Question 0") == 1


def test_nobody_listening() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        with pytest.raises(BackendError, match=f"cannot reach {url}.*is the server running"):
            ask(make_backend(url), 20)


@pytest.mark.parametrize("url", ["http://a..b/v1", "http://[::1]x/v1"])
def test_an_unusable_address_is_one_line(url: str) -> None:
    with pytest.raises(BackendError, match=r"not a usable address|cannot reach"):
        ask(make_backend(url))


@pytest.mark.parametrize(
    "reply",
    [
        error_reply(400, "filtered", code="content_filter"),
        error_reply(403, "Your input was flagged", code=403),
        error_reply(400, "Content Exists Risk", type="invalid_request_error"),
    ],
)
def test_a_filtered_prompt_is_recorded_and_the_run_goes_on(loopback: Start, reply: Reply) -> None:
    server = loopback(lambda call: reply if call.prompt != "Question 7" else echo(call))
    found = {r.prompt.id: r for r in ask(make_backend(server.url), 8)}
    assert found["p0"].status == "filtered"
    assert found["p0"].finish_reason == "content_filter"
    assert found["p0"].raw == reply.body
    assert found["p7"].status == "ok"


def test_one_prompt_too_long_is_an_error_and_the_run_goes_on(loopback: Start) -> None:
    too_long = error_reply(400, "maximum context length is 9", code="context_length_exceeded")
    server = loopback(lambda call: too_long if call.number == 0 else echo(call))
    found = ask(make_backend(server.url, concurrency=1), 3)
    assert [r.status for r in found] == ["error", "ok", "ok"]
    assert found[0].error == "HTTP 400: maximum context length is 9"
    assert len(server.calls) == 3


def test_the_same_rejection_from_the_start_stops(loopback: Start) -> None:
    server = loopback([error_reply(400, "bad request", code="nope")])
    found: list[Response] = []
    backend = make_backend(server.url, concurrency=1)
    with pytest.raises(BackendError, match="first 5 calls were all rejected: HTTP 400: bad"):
        backend.answer(make_requests(50), SETTINGS, found.append)
    assert len(server.calls) == len(found) == 5


def unsupported(call: Call, *names: str) -> Reply | None:
    name = next((name for name in names if name in call.body), None)
    if name is None:
        return None
    message = f"Unsupported parameter: '{name}' is not supported with this model."
    return error_reply(400, message, param=name, code="unsupported_parameter")


def test_unsupported_parameters_are_left_out_for_the_whole_run(
    loopback: Start, tmp_path: Path
) -> None:
    def script(call: Call) -> Reply:
        return unsupported(call, "max_tokens", "temperature", "seed") or echo(call)

    server = loopback(script)
    transcript = run_collect(server, tmp_path / "t.jsonl", 5, concurrency=1)
    assert transcript.count("ok") == 5
    assert len(server.calls) == 5 + 3
    last = server.calls[-1].body
    assert last["max_completion_tokens"] == 16
    assert not {"max_tokens", "temperature", "seed"} & set(last)
    assert dropped_parameters(transcript) == ("seed", "temperature")


@pytest.mark.parametrize(
    ("reply", "name"),
    [
        (
            Reply(
                {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs not permitted"}]}, 422
            ),
            "seed",
        ),
        (error_reply(400, "`temperature` is deprecated for this model."), "temperature"),
        (
            error_reply(
                400,
                "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead.",
                param="max_tokens",
            ),
            "max_tokens",
        ),
    ],
)
def test_the_ways_to_say_unsupported(loopback: Start, reply: Reply, name: str) -> None:
    server = loopback(lambda call: reply if name in call.body else echo(call))
    assert ask_one(server.url).status == "ok"
    assert len(server.calls) == 2


def test_a_value_out_of_range_is_not_an_unsupported_parameter(loopback: Start) -> None:
    server = loopback([error_reply(400, "max_tokens is too large: 16", param="max_tokens")])
    assert ask_one(server.url).status == "error"
    assert len(server.calls) == 1


def test_an_impossible_port_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="invalid port"):
        make_backend("http://127.0.0.1:99999/v1")
