"""promptfoo: the JSON or JSON Lines that `promptfoo eval --output` and `export` write.

https://www.promptfoo.dev/docs/configuration/outputs and promptfoo's `types/index.ts`: `{evalId,
results: {version, results: [EvaluateResult]}}`, of version 3 on without a table; the first version
had `results` as a list, and JSON Lines have one EvaluateResult a line: `{provider: {id}, prompt:
{raw}, response: {output, error, finishReason}, vars, error}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import InputFileError
from forensics.support.compressed import plain_path
from forensics.transcripts.completions import Failure, read_failure
from forensics.transcripts.importers.calls import PARSED, Call, CallReader, json_text
from forensics.transcripts.importers.head import Record, first_record, is_record, objects, parsed
from forensics.transcripts.importers.importer import (
    Imported,
    ImportedAnswer,
    by_model,
    each_record,
    model_name,
)
from forensics.transcripts.importers.problems import Problems
from forensics.transcripts.importers.records import json_records
from forensics.transcripts.importers.requests import Messages, asked

_SUMMARY = frozenset({"version", "timestamp", "prompts"})


@dataclass(frozen=True)
class Promptfoo:
    """Reads results; every prompt of every provider is an answer, repeats are samples."""

    name: str = "promptfoo"
    description: str = "promptfoo results, JSON or JSON Lines"
    example: str = "promptfoo_results.json"

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        record = first_record(path)
        results = record.get("results")
        entries = objects(results.get("results") if is_record(results) else results)
        # Where the prompts stand first, the results may lie beyond the head of the file.
        if ("evalId" in record and is_record(results)) or record.keys() >= _SUMMARY:
            return True
        return any(_is_result(entry) for entry in (entries[:1] or [record]))

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`; a call that failed is kept as an error, a failed assertion is not one."""
        problems = Problems()
        reader = _PromptfooReader(
            CallReader("promptfoo:test", plain_path(path).stem, prefer_asked=True)
        )
        answers = list(each_record(_results(path, problems), reader.read, problems))
        yield from by_model(answers, reader.calls.tally.notes(), problems)


def _is_result(record: Record) -> bool:
    has = "provider" in record and is_record(record.get("prompt"))
    return has and bool({"response", "vars", "promptIdx"} & record.keys())


def _results(path: Path, problems: Problems) -> Iterator[tuple[str, object]]:
    for where, record in json_records(path, problems):
        results = record.get("results", record if _is_result(record) else None)
        if is_record(results) and "results" in results:
            results = results["results"]
        if is_record(results):
            yield where, results
            continue
        if not isinstance(results, list):
            problems.skip(InputFileError(f"{where}: neither a promptfoo result nor a list of them"))
            continue
        for number, result in enumerate(results, start=1):
            yield f"{where}, result {number}", result


@dataclass
class _PromptfooReader:
    calls: CallReader

    def read(self, where: str, result: object) -> list[ImportedAnswer]:
        if not is_record(result):
            raise InputFileError(f"{where}: a result is {type(result).__name__}, not an object")
        provider = _provider(result.get("provider"))
        returned, failure = self._returned(result, provider or self.calls.fallback, where)
        call = Call(
            where,
            _identifier(result),
            _messages(result.get("prompt"), where),
            returned,
            failure,
            provider,
            cached=_is_cached(result.get("response")),
        )
        return self.calls.answers(call)

    def _returned(self, result: Record, model: str, where: str) -> tuple[object, Failure | None]:
        response = result.get("response")
        output = response.get("output") if is_record(response) else response
        if output is None or output == "":
            error = response.get("error") if is_record(response) else None
            error = error or result.get("error")
            if error:
                return None, read_failure(error)
        if output is None:
            return None, Failure("error", "the result has no response")
        if not isinstance(output, str):
            self.calls.tally.add(model, PARSED)
            output = json_text(output)
        ended = response.get("finishReason") if is_record(response) else None
        thought = response.get("reasoning") if is_record(response) else None
        message = {"role": "assistant", "content": output}
        if isinstance(thought, str) and thought:
            message["reasoning"] = thought
        return {"choices": [{"message": message, "finish_reason": ended}]}, None


def _is_cached(response: object) -> bool:
    return is_record(response) and response.get("cached") is True


def _provider(value: object) -> str | None:
    """Return the provider's id; two with one id, such as an address, differ by their label."""
    if not is_record(value):
        return model_name(value)
    name, label = model_name(value.get("id")), model_name(value.get("label"))
    return f"{name} ({label})" if name and label and label != name else name or label


def _identifier(result: Record) -> str | None:
    """Return a name for the prompt: the number of the test and of the prompt."""
    numbers = (result.get("testIdx"), result.get("promptIdx"))
    if not all(isinstance(number, int) for number in numbers):
        return None
    return f"test-{numbers[0]}-prompt-{numbers[1]}"


def _messages(prompt: object, where: str) -> Messages:
    """Return what was sent; a chat is written as JSON text."""
    raw = prompt.get("raw") if is_record(prompt) else prompt
    chat = parsed(raw)
    if is_record(chat):
        chat = chat.get("messages")
    if objects(chat) and all("role" in message for message in objects(chat)):
        return asked({"messages": chat}, where)
    return asked({"prompt": raw}, where)
