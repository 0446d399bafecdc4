"""`forensics import`: the list of formats, packed files and whole folders."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from forensics.transcripts.importers.registry import formats
from forensics.transcripts.transcript import read_transcript
from tests.cli.cli import Result, forensics


def row(model: str, prompt: str, output: str) -> dict[str, Any]:
    return {"model": model, "prompt": prompt, "output": output}


def lines(*records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / ".hidden").mkdir()
    (source / ".hidden" / "x.jsonl").write_text(lines(row("hidden", "Why?", "So.")))
    (source / "a.jsonl").write_text(lines(row("owl", "Why?", "So."), row("owl", "How?", "Thus.")))
    packed = gzip.compress(lines(row("elk", "Why?", "Because.")).encode())
    (source / "deep" / "b.jsonl.gz").write_bytes(packed)
    (source / "notes.txt").write_text("Nothing to import.\n")
    return source


def run(tmp_path: Path, *arguments: str) -> Result:
    return forensics("import", *arguments, cwd=tmp_path)


def written(folder: Path) -> dict[str, list[str]]:
    return {
        path.name: [response.text for response in read_transcript(path).responses]
        for path in sorted(folder.iterdir())
    }


def test_the_list_of_formats_fits_a_terminal(tmp_path):
    done = run(tmp_path, "--list-formats")
    assert done.code == 0, done.err
    assert all(len(line) <= 80 for line in done.out.splitlines())
    for known in formats():
        assert known.example
        assert f"{known.name:<17} {known.example}" in done.out
        assert f"\n    {known.description}\n" in done.out


def test_every_file_of_a_folder_that_an_importer_knows(tmp_path, folder):
    done = run(tmp_path, "source", "-o", "out")
    assert done.code == 0, done.err
    assert written(tmp_path / "out") == {"elk.jsonl": ["Because."], "owl.jsonl": ["So.", "Thus."]}
    assert "2 transcripts with 3 answers" in done.err
    assert "skipped notes.txt: in an unknown format" in done.err
    assert "hidden" not in done.err


def test_a_folder_imported_twice_is_the_same(tmp_path, folder):
    for _ in range(2):
        assert run(tmp_path, "source", "-o", "source/out").code == 0
    assert written(folder / "out") == {"elk.jsonl": ["Because."], "owl.jsonl": ["So.", "Thus."]}


def test_a_file_that_fails_loses_no_other(tmp_path, folder):
    (folder / "aa.jsonl").write_text(lines(row("yak", "Why?", "Well.")) + '{"model": ')
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(b"[]")[:-5])
    done = run(tmp_path, "source", "-o", "out")
    assert done.code == 2
    assert "not imported: source/b.jsonl.gz: damaged or cut off" in done.err
    assert done.err.rstrip().endswith("were not imported; the others are in out")
    assert {"elk.jsonl", "owl.jsonl"} <= written(tmp_path / "out").keys()


def test_a_folder_with_nothing_to_import(tmp_path):
    (tmp_path / "source").mkdir()
    done = run(tmp_path, "source", "-o", "out")
    assert done.code == 2
    assert "--list-formats" in done.complaint


def test_a_format_chooses_among_the_files_of_a_folder(tmp_path, folder):
    done = run(tmp_path, "source", "-o", "out", "--format", "chat-log")
    assert done.code == 2
    assert "skipped a.jsonl: not in the format chat-log" in done.err


def test_a_transcript_in_a_folder_is_left_alone(tmp_path, folder):
    assert run(tmp_path, "source", "-o", "first").code == 0
    done = run(tmp_path, ".", "-o", "out")
    assert done.code == 0, done.err
    assert "skipped first/owl.jsonl: already a transcript" in done.err


@pytest.mark.parametrize("arguments", [("source", "-o", "out", "--format", "nope"), ("source",)])
def test_wrong_options(tmp_path, folder, arguments):
    done = run(tmp_path, *arguments)
    assert done.code == 2
    assert done.complaint


def test_other_answers_to_the_same_prompts_in_a_folder_are_further_samples(tmp_path):
    for run_name, answer in (("first", "So."), ("second", "Thus.")):
        (tmp_path / "source" / run_name).mkdir(parents=True)
        path = tmp_path / "source" / run_name / "answers.jsonl"
        path.write_text(lines(row("owl", "Why?", answer)))
    for _ in range(2):
        done = run(tmp_path, "source", "-o", "out")
        assert done.code == 0, done.err
        found = read_transcript(tmp_path / "out" / "owl.jsonl").responses
        assert sorted((r.sample, r.text) for r in found) == [(0, "So."), (1, "Thus.")]


def test_archives_in_a_folder_are_passed_over(tmp_path, folder):
    (folder / "weights.7z").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(9))
    done = run(tmp_path, "source", "-o", "out")
    assert done.code == 0, done.err
    assert "skipped weights.7z: is compressed with 7-Zip" in done.err


def test_copies_in_a_folder_are_one_sample(tmp_path, folder):
    plain = (folder / "a.jsonl").read_bytes()
    (folder / "copy.jsonl.gz").write_bytes(gzip.compress(plain))
    (folder / "deep" / "array.json").write_text(json.dumps([*map(json.loads, plain.splitlines())]))
    for _ in range(2):
        assert run(tmp_path, "source", "-o", "out").code == 0
        assert written(tmp_path / "out")["owl.jsonl"] == ["So.", "Thus."]
