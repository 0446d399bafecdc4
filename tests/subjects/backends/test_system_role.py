"""Endpoints that take no system message, against a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics.examination.collect import collect
from forensics.subjects.backends.backend import GenerationSettings
from forensics.subjects.backends.chat_protocol import dropped_parameters
from forensics.subjects.subject import parse_subject
from tests.loopback import Call, Reply, echo, error_reply
from tests.subjects.backends.endpoint import (
    Start,
    ask,
    make_backend,
    make_suite,
)

NO_SYSTEM = [
    error_reply(400, "System role not supported"),
    error_reply(500, "Jinja Exception: System role not supported"),
    error_reply(422, "Template error: template error: System role not supported"),
    error_reply(
        400,
        "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
        param="messages[0].role",
        code="unsupported_value",
    ),
    error_reply(400, "Developer instruction is not enabled for models/g-3"),
    error_reply(400, "Conversation roles must alternate user/assistant/user/assistant/..."),
    error_reply(400, "Only user and assistant roles are supported!"),
    Reply({"detail": "role: 'system' is not one of ['user', 'assistant']"}, 422),
]


@pytest.mark.parametrize("refusal", NO_SYSTEM)
def test_a_system_role_that_is_refused_is_folded_and_that_is_recorded(
    loopback: Start, tmp_path: Path, refusal: Reply
) -> None:
    def script(call: Call) -> Reply:
        return refusal if call.body["messages"][0]["role"] == "system" else echo(call)

    server = loopback(script)
    path = tmp_path / "t.jsonl"
    settings = GenerationSettings(max_tokens=16, system_prompt="Be brief.")
    subject = parse_subject("openai:m", base_url=server.url)
    backend = make_backend(server.url, concurrency=1)
    transcript = collect(make_suite(3), subject, backend, settings, path)
    assert transcript.count("ok") == 3
    assert len(server.calls) == 3 + 1  # learned once
    assert server.calls[-1].body["messages"] == [
        {"role": "user", "content": "Be brief.\n\nQuestion 2"}
    ]
    assert dropped_parameters(transcript) == ("system role",)
    [manifest] = transcript.manifests
    assert "folded into the first user turn" in manifest.notes[0]
    again = collect(make_suite(3), subject, make_backend(server.url), settings, path)
    assert len(server.calls) == 4
    assert again.count("ok") == 3


def test_a_refusal_that_is_about_something_else_folds_nothing(loopback: Start) -> None:
    server = loopback([error_reply(400, "the operating system is not supported")])
    settings = GenerationSettings(max_tokens=16, system_prompt="Be brief.")
    backend = make_backend(server.url)
    [answer] = ask(backend, settings=settings)
    assert answer.status == "error"
    assert backend.rejected == frozenset()
