"""AlpacaEval's `model_outputs.json`: a list of instruction, output and generator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forensics.errors import InputFileError
from forensics.support.compressed import plain_path
from forensics.transcripts.blocks import is_blank
from forensics.transcripts.importers.importer import (
    UNKNOWN,
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


@dataclass(frozen=True)
class AlpacaEval:
    """Reads `{instruction, output, generator[, dataset]}` records; `dataset` is the category."""

    name: str = "alpaca-eval"
    description: str = "AlpacaEval model_outputs.json: instruction, output, generator"
    example: str = "results/owl-7b/model_outputs.json"

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        keys = head_keys(path).keys
        return {"instruction", "output"} <= keys and "prompt" not in keys

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`; a record without `generator` is named after the folder or file."""
        reader, problems = _AlpacaEvalReader(_model_of(path)), Problems()
        records = json_records(path, problems)
        answers = list(each_record(records, reader.answer, problems))
        yield from by_model(answers, reader.tally.notes(), problems)


@dataclass(frozen=True)
class _AlpacaEvalReader:
    fallback: str
    prompts: PromptTable = field(default_factory=PromptTable)
    tally: Tally = field(default_factory=Tally)

    def answer(self, where: str, record: Mapping[str, Any]) -> Iterator[ImportedAnswer]:
        instruction = _text(record, "instruction", where)
        if instruction is None:
            raise InputFileError(f"{where}: no instruction; an answer needs its prompt")
        text = _text(record, "output", where, needed=True) or ""
        further = _text(record, "input", where)
        model = model_name(_text(record, "generator", where))
        if not model:
            self.tally.add(self.fallback, f"answers name no generator; taken as {self.fallback!r}")
        asked = f"{instruction}\n\n{further}" if further else instruction
        prompt = self.prompts.get(asked, category=_text(record, "dataset", where) or UNKNOWN)
        yield ImportedAnswer(model or self.fallback, prompt, text)


def _model_of(path: Path) -> str:
    # AlpacaEval's own layout is results/<model>/model_outputs.json.
    stem = plain_path(path).stem
    return (stem != "model_outputs" and stem) or path.absolute().parent.name or stem


def _text(record: Mapping[str, Any], key: str, where: str, needed: bool = False) -> str | None:
    if needed and key not in record:
        raise InputFileError(f"{where}: no field {key!r}; this is not AlpacaEval output")
    value = record.get(key)
    if is_blank(value):
        return None
    if isinstance(value, str):
        return value or None
    raise InputFileError(f"{where}: {key} is {type(value).__name__}, not text")
