"""Referenced suites: hashes are held here, texts stay at their source and are checked."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from forensics.errors import InputFileError, MissingDependencyError
from forensics.suites.suite import Message, Prompt, Suite, TextSource, text_sha256

_TEXT_FIELDS = ("prompt", "instruction", "text", "question")


def read_hashes(path: Path) -> tuple[Prompt, ...]:
    """Read the prompts of a referenced suite from a CSV file with `id, category, sha256`.

    Raises:
        InputFileError: the file is missing or a row is not of that form; the line is named.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputFileError(f"cannot read the suite's hashes {path}: {error}") from error
    for line, row in enumerate(rows, start=2):
        if not all(row.get(name) for name in ("id", "category", "sha256")):
            raise InputFileError(f"{path}, line {line}: needs id, category and sha256")
    return tuple(Prompt(r["id"], (), r["category"], known_as=r["sha256"]) for r in rows)


def with_texts(suite: Suite, file: Path | None = None) -> Suite:
    """Return a referenced suite with its texts; any other suite as it is.

    Args:
        suite: the suite, possibly cut by `select`.
        file: local copy of the texts (JSON list, JSONL, CSV or parquet); None asks the hub.

    Raises:
        InputFileError: a text does not match its hash, or is missing; the prompt is named.
        MissingDependencyError: no file is given and the hub cannot be reached.
    """
    if suite.text_source is None:
        return suite
    path = file or _download(suite, suite.text_source)
    texts = _read_texts(path, suite.text_source)
    by_hash = {text_sha256(text): text for text in texts}
    return replace(suite, prompts=tuple(_filled(p, by_hash, texts, path) for p in suite.prompts))


def _filled(prompt: Prompt, by_hash: dict[str, str], texts: list[str], path: Path) -> Prompt:
    text = by_hash.get(prompt.sha256)
    if text is not None:
        return replace(prompt, messages=(Message("user", text),))
    # The data set's own order is the ids' order: say what stands where the text should be.
    place = int(prompt.id) if prompt.id.isdigit() else -1
    text_there = f"; it has {texts[place][:60]!r} there" if 0 <= place < len(texts) else ""
    raise InputFileError(
        f"{path}: no text matches the hash of prompt {prompt.id} "
        f"({prompt.sha256[:12]}…){text_there}; "
        "is it another version of the data set?"
    )


def _read_texts(path: Path, source: TextSource) -> list[str]:
    try:
        rows = _rows(path)
    except (OSError, ValueError) as error:
        raise InputFileError(f"cannot read prompt texts from {path}: {error}") from error
    fields = (source.text_field, *_TEXT_FIELDS)
    texts = [next((row[f] for f in fields if isinstance(row.get(f), str)), None) for row in rows]
    distinct = list(dict.fromkeys(text for text in texts if text is not None))
    if not distinct:
        raise InputFileError(f"{path} has no column {source.text_field!r} with prompt texts")
    return distinct


def _rows(path: Path) -> Iterable[dict[str, Any]]:
    if path.suffix == ".parquet":
        import pandas as pd

        records: list[dict[str, Any]] = pd.read_parquet(path).to_dict("records")  # type: ignore[assignment]
        return records
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".csv":
        return list(csv.DictReader(text.splitlines(keepends=True)))
    if text.lstrip().startswith("["):
        return [row for row in json.loads(text) if isinstance(row, dict)]
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    return [row for row in rows if isinstance(row, dict)]


def _download(suite: Suite, source: TextSource) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    from forensics.support.quiet import quiet_hub

    quiet_hub()
    try:
        return Path(hf_hub_download(source.dataset, source.file, repo_type="dataset"))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise MissingDependencyError(
            f"the texts of suite {suite.name} are not shipped and the data set {source.dataset} "
            "cannot be reached; give a local copy with --suite-text FILE"
        ) from error
