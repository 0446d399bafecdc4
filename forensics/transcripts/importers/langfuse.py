"""Langfuse: exported observations, or traces with theirs, of type GENERATION.

https://langfuse.com/docs/api-and-data-platform/features/export-from-ui and api.reference
(`Observation`: `type, model, input, output, level, statusMessage`); exports to a bucket write the
names with underscores, and input and output as JSON text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from forensics.errors import InputFileError
from forensics.support.compressed import plain_path
from forensics.transcripts.completions import Failure, read_failure
from forensics.transcripts.importers.calls import PARSED, Call, CallReader, json_text
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

_API = frozenset({"role", "content", "choices", "candidates", "message", "output", "object"})
_WRAPS = ("text", "content", "output", "completion", "response", "answer")
_MARKS = frozenset({"traceId", "trace_id", "startTime", "start_time"})
_MODELS = ("model", "providedModelName", "provided_model_name", "modelId", "internalModelId")


@dataclass(frozen=True)
class Langfuse:
    """Reads generations; spans, tools and the like are left out."""

    name: str = "langfuse"
    description: str = "Langfuse observations or traces of model calls, JSON or JSON Lines"
    example: str = "langfuse-observations.jsonl"

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        record = first_record(path)
        record = next(iter(objects(record.get("data"))), record)
        record = next(iter(objects(record.get("observations"))), record)
        return {"type", "input", "output"} <= record.keys() and bool(_MARKS & record.keys())

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`; an observation of level ERROR is kept as an error."""
        problems = Problems()
        reader = CallReader("langfuse:id", plain_path(path).stem, prefer_asked=True)

        def read(where: str, record: Record) -> list[ImportedAnswer]:
            call = _call(where, record)
            call = replace(call, returned=_unwrapped(call.returned))
            if _is_plain_json(call.returned):
                reader.tally.add(call.asked_model or reader.fallback, PARSED)
                call = replace(call, returned=json_text(call.returned))
            return reader.answers(call)

        answers = list(each_record(_generations(path, problems), read, problems))
        if not answers and not problems.found().records:
            raise InputFileError(f"{path}: no observation of type GENERATION")
        yield from by_model(answers, reader.tally.notes(), problems)


def _generations(path: Path, problems: Problems) -> Iterator[tuple[str, Record]]:
    for where, record in json_records(path, problems):
        page = objects(record.get("data")) or [record]
        nested = [objects(entry.get("observations")) or [entry] for entry in page]
        observations = [observation for group in nested for observation in group]
        for number, observation in enumerate(observations, start=1):
            if str(observation.get("type", "GENERATION")).upper() == "GENERATION":
                yield (
                    (where if len(observations) == 1 else f"{where}, observation {number}"),
                    observation,
                )


def _call(where: str, observation: Record) -> Call:
    output = returned(observation.get("output"))
    model = model_name(*(observation.get(name) for name in _MODELS))
    failure = _failure(observation, output)
    return Call(where, None, _messages(where, observation), output, failure, model)


def _messages(where: str, observation: Record) -> Messages:
    given = _given(observation.get("input"))
    if is_record(given) and is_request(given):
        return asked(given, where)
    return asked({"input": given}, where)


def _unwrapped(output: object) -> object:
    """Return the text of an output that is an object of one text, as `{"text": …}`."""
    if is_record(output) and len(output) == 1:
        ((name, value),) = output.items()
        return value if name in _WRAPS and isinstance(value, str) else output
    return output


def _is_plain_json(output: object) -> bool:
    """Tell whether an output is what a model wrote as JSON, not an API's object or message."""
    return is_record(output) and not _API & output.keys()


def _given(value: object) -> object:
    """Return the input, which may be written as JSON text; other JSON is a prompt as it stands."""
    inner = parsed(value)
    chat = any("role" in item for item in objects(inner))
    return inner if chat or is_request(inner) else value


def _failure(observation: Record, output: object) -> Failure | None:
    said = observation.get("statusMessage", observation.get("status_message"))
    if str(observation.get("level")).upper() == "ERROR":
        return read_failure(said or "the call failed")
    if output is None or output in ("", [], {}):
        return Failure("error", "the observation has no output")
    return None
