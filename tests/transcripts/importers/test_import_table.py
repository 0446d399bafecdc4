from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.errors import InputFileError
from forensics.suites.suite import text_sha256
from forensics.transcripts.importers import import_file
from forensics.transcripts.thinking import split_reasoning
from forensics.transcripts.transcript import read_transcript

ROWS = [
    {"model": "a/one", "prompt_id": 1, "prompt": "Name a tree.", "output": "Birch."},
    {"model": "b two", "prompt_id": 1, "prompt": "Name a tree.", "output": "Oak,\n“tall”."},
    {"model": "a/one", "prompt_id": 2, "prompt": "Name a river.", "output": None},
]


def write_csv(path: Path, rows: list[dict[str, Any]], delimiter: str = ",") -> Path:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(buffer.getvalue().encode("utf-8", "surrogatepass"))
    return path


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["parquet", "csv", "tsv", "semicolon", "jsonl", "array"])
def test_every_table_form_gives_the_same_answers(importing, tmp_path, kind):
    path = tmp_path / "answers.data"
    if kind == "parquet":
        write_parquet(path, ROWS)
    elif kind == "jsonl":
        write_jsonl(path, ROWS)
    elif kind == "array":
        path.write_text(json.dumps(ROWS, indent=1), encoding="utf-8")
    else:
        write_csv(path, ROWS, {"csv": ",", "tsv": "\t", "semicolon": ";"}[kind])
    found = importing.read(path)
    assert {
        m: [(r.prompt.id, r.text, r.status) for r in t.responses] for m, t in found.items()
    } == {
        "a/one": [("1", "Birch.", "ok"), ("2", "", "ok")],
        "b two": [("1", "Oak,\n“tall”.", "ok")],
    }
    manifest = found["a/one"].manifests[0]
    assert manifest.provenance == "imported"
    assert "provenance unverified" in manifest.notes
    assert manifest.identity["format"] == "table"
    assert {r.prompt.sha256 for r in found["b two"].responses} == {text_sha256("Name a tree.")}
    assert sorted(p.name for p in importing.out.iterdir()) == ["a_one.jsonl", "b_two.jsonl"]


@pytest.mark.parametrize("name", ["output", "response", "completion", "text", "Output "])
def test_output_column_aliases(importing, name):
    path = importing.text("x.csv", f"prompt,{name},model\nhello,hi there,m\n")
    assert importing.one(path).responses[0].text == "hi there"


def test_missing_model_and_id_are_derived(importing):
    path = importing.text("my-model.csv", "prompt,output\nhello,hi\n")
    transcript = importing.one(path)
    assert transcript.name == "my-model"
    assert any("name no model" in note for note in transcript.manifests[0].notes)
    assert transcript.responses[0].prompt.id == text_sha256("hello")[:12]


def test_rows_without_a_model_join_the_model_named_like_the_file(importing, tmp_path):
    rows = [
        {"model": "m", "prompt": "p", "output": "1"},
        {"model": None, "prompt": "p", "output": "2"},
        {"model": "other", "prompt": "p", "output": "3"},
    ]
    for write in (write_parquet, write_jsonl):
        found = importing.read(write(tmp_path / "m.data", rows))
        assert [r.text for r in found["m"].responses] == ["1", "2"]
        assert not any("name no model" in n for n in found["other"].manifests[0].notes)


def test_repeated_rows_are_all_kept_as_further_samples(importing):
    records = [
        {"model": "m", "prompt": "p", "output": text, "sample_id": sample}
        for text, sample in [("a", 0), ("b", 0), ("c", 1), ("d", None), ("e", 7)]
    ]
    transcript = importing.one(importing.jsonl("x.jsonl", records))
    # "b" repeats sample 0 and moves to a number that no other row claims.
    assert {r.text: r.sample for r in transcript.responses} == {
        "a": 0,
        "b": 2,
        "c": 1,
        "d": 3,
        "e": 7,
    }
    assert any(note.startswith("1 answers repeat") for note in transcript.manifests[0].notes)


