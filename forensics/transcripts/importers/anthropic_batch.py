"""Anthropic's message batches: the results file, with the prompts from the file of requests.

https://docs.anthropic.com/en/api/retrieving-message-batch-results: one line a request,
`{custom_id, result: {type: succeeded | errored | canceled | expired, message | error}}`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from forensics.errors import InputFileError
from forensics.transcripts.completions import Failure, read_failure
from forensics.transcripts.importers.beside import named_requests, requests_beside
from forensics.transcripts.importers.calls import Call, CallReader, only_model
from forensics.transcripts.importers.head import Record, first_record, is_record, objects
from forensics.transcripts.importers.importer import Imported, by_model, each_record
from forensics.transcripts.importers.problems import Problems
from forensics.transcripts.importers.records import json_records
from forensics.transcripts.importers.requests import Messages, asked


@dataclass(frozen=True)
class AnthropicBatch:
    """Reads batch results; `prompts` is the file of requests, else it is looked for beside."""

    prompts: Path | None = None
    name: str = "anthropic-batch"
    description: str = "Anthropic message batch results; prompts from the requests beside"
    example: str = "msgbatch_01HkcTjaV5uDC8jWR4ZsDV8d_results.jsonl"

    def with_prompts(self, prompts: Path) -> AnthropicBatch:
        """See `PromptsImporter`."""
        return replace(self, prompts=prompts)

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        record = first_record(path)
        return "custom_id" in record and is_record(record.get("result"))

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`; a request that failed becomes a response of status `error`."""
        problems = Problems()
        calls = list(each_record(json_records(path, problems), _call, problems))
        ids = {call.identifier for call in calls if call.identifier}
        if self.prompts is not None:
            sent = named_requests(self.prompts, ids, _read_requests, problems)
        else:
            sent = requests_beside(path, ids, _is_request_line, _read_requests, problems)
        reader = CallReader("anthropic-batch:custom_id", only_model(calls, path))
        placed = (
            (call.where, replace(call, messages=sent.get(str(call.identifier)))) for call in calls
        )
        answers = list(each_record(placed, lambda _, call: reader.answers(call), problems))
        yield from by_model(answers, reader.tally.notes(), problems)


def _call(where: str, record: Record) -> list[Call]:
    custom_id, result = record.get("custom_id"), record.get("result")
    if not isinstance(custom_id, str) or not custom_id:
        raise InputFileError(f"{where}: no custom_id; this is not a batch result")
    if not is_record(result):
        hint = "this is a batch request; import the results" if "params" in record else "no result"
        raise InputFileError(f"{where}: {hint}")
    returned = result.get("message", result.get("response"))
    kind = str(result.get("type"))[:40]
    if returned is None or kind in ("errored", "canceled", "expired"):
        return [Call(where, custom_id, None, failure=_failure(kind, result.get("error")))]
    return [Call(where, custom_id, None, returned)]


def _failure(kind: str, error: object) -> Failure:
    said = "the request expired" if kind == "expired" else f"the request was {kind}"
    return read_failure(error) if error else Failure("error", said)


def _is_request_line(record: Record) -> bool:
    lines = objects(record.get("requests"))
    return {"custom_id", "params"} <= (lines[0] if lines else record).keys()


def _read_requests(path: Path, ids: Collection[str], problems: Problems) -> Mapping[str, Messages]:
    def read(where: str, record: Record) -> Iterator[tuple[str, Messages]]:
        for request in objects(record.get("requests")) or [record]:
            custom_id, params = request.get("custom_id"), request.get("params")
            if not isinstance(custom_id, str) or not is_record(params):
                raise InputFileError(
                    f"{where}: no custom_id and params; this is not a batch request"
                )
            if custom_id in ids:
                yield custom_id, asked(params, where)

    return dict(each_record(json_records(path, problems), read, problems))
