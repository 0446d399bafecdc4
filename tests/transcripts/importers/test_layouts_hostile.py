"""Damaged and hostile files of the layouts people hold: one record costs one record."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.transcripts.importers import import_file
from forensics.transcripts.importers.head import first_record
from forensics.transcripts.importers.registry import recognise
from forensics.transcripts.transcript import read_transcript
from tests.damage import damage
from tests.transcripts.importers import layouts
from tests.transcripts.importers.test_import_hostile import attempt_import

DOCUMENTS = [(name, doc) for name, docs in layouts.LAYOUTS.items() for doc in docs]
COMPANIONS = {
    "fastchat": ("question.jsonl", layouts.QUESTIONS, layouts.FASTCHAT),
    "anthropic-batch": (
        "requests.jsonl",
        layouts.ANTHROPIC_REQUESTS,
        layouts.ANTHROPIC_BATCH,
    ),
    "gemini-batch": (
        "input.jsonl",
        [{"key": "one", "request": {"contents": [{"parts": [{"text": "Why?"}]}]}}],
        layouts.GEMINI_BATCH,
    ),
}


def write(path: Path, records: list[Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.mark.parametrize(("name", "document"), DOCUMENTS)
@settings(max_examples=30)
@given(data=st.data())
def test_any_value_replaced_or_removed(name, document, data):
    damaged = copy.deepcopy(document)
    damage(damaged, data)
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "file.jsonl", damaged)
        recognise(path)
        attempt_import(path, Path(folder), name)


@pytest.mark.parametrize("name", COMPANIONS)
@settings(max_examples=30)
@given(data=st.data())
def test_any_value_of_a_companion_replaced_or_removed(name, data):
    file, companion, answers = COMPANIONS[name]
    damaged = copy.deepcopy(companion)
    damage(damaged, data)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / file, damaged)
        attempt_import(write(Path(folder) / "answers.jsonl", answers), Path(folder), name)


@given(data=st.data())
def test_damaged_parquet_rows(data):
    name, document = data.draw(st.sampled_from(DOCUMENTS))
    damaged = copy.deepcopy(document)
    damage(damaged, data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.parquet"
        try:
            pq.write_table(pa.Table.from_pylist([r for r in damaged if isinstance(r, dict)]), path)
        except (pa.ArrowException, TypeError, UnicodeEncodeError, ValueError, OverflowError):
            return  # no parquet file can hold it
        attempt_import(path, Path(folder), name)


BAD = [{}, {"model": 7}, {"choices": "x", "messages": None, "conversation": 3, "result": []}]


RESULTS = layouts.PROMPTFOO[0]["results"]["results"]
STORED = layouts.OPENAI_LOG[0]["data"]
SEVERAL = [d for d in DOCUMENTS if len(d[1]) > 1] + [("promptfoo", RESULTS), ("openai-log", STORED)]


@pytest.mark.parametrize(("name", "document"), SEVERAL)
@pytest.mark.parametrize("place", [0, -1])
def test_bad_records_cost_themselves(name, document, place, tmp_path):
    whole = import_file(write(tmp_path / "a.jsonl", document), tmp_path / "a", name)
    mixed = [*BAD, *document] if place == 0 else [*document, *BAD]
    path = write(tmp_path / "b.jsonl", mixed)
    with path.open("a", encoding="utf-8") as file:
        file.write('{"cut off": ')
    found = import_file(path, tmp_path / "b", name)
    expected = sum(one.responses for one in whole)
    assert sum(one.responses for one in found) in (expected, expected + len(BAD))
    assert found[0].skipped.records >= 1


@pytest.mark.parametrize(
    ("document", "name"),
    [(layouts.HELM[0] | {"request_states": [*layouts.HELM[0]["request_states"], 5, {}]}, "helm")],
)
def test_bad_parts_of_a_document_cost_themselves(document, name, tmp_path):
    (found,) = import_file(write(tmp_path / "a.jsonl", [document]), tmp_path / "out", name)
    assert (found.responses, found.skipped.records) == (3, 2)


HOSTILE = "\ud800\x1b[31m::error::\u202e<script>" + "x" * 5000


@pytest.mark.parametrize(("name", "document"), DOCUMENTS)
def test_hostile_text_is_kept_as_it_is(name, document, tmp_path):
    text = json.dumps(document)
    for said in ("It drips.", "A wren.", "An elm.", "The Ems.", "Rivers flow.", "Hills rise."):
        text = text.replace(json.dumps(said), json.dumps(HOSTILE))
    for said in ("Cirrus.", "So.", "Flint.", "Teal.", " 4", "Sage.", "Me.", "They"):
        text = text.replace(json.dumps(said), json.dumps(HOSTILE))
    files = import_file(write(tmp_path / "a.jsonl", json.loads(text)), tmp_path / "out", name)
    texts = [r.text for one in files for r in read_transcript(one.path).responses]
    assert HOSTILE in texts


@given(st.text(max_size=300), st.integers(0, 300))
def test_the_head_of_any_text_is_read_without_an_error(text, cut):
    value = json.dumps([{"a": text, "b": [{"c": None}, 1.5, text]}], ensure_ascii=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        path.write_bytes(value.encode("utf-8", "surrogatepass")[:cut])
        assert isinstance(first_record(path), dict)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        assert isinstance(first_record(path), dict)


def test_the_head_shows_a_record_longer_than_itself(tmp_path):
    record = {"adapter_spec": {"model": "m"}, "request_states": [{"text": "x" * 300_000}]}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(record, indent=1))
    assert first_record(path) == {"adapter_spec": {"model": "m"}, "request_states": [{}]}


def test_a_damaged_first_line_does_not_hide_the_format(tmp_path):
    path = write(tmp_path / "a.jsonl", layouts.SHAREGPT)
    path.write_text('{"id": "x", "conversations": [{"from"; 1}]}\n' + path.read_text())
    assert [importer.name for importer in recognise(path)] == ["sharegpt"]


@pytest.mark.parametrize("name", COMPANIONS)
def test_a_bad_record_of_a_companion_costs_itself(name, tmp_path):
    file, companion, answers = COMPANIONS[name]
    write(tmp_path / file, [*companion, {"x": 1}])
    found = import_file(write(tmp_path / "answers.jsonl", answers), tmp_path / "out", name)
    assert sum(one.responses for one in found) >= len(answers)
    assert found[0].skipped.records == 1