def test_reasoning_comes_from_its_column_or_from_the_text(importing):
    records = [
        {"model": "m", "prompt": "p", "output": "<think>so</think>Yes.", "reasoning": None},
        {"model": "m", "prompt": "q", "output": "<think> is a tag", "reasoning": "given"},
    ]
    first, second = importing.one(importing.jsonl("x.jsonl", records)).responses
    assert (first.text, first.reasoning) == ("Yes.", "so")
    assert (second.text, second.reasoning) == ("<think> is a tag", "given")


def test_category_and_language(importing):
    path = importing.text("x.csv", "prompt,output,model,category,language\nhei,moi,m,chat,fi\n")
    prompt = importing.one(path).responses[0].prompt
    assert (prompt.category, prompt.language) == ("chat", "fi")


def test_a_field_larger_than_csv_allows_by_default(importing):
    answer = "x" * 50_000_000
    path = importing.text("x.csv", f'prompt,output,model\nhello,"{answer}",m\n')
    assert importing.one(path).responses[0].text == answer


@pytest.mark.parametrize("value", ["3", 3, 3.0, "3.0"])
def test_sample_numbers_in_every_spelling(importing, value):
    path = importing.jsonl("x.jsonl", [{"prompt": "p", "output": "o", "sample_id": value}])
    assert importing.one(path).responses[0].sample == 3


BAD = [
    ("x.csv", b"prompt,model\nhi,m\n", r"no column output.*'prompt', 'model'.*needed"),
    ("x.jsonl", b'{"prompt": "p", "output": 3}\n', r"line 1: output is int"),
    ("x.jsonl", b'{"prompt": "p", "output": ""}\n{"prompt": "p"}\n', r"line 2: no column output"),
    ("x.jsonl", b'{"prompt": null, "output": "o"}\n', r"line 1: no prompt"),
    ("x.jsonl", b'{"prompt": "p", "output": "o"}\n{"prompt": "p", "ou', r"line 2: not valid JSON"),
    ("x.jsonl", b'{"prompt": "p", "output": "o", "sample_id": -1}', r"sample_id '-1'"),
    ("x.jsonl", b'{"prompt": "p", "output": "o", "sample_id": 1.5}', r"sample_id '1.5'"),
    ("x.jsonl", b'{"prompt": "p", "output": "o", "prompt_id": []}', r"prompt_id is list"),
    ("x.jsonl", b'{"prompt": "p", "output": "caf\xe9"}\n', r"line 1: not UTF-8.*0xe9.*convert"),
    ("x.csv", b"prompt,output\nhi,ok\nhi,caf\xe9\n", r"line 3: not UTF-8.*convert"),
    ("x.csv", "prompt,output\nhi,ho\n".encode("utf-16"), r"UTF-16"),
    ("x.csv", b"prompt,output\nhi,ok\nhi\n", r"row 2: 1 fields, the header has 2"),
    ("x.csv", b'prompt,output\nhi,"never closed\n', r"row 1: not valid CSV"),
    ("x.csv", b"prompt,output,output\nhi,a,b\n", r"'output' stands there twice"),
    ("x.csv", b"prompt,output\n", r"holds no answers"),
    ("x.csv", b"", r"is empty"),
    ("x.parquet", b"PAR1 and nothing more", r"not a readable parquet file"),
    ("x.bin", b"\x00\x01\x02 no table", r"cannot tell the format.*--format"),
    ("x.jsonl", b'{"question": "q", "grade": 1}\n', r"fields 'grade', 'question'.*--format"),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD)
def test_what_cannot_be_read_is_named(importing, name, content, message):
    path = importing.raw(name, content)
    with pytest.raises(InputFileError, match=message) as caught:
        import_file(path, importing.out, strict=True)
    assert "\n" not in str(caught.value)
    assert not importing.out.exists() or not any(importing.out.iterdir())


def test_a_bad_row_in_parquet_is_named(importing, tmp_path):
    columns = [pa.array(["p", "q"]), pa.array([b"fine", b"caf\xe9"], pa.binary())]
    pq.write_table(pa.table(columns, names=["prompt", "output"]), tmp_path / "x.parquet")
    with pytest.raises(InputFileError, match=r"row 2: not UTF-8"):
        import_file(tmp_path / "x.parquet", importing.out, strict=True)
    (written,) = import_file(tmp_path / "x.parquet", importing.out)
    assert (written.responses, written.skipped.records) == (1, 1)


