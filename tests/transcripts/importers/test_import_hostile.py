"""Damaged and hostile files: a one-line error or a success, never anything else."""

from __future__ import annotations

import copy
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.errors import InputFileError
from forensics.transcripts.importers import import_file, importers
from forensics.transcripts.transcript import read_transcript
from tests.damage import ANY_JSON, damage, places
from tests.transcripts.importers.test_import_batch import OUTPUT, batch_input
from tests.transcripts.importers.test_import_formats import (
    ALPACA,
    SAMPLES,
    attempt,
    lm_sample,
    turn,
)
from tests.transcripts.importers.test_import_inspect import (
    FAILED,
    HEADER,
    members,
    write_eval,
    write_zstandard,
)
from tests.transcripts.importers.test_import_inspect import SAMPLES as INSPECT_SAMPLES

DOCUMENTS: dict[str, list[Any]] = {
    **SAMPLES,
    "table": [{"model": "m", "prompt_id": 1, "prompt": "p", "output": "o", "sample_id": 2}],
    "alpaca-eval": ALPACA,
    "lm-eval": [lm_sample(0, [json.dumps([turn("user", "2 + 2?")])], [["4"]])],
    "inspect": [HEADER | {"samples": [*INSPECT_SAMPLES, FAILED]}],
    "openai-batch": OUTPUT,
    "chat-log": [
        {
            "model": "m",
            "system": [{"type": "text", "text": "s"}],
            "messages": [
                turn("user", [{"type": "image"}]),
                turn("assistant", [{"type": "thinking", "thinking": "t"}, {"text": "a"}]),
            ],
        }
    ],
    "garak": [
        {"entry_type": "start_run setup", "plugins.model_name": "m"},
        attempt("1", {"turns": [turn("user", {"text": "p", "lang": "en"})]}, [{"text": "o"}, None]),
    ],
}


def attempt_import(path: Path, folder: Path, format: str | None = None) -> bool:
    """Import; on failure the error must be one line, and no file may have been written."""
    out = folder / "out"
    try:
        files = import_file(path, out, format)
    except InputFileError as error:
        assert "\n" not in str(error)
        assert not out.exists() or not any(out.iterdir())
        return False
    for file in files:
        assert len(read_transcript(file.path).responses) == file.responses
    return True


@pytest.mark.parametrize("name", DOCUMENTS)
@given(data=st.data())
def test_any_value_replaced_or_removed(name, data):
    document = copy.deepcopy(DOCUMENTS[name])
    damage(document, data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.jsonl"
        path.write_text("".join(json.dumps(item) + "\n" for item in document), encoding="utf-8")
        attempt_import(path, Path(folder), name)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_documents_are_valid_before_they_are_damaged(name, tmp_path):
    path = tmp_path / "file.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in DOCUMENTS[name]), encoding="utf-8")
    assert attempt_import(path, tmp_path, name)


@given(data=st.data())
def test_any_value_of_a_batch_input_replaced(data):
    document = [batch_input("a", "first", "second"), batch_input("b", "third")]
    container, key = data.draw(st.sampled_from(places(document)))
    container[key] = data.draw(ANY_JSON)
    with tempfile.TemporaryDirectory() as folder:
        for file, lines in (("x_input.jsonl", document), ("x.jsonl", OUTPUT)):
            text = "".join(json.dumps(line) + "\n" for line in lines)
            (Path(folder) / file).write_text(text, encoding="utf-8")
        attempt_import(Path(folder) / "x.jsonl", Path(folder), "openai-batch")


@cache
def binary_files() -> list[bytes]:
    with tempfile.TemporaryDirectory() as name:
        return _binary_files(Path(name))


def _binary_files(folder: Path) -> list[bytes]:
    table = pa.table({"model": ["m", "n"], "prompt": ["p", "q"], "output": ["o", None]})
    pq.write_table(table, folder / "a.parquet")
    pq.write_table(
        table.slice(0, 1), folder / "b.parquet", compression="zstd", use_dictionary=False
    )
    write_eval(folder / "a.eval", members())
    write_zstandard(folder / "b.eval", members())
    return [path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()] + [
        json.dumps(ALPACA).encode(),
        b'prompt,output,model\r\n"a ""quoted""\r\nprompt",\x00o,m\r\n',
    ]


@given(data=st.data())
def test_flipped_and_missing_bytes(data):
    with tempfile.TemporaryDirectory() as folder:
        raw = bytearray(data.draw(st.sampled_from(binary_files())))
        for _ in range(data.draw(st.integers(1, 4))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
        cut = data.draw(st.none() | st.integers(0, len(raw)))
        path = Path(folder) / "damaged"
        path.write_bytes(bytes(raw[:cut]))
        attempt_import(path, Path(folder))


_STARTS = (b"", b"PAR1", b"PK\x03\x04", b"[{", b'{"', b"\xef\xbb\xbf", b"prompt,output\n")


@given(start=st.sampled_from(_STARTS), rest=st.binary(max_size=200), data=st.data())
def test_random_bytes_into_every_importer(start, rest, data):
    name = data.draw(st.none() | st.sampled_from(list(importers())))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random"
        path.write_bytes(start + rest)
        attempt_import(path, Path(folder), name)


@pytest.mark.parametrize("name", [None, *importers()])
@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"messages":' * 50_000, '{"prompt": 1' + "0" * 5000 + "}", "null", "[]"],
)
def test_json_that_breaks_parsers(name, text, tmp_path):
    path = tmp_path / "file.json"
    path.write_text(text, encoding="utf-8")
    assert not attempt_import(path, tmp_path, name)
