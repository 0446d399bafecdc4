"""ShareGPT: conversations as `{from, value}` under `conversations`, as tuning tools hold them.

https://github.com/lm-sys/FastChat/blob/main/docs/commands/data_cleaning.md and
https://llamafactory.readthedocs.io/en/latest/getting_started/data_preparation.html (`system` and
`tools` beside the conversation).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import InputFileError
from forensics.suites.suite import Message
from forensics.support.compressed import plain_path
from forensics.transcripts.importers.conversation import Turn, parse_turn, with_extras
from forensics.transcripts.importers.dialogues import DialogueReader
from forensics.transcripts.importers.head import Record, first_record, is_record, objects, parsed
from forensics.transcripts.importers.importer import Imported, ImportedAnswer, by_model, each_record
from forensics.transcripts.importers.problems import Problems
from forensics.transcripts.importers.records import json_records

_LISTS = ("conversations", "conversation", "items")
# Who speaks, where that is no role's name; in lower case.
_SPEAKERS = {
    **dict.fromkeys(("chatgpt", "gpt4", "gpt-4", "bing", "bard", "claude", "llm"), "assistant"),
    **dict.fromkeys(("gemini", "response", "output"), "assistant"),
    **dict.fromkeys(("human", "instruction", "input", "question"), "user"),
    **dict.fromkeys(("system_prompt", "sys"), "system"),
}
# What the model itself says when it calls a tool is part of the exchange, not an answer.
_CALLS = ("function_call", "tool_call")


@dataclass(frozen=True)
class ShareGPT:
    """Reads conversations; every turn of the model is an answer."""

    name: str = "sharegpt"
    description: str = "ShareGPT conversations of from and value; JSON, JSON Lines or parquet"
    example: str = "sharegpt_v3.json"

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        record = first_record(path)
        turns = [turn for name in _LISTS for turn in objects(parsed(record.get(name)))]
        return bool(turns) and {"from", "value"} <= turns[0].keys()

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`; conversations that name no model are named after the file."""
        problems, reader = Problems(), DialogueReader(plain_path(path).stem)

        def read(where: str, record: Record) -> Iterator[ImportedAnswer]:
            turns = _turns(where, record)
            return reader.answers(turns, record.get("model"), record.get("id"), _before(record))

        answers = list(each_record(json_records(path, problems), read, problems))
        yield from by_model(answers, reader.tally.notes(), problems)


def _turns(where: str, record: Record) -> list[Turn]:
    conversations = (parsed(record.get(name)) for name in _LISTS)
    given = next((value for value in conversations if isinstance(value, list)), None)
    if not isinstance(given, list):
        raise InputFileError(f"{where}: no list 'conversations'")
    return [_turn(turn, f"{where}, turn {n}") for n, turn in enumerate(given, start=1)]


def _turn(value: object, where: str) -> Turn:
    if not is_record(value) or "from" not in value or "value" not in value:
        raise InputFileError(f"{where}: not a turn of 'from' and 'value'")
    speaker = str(value["from"]).strip().lower()
    said = value["value"]
    if speaker in _CALLS:
        return parse_turn({"role": "assistant", "content": None, "tool_calls": [said]}, where)
    return parse_turn({"role": _SPEAKERS.get(speaker, speaker), "content": said}, where)


def _before(record: Record) -> tuple[Message, ...]:
    system = record.get("system", record.get("system_prompt"))
    sent = (Message("system", system),) if isinstance(system, str) and system else ()
    return with_extras(sent, record)
