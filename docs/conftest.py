"""The Python examples of these pages run as tests, those of a page in one folder and namespace."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

from tests.builders import SENTENCES, write

# The files of answers that examples compare.
_FILES = ("known.jsonl", "questioned.jsonl", "vicuna-7b.jsonl", "vicuna-13b.jsonl")
_PROMPTS = 16


def _enter(namespace: dict[str, Any]) -> None:
    folder = tempfile.TemporaryDirectory()
    for which, name in enumerate(_FILES):
        texts = [SENTENCES[(n + which) % 6].format(f"thing {n}") * 3 for n in range(_PROMPTS)]
        write(Path(folder.name) / name, texts)
    namespace.update(__name__="example", _folder=folder, _before=Path.cwd())
    os.chdir(folder.name)


def _leave(namespace: dict[str, Any]) -> None:
    os.chdir(namespace["_before"])
    namespace["_folder"].cleanup()


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["*.md"],
    setup=_enter,
    teardown=_leave,
).pytest()
