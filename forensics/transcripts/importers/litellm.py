"""LiteLLM's logs: the standard logging payload, and the rows of its spend logs.

https://docs.litellm.ai/docs/proxy/logging_spec: `{call_type, model, messages, response, status,
error_str}`; spend logs have the same fields, `messages` and `response` as JSON text, and what was
sent in `proxy_server_request` where `messages` is empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import InputFileError
from forensics.support.compressed import plain_path
from forensics.transcripts.completions import Failure, read_failure
from forensics.transcripts.importers.calls import Call, CallReader
from forensics.transcripts.importers.head import (
    Record,
    first_record,
    is_record,
    objects,
    parsed,
    returned,
)
from forensics.transcripts.importers.importer import (
    Imported,
    ImportedAnswer,
    by_model,
    each_record,
    model_name,
)
from forensics.transcripts.importers.problems import Problems
from forensics.transcripts.importers.records import json_records
from forensics.transcripts.importers.requests import Messages, asked, is_request

# What stands for messages and answers with `turn_off_message_logging`.
_REDACTED = "redacted-by-litellm"
_WRITTEN = ("completion", "responses", "anthropic_messages", "generate_content", "pass_through")


@dataclass(frozen=True)
class LiteLLM:
    """Reads calls that write text; embeddings and the like are left out with a note."""

    name: str = "litellm"
    description: str = "LiteLLM request logs: standard logging payloads, spend logs"
    example: str = "litellm_logs.jsonl"

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        record = _payload(first_record(path))
        return {"call_type", "response"} <= record.keys()

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`; a call that failed is kept as an error."""
        problems = Problems()
        reader = CallReader("litellm:id", plain_path(path).stem, prefer_asked=True)

        def read(where: str, record: Record) -> list[ImportedAnswer]:
            call = _call(where, _payload(record))
            if call is None:
                model = model_name(_payload(record).get("model")) or reader.fallback
                reader.tally.add(model, "calls write no text (embeddings and the like); left out")
                return []
            return reader.answers(call)

        answers = list(each_record(_records(path, problems), read, problems))
        yield from by_model(answers, reader.tally.notes(), problems)


def _records(path: Path, problems: Problems) -> Iterator[tuple[str, Record]]:
    for where, record in json_records(path, problems):
        page = objects(record.get("data"))
        if not page:
            yield where, record
        for number, entry in enumerate(page, start=1):
            yield f"{where}, entry {number}", entry


def _payload(record: Record) -> Record:
    """Return the payload, which callbacks are given inside their arguments."""
    record = next(iter(objects(record.get("data"))), record)
    arguments = record.get("kwargs")
    record = arguments if is_record(arguments) else record
    inner = record.get("standard_logging_object")
    return inner if is_record(inner) else record


def _call(where: str, payload: Record) -> Call | None:
    kind = str(payload.get("call_type", "completion"))
    if not any(name in kind for name in _WRITTEN):
        return None
    messages = _messages(where, payload)
    came_back = returned(payload.get("response"))
    identifier = payload.get("id", payload.get("request_id"))
    name = identifier if isinstance(identifier, str) and identifier else None
    if _redacted(messages, came_back):
        raise InputFileError(f"{where}: LiteLLM was told not to log what was said ({_REDACTED})")
    failure = _failure(where, payload, came_back)
    model = model_name(payload.get("model"))
    cached = payload.get("cache_hit") in (True, "True", "true")
    prompt_id = None if messages else name
    return Call(where, prompt_id, messages, came_back, failure, model, cached=cached)


def _redacted(messages: Messages | None, came_back: object) -> bool:
    sent = any(message.content.strip() == _REDACTED for message in messages or ())
    choices = objects(came_back.get("choices")) if is_record(came_back) else []
    said = [choice.get("message") for choice in choices] or [came_back]
    texts = (
        message.get("content", message.get("text")) if is_record(message) else message
        for message in said
    )
    return sent or _REDACTED in texts


def _messages(where: str, payload: Record) -> Messages | None:
    given = parsed(payload.get("messages"))
    if is_request(given) and is_record(given):
        return asked(given, where)
    if given:
        parameters = payload.get("model_parameters")
        tools = parameters.get("tools") if is_record(parameters) else None
        return asked({"messages": given, "tools": tools}, where)
    sent = parsed(payload.get("proxy_server_request"))
    body = sent.get("body", sent) if is_record(sent) else None
    return asked(body, where) if is_record(body) and is_request(body) else None


def _failure(where: str, payload: Record, came_back: object) -> Failure | None:
    error = payload.get("error_str") or payload.get("error_information")
    if payload.get("status") == "failure" or (not came_back and error):
        return read_failure(error or "the call failed")
    if not came_back:
        raise InputFileError(f"{where}: the call holds no response; were responses stored?")
    return None