def test_a_column_that_is_no_text_is_named(importing, tmp_path):
    pq.write_table(pa.table({"prompt": ["p"], "output": [1.5]}), tmp_path / "x.parquet")
    with pytest.raises(InputFileError, match=r"column 'output' is double, not text"):
        import_file(tmp_path / "x.parquet", importing.out)


def test_a_column_of_structs_is_named_in_one_line(importing, tmp_path):
    rows = [{"model": {"\n\x1b[31m": 1}, "prompt": "Who?", "output": "Me."}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    with pytest.raises(InputFileError, match=r"column 'model' is struct.*not text") as caught:
        import_file(tmp_path / "a.parquet", importing.out)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_missing_file_and_folder(importing, tmp_path):
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(InputFileError, match="cannot read"):
            import_file(path, importing.out)


_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)
_VALID = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


def _check(path: Path, out: Path, rows: list[tuple[str, str]]) -> None:
    (written,) = import_file(path, out)
    responses = read_transcript(written.path).responses
    assert sorted((r.prompt.text, r.text, r.reasoning or "") for r in responses) == sorted(
        (prompt, *(part or "" for part in split_reasoning(text))) for prompt, text in rows
    )


@given(rows=st.lists(st.tuples(_TEXT, _TEXT), min_size=1, max_size=4))
def test_any_text_survives_jsonl_and_csv(rows):
    table = [{"model": "m", "prompt": prompt, "output": text} for prompt, text in rows]
    with tempfile.TemporaryDirectory() as folder:
        outs = [Path(folder) / name for name in ("out", "raw", "csv")]
        _check(write_jsonl(Path(folder) / "x.jsonl", table), outs[0], rows)
        # Also as UTF-8 instead of escapes: lone surrogates then stand as three bytes each.
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table)
        raw = Path(folder) / "y.jsonl"
        raw.write_bytes(lines.encode("utf-8", "surrogatepass"))
        _check(raw, outs[1], rows)
        _check(write_csv(Path(folder) / "z.csv", table), outs[2], rows)


@given(rows=st.lists(st.tuples(_VALID, _VALID), min_size=1, max_size=4))
def test_any_text_survives_parquet(rows):
    table = [{"model": "m", "prompt": prompt, "output": text} for prompt, text in rows]
    with tempfile.TemporaryDirectory() as folder:
        _check(write_parquet(Path(folder) / "x.parquet", table), Path(folder) / "out", rows)


def test_reference_answers_survive_exactly(reference_data, tmp_path):
    source = reference_data / "alpaca_eval_outputs.parquet"
    files = import_file(source, tmp_path / "out")
    table = pq.read_table(source).to_pydict()
    expected: dict[str, list[tuple[str, str, str]]] = {}
    for model, number, prompt, output in zip(
        table["model"], table["prompt_id"], table["prompt"], table["output"], strict=True
    ):
        expected.setdefault(model, []).append((str(number), prompt, output or ""))
    assert len(files) == 163
    # Six of the answers that 163 models times 405 prompts would make are missing at the source.
    assert sum(file.responses for file in files) == 66_009
    assert {file.path.name.removesuffix(".jsonl") for file in files} == set(expected)
    for file in files:
        responses = read_transcript(file.path).responses
        assert [(r.prompt.id, r.prompt.text, r.text) for r in responses] == expected[file.model]
        assert file.blank == sum(not r.text.strip() for r in responses)


def test_reference_samples_and_reasoning(reference_data, tmp_path):
    source = reference_data / "misguided_attention_outputs.parquet"
    files = import_file(source, tmp_path / "out")
    table = pq.read_table(source).to_pydict()
    total = len(table["model"])
    assert sum(file.responses for file in files) == total
    found = {file.model: read_transcript(file.path).responses for file in files}
    texts = {
        (model, r.prompt.text, r.text, r.reasoning or "")
        for model, responses in found.items()
        for r in responses
    }
    assert sum(len(responses) for responses in found.values()) == total
    for model, prompt, output in zip(table["model"], table["prompt"], table["output"], strict=True):
        text, reasoning = split_reasoning(output or "")
        assert (model, prompt, text, reasoning or "") in texts
    assert any(r.reasoning for responses in found.values() for r in responses)
    assert {r.sample for responses in found.values() for r in responses} >= {0, 1, 2}
