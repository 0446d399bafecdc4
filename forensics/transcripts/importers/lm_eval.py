"""lm-evaluation-harness: `samples_<task>_<date>.jsonl`, written with `--log_samples`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forensics.errors import InputFileError
from forensics.suites.suite import Message, text_sha256
from forensics.support.compressed import plain_path
from forensics.transcripts.blocks import block_of, is_blank, marks
from forensics.transcripts.importers.conversation import parse_turns
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
from forensics.transcripts.importers.records import head_keys, json_document, json_records

_FILE = re.compile(r"samples_(?P<task>.+?)(?:_(?P<date>\d{4}-\d\d-\d\dT[\d.\-]+))?$")


@dataclass(frozen=True)
class LmEval:
    """Reads generated answers; tasks scored by likelihood have no text to read."""

    name: str = "lm-eval"
    description: str = "lm-evaluation-harness samples of generation tasks (--log_samples)"
    example: str = "org__owl-7b/samples_gsm8k_2025-01-02T03-04-05.678901.jsonl"

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        keys = head_keys(path).keys
        return "doc_id" in keys and bool({"resps", "arguments"} & keys)

    def beside(self, path: Path) -> list[Path]:
        """Return the files that name the model of `path`; see `BesideImporter`."""
        match = _FILE.match(plain_path(path).stem)
        return _results(path, match["date"] if match else None)

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`; several responses to one document become samples.

        The model's name comes from the `results_<date>.json` beside the file, else its folder.
        """
        stem = plain_path(path).stem
        match = _FILE.match(stem)
        task = match["task"] if match else stem
        model, notes = _model(path, match["date"] if match else None)
        tally, problems = Tally(), Problems()
        reader = _LmEvalReader(model, task, tally, _has_unnamed_filters(path))
        answers = list(each_record(json_records(path, problems), reader.read, problems))
        noted = {model: (*notes, *tally.notes().get(model, ()))}
        yield from by_model(answers, noted, problems)


@dataclass
class _LmEvalReader:
    model: str
    task: str
    tally: Tally
    unnamed_filters: bool
    prompts: PromptTable = field(default_factory=PromptTable)
    _filters: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def read(self, where: str, record: Mapping[str, Any]) -> Iterator[ImportedAnswer]:
        doc = record.get("doc_id")
        if isinstance(doc, bool) or not isinstance(doc, int | str):
            raise InputFileError(f"{where}: no doc_id; this is not a samples file")
        requests = _requests(record.get("arguments"), where)
        texts = _texts(record.get("resps"), len(requests), where)
        if self._repeats(str(doc), texts, record):
            self.tally.add(self.model, "rows repeat the same answers under another filter")
            return
        for messages, group in zip(requests, texts, strict=True):
            prompt = self.prompts.get(messages, f"{self.task}-{doc}", self.task)
            for sample, text in enumerate(group):
                yield ImportedAnswer(self.model, prompt, text, sample)

    def _repeats(self, doc: str, texts: list[list[str]], record: Mapping[str, Any]) -> bool:
        """Tell whether a row is an earlier one's generation under another filter.

        The harness writes a document once per filter, with the same unfiltered responses.
        """
        filters = self._filters.setdefault((doc, json.dumps(texts)), set())
        name = str(record.get("filter"))
        another = self.unnamed_filters if record.get("filter") is None else name not in filters
        repeats = bool(filters) and another
        filters.add(name)
        return repeats


def _has_unnamed_filters(path: Path) -> bool:
    """Tell whether rows stand for filters that are not named, as until the end of 2024.

    Then a document stands there again with the same `resps` and other `filtered_resps`; where
    those never differ, the rows are repeated runs.
    """
    if "filter" in head_keys(path).keys:
        return False
    seen: dict[tuple[str, str], str] = {}
    for _, record in json_records(path, Problems()):
        if record.get("filter") is None:
            key = (str(record.get("doc_id")), _digest(record.get("resps")))
            filtered = _digest(record.get("filtered_resps"))
            if seen.setdefault(key, filtered) != filtered:
                return True
    return False


