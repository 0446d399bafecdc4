"""Which importers there are, and which one reads a file."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from forensics.errors import InputFileError, PluginWarning, UsageError
from forensics.support.compressed import plain_path
from forensics.support.file_kinds import POINTERS
from forensics.support.plugins import load_plugin, load_plugins, plugin_names
from forensics.support.sanitise import one_line
from forensics.transcripts.importers.alpaca_eval import AlpacaEval
from forensics.transcripts.importers.anthropic_batch import AnthropicBatch
from forensics.transcripts.importers.arena_hard import ArenaHard
from forensics.transcripts.importers.chat_log import ChatLog
from forensics.transcripts.importers.csv_files import header_names
from forensics.transcripts.importers.fastchat import FastChat
from forensics.transcripts.importers.garak import Garak
from forensics.transcripts.importers.gemini_batch import GeminiBatch
from forensics.transcripts.importers.helm import Helm
from forensics.transcripts.importers.importer import Importer, PromptsImporter
from forensics.transcripts.importers.inspect_log import Inspect
from forensics.transcripts.importers.langfuse import Langfuse
from forensics.transcripts.importers.litellm import LiteLLM
from forensics.transcripts.importers.lm_eval import LmEval
from forensics.transcripts.importers.lmsys import Lmsys
from forensics.transcripts.importers.openai_batch import OpenAIBatch
from forensics.transcripts.importers.openai_log import OpenAILog
from forensics.transcripts.importers.promptfoo import Promptfoo
from forensics.transcripts.importers.records import head_keys, is_parquet, open_input, read_head
from forensics.transcripts.importers.sharegpt import ShareGPT
from forensics.transcripts.importers.table import Table

_BUILT_IN: tuple[Importer, ...] = (
    Table(),
    AlpacaEval(),
    LmEval(),
    Inspect(),
    ChatLog(),
    OpenAIBatch(),
    AnthropicBatch(),
    GeminiBatch(),
    OpenAILog(),
    LiteLLM(),
    Langfuse(),
    Garak(),
    Helm(),
    Promptfoo(),
    FastChat(),
    ArenaHard(),
    ShareGPT(),
    Lmsys(),
)
_TYPES = frozenset(map(type, _BUILT_IN))
_GENERAL = ("table", "chat-log")
# Files that lie beside answers or look like them: the fields that show them, and what they are.
_NO_ANSWERS = (
    (
        frozenset({"chosen", "rejected"}),
        "holds preferences (chosen, rejected), which are not one model's answers; make a table of "
        "the answers of one model",
    ),
    (
        frozenset({"goal", "probe", "detector", "generator", "score"}),
        "is garak's hit log, which holds only the hits; import the report (*.report.jsonl)",
    ),
    (
        frozenset({"question_id", "judge", "judgment"}),
        "holds a judge's verdicts (FastChat model_judgment); import model_answer instead",
    ),
    (
        frozenset({"custom_id", "method", "url", "body"}),
        "is batch input, what was asked; import the output file instead",
    ),
    (
        frozenset({"custom_id", "params"}),
        "holds batch requests, what was asked; import the results instead",
    ),
)


# What begins so is no file of answers; bytes that are not UTF-8 stand as U+FFFD.
_FOREIGN = (
    ("\ufffd\ufffd", "UTF-16 text, or no text at all; convert it to UTF-8"),
    ("PK\x03\x04", "a zip archive; unpack it and give the folder"),
    *((s.decode(), f"{what}; fetch the file itself ({command})") for s, what, command in POINTERS),
    ("%PDF", "a PDF document"),
)


def importers() -> dict[str, Importer]:
    """Return every importer by the name that `--format` takes."""
    named = {importer.name: importer for importer in _BUILT_IN}
    return named | {name: make() for name, make in load_plugins("importers", tuple(named)).items()}


@dataclass(frozen=True)
class Format:
    """What a list of formats says of one."""

    name: str
    description: str
    example: str = ""


def formats() -> list[Format]:
    """Return every format that can be imported, plugins' included."""
    return [
        Format(name, str(importer.description), str(getattr(importer, "example", "")))
        for name, importer in importers().items()
    ]


