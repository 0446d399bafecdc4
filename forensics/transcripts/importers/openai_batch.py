"""OpenAI's batch API: the output file, with the prompts from the batch input file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from forensics.errors import InputFileError
from forensics.suites.suite import Message, Prompt, text_sha256
from forensics.transcripts.importers.base import (
    Answer,
    Imported,
    PromptTable,
    Tally,
    by_model,
    status_of,
)
from forensics.transcripts.importers.conversation import (
    Content,
    parse_content,
    parse_turn,
    parse_turns,
)
from forensics.transcripts.importers.records import head_keys, json_records

Messages = tuple[Message, ...]


@dataclass(frozen=True)
class OpenAIBatch:
    """Reads batch output: chat completions, completions and responses.

    `prompts` is the batch input file; without it, `*input*.jsonl` beside the output is looked at.
    """

    prompts: Path | None = None
    name: str = "openai-batch"
    description: str = "OpenAI batch output JSONL; prompts from its input file beside it"

    def with_prompts(self, prompts: Path) -> OpenAIBatch:
        """See `PromptsImporter`."""
        return replace(self, prompts=prompts)

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        keys = head_keys(path).keys
        return "custom_id" in keys and bool({"response", "error"} & keys)

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`; a request that failed becomes a response of status `error`."""
        lines = [_line(where, record) for where, record in json_records(path)]
        ids = {line.custom_id for line in lines}
        asked = _asked(path, ids, self.prompts)
        reader = _Reader(asked, _fallback_model(lines, path))
        answers = [answer for line in lines for answer in reader.answers(line)]
        yield from by_model(answers, reader.tally.notes())


@dataclass(frozen=True)
class _Line:
    """One request's outcome: `body` is what the endpoint returned, if it answered."""

    where: str
    custom_id: str
    body: Mapping[str, Any] | None
    request_id: str | None
    failure: str = ""


def _line(where: str, record: Mapping[str, Any]) -> _Line:
    custom_id, response = record.get("custom_id"), record.get("response")
    if not isinstance(custom_id, str):
        raise InputFileError(f"{where}: no custom_id; this is not batch output")
    if "body" in record and response is None:
        raise InputFileError(f"{where}: this is batch input; import the output file instead")
    if not isinstance(response, dict):
        return _Line(where, custom_id, None, None, _reason(record.get("error")))
    body, request_id = response.get("body"), _string(response.get("request_id"))
    error = body.get("error") if isinstance(body, dict) else None
    if response.get("status_code", 200) != 200 or error or not isinstance(body, dict):
        reason = _reason(error or record.get("error") or response.get("status_code"))
        return _Line(where, custom_id, None, request_id, reason)
    return _Line(where, custom_id, body, request_id)


def _reason(error: Any) -> str:
    if isinstance(error, dict):
        error = error.get("message") or error.get("code")
    return str(error)[:500] if isinstance(error, str | int) else "the request failed"


def _fallback_model(lines: Sequence[_Line], path: Path) -> str:
    """Return the model for failed requests, which echo none."""
    names = {_string(line.body.get("model")) for line in lines if line.body} - {None}
    return next(iter(names)) or path.stem if len(names) == 1 else path.stem


@dataclass
class _Reader:
    asked: Mapping[str, Messages]
    fallback: str
    prompts: PromptTable = field(default_factory=PromptTable)
    tally: Tally = field(default_factory=Tally)

    def answers(self, line: _Line) -> list[Answer]:
        model = (_string(line.body.get("model")) if line.body else None) or self.fallback
        prompt = self._prompt(line.custom_id, model)
        if line.body is None:
            self.tally.add(model, "requests failed; kept as errors")
            details = {"status": "error", "error": line.failure, "request_id": line.request_id}
            return [Answer(model, prompt, "", details=details)]
        outputs = _outputs(line.body, line.where)
        shared = {
            "request_id": line.request_id,
            "model": _string(line.body.get("model")),
            "system_fingerprint": _string(line.body.get("system_fingerprint")),
        } | (_usage(line.body.get("usage")) if len(outputs) == 1 else {})
        return [self._answer(model, prompt, output, shared) for output in outputs]

    def _answer(
        self, model: str, prompt: Prompt, output: _Output, shared: Mapping[str, Any]
    ) -> Answer:
        for kind in output.content.other:
            self.tally.add(model, f"answer blocks of type {kind} are left out")
        reason = output.finish_reason
        details = {**shared, "finish_reason": reason, "status": status_of(reason)}
        content = output.content
        return Answer(model, prompt, content.text, reasoning=content.reasoning, details=details)

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


