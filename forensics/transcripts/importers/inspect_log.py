"""Inspect: `.eval` logs (a zip of JSON files) and the older single `.json` log."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from forensics.errors import InputFileError
from forensics.suites.suite import Message, Prompt
from forensics.support.compressed import plain_path
from forensics.transcripts.completions import Output, read_choice, read_failure
from forensics.transcripts.importers.conversation import Turn, exchange, parse_turns
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
from forensics.transcripts.importers.records import (
    decode,
    head_keys,
    json_document,
    open_input,
    parse_json,
    read_head,
)
from forensics.transcripts.messages import MessageError

# In order of preference: the finished header, then what is written as a run starts.
_HEADERS = ("header.json", "_journal/start.json", "start.json")
_ZSTANDARD = 93
_NO_OUTPUT = "the sample has no output"
_ATTACHMENT = "attachment://"
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    RuntimeError,
    ValueError,
    KeyError,
    IndexError,
    OverflowError,
    MemoryError,
)


@dataclass(frozen=True)
class Inspect:
    """Reads every sample of a log; epochs become samples of the same prompt."""

    name: str = "inspect"
    description: str = "Inspect logs: .eval, or the older .json"
    example: str = "logs/2025-01-02T03-04-05+00-00_quiz_4xMn.eval"

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        if read_head(path, 4) == "PK\x03\x04":
            try:
                with zipfile.ZipFile(path) as archive:
                    return any(name in archive.NameToInfo for name in _HEADERS)
            except (OSError, *_UNREADABLE):
                return path.suffix == ".eval"
        head = head_keys(path)
        return head.container == "object" and {"version", "status", "eval"} <= head.keys

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`; a sample that failed is kept as status `error`."""
        zipped, problems = read_head(path, 2) == "PK", Problems()
        header, samples = (_read_zip if zipped else _read_json)(path, problems)
        spec = header.get("eval")
        model = spec.get("model") if isinstance(spec, dict) else None
        if not isinstance(spec, dict) or not isinstance(model, str):
            raise InputFileError(f"{path}: the header names no model; is this an Inspect log?")
        task = str(spec.get("task") or "uncategorised")
        reader = _InspectLogReader(model, _only_role(spec) or plain_path(path).stem, task)
        answers = list(each_record(samples, reader.answers, problems))
        yield from by_model(answers, reader.tally.notes(), problems)


def _only_role(spec: Mapping[str, Any]) -> str | None:
    """Return the model that the header names by its role, if it is one only."""
    roles = spec.get("model_roles")
    named = roles.values() if isinstance(roles, dict) else ()
    models = {model_name(r.get("model") if isinstance(r, dict) else r) for r in named} - {None}
    return models.pop() if len(models) == 1 else None


Samples = Iterator[tuple[str, Any]]


def _read_json(path: Path, problems: Problems) -> tuple[Mapping[str, Any], Samples]:
    log = json_document(path, problems)
    samples = log.get("samples") if isinstance(log, dict) else None
    if not isinstance(samples, list):
        raise InputFileError(f"{path}: no samples; was the log written with its samples?")
    return log, ((f"{path}, sample {n}", item) for n, item in enumerate(samples, start=1))


def _read_zip(path: Path, problems: Problems) -> tuple[Mapping[str, Any], Samples]:
    with open_input(path) as file:
        try:
            names = list(dict.fromkeys(zipfile.ZipFile(file).namelist()))
        except _UNREADABLE as error:
            raise InputFileError(f"{path}: a damaged zip archive; is it complete?") from error
    start = next((name for name in _HEADERS if name in names), None)
    if start is None:
        raise InputFileError(f"{path}: the archive has no {_HEADERS[0]}; is this an Inspect log?")
    header = _member(path, start)
    if not isinstance(header, dict):
        raise InputFileError(f"{path}: {start} is not a JSON object")
    chosen = [name for name in names if name.startswith("samples/") and name.endswith(".json")]
    return header, _members(path, chosen, problems)


def _members(path: Path, names: Sequence[str], problems: Problems) -> Samples:
    for name in names:
        try:
            yield f"{path}: {name}", _member(path, name, problems)
        except InputFileError as error:
            problems.skip(error)


