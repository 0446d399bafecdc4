"""The endpoint backend against a real server: keys, quota, models and addresses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from forensics.errors import BackendError, UsageError
from forensics.examination.collect import collect
from forensics.subjects.backends.backend import BackendOptions
from forensics.subjects.backends.openai import OpenAIBackend
from forensics.subjects.subject import parse_subject
from tests.loopback import (
    Call,
    Reply,
    chat_reply,
    error_reply,
)
from tests.subjects.backends.endpoint import (
    KEY,
    SETTINGS,
    Start,
    ask,
    ask_one,
    make_backend,
    make_suite,
)


def test_401_without_a_key_names_the_variable(loopback: Start) -> None:
    server = loopback([error_reply(401, "missing key")])
    with pytest.raises(BackendError, match="OPENAI_API_KEY is not set") as caught:
        ask(make_backend(server.url, concurrency=1), 9)
    assert len(server.calls) == 1
    assert "\n" not in str(caught.value)


def test_401_with_a_key_does_not_show_it(loopback: Start, key: str) -> None:
    server = loopback([error_reply(401, f"Incorrect API key provided: {key}")])
    with pytest.raises(BackendError, match="does not accept the key in OPENAI_API_KEY") as caught:
        ask(make_backend(server.url))
    assert server.calls[0].headers["Authorization"] == f"Bearer {key}"
    assert key not in str(caught.value)
    assert "[redacted]" in str(caught.value)


def test_the_key_comes_from_the_named_variable(
    loopback: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", f" {KEY}\n")
    server = loopback()
    subject = parse_subject("openai:m", base_url=server.url, api_key_env="MY_KEY")
    ask(OpenAIBackend(subject, BackendOptions()))
    assert server.calls[0].headers["Authorization"] == f"Bearer {KEY}"


def test_a_version_is_sent_behind_the_path_and_the_key_in_both_headers(
    loopback: Start, key: str
) -> None:
    server = loopback()
    address = f"{server.root}/openai/deployments/x/?api-version=2024-06-01"
    assert ask_one(address).status == "ok"
    [call] = server.calls
    assert call.path == "/openai/deployments/x/chat/completions?api-version=2024-06-01"
    assert call.headers["api-key"] == key
    assert call.headers["Authorization"] == f"Bearer {key}"


def test_a_header_that_is_chosen_is_the_only_one(loopback: Start, key: str) -> None:
    server = loopback()
    subject = replace(parse_subject("openai:m", server.url), key_header="api-key")
    ask(OpenAIBackend(subject, BackendOptions()))
    assert server.calls[0].headers["api-key"] == key
    assert "Authorization" not in server.calls[0].headers


def test_azure_without_a_version_is_told_to_add_one(loopback: Start) -> None:
    server = loopback([error_reply(404, "Resource not found")])
    with pytest.raises(BackendError, match=r"wants \?api-version=YYYY-MM-DD at its end"):
        ask(make_backend(f"{server.root}/openai/deployments/x"))


def test_a_variable_that_is_named_and_not_set_is_not_repeated(loopback: Start) -> None:
    server = loopback()
    subject = parse_subject("openai:m", server.url, "hunter2hunter2")
    with pytest.raises(UsageError, match="is not set") as caught:
        ask(OpenAIBackend(subject, BackendOptions()))
    assert "hunter2" not in str(caught.value)
    assert server.calls == []


@pytest.mark.parametrize("bad", ["sk-clé-secret", "sk-one\nsk-two"])
def test_an_impossible_key_is_refused_unshown(monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", bad)
    with pytest.raises(UsageError, match="OPENAI_API_KEY") as caught:
        ask(make_backend("http://127.0.0.1:9/v1"))
    assert "sk-" not in str(caught.value)


def test_the_key_never_reaches_the_disk(loopback: Start, tmp_path: Path, key: str) -> None:
    escaped = "".join(f"\\u{ord(c):04x}" for c in key)

    def script(call: Call) -> Reply:
        if call.prompt == "Question 0":
            return error_reply(400, f"bad: {key}", code=key)
        if call.prompt == "Question 1":
            text = f'{{"id":"{escaped}","choices":[{{"message":{{"content":"{escaped}"}}}}]}}'
            return Reply(text, headers={"x-request-id": f"r-{key}", "Server": key})
        if call.prompt == "Question 2":
            return Reply(f"not json {key}")
        return chat_reply(f"Your key is {key}", **{key: key})

    path = tmp_path / "t.jsonl"
    backend = make_backend(loopback(script).url)
    transcript = collect(
        make_suite(4), parse_subject("openai:m", base_url="http://x"), backend, SETTINGS, path
    )
    written = path.read_text(encoding="ascii")
    assert key not in written
    assert escaped not in written
    assert key not in repr(backend) + repr(vars(backend)) + repr(transcript)
    answers = {response.prompt.id: response for response in transcript.responses}
    assert answers["p3"].text == "Your key is [redacted]"
    assert answers["p1"].text == "[redacted]"


def test_a_placeholder_key_is_not_cut_out_of_answers(
    loopback: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "ollama")
    assert ask_one(loopback([chat_reply("Try ollama.")]).url).text == "Try ollama."


def test_403_stops(loopback: Start) -> None:
    server = loopback([error_reply(403, "no access to this model")])
    with pytest.raises(BackendError, match="refuses access to 'm'"):
        ask(make_backend(server.url, concurrency=1), 9)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    "reply",
    [
        error_reply(429, "You exceeded your quota", code="insufficient_quota"),
        error_reply(402, "Insufficient Balance"),
        error_reply(400, "limit", code="billing_hard_limit_reached"),
    ],
)
def test_no_quota_stops_at_once(loopback: Start, reply: Reply) -> None:
    server = loopback([reply])
    with pytest.raises(BackendError, match="no quota left"):
        ask(make_backend(server.url, concurrency=1), 9)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    "reply",
    [
        error_reply(404, "The model `m` does not exist"),
        error_reply(400, "m is unknown", code="model_not_found"),
        Reply({"error": "model 'm' not found, try pulling it first"}, 404),
        Reply({"object": "error", "message": "The model `m` does not exist."}, 404),
    ],
)
def test_an_unknown_model_stops(loopback: Start, reply: Reply) -> None:
    with pytest.raises(BackendError, match="does not know model 'm'"):
        ask(make_backend(loopback([reply]).url))


def test_404_without_v1_says_so(loopback: Start) -> None:
    server = loopback([Reply({"detail": "Not Found"}, 404)])
    with pytest.raises(BackendError, match="usually ends in /v1"):
        ask(make_backend(server.root))
    with pytest.raises(BackendError) as caught:
        ask(make_backend(server.url))
    assert "usually" not in str(caught.value)
    with pytest.raises(BackendError, match="should end before"):
        ask(make_backend(f"{server.url}/chat/completions"))


def test_a_redirect_is_reported_and_not_followed(loopback: Start, key: str) -> None:
    elsewhere = loopback()
    server = loopback([Reply(status=307, headers={"Location": f"{elsewhere.url}/x?k={key}"})])
    with pytest.raises(BackendError, match="redirects to") as caught:
        ask(make_backend(server.url))
    assert elsewhere.calls == []
    assert elsewhere.root in str(caught.value)
    assert key not in str(caught.value)