def _digest(value: Any) -> str:
    return text_sha256(json.dumps(value))


def _requests(arguments: Any, where: str) -> list[str | tuple[Message, ...]]:
    """Return the prompt of each request of a document."""
    if isinstance(arguments, dict):
        # {"gen_args_0": {"arg_0": prompt, "arg_1": settings}, …}
        groups = [
            list(value.values()) if isinstance(value, dict) else [] for value in arguments.values()
        ]
    elif isinstance(arguments, list):
        # Before 0.4.3: [[prompt, settings], …]
        groups = [value if isinstance(value, list) else [] for value in arguments]
    else:
        groups = []
    if not groups or not all(groups):
        raise InputFileError(f"{where}: arguments hold no prompt; was it written by the harness?")
    if any(len(group) > 1 and isinstance(group[1], str) for group in groups):
        raise _no_text(where)
    return [_with_media(_messages(group[0], where), group[2:]) for group in groups]


def _with_media(asked: str | tuple[Message, ...], further: list[Any]) -> str | tuple[Message, ...]:
    """Return a prompt with the digests of what a multimodal task sends beside it."""
    shown = marks(block_of("visual", value) for value in further if value)
    if not shown:
        return asked
    messages = (Message("user", asked),) if isinstance(asked, str) else asked
    return (*messages[:-1], messages[-1]._replace(content=messages[-1].content + shown))


def _messages(value: Any, where: str) -> str | tuple[Message, ...]:
    """Return a prompt: a text, or the JSON chat that chat endpoints are sent (a list of one)."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        try:
            turns = json.loads(value[0])
        except (ValueError, RecursionError):
            return value[0]
        return tuple(turn.message for turn in parse_turns(turns, where))
    raise InputFileError(f"{where}: the prompt is {type(value).__name__}, not text")


def _texts(resps: Any, requests: int, where: str) -> list[list[str]]:
    """Return the responses to each request."""
    if not isinstance(resps, list) or len(resps) != requests:
        raise InputFileError(f"{where}: resps does not hold one entry for each request")
    groups = [group if isinstance(group, list) else [group] for group in resps]
    groups = [["" if is_blank(text) else text for text in group] for group in groups]
    if not all(isinstance(text, str) for group in groups for text in group):
        raise _no_text(where)
    return groups


def _no_text(where: str) -> InputFileError:
    return InputFileError(
        f"{where}: a task scored by likelihood (multiple choice) holds no answer text; "
        "import the samples of a generation task"
    )


def _model(path: Path, date: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the model's name, and a note where it had to be taken from the folder."""
    names = {name for name in map(_name_in_results, _results(path, date)) if name}
    if len(names) == 1:
        return names.pop(), ()
    folder = path.absolute().parent
    # The harness names the folder after the model, with "__" for "/".
    name = folder.name.replace("__", "/") or plain_path(path).stem
    return name, (f"no results file names the model; taken as {name!r}, the folder's name",)


def _results(path: Path, date: str | None) -> list[Path]:
    folder = path.absolute().parent
    exact = folder / f"results_{date}.json"
    return [exact] if date and exact.is_file() else sorted(folder.glob("results_*.json"))


def _name_in_results(path: Path) -> str | None:
    try:
        results = json_document(path)
    except InputFileError:
        return None
    if not isinstance(results, dict):
        return None
    config = results.get("config")
    arguments = config.get("model_args") if isinstance(config, dict) else None
    if isinstance(arguments, str):
        arguments = dict(part.partition("=")[::2] for part in arguments.split(","))
    values = arguments if isinstance(arguments, dict) else {}
    places = (results.get("model_name"), *(values.get(k) for k in ("peft", "pretrained", "model")))
    return model_name(*places)
