"""Chat logs in OpenAI or Anthropic style: JSON or JSON Lines with `messages`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.errors import InputFileError
from forensics.suites.suite import Message
from forensics.transcripts.importers.base import Answer, Imported, PromptTable, Tally, by_model
from forensics.transcripts.importers.conversation import Turn, exchange, parse_content, parse_turns
from forensics.transcripts.importers.records import head_keys, json_document, json_records

_OTHER_FORMATS = frozenset({"prompt_sha256", "custom_id", "entry_type", "doc_id", "eval"})


@dataclass(frozen=True)
class ChatLog:
    """Reads conversations; the last assistant turn is the answer, the turns before its prompt."""

    name: str = "chat-log"
    description: str = "conversations in OpenAI or Anthropic style, JSON or JSONL with messages"

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        keys = head_keys(path).keys
        return not keys & _OTHER_FORMATS and ("messages" in keys or _is_bare(path))

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`; a conversation without an answer is kept as status `error`."""
        prompts, tally = PromptTable(), Tally()
        answers = [
            _answer(where, record, path.stem, prompts, tally)
            for where, record in _conversations(path)
        ]
        if answers and all("error" in answer.details for answer in answers):
            raise InputFileError(f"{path}: no conversation has an assistant turn to import")
        yield from by_model(answers, tally.notes())


def _is_bare(path: Path) -> bool:
    """Tell whether the file is one conversation: a bare array of messages."""
    head = head_keys(path)
    return head.container == "array" and {"role", "content"} <= head.keys


def _conversations(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if _is_bare(path):
        yield str(path), {"messages": json_document(path)}
        return
    for where, record in json_records(path):
        if "messages" not in record:
            raise InputFileError(f"{where}: no field 'messages'; every conversation needs it")
        yield where, record


def _answer(
    where: str, record: Mapping[str, Any], stem: str, prompts: PromptTable, tally: Tally
) -> Answer:
    found = exchange(parse_turns(record["messages"], where))
    model = _model(record, found.answer)
    if model is None:
        model = stem
        tally.add(stem, f"conversations name no model; taken as {stem!r}")
    # Anthropic's requests carry the system prompt beside the messages.
    system = parse_content(record.get("system"), where, "\n").text
    messages = (Message("system", system), *found.prompt) if system else found.prompt
    prompt = prompts.get(messages)
    if found.answer is None:
        tally.add(model, "conversations have no assistant turn; kept as errors")
        reason = "the conversation has no assistant turn"
        return Answer(model, prompt, "", details={"status": "error", "error": reason})
    if found.left_out:
        tally.add(model, "conversations go on after their last assistant turn; that is left out")
    content = found.answer.content
    for kind in content.other:
        tally.add(model, f"answer blocks of type {kind} are left out")
    return Answer(model, prompt, content.text, reasoning=content.reasoning)


def _model(record: Mapping[str, Any], answer: Turn | None) -> str | None:
    metadata = record.get("metadata")
    places = (
        record.get("model"),
        answer.model if answer else None,
        metadata.get("model") if isinstance(metadata, dict) else None,
    )
    return next((name for name in places if isinstance(name, str) and name), None)
