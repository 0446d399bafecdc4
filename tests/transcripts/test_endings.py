from __future__ import annotations

import pytest

from forensics.transcripts.endings import ending, failure_status

# Split at white space: as many spellings as vendors and their libraries have.
NATURAL = [
    *"""stop STOP FinishReason.STOP FINISH_REASON_STOP stop_sequence STOP_CRITERIA_MET end_turn
    endTurn end-of-turn endoftext eos EOS eos_token COMPLETE completed finish FINISHED done success
    tool_calls tool_use TOOL_CALL toolUse function_call word""".split(),
    *(None, "", float("nan"), {"type": "stop", "matched": 2}),
]
LIMIT = [
    *"""length LENGTH max_tokens MAX_TOKENS maxTokens max_output_tokens max_new_tokens model_length
    length_capped incomplete ERROR_LIMIT pause_turn model_context_window_exceeded limit
    stopped_limit truncated""".split(),
    {"type": "length"},
]
FILTER = """content_filter content-filter contentFilter CONTENT_FILTERED content_filtered SAFETY
    FinishReason.SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII IMAGE_SAFETY refusal
    guardrail_intervened GUARDRAIL_INTERVENED ERROR_TOXIC sensitive LANGUAGE blocked
    content_policy_violation MODEL_ARMOR""".split()
ABORTED = [
    *"""abort ABORT aborted cancelled canceled USER_CANCEL insufficient_system_resource
    network_error timeout interrupted""".split(),
    "abort: client left",
]
FAILED = "error ERROR failed expired MALFORMED_FUNCTION_CALL server_error".split()
UNKNOWN = [*"OTHER unknown FINISH_REASON_UNSPECIFIED load endpoint zzz 7".split(), 3]


@pytest.mark.parametrize(
    ("reasons", "with_text", "without"),
    [
        (NATURAL, "ok", "ok"),
        (LIMIT, "truncated", "truncated"),
        (FILTER, "filtered", "filtered"),
        (ABORTED, "truncated", "error"),
        (FAILED, "error", "error"),
        (UNKNOWN, "truncated", "error"),
    ],
)
def test_every_spelling_of_a_reason(reasons: list[object], with_text: str, without: str) -> None:
    for reason in reasons:
        found = ending(reason)
        assert (found.status("half an answer"), found.status(" ")) == (with_text, without), reason


def test_only_an_unknown_reason_is_reported() -> None:
    for reason in [*NATURAL, *LIMIT, *FILTER, *ABORTED, *FAILED]:
        assert ending(reason).note is None
    note = ending("zz\x1b[31m" + "z" * 500).note
    assert note is not None and "\x1b" not in note and len(note) < 250
    assert "finish reason that is not known" in note


@pytest.mark.parametrize(
    ("code", "message", "http", "status"),
    [
        ("content_filter", "", 400, "filtered"),
        ("400 ResponsibleAIPolicyViolation", "", 400, "filtered"),
        ("", "Your prompt was flagged by moderation", None, "filtered"),
        ("", "Content Exists Risk", 400, "filtered"),
        ("invalid_request_error", "too long", 400, "error"),
        ("rate_limit", "the moderation endpoint is busy", 429, "error"),
        ("content_filter", "down", 503, "error"),
    ],
)
def test_what_a_failure_means(code: str, message: str, http: int | None, status: str) -> None:
    assert failure_status(code, message, http) == status
