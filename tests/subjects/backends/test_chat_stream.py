"""Endpoints that stream although no stream was asked for, against a real server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from forensics.errors import BackendError
from tests.loopback import Call, Reply, chat_reply, echo, error_reply
from tests.subjects.backends.endpoint import (
    KEY,  # noqa: F401
    Start,
    ask,
    ask_one,
    make_backend,
)

SSE = {"Content-Type": "text/event-stream; charset=utf-8"}


def chunk(finish: str | None = None, /, choice: dict[str, Any] | None = None, **delta: Any) -> dict:
    whole = {"index": 0, "delta": delta, "finish_reason": finish} | (choice or {})
    return {"id": "c1", "object": "chat.completion.chunk", "model": "m-1", "choices": [whole]}


def sse(*events: Any, end: str = "\n", done: bool = True) -> str:
    data = [event if isinstance(event, str) else json.dumps(event) for event in events]
    lines = [*(f"data: {text}" for text in data), *(["data: [DONE]"] if done else [])]
    return "".join(f"{line}{end}{end}" for line in lines)


USAGE = {"id": "c1", "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}
LOGS = [{"token": "Go", "logprob": -0.1, "top_logprobs": []}]
WHOLE = [
    chunk(role="assistant", content=""),
    chunk(content="Go ", choice={"logprobs": {"content": LOGS}}),
    chunk(content="on.", choice={"logprobs": {"content": LOGS}}),
    chunk("stop"),
    USAGE,
]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("headers", [SSE, {"Content-Type": "application/json"}, {}])
def test_a_stream_is_read_as_the_answer_it_is(loopback: Start, end: str, headers: Any) -> None:
    server = loopback([Reply(f": keep-alive{end}{end}" + sse(*WHOLE, end=end), headers=headers)])
    answer = ask_one(server.url)
    assert (answer.text, answer.status, answer.finish_reason) == ("Go on.", "ok", "stop")
    assert (answer.input_tokens, answer.output_tokens, answer.model) == (5, 2, "m-1")
    assert answer.logprobs == LOGS * 2
    assert answer.raw["streamed_chunks"] == 4
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    "body",
    [
        sse(*WHOLE, done=False),
        sse(*WHOLE).rstrip("\n"),
        "\ufeff" + sse(*WHOLE),
        "event: message\nid: 1\nretry: 9\n" + sse(*WHOLE),
        sse(*WHOLE).replace("data: ", "data:"),
        sse(json.dumps(WHOLE[1], indent=1).replace("\n", "\ndata: "), *WHOLE[2:]),
        sse(WHOLE[1]).replace("data: [DONE]", ": wait\n\n: wait\n\n") + sse(*WHOLE[2:]),
        sse({"object": "chat.completion", "choices": [{"message": {"content": "Go on."}}]}),
        f": waiting\n\n: waiting\n\n{json.dumps(chat_reply('Go on.').body)}",
        "\n".join(json.dumps(c) for c in WHOLE),
        sse(
            chunk(content="B", choice={"index": 1}), *WHOLE, chunk(content="C", choice={"index": 1})
        ),
    ],
)
def test_the_ways_in_which_streams_differ(loopback: Start, body: str) -> None:
    assert ask_one(loopback([Reply(body, headers=SSE)]).url).text == "Go on."


def test_reasoning_and_its_details_are_put_together(loopback: Start) -> None:
    part = {"type": "reasoning.text", "index": 0}
    server = loopback(
        [
            Reply(sse(chunk(reasoning_content="Hm"), chunk(reasoning_content="m."), chunk("stop"))),
            Reply(
                sse(
                    chunk(reasoning_details=[part | {"text": "Fir"}]),
                    chunk(reasoning_details=[part | {"text": "st."}]),
                    chunk("length", content="x"),
                )
            ),
        ]
    )
    first, second = ask(make_backend(server.url, concurrency=1), 2)
    assert first.reasoning == "Hmm."
    assert second.raw["choices"][0]["message"]["reasoning_details"] == [part | {"text": "First."}]
    assert second.status == "truncated"


def test_a_streamed_completion_keeps_its_log_probabilities(loopback: Start) -> None:
    logs = {"tokens": ["a"], "token_logprobs": [-1.0], "top_logprobs": [{"a": -1.0}]}
    events = [{"choices": [{"index": 0, "text": "a", "logprobs": logs}]}] * 2
    events.append({"choices": [{"index": 0, "text": "", "finish_reason": "length"}]})
    answer = ask_one(loopback([Reply(sse(*events), headers=SSE)]).url, api="completions")
    assert (answer.text, answer.status) == ("aa", "truncated")
    assert [entry["token"] for entry in answer.logprobs or ()] == ["a", "a"]


def test_a_key_cut_in_two_by_a_stream_reaches_no_answer(loopback: Start, key: str) -> None:
    body = sse(chunk(content=f"It is {key[:9]}"), chunk(content=key[9:]), chunk("stop"))
    answer = ask_one(loopback([Reply(body, headers=SSE)]).url)
    assert answer.text == "It is [redacted]"
    assert key not in json.dumps(answer.raw)


BROKEN = [
    sse(*WHOLE[:3], done=False),
    sse(*WHOLE[:3], done=False) + 'data: {"choices": [{"del',
    sse(*WHOLE[:2], {"error": {"message": "upstream gone", "code": 502}}),
    sse(*WHOLE[:2], done=False) + "event: error\ndata: upstream gone\n\n",
    sse(*WHOLE[:2], done=False) + 'event: error\ndata: {"message": "upstream gone"}\n\n',
    sse(chunk(content="Go"), chunk("error")),
    sse(done=True),
    ": wait\n\n",
]


@pytest.mark.parametrize("body", BROKEN)
def test_a_stream_that_breaks_off_is_asked_again(loopback: Start, body: str) -> None:
    server = loopback([Reply(body, headers=SSE), chat_reply("Whole.")])
    assert ask_one(server.url).text == "Whole."
    assert len(server.calls) == 2


@pytest.mark.parametrize("body", BROKEN)
def test_one_that_always_breaks_off_is_an_error_that_keeps_what_came(
    loopback: Start, body: str
) -> None:
    server = loopback(lambda call: Reply(body, headers=SSE) if call.number else echo(call))
    first, *others = ask(make_backend(server.url, concurrency=1), 2)
    assert first.status == "ok"
    [answer] = others
    assert (answer.status, answer.text) == ("error", "")
    assert answer.error and "502:" not in answer.error.replace("error 502:", "")
    if "Go " in body and "content" in body:
        assert answer.raw["partial"]["choices"][0]["message"]["content"].startswith("Go")


def test_an_error_at_the_start_of_a_stream_counts_as_its_status(loopback: Start) -> None:
    refused = sse({"error": {"message": "bad key", "code": 401}})
    with pytest.raises(BackendError, match="wants a key"):
        ask(make_backend(loopback([Reply(refused, headers=SSE)]).url))
    with pytest.raises(BackendError, match="HTTP 401: bad key"):
        ask(make_backend(loopback([Reply(refused, 401, SSE)]).url))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            '{"model":"m","message":{"content":"Go"},"done":false}\n'
            '{"model":"m","message":{"content":""},"done":true}\n',
            r"lines of JSON \(NDJSON\).*Ollama's own /api.*usually ends in /v1",
        ),
        ('event: message_start\ndata: {"type": "message_start"}\n\n', "not a chat completion"),
    ],
)
def test_other_streams_are_named_at_once(loopback: Start, body: str, says: str) -> None:
    server = loopback([Reply(body, headers={"Content-Type": "application/x-ndjson"})])
    with pytest.raises(BackendError, match=says):
        ask(make_backend(f"{server.root}/api", concurrency=1), 5)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    "text",
    [
        "This model only support stream mode, please enable the stream parameter.",
        "stream must be set to true for this model",
        "Non-streaming calls are not supported here",
    ],
)
def test_a_stream_that_is_demanded_is_asked_for(loopback: Start, text: str) -> None:
    def script(call: Call) -> Reply:
        if call.body["stream"]:
            return Reply(sse(*WHOLE), headers=SSE)
        return error_reply(400, text)

    server = loopback(script)
    found = ask(make_backend(server.url, concurrency=1), 2)
    assert [(r.text, r.status, r.output_tokens) for r in found] == [("Go on.", "ok", 2)] * 2
    assert len(server.calls) == 3
    assert server.calls[-1].body["stream_options"] == {"include_usage": True}


def test_deep_and_hostile_streams_are_errors_in_one_line(loopback: Start) -> None:
    bodies = [sse("[" * 100_000), sse({"choices": "x"}), "data: 7\n\n", sse(*["{}"] * 50)]
    for body in bodies:

        def script(call: Call, body: str = body) -> Reply:
            return Reply(body, headers=SSE) if call.number else echo(call)

        answer = ask(make_backend(loopback(script).url, concurrency=1), 2)[1]
        assert answer.status == "error"
        assert answer.error and "\n" not in answer.error