def _member(path: Path, name: str, problems: Problems | None = None) -> Any:
    where = f"{path}: {name}"
    with open_input(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                info = archive.getinfo(name)
                zstandard = info.compress_type == _ZSTANDARD
                raw = _unzstandard(file, info) if zstandard else archive.read(info)
        except _UNREADABLE as error:
            raise InputFileError(f"{where}: cannot be unpacked ({str(error)[:120]})") from error
    return parse_json(decode(raw, where), where, problems)


def _unzstandard(file: BinaryIO, info: zipfile.ZipInfo) -> bytes:
    """Unpack a Zstandard member, which `zipfile` itself reads only from Python 3.14 on.

    Raises:
        ValueError, OSError: the member is damaged.
    """
    import pyarrow as pa

    # A local header is 30 bytes, of which the last two pairs are the lengths that follow.
    file.seek(info.header_offset)
    header = file.read(30)
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    file.seek(info.header_offset + 30 + name_length + extra_length)
    packed = file.read(info.compress_size)
    try:
        with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as stream:
            raw: bytes = stream.read()
    except (pa.ArrowException, OSError) as error:
        raise ValueError(str(error)) from error
    if zlib.crc32(raw) != info.CRC:
        raise ValueError("its checksum does not match")
    return raw


@dataclass
class _InspectLogReader:
    """Turns samples into answers.

    `header` is the model that the log's header names, `fallback` who it is where nobody is named.
    """

    header: str
    fallback: str
    task: str
    prompts: PromptTable = field(default_factory=PromptTable)
    tally: Tally = field(default_factory=Tally)
    seen: set[str] = field(default_factory=set)

    def answers(self, where: str, sample: Any) -> Iterator[ImportedAnswer]:
        if not isinstance(sample, dict):
            raise InputFileError(f"{where}: not a JSON object")
        uuid = sample.get("uuid")
        if isinstance(uuid, str) and uuid in self.seen:
            self.tally.add(self.header, "samples occur in the log twice; left out")
            return
        self.seen.add(str(uuid))
        attachments = sample.get("attachments")
        store = attachments if isinstance(attachments, dict) else {}
        turns = parse_turns(_resolve_all(sample.get("messages") or [], store), where)
        prompt = self._prompt(where, sample, turns, store)
        output = sample.get("output")
        output = output if isinstance(output, dict) else {}
        model = self._model(output, turns)
        choices = output.get("choices")
        if not isinstance(choices, list) or not choices:
            self.tally.add(model, "samples have no output; kept as errors")
            failure = read_failure(sample.get("error") or output.get("error") or _NO_OUTPUT)
            details: dict[str, Any] = {"status": failure.status, "error": failure.message}
            yield ImportedAnswer(model, prompt, "", _epoch(sample), details=details)
            return
        number = _epoch(sample) if len(choices) == 1 else None
        for choice in choices:
            completion = _choice(choice, store, where)
            self.tally.add_output(model, completion)
            details = {
                "finish_reason": completion.ending.reason,
                "status": completion.status,
                "model": model_name(output.get("model")),
            }
            content = completion.content
            yield ImportedAnswer(model, prompt, content.text, number, content.reasoning, details)

    def _model(self, output: Mapping[str, Any], turns: Sequence[Turn]) -> str:
        """Return who answered: with model roles the header names nobody, or a mock."""
        placeholder = model_name(self.header) is None or self.header.startswith("mockllm")
        if not placeholder:
            return self.header
        spoken = next((turn.model for turn in reversed(turns) if turn.model), None)
        named = model_name(spoken, output.get("model"))
        if named and named != "model" and not named.startswith("mockllm"):
            return named
        if model_name(self.header):
            return self.header
        self.tally.add(self.fallback, f"samples name no model; taken as {self.fallback!r}")
        return self.fallback

    def _prompt(
        self, where: str, sample: Mapping[str, Any], turns: Sequence[Turn], store: Mapping[str, Any]
    ) -> Prompt:
        """Return what was sent: the turns before the last answer, else the sample's input."""
        parts = exchange(turns)
        messages: str | tuple[Message, ...] = parts.prompt
        if parts.answer is None:
            given = sample.get("input")
            if not isinstance(given, str):
                asked = parse_turns(_resolve_all(given, store), where)
                given = tuple(turn.message for turn in asked)
            messages = parts.prompt or given
        identifier = str(sample.get("id", ""))[:200] or None
        return self.prompts.get(messages, identifier, self.task)


def _choice(choice: Any, store: Mapping[str, Any], where: str) -> Output:
    if not isinstance(choice, dict):
        raise InputFileError(f"{where}: a choice is {type(choice).__name__}, not an object")
    try:
        return read_choice({**choice, "message": _resolve(choice.get("message"), store)})
    except MessageError as error:
        raise InputFileError(f"{where}: {error}") from error


def _epoch(sample: Mapping[str, Any]) -> int | None:
    epoch = sample.get("epoch")
    return epoch - 1 if isinstance(epoch, int) and 1 <= epoch <= 10**9 else None


def _resolve_all(messages: Any, store: Mapping[str, Any]) -> Any:
    return [_resolve(m, store) for m in messages] if isinstance(messages, list) else messages


def _resolve(message: Any, store: Mapping[str, Any]) -> Any:
    """Put long contents, which Inspect stores once beside the messages, back in their place."""
    if not isinstance(message, dict):
        return message
    content = message.get("content")
    if isinstance(content, list):
        content = [
            {key: _lookup(value, store) for key, value in block.items()}
            if isinstance(block, dict)
            else _lookup(block, store)
            for block in content
        ]
    return {**message, "content": _lookup(content, store)}


def _lookup(value: Any, store: Mapping[str, Any]) -> Any:
    if not isinstance(value, str) or not value.startswith(_ATTACHMENT):
        return value
    return store.get(value.removeprefix(_ATTACHMENT), value)
