"""How an answer ended: one table of finish reasons, and of what a vendor's refusal to serve means.

Sources of the names: OpenAI (`stop`, `length`, `content_filter`, `tool_calls`; responses:
`completed`, `incomplete`, `max_output_tokens`), Anthropic (`end_turn`, `refusal`, `pause_turn`,
`model_context_window_exceeded`), Gemini's `FinishReason`, Cohere, Bedrock (`guardrail_intervened`),
Titan (`CONTENT_FILTERED`), Mistral (`model_length`), DeepSeek (`insufficient_system_resource`),
Zhipu (`sensitive`, `network_error`), vLLM and SGLang (`abort`), TGI (`eos_token`), llama.cpp
(`stop_type`: `eos`, `word`, `limit`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from forensics.support.sanitise import one_line

Status = Literal["ok", "truncated", "filtered", "error"]
Kind = Literal["natural", "limit", "filter", "aborted", "failed", "unknown"]

# Names in lower case with words joined by "_"; a reason is what its longest prefix here says.
_PREFIXES: Mapping[str, Kind] = {
    "stop": "natural",
    "end_": "natural",
    "endof": "natural",
    "eos": "natural",
    "word": "natural",
    "complete": "natural",
    "completion": "natural",
    "finish": "natural",
    "done": "natural",
    "succe": "natural",
    "natural": "natural",
    "normal": "natural",
    "tool_call": "natural",
    "tool_use": "natural",
    "function_call": "natural",
    "length": "limit",
    "limit": "limit",
    "max_": "limit",
    "maxtokens": "limit",
    "model_length": "limit",
    "model_context": "limit",
    "context_": "limit",
    "token_limit": "limit",
    "tokens_limit": "limit",
    "out_of_tokens": "limit",
    "truncat": "limit",
    "incomplete": "limit",
    "pause": "limit",
    "error_limit": "limit",
    "stop_limit": "limit",
    "stopped_limit": "limit",
    "stop_length": "limit",
    "content_filter": "filter",
    "contentfilter": "filter",
    "content_block": "filter",
    "content_policy": "filter",
    "content_moderation": "filter",
    "filter": "filter",
    "safety": "filter",
    "recitation": "filter",
    "block": "filter",
    "prohibited": "filter",
    "spii": "filter",
    "language": "filter",
    "image_safety": "filter",
    "image_prohibited": "filter",
    "image_recitation": "filter",
    "model_armor": "filter",
    "jailbreak": "filter",
    "refus": "filter",
    "guardrail": "filter",
    "sensitive": "filter",
    "moderat": "filter",
    "flagged": "filter",
    "policy": "filter",
    "error_toxic": "filter",
    "abort": "aborted",
    "cancel": "aborted",
    "user_cancel": "aborted",
    "interrupt": "aborted",
    "disconnect": "aborted",
    "preempt": "aborted",
    "timeout": "aborted",
    "timed_out": "aborted",
    "time_limit": "aborted",
    "insufficient_system_resource": "aborted",
    "network_error": "aborted",
    "error": "failed",
    "fail": "failed",
    "expired": "failed",
    "malformed": "failed",
    "internal": "failed",
    "server_error": "failed",
    "unexpected_tool": "failed",
    "too_many_tool": "failed",
    "rate_limit": "failed",
}
# What enumerations put before a name: FinishReason.STOP, FINISH_REASON_STOP.
_ENUMERATION = re.compile(r"^(?:finish_?reason|stop_?reason|done_?reason)_+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_WORD = re.compile(r"[^a-z0-9]+")

_FILTER = re.compile(
    r"content_?filter|content_policy|responsibleaipolicy|data_inspection_failed"
    r"|content exists risk|flagged|moderation",
    re.IGNORECASE,
)
# Failures whose message is about access, money or load, whatever words it uses.
_NEVER_FILTERED = frozenset({401, 402, 408, 409, 425, 429})


@dataclass(frozen=True)
class Ending:
    """What a finish reason says; `reason` is None where none was given."""

    kind: Kind
    reason: str | None = None

    def status(self, text: str) -> Status:
        """Return the status of an answer that ended so.

        Half an answer is `truncated`. An answer that ended for a reason nobody knows is never a
        whole one: `truncated` where there is text, otherwise `error`.
        """
        if self.kind == "natural":
            return "ok"
        if self.kind == "filter":
            return "filtered"
        if self.kind == "limit":
            return "truncated"
        return "truncated" if text.strip() and self.kind != "failed" else "error"

    @property
    def note(self) -> str | None:
        """What a reader must be told, if the reason is not known."""
        if self.kind != "unknown":
            return None
        return (
            f"answers ended with {one_line(self.reason or '', 40)!r}, a finish reason that is "
            "not known; kept as truncated, or as errors where there is no text"
        )


NATURAL = Ending("natural")


def ending(reason: object) -> Ending:
    """Return what a finish or stop reason means; None is a natural end, as nothing was said.

    Case, word separators and enumeration prefixes do not matter, and the longest known prefix
    counts. An object stands for its `type` or `reason` (SGLang: `{"type": "stop", "matched": 2}`).
    """
    if isinstance(reason, Mapping):
        reason = reason.get("type", reason.get("reason"))
    # NaN is how data frames write that nothing was said.
    if reason is None or reason == "" or (isinstance(reason, float) and math.isnan(reason)):
        return NATURAL
    said = str(reason)
    name = _NO_WORD.sub("_", _CAMEL.sub("_", said[:200]).lower()).strip("_")
    name = _ENUMERATION.sub("", name)
    fitting = [prefix for prefix in _PREFIXES if f"{name}_".startswith(prefix)]
    return Ending(_PREFIXES[max(fitting, key=len)] if fitting else "unknown", said)


def failure_status(code: str, message: str, http_status: int | None = None) -> Status:
    """Return the status of a call that failed: `filtered` where the vendor's filter refused it.

    Args:
        code: the error's code, type and status fields, joined.
        message: what it says in words.
        http_status: the HTTP status, if known.
    """
    if http_status in _NEVER_FILTERED or (http_status is not None and http_status >= 500):
        return "error"
    return "filtered" if _FILTER.search(f"{code} {message}") else "error"
