"""Which importers there are, and which one reads a file."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from forensics.errors import InputFileError, UsageError
from forensics.support.plugins import load_plugin, load_plugins, plugin_names
from forensics.transcripts.importers.alpaca_eval import AlpacaEval
from forensics.transcripts.importers.base import Importer, PromptsImporter
from forensics.transcripts.importers.chat_log import ChatLog
from forensics.transcripts.importers.garak import Garak
from forensics.transcripts.importers.inspect_log import Inspect
from forensics.transcripts.importers.lm_eval import LmEval
from forensics.transcripts.importers.openai_batch import OpenAIBatch
from forensics.transcripts.importers.records import head_keys, open_input
from forensics.transcripts.importers.table import Table

_BUILT_IN: tuple[Importer, ...] = (
    Table(),
    AlpacaEval(),
    LmEval(),
    Inspect(),
    OpenAIBatch(),
    ChatLog(),
    Garak(),
)


def importers() -> dict[str, Importer]:
    """Return every importer by the name that `--format` takes."""
    named = {importer.name: importer for importer in _BUILT_IN}
    return named | {name: make() for name, make in load_plugins("importers", tuple(named)).items()}


def choose(path: Path, format: str | None, prompts: Path | None) -> Importer:
    """Return the importer to read `path` with: the one named, else the one that recognises it.

    Raises:
        InputFileError: the file cannot be read, or no importer, or more than one, recognises it.
        UsageError: no such format, or prompts were given for a format that takes none.
    """
    with open_input(path, whole=True):
        pass  # a missing file is told as such, before anything is guessed about its format
    importer = _detect(path) if format is None else _by_name(format)
    if prompts is None:
        return importer
    if not hasattr(importer, "with_prompts"):
        raise UsageError(f"--prompts has no meaning for the format {importer.name}; leave it out")
    return cast(PromptsImporter, importer).with_prompts(prompts)


def _by_name(format: str) -> Importer:
    built_in = {importer.name: importer for importer in _BUILT_IN}
    if format in built_in:
        return built_in[format]
    if format in plugin_names("importers"):
        asked: Importer = load_plugin("importers", format)()
        return asked
    raise UsageError(f"no import format {format!r}; formats: {', '.join(importers())}")


def _detect(path: Path) -> Importer:
    known = importers()
    fitting = [importer for importer in known.values() if importer.detect(path)]
    if len(fitting) == 1:
        return fitting[0]
    hint = f"choose one with --format: {', '.join(known)}"
    if fitting:
        names = " and ".join(importer.name for importer in fitting)
        raise InputFileError(f"{path} could be {names}; {hint}")
    if path.stat().st_size == 0:
        raise InputFileError(f"{path} is empty")
    keys = head_keys(path).keys
    if {"prompt_sha256", "sample", "text", "status"} <= keys:
        raise InputFileError(f"{path} is a transcript already; use it as transcript:{path}")
    shown = ", ".join(repr(key[:40]) for key in sorted(keys)[:12])
    found = f" (its first record has the fields {shown})" if keys else ""
    raise InputFileError(f"cannot tell the format of {path}{found}; {hint}")
