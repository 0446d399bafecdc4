from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from forensics.transcripts.importers import import_file
from forensics.transcripts.transcript import Transcript, read_transcript

_DEFAULT = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture(scope="session")
def reference_data() -> Path:
    folder = Path(os.environ.get("FORENSICS_DATA", _DEFAULT))
    if not folder.is_dir():
        pytest.skip(f"reference data not found at {folder} (set FORENSICS_DATA)")
    return folder


class Importing:
    """Writes small source files, imports them, and reads the transcripts back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"

    def jsonl(self, name: str, records: Iterable[Any]) -> Path:
        return self.text(name, "".join(json.dumps(record) + "\n" for record in records))

    def json(self, name: str, value: Any) -> Path:
        return self.text(name, json.dumps(value, indent=2))

    def text(self, name: str, text: str) -> Path:
        return self.raw(name, text.encode("utf-8", "surrogatepass"))

    def raw(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def read(self, path: Path, **options: Any) -> dict[str, Transcript]:
        files = import_file(path, self.out, **options)
        return {file.model: read_transcript(file.path) for file in files}

    def one(self, path: Path, **options: Any) -> Transcript:
        (transcript,) = self.read(path, **options).values()
        return transcript


@pytest.fixture
def importing(tmp_path: Path) -> Importing:
    return Importing(tmp_path)
