"""Faults that no retry cures: the run stops at once, and says what is wrong."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from forensics.errors import BackendError
from forensics.transcripts.transcript import Response
from tests.loopback import Call, Reply, TlsLoopback, chat_reply, echo, error_reply
from tests.subjects.backends.endpoint import (
    SETTINGS,
    Start,
    ask,
    ask_one,
    make_backend,
    make_requests,
)


@pytest.mark.parametrize(
    "text",
    [
        {"detail": "Not Found"},
        {"object": "error", "message": "no such thing", "code": 40301},
        "Unexpected endpoint or method. (POST /chat/completions)",
        "Not Found",
        "no such route: /chat/completions",
        "something else is wrong",
    ],
)
def test_an_error_text_with_status_200_stops_at_once(loopback: Start, text: Any) -> None:
    server = loopback([Reply(text if isinstance(text, dict) else {"error": text})])
    with pytest.raises(BackendError, match="usually ends in /v1") as caught:
        ask(make_backend(server.root, concurrency=1), 9)
    assert len(server.calls) == 1
    assert isinstance(text, dict) or text[:20] in str(caught.value)
    assert "502" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ({"message": "no", "code": 401}, "wants a key .HTTP 200, error 401: no"),
        ({"message": "API key not valid. Pass one.", "code": 400}, "wants a key"),
        ({"message": "gone", "code": "model_not_found"}, "does not know model 'm'"),
        ("model 'm' not found, try pulling it first", "does not know model 'm'"),
        ({"message": "x is not a valid model ID", "code": 400}, "does not know model 'm'"),
        ({"message": "pay", "code": "insufficient_quota"}, "no quota left"),
    ],
)
def test_an_error_with_status_200_means_what_it_says(
    loopback: Start, error: Any, says: str
) -> None:
    server = loopback([Reply({"error": error})])
    with pytest.raises(BackendError, match=says):
        ask(make_backend(server.url, concurrency=1), 9)
    assert len(server.calls) == 1


def test_a_text_that_says_wait_is_waited_for(loopback: Start) -> None:
    server = loopback([Reply({"error": "the model is loading"}), chat_reply("Here.")])
    assert ask_one(server.url).text == "Here."


@pytest.mark.parametrize(
    ("bad", "most"),
    [
        (error_reply(500), 3),
        (error_reply(502), 3),
        (Reply({"hello": 1}), 3),
        (Reply({"error": {"message": "odd"}}), 3),
        (Reply(b"\x00"), 3),
        (Reply(b'{"choices": [', content_length=500), 3),
        (error_reply(503, "Loading model"), 5),
        (error_reply(429), 5),
        (error_reply(501), 1),
        (error_reply(422), 1),
    ],
)
def test_what_comes_back_the_same_is_not_tried_long(loopback: Start, bad: Reply, most: int) -> None:
    server = loopback([bad])
    assert ask_one(server.url).status == "error"
    assert len(server.calls) == most


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("https://127.0.0.1:1/v1/chat/completions", "write https://127.0.0.1:1/v1$"),
        ("/v1/chat/completions/", r"write http://127.0.0.1:\d+/v1$"),
        ("/login?next=x", r"redirects to http://127.0.0.1:\d+/login "),
        ("http://user:pw@h/x?token=t", r"redirects to http://h/x "),
    ],
)
def test_a_redirect_says_which_address_to_give(loopback: Start, location: str, says: str) -> None:
    server = loopback([Reply(status=308, headers={"Location": location})])
    with pytest.raises(BackendError, match=says) as caught:
        ask(make_backend(server.url, concurrency=1), 3)
    assert len(server.calls) == 1
    assert "pw" not in str(caught.value) and "token" not in str(caught.value)


def test_a_page_is_named_by_its_title(loopback: Start) -> None:
    page = "<!-- x -->\n<head><title>Sign in &amp; go</title></head>"
    with pytest.raises(BackendError, match=r"a sign-in, not an API .a page titled 'Sign in & go'"):
        ask(make_backend(loopback([Reply(page)]).root))


def test_tls_and_names_that_are_not_known_stop_at_once(loopback: Start) -> None:
    server = loopback()
    started = time.monotonic()
    for url, says in (
        (server.url.replace("http:", "https:"), "no TLS connection"),
        ("http://no-such-host.invalid/v1", "no such host is known"),
    ):
        backend = make_backend(url, concurrency=1)
        backend.retry_wait_initial = 60.0
        with pytest.raises(BackendError, match=says):
            ask(backend, 3)
    assert time.monotonic() - started < 20


def test_a_certificate_that_is_not_trusted_stops_at_once(tmp_path: Path) -> None:
    with TlsLoopback(tmp_path) as url:
        backend = make_backend(url, concurrency=1)
        backend.retry_wait_initial = 60.0
        with pytest.raises(BackendError, match=r"TLS certificate is not accepted .*self"):
            ask(backend, 3)


@pytest.mark.parametrize("proxy", ["socks9://me:s3cretpass@h:1", "http://me:s3cretpass@h:x"])
def test_a_proxy_that_cannot_be_used_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(BackendError, match="a proxy that the environment names") as caught:
        ask(make_backend("http://elsewhere.invalid/v1"))
    assert "s3cretpass" not in str(caught.value)


def test_answers_under_way_are_kept_when_another_call_stops_the_run(loopback: Start) -> None:
    def script(call: Call) -> Reply:
        if call.prompt == "Question 0":
            return error_reply(401)
        return Reply(echo(call).body, delay=0.3)

    found: list[Response] = []
    with pytest.raises(BackendError, match="wants a key"):
        make_backend(loopback(script).url, concurrency=4).answer(
            make_requests(9), SETTINGS, found.append
        )
    assert {r.prompt.id for r in found} == {"p1", "p2", "p3"}
