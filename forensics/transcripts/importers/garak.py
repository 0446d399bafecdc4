"""garak: the `*.report.jsonl` of a scan, of old versions (texts) and new ones (conversations)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.errors import InputFileError
from forensics.suites.suite import Message
from forensics.support.compressed import plain_path
from forensics.transcripts.blocks import is_blank
from forensics.transcripts.importers.conversation import Turn, exchange, parse_content, parse_turn
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
from forensics.transcripts.importers.records import head_keys, json_records

# Renamed from model to target in 2025.
_MODEL_KEYS = ("plugins.target_name", "plugins.model_name", "target_name", "model_name")


@dataclass(frozen=True)
class Garak:
    """Reads the attempts of a report; the outputs of one attempt become samples."""

    name: str = "garak"
    description: str = "garak's report of a scan"
    example: str = "garak_runs/garak.0f2c.report.jsonl"

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        return "entry_type" in head_keys(path).keys

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`; an output that never came is kept as status `error`."""
        model, problems = "", Problems()
        attempts: dict[str, tuple[str, Mapping[str, Any]]] = {}
        for where, record in json_records(path, problems):
            if record.get("entry_type") == "attempt":
                # An attempt is written when it was sent and again when it was judged.
                attempts[str(record.get("uuid", where))] = (where, record)
            else:
                model = model or _model(record)
        tally, prompts = Tally(), PromptTable()
        if not model:
            model = plain_path(path).name.removesuffix(".jsonl").removesuffix(".report")
            tally.add(model, f"report names no model; taken as {model!r}")

        def read(where: str, record: Mapping[str, Any]) -> Iterator[ImportedAnswer]:
            return _answers(where, record, model, prompts, tally)

        answers = list(each_record(attempts.values(), read, problems))
        yield from by_model(answers, tally.notes(), problems)


def _model(record: Mapping[str, Any]) -> str:
    return model_name(*(record.get(key) for key in _MODEL_KEYS)) or ""


def _answers(
    where: str, record: Mapping[str, Any], model: str, prompts: PromptTable, tally: Tally
) -> Iterator[ImportedAnswer]:
    outputs = record.get("outputs")
    if not isinstance(outputs, list):
        raise InputFileError(f"{where}: outputs is {type(outputs).__name__}, not a list")
    if not outputs:
        tally.add(model, "attempts were not answered (nothing to import)")
        return
    category = str(record.get("probe_classname") or "uncategorised")
    asked = _prompt(record.get("prompt"), where)
    histories = _histories(record.get("conversations"), len(outputs), where)
    for index, output in enumerate(outputs):
        sent = exchange(histories[index]).prompt if histories else asked
        prompt = prompts.get(sent, None, category, _language(record.get("prompt")))
        if is_blank(output):
            details = {"status": "error", "error": "the generator returned nothing"}
            yield ImportedAnswer(model, prompt, "", details=details)
            continue
        yield ImportedAnswer(model, prompt, _text(output, where))


def _histories(value: Any, outputs: int, where: str) -> list[list[Turn]]:
    """Return the turns behind each output: a later turn of an attempt has a longer prompt."""
    if not isinstance(value, list) or len(value) != outputs:
        return []
    histories = [_turns(item, where) for item in value]
    complete = all(any(t.role == "assistant" for t in history) for history in histories)
    return histories if complete else []


def _prompt(value: Any, where: str) -> tuple[Message, ...]:
    """Read a prompt: a text, a `{text}` message, a conversation or a list of turns."""
    if isinstance(value, list) or (isinstance(value, dict) and "turns" in value):
        return tuple(turn.message for turn in _turns(value, where))
    return (Message("user", parse_content(value, where).as_prompt),)


def _turns(value: Any, where: str) -> list[Turn]:
    turns = value.get("turns") if isinstance(value, dict) else value
    if not isinstance(turns, list):
        raise InputFileError(f"{where}: a conversation has no turns")
    return [parse_turn(turn, where) for turn in turns]


def _text(value: Any, where: str) -> str:
    text = value.get("text") if isinstance(value, dict) else value
    if is_blank(text) and isinstance(value, dict):
        return ""
    if not isinstance(text, str):
        raise InputFileError(f"{where}: a message is {type(text).__name__}, not text")
    return text


def _language(prompt: Any) -> str:
    """Return the language that garak notes on a message; `*` means any."""
    turns = prompt.get("turns") if isinstance(prompt, dict) else None
    last = turns[-1] if isinstance(turns, list) and turns else prompt
    message = last.get("content", last) if isinstance(last, dict) else None
    language = message.get("lang") if isinstance(message, dict) else None
    return language if isinstance(language, str) and language not in ("", "*") else "und"
