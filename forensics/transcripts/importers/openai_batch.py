"""OpenAI's batch API: the output file, with the prompts from the batch input file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from forensics.errors import InputFileError
from forensics.suites.suite import Message, Prompt, text_sha256
from forensics.support.compressed import plain_path
from forensics.transcripts.completions import Completion, Failure, read_completion, read_failure
from forensics.transcripts.importers.importer import (
    Imported,
    ImportedAnswer,
    PromptTable,
    Tally,
    by_model,
    completion_answers,
    each_record,
    model_name,
)
from forensics.transcripts.importers.problems import Problems
from forensics.transcripts.importers.records import head_keys, json_records
from forensics.transcripts.importers.requests import asked
from forensics.transcripts.messages import MessageError

Messages = tuple[Message, ...]
_INPUTS = (".jsonl", ".jsonl.gz", ".jsonl.zst")


@dataclass(frozen=True)
class OpenAIBatch:
    """Reads batch output: chat completions, completions and responses.

    `prompts` is the batch input file; without it, `*input*.jsonl` beside the output is looked at.
    """

    prompts: Path | None = None
    name: str = "openai-batch"
    description: str = "OpenAI batch output; prompts from its input file beside it"
    example: str = "batch_output.jsonl"

    def with_prompts(self, prompts: Path) -> OpenAIBatch:
        """See `PromptsImporter`."""
        return replace(self, prompts=prompts)

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        keys = head_keys(path).keys
        return "custom_id" in keys and bool({"response", "error"} & keys)

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`; a request that failed becomes a response of status `error`."""
        problems = Problems()
        lines = list(each_record(json_records(path, problems), _lines, problems))
        asked = _asked(path, {line.custom_id for line in lines}, self.prompts, problems)
        reader = _OpenAIBatchReader(asked, _fallback_model(lines, path))
        numbered = [(line.where, line) for line in _once(lines, reader)]
        answers = list(each_record(numbered, reader.answers, problems))
        yield from by_model(answers, reader.tally.notes(), problems)


@dataclass(frozen=True)
class _Line:
    """One request's outcome: `body` is what the endpoint returned, if it answered."""

    where: str
    custom_id: str
    body: Mapping[str, Any] | None
    request_id: str | None
    failure: Failure | None = None


def _lines(where: str, record: Mapping[str, Any]) -> Iterator[_Line]:
    custom_id, response = record.get("custom_id"), record.get("response")
    if not isinstance(custom_id, str):
        raise InputFileError(f"{where}: no custom_id; this is not batch output")
    if "body" in record and response is None:
        raise InputFileError(f"{where}: this is batch input; import the output file instead")
    if not isinstance(response, dict):
        yield _Line(where, custom_id, None, None, read_failure(record.get("error")))
        return
    body, request_id = response.get("body"), _string(response.get("request_id"))
    error = body.get("error") if isinstance(body, dict) else None
    status = response.get("status_code", 200)
    if status != 200 or error or not isinstance(body, dict):
        code = status if isinstance(status, int) else None
        failure = read_failure(error or record.get("error") or status, code)
        yield _Line(where, custom_id, None, request_id, failure)
        return
    yield _Line(where, custom_id, body, request_id)


def _once(lines: Sequence[_Line], reader: _OpenAIBatchReader) -> Iterator[_Line]:
    """Leave out lines that stand there twice: one call under one custom_id is one generation."""
    seen: set[str] = set()
    for line in lines:
        known = line.body is not None and line.request_id and line.body.get("id")
        key = json.dumps([line.custom_id, line.request_id, line.body]) if known else ""
        if key and key in seen:
            reader.tally.add(reader.fallback, "lines repeat a call of the same batch; left out")
            continue
        seen.add(key)
        yield line


def _fallback_model(lines: Sequence[_Line], path: Path) -> str:
    """Return the model for failed requests, which echo none."""
    names = {model_name(line.body.get("model")) for line in lines if line.body} - {None}
    stem = plain_path(path).stem
    return next(iter(names)) or stem if len(names) == 1 else stem


@dataclass
class _OpenAIBatchReader:
    asked: Mapping[str, Messages]
    fallback: str
    prompts: PromptTable = field(default_factory=PromptTable)
    tally: Tally = field(default_factory=Tally)

    def answers(self, where: str, line: _Line) -> Iterator[ImportedAnswer]:
        model = (model_name(line.body.get("model")) if line.body else None) or self.fallback
        completion = Completion(failure=line.failure)
        if line.body is not None:
            try:
                completion = read_completion(line.body)
            except MessageError as error:
                raise InputFileError(f"{where}: {error}") from error
        prompt = self._prompt(line.custom_id, model)
        yield from completion_answers(model, prompt, completion, self.tally, line.request_id)

    def _prompt(self, custom_id: str, model: str) -> Prompt:
        if custom_id in self.asked:
            return self.prompts.get(self.asked[custom_id], custom_id)
        self.tally.add(
            model,
            "answers have no known prompt; matched by custom_id only, which says nothing unless "
            "all files come from the same batch input",
        )
        prompt = Prompt(custom_id, ())
        # There is no text to hash: the name space keeps such hashes apart from all real ones.
        prompt.__dict__["sha256"] = text_sha256(f"openai-batch:custom_id:{custom_id}")
        return prompt


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


# --- the batch input --------------------------------------------------------------------------


def _asked(
    path: Path, ids: set[str], prompts: Path | None, problems: Problems
) -> dict[str, Messages]:
    """Return custom_id → prompt.

    Raises:
        InputFileError: the named input file lacks an id, or files beside contradict each other.
    """
    if prompts is not None:
        requests = _read_input(prompts, ids, problems)
        missing = sorted(ids - requests.keys())
        if missing:
            raise InputFileError(
                f"{prompts}: {len(missing)} of {len(ids)} custom_ids are not in it "
                f"(first: {missing[0][:60]!r}); is it the input of this batch?"
            )
        return requests
    beside: dict[str, Messages] = {}
    folder = path.absolute().parent
    for candidate in sorted(c for end in _INPUTS for c in folder.glob(f"*input*{end}")):
        if candidate == path.absolute() or not {"custom_id", "body"} <= head_keys(candidate).keys:
            continue
        for custom_id, messages in _read_input(candidate, ids, problems).items():
            if beside.setdefault(custom_id, messages) != messages:
                raise InputFileError(
                    f"{candidate}: custom_id {custom_id[:60]!r} stands for another prompt in a "
                    "second input file beside it; name the right one with --prompts"
                )
    return beside


def _read_input(path: Path, ids: set[str], problems: Problems) -> dict[str, Messages]:
    def read(where: str, record: Mapping[str, Any]) -> Iterator[tuple[str, Messages]]:
        custom_id, body = record.get("custom_id"), record.get("body")
        if not isinstance(custom_id, str) or not isinstance(body, dict):
            raise InputFileError(f"{where}: no custom_id and body; this is not batch input")
        if custom_id in ids:
            yield custom_id, asked(body, where)

    return dict(each_record(json_records(path, problems), read, problems))
