"""One reader for every shape a message has; endpoints and importers both use it."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.transcripts.blocks import block_of
from forensics.transcripts.completions import read_completion, read_failure
from forensics.transcripts.messages import (
    ENCRYPTED,
    MessageError,
    apart,
    read_content,
    read_message,
)
from tests.damage import ANY_JSON

HM, YES = "Let me see.", "It is late."


def text(value: str) -> dict[str, str]:
    return {"type": "text", "text": value}


@pytest.mark.parametrize(
    "message",
    [
        {"content": YES, "reasoning_content": HM},
        {"content": YES, "reasoning": HM},
        {"content": YES, "thinking": HM},
        {"content": YES, "reasoning": HM, "reasoning_content": HM},
        {"content": f"<think>{HM}</think>{YES}"},
        {"content": f"<think>{HM}</think>{YES}", "reasoning_content": HM},
        {"content": [{"type": "thinking", "thinking": HM, "signature": "s"}, text(YES)]},
        {"content": [{"type": "thinking", "thinking": [text(HM)]}, text(YES)]},
        {"content": [{"type": "reasoning", "reasoning": HM}, text("It is "), text("late.")]},
        {"content": [{"type": "reasoning", "summary": [{"text": HM}]}, text(YES)]},
        {"content": [{"type": "reasoning_text", "text": HM}, {"type": "output_text", "text": YES}]},
        {"content": [{"reasoningContent": {"reasoningText": {"text": HM}}}, {"text": YES}]},
        {"parts": [{"text": HM, "thought": True}, {"text": YES, "thoughtSignature": "x"}]},
        {"parts": [{"type": "reasoning", "text": HM}, {"type": "step-start"}, text(YES)]},
        {"content": YES, "parts": [{"type": "reasoning", "text": HM}, text(YES)]},
        {"content": {"answer": YES, "thought": HM}},
        {"content": {"content_type": "text", "parts": [YES]}, "reasoning": HM},
        {"content": YES, "reasoning_details": [{"type": "reasoning.text", "text": HM}]},
        {"content": YES, "reasoning_details": [{"type": "reasoning.summary", "summary": HM}]},
        {
            "content": YES,
            "reasoning": None,
            "reasoning_details": [
                {"type": "reasoning.text", "text": "Let me ", "index": 0},
                {"type": "reasoning.text", "text": "see.", "index": 0},
                {"type": "reasoning.encrypted", "data": "gAAAA", "index": 1},
            ],
        },
        {
            "content": YES,
            "reasoning_content": HM,
            "thinking_blocks": [{"type": "thinking", "thinking": HM, "signature": "s"}],
        },
        {
            "content": [
                {"type": "reasoning", "reasoning": "gAAAA", "redacted": True, "summary": HM},
                {"type": "redacted_thinking", "data": "gAAAA"},
                text(YES),
            ]
        },
    ],
)
def test_thinking_is_found_wherever_it_stands(message: dict[str, Any]) -> None:
    found = apart(read_message({"role": "assistant", **message}))
    assert (found.text, found.reasoning) == (YES, HM)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "reasoning", "reasoning": "gAAAA", "redacted": True, "summary": None},
        {"type": "redacted_thinking", "data": "gAAAA"},
        {"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"},
        {"type": "reasoning", "summary": [], "content": None, "encrypted_content": "gAAAA"},
        {"type": "thinking", "thinking": "", "signature": "gAAAA"},
        {"reasoningContent": {"redactedContent": "gAAAA"}},
    ],
)
def test_encrypted_thinking_is_no_text_and_is_noted(block: dict[str, Any]) -> None:
    found = read_message({"content": [block, text(YES)]})
    assert (found.text, found.reasoning, found.notes) == (YES, None, (ENCRYPTED,))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"content": None, "refusal": "I cannot."}, "I cannot."),
        ({"content": [{"type": "refusal", "refusal": "I cannot."}]}, "I cannot."),
        ({"content": None, "audio": {"id": "a", "transcript": YES}}, YES),
        ({"content": None}, ""),
        ({"content": float("nan")}, ""),
        ({"content": {"answer": YES}}, YES),
        ({"content": {"text": YES, "lang": "en"}}, YES),
        ({"content": [{"type": "text", "text": {"value": YES, "annotations": []}}]}, YES),
        ({"content": [YES, None]}, YES),
        ({"content": None, "tool_calls": [{"id": "c", "function": {}}]}, ""),
    ],
)
def test_what_is_said(message: dict[str, Any], expected: str) -> None:
    assert read_message(message).text == expected


@pytest.mark.parametrize(
    "message",
    [{"role": "assistant"}, {"role": "assistant", "body": "x"}, {"content": 7}, {"content": [7]}],
)
def test_a_message_that_says_nothing_is_an_error(message: dict[str, Any]) -> None:
    with pytest.raises(MessageError, match="content"):
        read_message(message)


def test_parts_that_are_nested_without_end_are_an_error() -> None:
    value: Any = "deep"
    for _ in range(100):
        value = {"type": "thinking", "thinking": [value]}
    with pytest.raises(MessageError, match="nested"):
        read_content([value])


def test_the_same_picture_has_one_digest_in_every_shape() -> None:
    shapes = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
        {"type": "image", "image": "data:image/png;base64,AAAA", "detail": "auto"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
    ]
    marks = {read_content([shape]).as_prompt for shape in shapes}
    assert len(marks) == 1
    other = read_content([{"type": "image", "image": "data:image/png;base64,BBBB"}]).as_prompt
    assert other not in marks


def test_calls_differ_by_what_they_ask_not_by_their_random_ids() -> None:
    def call(number: str, city: str) -> Any:
        return [{"id": number, "function": {"name": "f", "arguments": city}}]

    assert block_of("tool_calls", call("1", "Oslo")) == block_of("tool_calls", call("2", "Oslo"))
    assert block_of("tool_calls", call("1", "Oslo")) != block_of("tool_calls", call("1", "Rome"))


OUTPUT = {
    "chat": {"choices": [{"message": {"content": YES}, "finish_reason": "length"}]},
    "completion": {"choices": [{"text": YES, "finish_reason": "length"}]},
    "response": {
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
        "output": [{"type": "message", "content": [{"type": "output_text", "text": YES}]}],
    },
    "anthropic": {"type": "message", "content": [text(YES)], "stop_reason": "max_tokens"},
    "gemini": {
        "candidates": [{"content": {"parts": [{"text": YES}]}, "finishReason": "MAX_TOKENS"}]
    },
    "ollama": {"message": {"role": "assistant", "content": YES}, "done_reason": "length"},
}


@pytest.mark.parametrize("api", OUTPUT)
def test_what_every_api_returns(api: str) -> None:
    (output,) = read_completion(OUTPUT[api]).outputs
    assert (output.content.text, output.status) == (YES, "truncated")


def test_several_message_items_are_joined_with_a_break() -> None:
    items = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": HM}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A"}]},
        {"type": "web_search_call", "id": "w", "status": "completed"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "B"}]},
    ]
    (output,) = read_completion({"output": items, "status": "completed"}).outputs
    assert (output.content.text, output.content.reasoning) == ("A\n\nB", HM)
    assert [block.kind for block in output.content.other] == ["web_search_call"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"choices": [{"message": {"role": "assistant"}, "finish_reason": "SAFETY"}]}, "filtered"),
        ({"candidates": [{"finishReason": "MAX_TOKENS"}]}, "truncated"),
        ({"promptFeedback": {"blockReason": "SAFETY"}}, "filtered"),
        ({"choices": [{"message": {"content": "x"}, "finish_reason": "novel"}]}, "truncated"),
    ],
)
def test_an_answer_that_was_blocked_may_have_no_content(body: dict[str, Any], status: str) -> None:
    (output,) = read_completion(body).outputs
    assert output.status == status


def test_a_natural_end_without_content_is_an_error() -> None:
    body = {"choices": [{"message": {"role": "assistant", "said": "x"}, "finish_reason": "stop"}]}
    with pytest.raises(MessageError, match=r"without 'content' \(its fields: 'role', 'said'\)"):
        read_completion(body)


def test_failures_in_every_shape() -> None:
    anthropic = {"type": "error", "error": {"type": "invalid_request_error", "message": "bad"}}
    assert read_failure(anthropic).message == "bad"
    azure = {"code": "content_filter", "message": "no", "innererror": {"code": "x"}}
    assert read_failure(azure, 400).status == "filtered"
    assert read_failure(None).message == "the request failed"


KEYS = st.sampled_from(
    "role content parts text type thinking reasoning reasoning_content reasoning_details summary "
    "redacted thought tool_calls audio transcript choices message output candidates error "
    "finish_reason stop_reason answer value index usage images".split()
)
SHAPES = st.recursive(
    ANY_JSON, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)
)


@given(value=SHAPES)
def test_any_value_is_read_or_refused(value: Any) -> None:
    for read in (read_message, read_content, read_completion):
        with contextlib.suppress(MessageError):
            read(value)
    read_failure(value)
