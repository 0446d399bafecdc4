"""Replies that are streamed although no stream was asked for, read as if they had come whole.

Server-sent events are read by httpx-sse, as the standard has them
(https://html.spec.whatwg.org/multipage/server-sent-events.html): comments that keep a connection
alive, any line ends, data in several lines. Chunks are OpenAI's (`chat.completion.chunk`,
`text_completion`); lines of JSON are read the same way where they hold such chunks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from forensics.subjects.backends.chat_protocol import Reply, error_info, one_line, read_reply
from forensics.support.secrets import Secret

CUT_OFF = "stream_cut_off"
OTHER_STREAM = "other_stream"
_FIELD = re.compile(r"(?:data|event|id|retry)?:")
_DONE = "[DONE]"
# Stands among what an endpoint turned out not to take: answers that are not streamed.
NO_STREAM = "stream: false"
STREAM = {"stream": True, "stream_options": {"include_usage": True}}
_DEMANDED = re.compile(
    r"only supports? (?:the )?stream|(?:requires?|enable|use) (?:the )?stream"
    r"|stream\S* (?:mode )?(?:is required|must be)|non-stream\S* .{0,40}not supported",
    re.IGNORECASE,
)
_JOINED = ("content", "reasoning_content", "reasoning", "refusal")
# Lists of which each chunk brings pieces, named by the index of the entry they belong to.
_PIECEWISE = ("tool_calls", "reasoning_details")
_PIECES = ("text", "summary", "data", "arguments", "name")
# Parts of completions' log probabilities; those of chat are lists of one entry a token.
_PER_TOKEN = ("content", "refusal", "tokens", "token_logprobs", "top_logprobs", "text_offset")


def demands_stream(reply: Reply, sent: Mapping[str, Any]) -> bool:
    """Tell whether the reply says that answers are only streamed, and `sent` asked for none."""
    if reply.status not in (400, 422) or sent.get("stream"):
        return False
    return _DEMANDED.search(error_info(reply).message) is not None


def read_body(status: int, headers: Mapping[str, str], body: bytes, secret: Secret) -> Reply:
    """Parse a reply's `body`, streamed or not, and cut the key out of everything but the hash.

    A stream becomes the one object that it was cut into, marked with `streamed_chunks`. One that
    breaks off or reports an error becomes an `error` object; what came before is its `partial`.
    """
    reply = read_reply(status, headers, body, secret)
    if reply.content is not None or not reply.text.strip():
        return reply
    whole = _whole(reply.headers.get("content-type", ""), body)
    if whole is None:
        return reply
    # The key is sought in the whole again: it may have been cut in two.
    joined = read_reply(status, headers, json.dumps(whole).encode("ascii"), secret)
    return replace(joined, sha256=reply.sha256)


def _whole(content_type: str, body: bytes) -> Any:
    """Return the object a stream stands for, None where the body is no stream."""
    text = body.decode("utf-8-sig", "replace")
    start = text.lstrip()
    if _FIELD.match(start) or ("text/event-stream" in content_type and start[:1] != "{"):
        return _after_comments(text) or _assembled(_events(text))
    if "ndjson" in content_type or "jsonl" in content_type or start.startswith("{"):
        return _from_lines(text, content_type)
    return None


def _after_comments(text: str) -> Any:
    """Return a JSON body that stands behind comments which kept the connection alive."""
    lines = text.splitlines()
    rest = [line for line in lines if not line.startswith(":")]
    if len(rest) == len(lines):
        return None
    try:
        return json.loads("\n".join(rest))
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True)
class _Event:
    kind: str
    data: str


def _events(text: str) -> Iterator[_Event]:
    import httpx
    import httpx_sse

    # The blank line that ends the last event is missing where a stream breaks off.
    content = text.encode("utf-8", "replace") + b"\n\n"
    response = httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=content)
    for event in httpx_sse.EventSource(response).iter_sse():
        if event.data.strip():
            yield _Event(event.event, event.data)


def _from_lines(text: str, content_type: str) -> Any:
    lines = [line for line in text.splitlines() if line.strip()]
    first = _parsed(lines[0]) if lines else None
    named = "ndjson" in content_type or "jsonl" in content_type
    if not isinstance(first, dict) or (len(lines) == 1 and not named):
        return None
    if "choices" in first:
        return _assembled(_Event("", line) for line in lines)
    whose = "; this is how Ollama's own /api answers" if "done" in first else ""
    message = f"the server streams lines of JSON (NDJSON) that are not a chat completion{whose}"
    return {"error": {"message": message, "type": OTHER_STREAM}}


def _parsed(data: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


@dataclass
class _Assembly:
    """What the chunks so far say; `head` holds the fields beside the choices."""

    head: dict[str, Any] = field(default_factory=dict)
    choice: dict[str, Any] = field(default_factory=dict)
    chunks: int = 0

    def add(self, chunk: Mapping[str, Any]) -> None:
        for name, value in chunk.items():
            # Counts are complete in the last chunk that has them.
            is_known = name in self.head and name != "usage"
            if name not in ("choices", "object") and value is not None and not is_known:
                self.head[name] = value
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and choice.get("index") in (0, None):
                self.chunks += 1
                _merge_choice(self.choice, choice)

    def whole(self) -> dict[str, Any]:
        choice = {"index": 0, "finish_reason": None} | self.choice
        return self.head | {"choices": [choice], "streamed_chunks": self.chunks}


def _assembled(events: Iterator[_Event]) -> dict[str, Any]:
    assembly, done, first = _Assembly(), False, ""
    for event in events:
        if event.data.strip() == _DONE:
            done = True
            break
        named = "" if event.kind == "message" else event.kind
        first = first or named or one_line(event.data, 80)
        chunk = _parsed(event.data)
        if event.kind == "error" or (isinstance(chunk, dict) and chunk.get("error")):
            return _failed(_error_of(chunk, event.data), assembly)
        if not isinstance(chunk, dict):
            broken = f"an event of the stream is not a JSON object: {one_line(event.data, 80)!r}"
            return _failed({"message": broken, "type": CUT_OFF}, assembly)
        assembly.add(chunk)
    if not assembly.chunks:
        message = f"the server streams events that are not a chat completion (first: {first!r})"
        if not first:
            message = "the server streamed nothing"
        return {"error": {"message": message, "type": OTHER_STREAM if first else CUT_OFF}}
    if not done and not assembly.choice.get("finish_reason"):
        message = "the stream broke off before the answer's end"
        return _failed({"message": message, "type": CUT_OFF}, assembly)
    return assembly.whole()


def _error_of(chunk: Any, data: str) -> dict[str, Any]:
    error = chunk.get("error", chunk) if isinstance(chunk, dict) else chunk
    if isinstance(error, dict):
        return error
    return {"message": error if isinstance(error, str) else data}


def _failed(error: dict[str, Any], assembly: _Assembly) -> dict[str, Any]:
    partial = {"partial": assembly.whole()} if assembly.chunks else {}
    return {"error": error} | partial


def _merge_choice(into: dict[str, Any], choice: Mapping[str, Any]) -> None:
    for name, value in choice.items():
        if value is None or name == "index":
            continue
        if name in ("delta", "message") and isinstance(value, dict):
            _merge_message(into.setdefault("message", {}), value)
        elif name == "text" and isinstance(value, str):
            into["text"] = into.get("text", "") + value
        elif name == "logprobs" and isinstance(value, dict):
            _merge_lists(into.setdefault("logprobs", {}), value)
        else:
            into[name] = value


def _merge_message(into: dict[str, Any], delta: Mapping[str, Any]) -> None:
    for name, value in delta.items():
        if value is None:
            into.setdefault(name, None)
            continue
        before = into.get(name)
        if isinstance(value, str) and name in _JOINED:
            into[name] = before + value if isinstance(before, str) else _behind(before, value)
        elif isinstance(value, list) and name in _PIECEWISE:
            into[name] = _with_pieces(before if isinstance(before, list) else [], value)
        elif isinstance(value, list):
            into[name] = [*_as_parts(before), *value]
        else:
            into[name] = value


def _behind(before: Any, text: str) -> Any:
    return [*before, text] if isinstance(before, list) else text


def _as_parts(before: Any) -> list[Any]:
    if isinstance(before, list):
        return before
    return [before] if before else []


def _with_pieces(entries: list[Any], pieces: list[Any]) -> list[Any]:
    joined = list(entries)
    for piece in pieces:
        index = piece.get("index") if isinstance(piece, dict) else None
        places = (
            i for i, e in enumerate(joined) if isinstance(e, dict) and e.get("index") == index
        )
        place = None if index is None else next(places, None)
        if place is None:
            joined.append(piece)
        else:
            joined[place] = _with_piece(joined[place], piece)
    return joined


def _with_piece(entry: Mapping[str, Any], piece: Mapping[str, Any]) -> dict[str, Any]:
    whole = dict(entry)
    for name, value in piece.items():
        before = whole.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            whole[name] = _with_piece(before, value)
        elif isinstance(before, str) and isinstance(value, str) and name in _PIECES:
            whole[name] = before + value
        elif value is not None:
            whole[name] = value
    return whole


def _merge_lists(into: dict[str, Any], pieces: Mapping[str, Any]) -> None:
    for name, value in pieces.items():
        if name in _PER_TOKEN and isinstance(value, list):
            before = into.get(name)
            into[name] = [*(before if isinstance(before, list) else []), *value]
