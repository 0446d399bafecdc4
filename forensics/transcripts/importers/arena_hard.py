"""Arena-Hard 2's model answers: `{uid, ans_id, model, messages}`, the answer as `{"answer": …}`.

https://github.com/lmarena/arena-hard-auto (gen_answer.py). Version 0.1 writes as FastChat does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from forensics.errors import InputFileError
from forensics.support.compressed import plain_path
from forensics.transcripts.importers.conversation import exchange, parse_turns
from forensics.transcripts.importers.fastchat import API_ERROR
from forensics.transcripts.importers.head import Record, first_record
from forensics.transcripts.importers.importer import (
    Imported,
    ImportedAnswer,
    PromptTable,
    Tally,
    by_model,
    each_record,
    model_name,
)
from forensics.transcripts.importers.problems import Problems
from forensics.transcripts.importers.records import json_records


@dataclass(frozen=True)
class ArenaHard:
    """Reads model answers; the last assistant turn is the answer."""

    name: str = "arena-hard"
    description: str = "Arena-Hard 2 model answers (version 0.1 writes as FastChat does)"
    example: str = "arena-hard-v2.0/model_answer/owl-7b.jsonl"

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        return {"uid", "ans_id", "messages"} <= first_record(path).keys()

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`; an answer that the model's API did not give is kept as an error."""
        problems, reader = Problems(), _ArenaHardReader(plain_path(path).stem)
        answers = list(each_record(json_records(path, problems), reader.read, problems))
        yield from by_model(answers, reader.tally.notes(), problems)


@dataclass
class _ArenaHardReader:
    stem: str
    prompts: PromptTable = field(default_factory=PromptTable)
    tally: Tally = field(default_factory=Tally)

    def read(self, where: str, record: Record) -> Iterator[ImportedAnswer]:
        parts = exchange(parse_turns(record.get("messages"), where))
        if parts.answer is None:
            raise InputFileError(f"{where}: no message of the assistant")
        model = model_name(record.get("model"))
        if model is None:
            model = self.stem
            self.tally.add(model, f"answers name no model; taken as {model!r}")
        uid = record.get("uid")
        prompt = self.prompts.get(parts.prompt, uid if isinstance(uid, str) and uid else None)
        content = parts.answer.content
        self.tally.add(model, *content.notes)
        if content.text == API_ERROR:
            details = {"status": "error", "error": f"the model's API failed ({API_ERROR})"}
            yield ImportedAnswer(model, prompt, "", details=details)
            return
        yield ImportedAnswer(model, prompt, content.text, reasoning=content.reasoning)
