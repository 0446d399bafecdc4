"""The endpoint backend against a real server: what is sent, and what comes back."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from forensics.errors import UsageError
from forensics.subjects.backends.backend import BackendOptions, GenerationSettings, Request
from forensics.subjects.backends.chat_protocol import echoed_models
from forensics.subjects.backends.openai import OpenAIBackend
from forensics.subjects.subject import Subject
from forensics.suites.suite import Message, Prompt
from forensics.transcripts.transcript import Response, read_transcript
from tests.loopback import (
    Call,
    Reply,
    chat_reply,
    completion_reply,
    echo,
    error_reply,
)
from tests.subjects.backends.endpoint import (
    KEY,  # noqa: F401
    Start,
    ask,
    ask_one,
    make_backend,
    make_suite,
    run_collect,
)


def test_chat_request_and_every_field_of_the_response(loopback: Start) -> None:
    body = {
        "id": "chatcmpl-9",
        "model": "m-2024-05-13",
        "provider": "Somewhere",
        "system_fingerprint": "fp_1",
        "choices": [
            {
                "message": {"role": "assistant", "content": "Hi."},
                "finish_reason": "stop",
                "logprobs": {"content": [{"token": "Hi", "logprob": -0.5}]},
            }
        ],
        "usage": {"prompt_tokens": 4, "completion_tokens": 2},
    }
    reply = Reply(body, headers={"x-request-id": "req-7"})
    server = loopback([reply])
    response = ask_one(server.url)

    [call] = server.calls
    assert call.path == "/v1/chat/completions"
    assert call.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Question 0"}],
        "temperature": 0.0,
        "max_tokens": 16,
        "seed": 0,
        "n": 1,
        "stream": False,
    }
    assert "Authorization" not in call.headers
    assert (response.text, response.status, response.finish_reason) == ("Hi.", "ok", "stop")
    assert (response.input_tokens, response.output_tokens) == (4, 2)
    assert (response.request_id, response.model) == ("req-7", "m-2024-05-13")
    assert (response.provider, response.system_fingerprint) == ("Somewhere", "fp_1")
    assert response.logprobs == [{"token": "Hi", "logprob": -0.5}]
    assert response.raw == body
    assert response.raw_sha256 == hashlib.sha256(reply.encoded()).hexdigest()
    assert response.requested_at is not None
    assert response.completed_at is not None
    assert response.requested_at <= response.completed_at
    assert response.key == "key-0"
    assert response.reasoning is None


def test_completions_request(loopback: Start) -> None:
    logprobs = {
        "tokens": ["A", "B"],
        "token_logprobs": [None, -1.0],
        "top_logprobs": [None, {"B": -1.0, "C": -2.0}],
    }
    server = loopback([completion_reply(" there", "length", logprobs=logprobs)])
    prompt = Prompt("two", (Message("user", "One."), Message("user", "Two.")))
    [response] = ask(make_backend(server.url, api="completions"), prompts=[prompt])
    [call] = server.calls
    assert call.path == "/v1/completions"
    assert call.body["prompt"] == "One.\n\nTwo."
    assert "messages" not in call.body
    assert (response.text, response.status) == (" there", "truncated")
    assert response.logprobs is not None
    assert response.logprobs[1]["top_logprobs"][1] == {"token": "C", "logprob": -2.0}


def test_system_prompt_is_sent_first_and_the_prompts_own_wins(loopback: Start) -> None:
    server = loopback()
    own = Prompt("own", (Message("system", "Mine."), Message("user", "A")))
    bare = Prompt("bare", (Message("user", "B"),))
    settings = GenerationSettings(system_prompt="Run's.")
    ask(make_backend(server.url), settings=settings, prompts=[own, bare])
    sent = {call.prompt: call.body["messages"] for call in server.calls}
    assert [m["content"] for m in sent["A"]] == ["Mine.", "A"]
    assert [m["content"] for m in sent["B"]] == ["Run's.", "B"]
    assert sent["B"][0]["role"] == "system"


def test_each_sample_has_its_own_seed(loopback: Start) -> None:
    server = loopback()
    prompt = make_suite(1).prompts[0]
    requests = [Request(prompt, sample, 16, f"k{sample}") for sample in range(3)]
    found: list[Response] = []
    make_backend(server.url).answer(requests, GenerationSettings(seed=5), found.append)
    assert sorted(call.body["seed"] for call in server.calls) == [5, 6, 7]
    assert sorted(response.sample for response in found) == [0, 1, 2]


def test_a_prompt_with_lone_surrogates_and_nul_can_be_sent(loopback: Start) -> None:
    server = loopback()
    prompt = Prompt("odd", (Message("user", "a\ud800b\x00c"),))
    [response] = ask(make_backend(server.url), prompts=[prompt])
    assert server.calls[0].prompt == "a\ud800b\x00c"
    assert response.text == "You said: a\ud800b\x00c"


def test_no_requests_no_calls(loopback: Start) -> None:
    server = loopback()
    assert ask(make_backend(server.url), prompts=[], count=0) == []
    assert server.calls == []


def test_identity_calls_nothing_and_names_the_endpoint() -> None:
    backend = make_backend("http://127.0.0.1:9/v1/")
    assert backend.identity() == {
        "kind": "openai",
        "model": "m",
        "base_url": "http://127.0.0.1:9/v1",
        "api": "chat",
    }
    with pytest.raises(UsageError, match="--base-url"):
        OpenAIBackend(Subject("openai:m", "openai", "m"), BackendOptions())


def test_concurrency_is_used_and_bounded(loopback: Start) -> None:
    server = loopback(lambda call: Reply(echo(call).body, delay=0.05))
    assert len(ask(make_backend(server.url, concurrency=3), 12)) == 12
    assert server.max_in_flight == 3


def test_a_proxy_in_the_environment_is_not_asked_for_this_machine(
    loopback: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, proxy = loopback(), loopback([error_reply(403)])
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTP_PROXY", proxy.root)
    assert ask_one(server.url).status == "ok"
    assert proxy.calls == []


@pytest.mark.parametrize(
    ("reply", "text", "reasoning", "status"),
    [
        (chat_reply("Four.", reasoning_content="2+2"), "Four.", "2+2", "ok"),
        (chat_reply("Four.", reasoning="2+2"), "Four.", "2+2", "ok"),
        (chat_reply("Four.", reasoning_content=""), "Four.", None, "ok"),
        (chat_reply("<think>2+2</think>Four."), "Four.", "2+2", "ok"),
        (chat_reply("<think>2+2", "length"), "", "2+2", "truncated"),
        (chat_reply(None, "length", reasoning_content="2+"), "", "2+", "truncated"),
        (chat_reply(None), "", None, "ok"),
        (chat_reply(""), "", None, "ok"),
        (chat_reply(None, refusal="I can't help."), "I can't help.", None, "ok"),
        (chat_reply("", "content_filter"), "", None, "filtered"),
        (chat_reply("x", "max_tokens"), "x", None, "truncated"),
        (chat_reply("x", "MAX_TOKENS"), "x", None, "truncated"),
        (chat_reply("", "SAFETY"), "", None, "filtered"),
        (chat_reply("half", "abort"), "half", None, "truncated"),
        (chat_reply("half", "a_reason_of_tomorrow"), "half", None, "truncated"),
        (
            chat_reply(
                "<|channel|>analysis<|message|>2+2<|end|><|start|>assistant<|channel|>final"
                "<|message|>Four."
            ),
            "Four.",
            "2+2",
            "ok",
        ),
        (
            chat_reply("Four.", reasoning_details=[{"type": "reasoning.text", "text": "2+2"}]),
            "Four.",
            "2+2",
            "ok",
        ),
        (
            chat_reply(
                "Four.", reasoning_details=[{"type": "reasoning.encrypted", "data": "gAAAA"}]
            ),
            "Four.",
            None,
            "ok",
        ),
        (
            Reply({"choices": [{"message": {"role": "assistant"}, "finish_reason": "SAFETY"}]}),
            "",
            None,
            "filtered",
        ),
        (
            chat_reply([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
            "ab",
            None,
            "ok",
        ),
        (
            chat_reply(
                [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                    {"type": "text", "text": "yes"},
                ]
            ),
            "yes",
            "hm",
            "ok",
        ),
        (chat_reply("a\ud800\x00\x1b[31m<script>"), "a\ud800\x00\x1b[31m<script>", None, "ok"),
    ],
)
def test_answers(
    loopback: Start, reply: Reply, text: str, reasoning: str | None, status: str
) -> None:
    response = ask_one(loopback([reply]).url)
    assert (response.text, response.reasoning, response.status) == (text, reasoning, status)


def test_hostile_text_survives_the_transcript(loopback: Start, tmp_path: Path) -> None:
    server = loopback([chat_reply("a\ud800\x00[bold]")])
    path = tmp_path / "t.jsonl"
    run_collect(server, path, 1)
    assert read_transcript(path).responses[0].text == "a\ud800\x00[bold]"


def test_a_changed_echo_is_seen(loopback: Start, tmp_path: Path) -> None:
    def script(call: Call) -> Reply:
        body = chat_reply().body
        assert isinstance(body, dict)
        return Reply(body | {"model": "m-old" if call.number < 2 else "m-new"})

    path = tmp_path / "t.jsonl"
    transcript = run_collect(loopback(script), path, 4, concurrency=1)
    assert echoed_models(transcript) == ("m-old", "m-new")


def test_numbers_that_are_not_json_do_not_reach_the_transcript(
    loopback: Start, tmp_path: Path
) -> None:
    text = '{"choices":[{"message":{"content":"x"}}],"a":NaN,"b":-Infinity,"c":1e999,"d":1.5}'
    path = tmp_path / "t.jsonl"
    transcript = run_collect(loopback([Reply(text)]), path, 1)
    raw = transcript.responses[0].raw
    assert [raw[name] for name in "abcd"] == [None, None, None, 1.5]