def choose(path: Path, format: str | None, prompts: Path | None) -> Importer:
    """Return the importer to read `path` with: the one named, else the one that recognises it.

    Raises:
        InputFileError: the file cannot be read, or no importer, or more than one, recognises it.
        UsageError: no such format, or prompts were given for a format that takes none.
    """
    with open_input(path, whole=True):
        pass  # a missing file is told as such, before anything is guessed about its format
    importer = _detect(path) if format is None else by_name(format)
    if prompts is None:
        return importer
    if not hasattr(importer, "with_prompts"):
        raise UsageError(f"--prompts has no meaning for the format {importer.name}; leave it out")
    return cast(PromptsImporter, importer).with_prompts(prompts)


def by_name(format: str) -> Importer:
    """Return the importer of this name.

    Raises:
        UsageError: there is none, or it is a plugin that does not load.
    """
    built_in = {importer.name: importer for importer in _BUILT_IN}
    if format in built_in:
        return built_in[format]
    if format in plugin_names("importers"):
        asked: Importer = load_plugin("importers", format)()
        return asked
    raise UsageError(f"no import format {format!r}; formats: {', '.join(importers())}")


def recognise(path: Path) -> list[Importer]:
    """Return the importers whose format a file shows: none, one, or several it could be.

    A built-in format with marks of its own goes before tables and conversations in general.
    """
    if no_answers(path) is not None:
        return []
    fitting = [importer for importer in importers().values() if _detects(importer, path)]
    specific_built_in = [
        importer
        for importer in fitting
        if type(importer) in _TYPES and importer.name not in _GENERAL
    ]
    return (
        [importer for importer in fitting if importer.name not in _GENERAL]
        if specific_built_in
        else fitting
    )


def _detects(importer: Importer, path: Path) -> bool:
    try:
        return importer.detect(path)
    except Exception as error:
        if type(importer) in _TYPES:
            raise
        cause = one_line(f"{type(error).__name__}: {error}")
        text = f"plugin {importer.name!r} cannot tell its format ({cause}); it is passed over"
        warnings.warn(text, PluginWarning, 2)
        return False


def no_answers(path: Path) -> str | None:
    """Return why a file of a known kind holds no model's answers to import; None for any other."""
    keys = head_keys(path).keys or header_names(path)
    return next((reason for marks, reason in _NO_ANSWERS if marks <= keys), None)


def is_transcript(path: Path) -> bool:
    """Tell whether a file is a transcript, which needs no import."""
    return {"prompt_sha256", "sample", "text", "status"} <= head_keys(path).keys


def _detect(path: Path) -> Importer:
    fitting = recognise(path)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = [importer.name for importer in fitting]
        raise InputFileError(
            f"{path} could be {' and '.join(names)}; choose with --format {' or '.join(names)}"
        )
    hint = "choose one with --format; see: forensics import --list-formats"
    start = read_head(path, 512)
    if not start.strip():
        raise InputFileError(f"{path} is empty")
    if is_transcript(path):
        raise InputFileError(f"{path} is a transcript already; use it as transcript:{path}")
    reason = no_answers(path)
    if reason is not None:
        raise InputFileError(f"{path} {reason}")
    if is_parquet(path) or plain_path(path).suffix.lower() in (".csv", ".tsv"):
        return Table()  # which names the columns it needs
    kind = next((kind for mark, kind in _FOREIGN if start.startswith(mark)), None)
    if kind is not None:
        raise InputFileError(f"{path} is {kind}")
    keys = head_keys(path).keys
    shown = ", ".join(repr(key[:40]) for key in sorted(keys)[:12])
    fields = f" (its first record has the fields {shown})" if keys else ""
    raise InputFileError(f"cannot tell the format of {path}{fields}; {hint}")
