"""Other tools' files named as subjects: compared without an import by hand."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.cli.cli import ONE, Result, forensics

PLACES = (
    "the harbour",
    "a library",
    "the old mill",
    "a night train",
    "the orchard",
    "a lighthouse",
)


def lines(*records: dict[str, str]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def answers(voice: str, **more: str) -> str:
    return lines(
        *(
            {"prompt": f"Describe {place}.", "response": f"{voice}, {place} is quiet.", **more}
            for place in PLACES
        )
    )


def compare(tmp_path: Path, *arguments: str) -> Result:
    cache = {"FORENSICS_CACHE": str(tmp_path / "cache")}
    return forensics("compare", *arguments, *ONE, cwd=tmp_path, **cache)


def shared_prompts(done: Result) -> int:
    assert done.code == 0, done.err
    evidence = json.loads(done.out)["evidence"]
    return next(e["n"] for e in evidence if e["comparator"] == ONE[1])


def test_two_files_of_prompts_and_responses(tmp_path):
    (tmp_path / "owl.jsonl").write_text(answers("Tonight"))
    (tmp_path / "elk.jsonl.gz").write_bytes(gzip.compress(answers("By day").encode()))
    done = compare(tmp_path, "owl.jsonl", "elk.jsonl.gz", "--json", "-")
    assert shared_prompts(done) == len(PLACES)
    assert "owl.jsonl: imported 6 answers of owl (provenance unverified)" in done.err
    case = json.loads(done.out)
    assert [case[side]["spec"] for side in "ab"] == ["owl.jsonl", "elk.jsonl.gz"]
    again = compare(tmp_path, "owl.jsonl", "elk.jsonl.gz", "--json", "-")
    assert "imported" not in again.err  # what a file holds is imported once


def test_a_changed_file_is_read_again(tmp_path):
    (tmp_path / "owl.jsonl").write_text(answers("Tonight"))
    (tmp_path / "elk.jsonl").write_text(answers("By day"))
    compare(tmp_path, "owl.jsonl", "elk.jsonl")
    more = lines({"prompt": "Describe a bridge.", "response": "Long."})
    for name in ("owl.jsonl", "elk.jsonl"):
        with (tmp_path / name).open("a") as file:
            file.write(more)
    done = compare(tmp_path, "owl.jsonl", "elk.jsonl", "--json", "-")
    assert shared_prompts(done) == len(PLACES) + 1


def test_two_models_of_one_table(tmp_path):
    both = answers("Tonight", model="owl") + answers("By day", model="elk")
    (tmp_path / "both.jsonl").write_text(both)
    done = compare(tmp_path, "both.jsonl#owl", "transcript:both.jsonl#elk", "--json", "-")
    assert shared_prompts(done) == len(PLACES)


@pytest.mark.parametrize(
    "subject, told",
    [
        (
            "both.jsonl",
            "both.jsonl holds answers of several models; write both.jsonl#MODEL: elk, owl",
        ),
        ("both.jsonl#cat", "both.jsonl holds no answers of 'cat'; it holds elk, owl"),
    ],
)
def test_a_model_must_be_chosen(tmp_path, subject, told):
    both = answers("Tonight", model="owl") + answers("By day", model="elk")
    (tmp_path / "both.jsonl").write_text(both)
    (tmp_path / "elk.jsonl").write_text(answers("By day"))
    compare(tmp_path, "both.jsonl#owl", "elk.jsonl")  # both are in the cache now
    done = compare(tmp_path, subject, "elk.jsonl")
    assert done.code == 2
    assert told in done.complaint


def test_a_case_of_imported_files_can_be_bundled_and_verified(tmp_path):
    (tmp_path / "owl.jsonl").write_text(answers("Tonight"))
    (tmp_path / "elk.jsonl").write_text(answers("By day"))
    done = compare(tmp_path, "owl.jsonl", "elk.jsonl", "--json", "case.json")
    assert done.code == 0, done.err
    packed = forensics("bundle", "case.json", "-o", "case.zip", cwd=tmp_path)
    assert packed.code == 0, packed.err
    verified = forensics("verify", "case.zip", cwd=tmp_path)
    assert verified.code == 0, verified.err + verified.out


def test_prompts_in_a_second_file_are_imported_by_hand(tmp_path):
    row = {"question_id": 81, "answer_id": "x", "model_id": "owl", "tstamp": 1.0}
    turns = [{"index": 0, "turns": ["The harbour is quiet."]}]
    (tmp_path / "owl.jsonl").write_text(json.dumps({**row, "choices": turns}) + "\n")
    done = compare(tmp_path, "owl.jsonl", "owl.jsonl")
    assert done.code == 2
    assert "import it first: forensics import owl.jsonl -o DIR" in done.complaint


def test_what_no_importer_knows_is_refused_as_before(tmp_path):
    (tmp_path / "owl.jsonl").write_text('{"colour": "grey"}\n')
    done = compare(tmp_path, "owl.jsonl", "owl.jsonl")
    assert done.code == 2
    assert "owl.jsonl, line 1: not a response" in done.complaint
