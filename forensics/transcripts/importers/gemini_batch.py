"""Gemini's and Vertex AI's batches: the output file, with its requests in it or beside.

https://ai.google.dev/gemini-api/docs/batch-api: `{key, response | error}`, the requests in a file
of `{key, request}`; inline results: `{metadata: {key}, response}`.
https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/batch-prediction-gemini:
`{request, response, status, processed_time}`, where `status` says why a request failed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from forensics.errors import InputFileError
from forensics.transcripts.completions import Failure, read_failure
from forensics.transcripts.importers.beside import named_requests, requests_beside
from forensics.transcripts.importers.calls import Call, CallReader, only_model
from forensics.transcripts.importers.head import Record, first_record, is_record, objects, parsed
from forensics.transcripts.importers.importer import Imported, by_model, each_record
from forensics.transcripts.importers.problems import Problems
from forensics.transcripts.importers.records import json_records
from forensics.transcripts.importers.requests import Messages, asked

_ANSWERS = ("candidates", "promptFeedback", "prompt_feedback", "usageMetadata", "modelVersion")


@dataclass(frozen=True)
class GeminiBatch:
    """Reads batch output; `prompts` is the file of requests, else it is looked for beside."""

    prompts: Path | None = None
    name: str = "gemini-batch"
    description: str = "Gemini and Vertex AI batch output; prompts in it or beside it"
    example: str = "prediction-model-2025-01-02T03:04:05Z/predictions.jsonl"

    def with_prompts(self, prompts: Path) -> GeminiBatch:
        """See `PromptsImporter`."""
        return replace(self, prompts=prompts)

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        record = first_record(path)
        for name in ("inlinedResponses", "inlined_responses"):
            record = next(iter(objects(record.get(name))), record)
        if "custom_id" in record:
            return False
        response, request = parsed(record.get("response")), parsed(record.get("request"))
        answered = is_record(response) and any(name in response for name in _ANSWERS)
        vertex = "processed_time" in record and is_record(request)
        failed = "key" in record and is_record(record.get("error"))
        return answered or vertex or failed

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`; a request that failed becomes a response of status `error`."""
        problems = Problems()
        calls = list(each_record(_lines(path, problems), _call, problems))
        ids = {call.identifier for call in calls if call.identifier and call.messages is None}
        sent: Mapping[str, Messages] = {}
        if self.prompts is not None:
            sent = named_requests(self.prompts, ids, _read_requests, problems)
        elif ids:
            sent = requests_beside(path, ids, _is_request_line, _read_requests, problems)
        reader = CallReader("gemini-batch:key", only_model(calls, path))
        placed = ((call.where, _placed(call, sent)) for call in calls)
        answers = list(each_record(placed, lambda _, call: reader.answers(call), problems))
        yield from by_model(answers, reader.tally.notes(), problems)


def _placed(call: Call, sent: Mapping[str, Messages]) -> Call:
    if call.messages is not None or call.identifier is None:
        return call
    return replace(call, messages=sent.get(call.identifier))


def _lines(path: Path, problems: Problems) -> Iterator[tuple[str, Record]]:
    """Yield the records of a file of lines, or of a batch with its results inline."""
    for where, record in json_records(path, problems):
        names = ("inlinedResponses", "inlined_responses")
        inline = [response for name in names for response in objects(record.get(name))]
        if not inline:
            yield where, record
        for number, response in enumerate(inline, start=1):
            yield f"{where}, response {number}", {"key": f"request-{number}", **response}


def _call(where: str, record: Record) -> list[Call]:
    request, response = parsed(record.get("request")), parsed(record.get("response"))
    key = _key(record)
    if (
        response is None
        and "request" in record
        and "status" not in record
        and "error" not in record
    ):
        raise InputFileError(f"{where}: a request without its response; import the output file")
    messages = asked(request, where) if is_record(request) else None
    named = request.get("model") if is_record(request) else None
    model = named if isinstance(named, str) else None
    failure = _failure(record) if not response else None
    return [Call(where, key, messages, response or None, failure, model)]


def _failure(record: Record) -> Failure:
    status = record.get("status")
    given = record.get("error") or (status if isinstance(status, str) and status else None)
    return read_failure(given) if given else Failure("error", "the request has no response")


def _key(record: Record) -> str | None:
    metadata = record.get("metadata")
    inner = metadata.get("key") if is_record(metadata) else None
    key = record.get("key", inner)
    return str(key) if isinstance(key, str | int) and not isinstance(key, bool) else None


def _is_request_line(record: Record) -> bool:
    return {"key", "request"} <= record.keys() and "response" not in record


def _read_requests(path: Path, ids: Collection[str], problems: Problems) -> Mapping[str, Messages]:
    def read(where: str, record: Record) -> Iterator[tuple[str, Messages]]:
        key, request = _key(record), record.get("request")
        if key is None or not is_record(request):
            raise InputFileError(f"{where}: no key and request; this is not a batch request")
        if key in ids:
            yield key, asked(request, where)

    return dict(each_record(json_records(path, problems), read, problems))
