"""OpenAI batch output, with and without its input file."""

from __future__ import annotations

from typing import Any

import pytest

from forensics.errors import InputFileError
from forensics.suites.suite import text_sha256
from forensics.transcripts.importers import import_file


def rows(transcript: Any) -> list[tuple[str, int, str, str]]:
    return [(r.prompt.text, r.sample, r.text, r.status) for r in transcript.responses]


def batch_line(custom_id: str, body: Any, status: int = 200) -> dict[str, Any]:
    response = {"status_code": status, "request_id": f"req-{custom_id}", "body": body}
    return {"id": "batch_req_1", "custom_id": custom_id, "response": response, "error": None}


def completion(*texts: str, reason: str = "stop") -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "owl-2025-01-01",
        "system_fingerprint": "fp_1",
        "choices": [
            {
                "index": i,
                "finish_reason": reason,
                "message": {"role": "assistant", "content": text, "refusal": None},
            }
            for i, text in enumerate(texts)
        ],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    }


def batch_input(custom_id: str, *contents: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": content} for content in contents]
    body = {"model": "owl", "messages": messages}
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body}


OUTPUT = [
    batch_line("b", completion("Jay", reason="length")),
    batch_line("a", completion("Red", "Blue")),
    batch_line("c", {"error": {"message": "too long"}}, 400),
    {
        "id": "x",
        "custom_id": "d",
        "response": None,
        "error": {"code": "batch_expired", "message": None},
    },
]


def test_batch_with_its_input_beside_it(importing):
    importing.jsonl("batch_input.jsonl", [batch_input(i, f"prompt {i}") for i in "abcd"])
    transcript = importing.one(importing.jsonl("batch_output.jsonl", OUTPUT))
    assert transcript.name == "owl-2025-01-01"
    assert rows(transcript) == [
        ("prompt b", 0, "Jay", "truncated"),
        ("prompt a", 0, "Red", "ok"),
        ("prompt a", 1, "Blue", "ok"),
        ("prompt c", 0, "", "error"),
        ("prompt d", 0, "", "error"),
    ]
    first, second, _, failed, expired = transcript.responses
    assert first.prompt.sha256 == text_sha256("prompt b")
    assert (first.request_id, first.model, first.finish_reason) == (
        "req-b",
        "owl-2025-01-01",
        "length",
    )
    assert (first.input_tokens, first.output_tokens) == (5, 2)
    assert second.output_tokens is None  # the count is of both choices
    assert (failed.error, expired.error) == ("too long", "batch_expired")


def test_batch_without_its_input_is_matched_by_custom_id(importing):
    path = importing.jsonl("out.jsonl", [batch_line("a", completion("Red"))])
    transcript = importing.one(path)
    prompt = transcript.responses[0].prompt
    assert (prompt.messages, prompt.id) == ((), "a")
    assert prompt.sha256 == text_sha256("openai-batch:custom_id:a")
    assert any("no known prompt" in note for note in transcript.manifests[0].notes)


def test_batch_with_a_named_input(importing):
    path = importing.jsonl("out.jsonl", [batch_line("a", completion("Red"))])
    prompts = importing.jsonl("elsewhere/questions.jsonl", [batch_input("a", "Colour?")])
    assert rows(importing.one(path, prompts=prompts)) == [("Colour?", 0, "Red", "ok")]
    wrong = importing.jsonl("elsewhere/wrong.jsonl", [batch_input("z", "Colour?")])
    with pytest.raises(InputFileError, match=r"1 of 1 custom_ids are not in it \(first: 'a'\)"):
        import_file(path, importing.out, prompts=wrong)


def test_batch_inputs_that_contradict_each_other(importing):
    importing.jsonl("one_input.jsonl", [batch_input("a", "Colour?")])
    importing.jsonl("two_input.jsonl", [batch_input("a", "Number?")])
    path = importing.jsonl("out.jsonl", [batch_line("a", completion("Red"))])
    with pytest.raises(InputFileError, match="--prompts"):
        import_file(path, importing.out)


def test_batch_of_responses_and_of_completions(importing):
    response = {
        "object": "response",
        "model": "owl",
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
        "output": [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "Red"}],
            },
        ],
    }
    plain = {
        "object": "text_completion",
        "model": "owl",
        "choices": [{"text": " sat", "finish_reason": "stop"}],
    }
    lines = [batch_line("a", response), batch_line("b", plain)]
    asked = [
        {"custom_id": "a", "body": {"instructions": "Be brief.", "input": "Colour?"}},
        {"custom_id": "b", "body": {"prompt": "The cat"}},
    ]
    importing.jsonl("x_input.jsonl", asked)
    first, second = importing.one(importing.jsonl("x_output.jsonl", lines)).responses
    assert (first.text, first.reasoning, first.status) == ("Red", "hm", "truncated")
    assert [tuple(m) for m in first.prompt.messages] == [
        ("system", "Be brief."),
        ("user", "Colour?"),
    ]
    assert (second.text, second.prompt.text) == (" sat", "The cat")


def test_batch_of_embeddings_has_no_text(importing):
    body = {"object": "list", "model": "e", "data": []}
    path = importing.jsonl("out.jsonl", [batch_line("a", body)])
    with pytest.raises(InputFileError, match="holds no text"):
        import_file(path, importing.out)
