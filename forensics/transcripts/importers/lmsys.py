"""Public chats: LMSYS-Chat-1M, Chatbot Arena's votes and WildChat.

https://huggingface.co/datasets/lmsys/lmsys-chat-1m and allenai/WildChat: `{model, conversation:
[{role, content}]}`; lmsys/chatbot_arena_conversations and lmarena-ai/arena-human-preference-*:
`{model_a, model_b, conversation_a, conversation_b}`. Who asked, from where and when is not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import InputFileError
from forensics.support.compressed import plain_path
from forensics.transcripts.importers.conversation import parse_turns, with_extras
from forensics.transcripts.importers.dialogues import DialogueReader
from forensics.transcripts.importers.head import Record, first_record, objects, parsed
from forensics.transcripts.importers.importer import Imported, ImportedAnswer, by_model, each_record
from forensics.transcripts.importers.problems import Problems
from forensics.transcripts.importers.records import json_records

_LISTS = ("conversation", "conversations")
_SIDES = ("", "_a", "_b")
_IDS = ("conversation_id", "conversation_hash", "question_id", "id")


@dataclass(frozen=True)
class Lmsys:
    """Reads conversations; every turn of a model is an answer."""

    name: str = "lmsys"
    description: str = "LMSYS-Chat, Chatbot Arena and WildChat conversations; JSON, parquet"
    example: str = "lmsys-chat-1m/data/train-00000-of-00006.parquet"

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        record = first_record(path)
        names = tuple(f"{name}{side}" for name in _LISTS for side in _SIDES)
        turns = [turn for name in names for turn in objects(parsed(record.get(name)))]
        return bool(turns) and {"role", "content"} <= turns[0].keys()

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`; of a vote, both models' answers are read."""
        problems, reader = Problems(), DialogueReader(plain_path(path).stem)

        def read(where: str, record: Record) -> Iterator[ImportedAnswer]:
            sides = {s: record[f"{n}{s}"] for n in _LISTS for s in _SIDES if f"{n}{s}" in record}
            if not sides:
                raise InputFileError(f"{where}: no field 'conversation'")
            name = next((record[key] for key in _IDS if record.get(key)), None)
            for side, conversation in sides.items():
                turns = parse_turns(parsed(conversation), where)
                before = with_extras((), record)
                yield from reader.answers(turns, record.get(f"model{side}"), name, before)

        answers = list(each_record(json_records(path, problems), read, problems))
        yield from by_model(answers, reader.tally.notes(), problems)