@dataclass(frozen=True)
class _Output:
    content: Content
    finish_reason: str | None


def _outputs(body: Mapping[str, Any], where: str) -> list[_Output]:
    """Return the answers of a chat completion, completion or response object."""
    choices, items = body.get("choices"), body.get("output")
    if isinstance(choices, list) and choices:
        return [_choice(choice, where) for choice in choices]
    if isinstance(items, list):
        return [_response_output(body, items, where)]
    raise InputFileError(
        f"{where}: the response holds no text (object {str(body.get('object'))[:40]!r}); "
        "only chat completions, completions and responses can be imported"
    )


def _choice(choice: Any, where: str) -> _Output:
    if not isinstance(choice, dict):
        raise InputFileError(f"{where}: a choice is {type(choice).__name__}, not an object")
    reason = _string(choice.get("finish_reason"))
    if "message" not in choice:
        return _Output(parse_content(choice.get("text"), where), reason)
    message = choice["message"]
    named = {"role": "assistant"} | message if isinstance(message, dict) else message
    return _Output(parse_turn(named, where).content, reason)


def _response_output(body: Mapping[str, Any], items: Sequence[Any], where: str) -> _Output:
    blocks: list[Any] = []
    for item in items:
        content = item.get("content") if isinstance(item, dict) else None
        is_message = isinstance(content, list) and item.get("type") == "message"
        blocks.extend(content if is_message and isinstance(content, list) else [item])
    incomplete = body.get("incomplete_details")
    reason = incomplete.get("reason") if isinstance(incomplete, dict) else body.get("status")
    return _Output(parse_content(blocks, where), _string(reason))


def _usage(usage: Any) -> dict[str, int]:
    if not isinstance(usage, dict):
        return {}
    names = {
        "input_tokens": ("prompt_tokens", "input_tokens"),
        "output_tokens": ("completion_tokens", "output_tokens"),
    }
    found = {key: next((usage[n] for n in old if n in usage), None) for key, old in names.items()}
    return {key: n for key, n in found.items() if isinstance(n, int) and not isinstance(n, bool)}


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


# --- the batch input --------------------------------------------------------------------------


def _asked(path: Path, ids: set[str], prompts: Path | None) -> dict[str, Messages]:
    """Return custom_id → prompt.

    Raises:
        InputFileError: the named input file lacks an id, or files beside contradict each other.
    """
    if prompts is not None:
        found = _read_input(prompts, ids)
        missing = sorted(ids - found.keys())
        if missing:
            raise InputFileError(
                f"{prompts}: {len(missing)} of {len(ids)} custom_ids are not in it "
                f"(first: {missing[0][:60]!r}); is it the input of this batch?"
            )
        return found
    beside: dict[str, Messages] = {}
    for candidate in sorted(path.absolute().parent.glob("*input*.jsonl")):
        if candidate == path.absolute() or not {"custom_id", "body"} <= head_keys(candidate).keys:
            continue
        for custom_id, messages in _read_input(candidate, ids).items():
            if beside.setdefault(custom_id, messages) != messages:
                raise InputFileError(
                    f"{candidate}: custom_id {custom_id[:60]!r} stands for another prompt in a "
                    "second input file beside it; name the right one with --prompts"
                )
    return beside


def _read_input(path: Path, ids: set[str]) -> dict[str, Messages]:
    found: dict[str, Messages] = {}
    for where, record in json_records(path):
        custom_id, body = record.get("custom_id"), record.get("body")
        if not isinstance(custom_id, str) or not isinstance(body, dict):
            raise InputFileError(f"{where}: no custom_id and body; this is not batch input")
        if custom_id in ids:
            found[custom_id] = _messages(body, where)
    return found


def _messages(body: Mapping[str, Any], where: str) -> Messages:
    if "messages" in body:
        return tuple(turn.message for turn in parse_turns(body["messages"], where))
    given = body.get("prompt", body.get("input"))
    instructions = _string(body.get("instructions"))
    system: Messages = (Message("system", instructions),) if instructions else ()
    if isinstance(given, str):
        return (*system, Message("user", given))
    return (*system, *(turn.message for turn in parse_turns(given, where)))
