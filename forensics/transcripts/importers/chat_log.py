"""Chat logs in OpenAI or Anthropic style: JSON or JSON Lines with `messages`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forensics.errors import InputFileError
from forensics.suites.suite import Message, Prompt
from forensics.support.compressed import plain_path
from forensics.transcripts.blocks import is_blank
from forensics.transcripts.completions import Completion, Output, read_completion, read_failure
from forensics.transcripts.endings import NATURAL, ending
from forensics.transcripts.importers.conversation import (
    Exchange,
    Turn,
    exchange,
    parse_content,
    parse_turns,
    with_extras,
)
from forensics.transcripts.importers.head import parsed
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
from forensics.transcripts.importers.records import head_keys, json_document, json_records
from forensics.transcripts.messages import Content, MessageError

# Where request logs keep the answer to what was sent, in order of preference; then the failure.
_ANSWERS = (
    "response",
    "completion",
    "choices",
    "output",
    "outputs",
    "answer",
    "model_response",
    "generated_text",
    "prediction",
)
_FAILURES = ("error", "error_str", "exception")
_UNANSWERED = "the conversation has no assistant turn"
_OTHER_FORMATS = frozenset({"prompt_sha256", "custom_id", "entry_type", "doc_id", "eval"})


@dataclass(frozen=True)
class ChatLog:
    """Reads conversations; the last assistant turn is the answer, the turns before its prompt."""

    name: str = "chat-log"
    description: str = "conversations with messages, in OpenAI or Anthropic style; JSON, JSONL"
    example: str = "chats.jsonl"

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        keys = head_keys(path).keys
        return not keys & _OTHER_FORMATS and ("messages" in keys or _is_bare(path))

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`; a conversation without an answer is kept as status `error`."""
        problems, reader = Problems(), _ChatLogReader(plain_path(path).stem)
        conversations = _conversations(path, problems)
        answers = list(each_record(conversations, reader.answers, problems))
        if answers and all(answer.details.get("error") == _UNANSWERED for answer in answers):
            raise InputFileError(f"{path}: no conversation has an assistant turn to import")
        yield from by_model(answers, reader.tally.notes(), problems)


def _is_bare(path: Path) -> bool:
    """Tell whether the file is one conversation: a bare array of messages."""
    head = head_keys(path)
    return (
        head.container == "array" and "role" in head.keys and bool({"content", "parts"} & head.keys)
    )


def _conversations(path: Path, problems: Problems) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if _is_bare(path):
        yield str(path), {"messages": json_document(path, problems)}
        return
    yield from json_records(path, problems)


@dataclass(frozen=True)
class _ChatLogReader:
    """Turns conversations into answers; one that names no model is taken as the file's own."""

    stem: str
    prompts: PromptTable = field(default_factory=PromptTable)
    tally: Tally = field(default_factory=Tally)

    def answers(self, where: str, record: Mapping[str, Any]) -> Iterator[ImportedAnswer]:
        if "messages" not in record:
            raise InputFileError(f"{where}: no field 'messages'; every conversation needs it")
        turns = parse_turns(parsed(record["messages"]), where)
        beside = _beside(record, turns, where)
        # What was sent, where the answer stands beside it; else it is the last assistant turn.
        parts = exchange(turns) if beside is None else Exchange(_sent(turns), None)
        model = self._model(record, parts.answer, beside)
        prompt = self.prompts.get(_asked(record, parts.prompt, where))
        if beside is not None:
            yield from completion_answers(model, prompt, beside, self.tally)
        elif parts.answer is None:
            self.tally.add(model, "conversations have no assistant turn; kept as errors")
            yield ImportedAnswer(
                model, prompt, "", details={"status": "error", "error": _UNANSWERED}
            )
        else:
            yield self._last_turn(model, prompt, parts, record)

    def _last_turn(
        self, model: str, prompt: Prompt, parts: Exchange, record: Mapping[str, Any]
    ) -> ImportedAnswer:
        if parts.left_out:
            self.tally.add(
                model, "conversations go on after their last assistant turn; that is left out"
            )
        content = parts.answer.content if parts.answer else Content("")
        reason = record.get("finish_reason", record.get("stop_reason"))
        output = Output(content, ending(reason) if isinstance(reason, str) else NATURAL)
        self.tally.add_output(model, output)
        details = {"finish_reason": output.ending.reason, "status": output.status}
        return ImportedAnswer(
            model, prompt, content.text, reasoning=content.reasoning, details=details
        )

    def _model(
        self, record: Mapping[str, Any], answer: Turn | None, beside: Completion | None
    ) -> str:
        metadata = record.get("metadata")
        named = model_name(
            record.get("model"),
            answer.model if answer else None,
            metadata.get("model") if isinstance(metadata, dict) else None,
            beside.model if beside else None,
        )
        if named is None:
            self.tally.add(self.stem, f"conversations name no model; taken as {self.stem!r}")
        return named or self.stem


def _asked(record: Mapping[str, Any], sent: tuple[Message, ...], where: str) -> tuple[Message, ...]:
    """Return a prompt with what is sent beside the messages: system prompt and tools."""
    system = parse_content(record.get("system"), where, "\n").as_prompt
    messages = (Message("system", system), *sent) if system else sent
    return with_extras(messages, record)


def _sent(turns: Sequence[Turn]) -> tuple[Message, ...]:
    return tuple(turn.message for turn in turns)


def _beside(record: Mapping[str, Any], turns: Sequence[Turn], where: str) -> Completion | None:
    """Return the answer that a request log holds beside what was sent, if there is one.

    A conversation that ends with an assistant turn holds its answer itself.
    """
    if turns and turns[-1].role == "assistant":
        return None
    name = next((name for name in _ANSWERS if _says(record.get(name))), None)
    failed = next((name for name in _FAILURES if _says(record.get(name))), None)
    if name is None:
        return Completion(failure=read_failure(record[failed])) if failed else None
    try:
        return read_completion({"choices": record[name]} if name == "choices" else record[name])
    except MessageError as error:
        raise InputFileError(f"{where}, {name}: {error}") from error


def _says(value: Any) -> bool:
    return not is_blank(value) and bool(value)
