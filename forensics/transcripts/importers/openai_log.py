"""OpenAI's stored completions and responses, and logs of requests with what came back.

https://platform.openai.com/docs/api-reference/chat/list: `{object: "list", data: [completion]}`,
with `messages` or `input` where the export has them; the same objects as JSON Lines; and pairs of
`{request, response}` of any API, whole HTTP messages with a `body` included.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import InputFileError
from forensics.transcripts.completions import Failure, read_failure
from forensics.transcripts.importers.calls import Call, CallReader, only_model
from forensics.transcripts.importers.head import Record, first_record, is_record, objects, parsed
from forensics.transcripts.importers.importer import Imported, by_model, each_record, model_name
from forensics.transcripts.importers.problems import Problems
from forensics.transcripts.importers.records import json_records
from forensics.transcripts.importers.requests import asked, is_request

_OBJECTS = ("chat.completion", "text_completion", "response")
# As proxies and gateways name the two sides.
_REQUESTS = ("request", "request_body", "requestBody", "req")
_RESPONSES = ("response", "response_body", "responseBody", "res")
_ANSWERS = ("choices", "output", "content", "error")


@dataclass(frozen=True)
class OpenAILog:
    """Reads completions and responses, each with its request where the file has it."""

    name: str = "openai-log"
    description: str = "OpenAI stored completions, /v1/responses, request/response logs"
    example: str = "responses.jsonl"

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        record = first_record(path)
        record = next(iter(objects(record.get("data"))), record)
        if record.get("object") in _OBJECTS:
            return "custom_id" not in record
        return _is_pair(record) and not {"custom_id", "key", "processed_time"} & record.keys()

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`; a request that failed is kept as an error."""
        problems = Problems()
        calls = list(each_record(_records(path, problems), _call, problems))
        reader = CallReader("openai-log:id", only_model(calls, path))
        placed = ((call.where, call) for call in calls)
        answers = list(each_record(placed, lambda _, call: reader.answers(call), problems))
        yield from by_model(answers, reader.tally.notes(), problems)


def _is_pair(record: Record) -> bool:
    request, response = _part(record, _REQUESTS), _part(record, _RESPONSES)
    if isinstance(response, str):
        return is_request(request) and bool(response)
    return is_request(request) and is_record(response) and any(k in response for k in _ANSWERS)


def _part(record: Record, names: tuple[str, ...]) -> object:
    """Return the body of the first of the fields that the record has."""
    return _body(next((record[name] for name in names if name in record), None))


def _body(value: object) -> object:
    """Return what an HTTP message carries, or the value itself; JSON text is parsed."""
    body = value.get("body", value) if is_record(value) else value
    inner = parsed(body)
    return inner if is_record(inner) else body


def _records(path: Path, problems: Problems) -> Iterator[tuple[str, Record]]:
    """Yield the records of a file of lines, or those of a page as the API lists them."""
    for where, record in json_records(path, problems):
        page = record.get("data")
        if not isinstance(page, list):
            yield where, record
            continue
        for number, entry in enumerate(page, start=1):
            if is_record(entry):
                yield f"{where}, entry {number}", entry
            else:
                problems.skip(InputFileError(f"{where}, entry {number}: not a JSON object"))


def _call(where: str, record: Record) -> list[Call]:
    if any(name in record for name in _REQUESTS):
        return [_pair(where, record)]
    identifier = record.get("id")
    name = identifier if isinstance(identifier, str) and identifier else None
    given = {k: record[k] for k in ("messages", "input", "instructions", "tools") if record.get(k)}
    messages = asked(given, where) if is_request(given) else None
    return [Call(where, name, messages, record, request_id=_text(record.get("request_id")))]


def _pair(where: str, record: Record) -> Call:
    request, response = _part(record, _REQUESTS), _part(record, _RESPONSES)
    if not is_record(request):
        raise InputFileError(f"{where}: the request is {type(request).__name__}, not an object")
    failure = _failure(record, response)
    return Call(
        where,
        None,
        asked(request, where),
        response,
        failure,
        model_name(request.get("model"), record.get("model")),
    )


def _failure(record: Record, response: object) -> Failure | None:
    outer = next((record[name] for name in _RESPONSES if name in record), None)
    places = [place for place in (outer, record) if is_record(place)]
    codes = [place.get(k) for place in places for k in ("status_code", "statusCode", "status")]
    code = next((c for c in codes if isinstance(c, int) and not isinstance(c, bool)), None)
    error = response.get("error") if is_record(response) else None
    if code is not None and code >= 400:
        return read_failure(error or response or f"HTTP {code}", code)
    if response is None or response == {}:
        return read_failure(record.get("error") or "the request has no response")
    return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
