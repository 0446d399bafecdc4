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


def test_a_file_and_a_model_may_have_a_hash_in_their_names(tmp_path):
    both = answers("Tonight", model="owl#2") + answers("By day", model="elk")
    (tmp_path / "both#1.jsonl").write_text(both)
    done = compare(tmp_path, "both#1.jsonl#owl#2", "both#1.jsonl#elk", "--json", "-")
    assert shared_prompts(done) == len(PLACES)


def test_a_models_name_may_be_longer_than_a_files(tmp_path):
    long = "a/" * 300
    both = answers("Tonight", model=long) + answers("By day", model="elk")
    (tmp_path / "both.jsonl").write_text(both)
    done = compare(tmp_path, f"both.jsonl#{long}", "both.jsonl#elk", "--json", "-")
    assert shared_prompts(done) == len(PLACES)


def test_a_name_that_is_shown_on_one_line_is_taken_so(tmp_path):
    both = answers("Tonight", model="owl\nsmall") + answers("By day", model="elk")
    (tmp_path / "both.jsonl").write_text(both)
    done = compare(tmp_path, "both.jsonl#owl small", "both.jsonl#elk", "--json", "-")
    assert shared_prompts(done) == len(PLACES)


def test_of_many_models_the_nearest_names_are_shown(tmp_path):
    many = "".join(answers("Tonight", model=f"model-{number}") for number in range(40))
    (tmp_path / "many.jsonl").write_text(many)
    assert compare(tmp_path, "many.jsonl#model-33", "many.jsonl#model-2").code == 0
    done = compare(tmp_path, "many.jsonl#Model-33", "many.jsonl#model-2")
    assert done.code == 2
    assert "no answers of 'Model-33'; it holds model-33, " in done.complaint
    assert done.complaint.endswith(" and 32 more\n")


@pytest.mark.parametrize(
    "subject, told",
    [
        ("gone.jsonl#owl", "cannot read gone.jsonl: no such file"),
        ("cut.jsonl.gz", "cut.jsonl.gz: damaged or cut off; it does not unpack as gzip"),
        ("odd.csv", "odd.csv"),
        ("owl.txt", "owl.txt is a transcript already; use it as transcript:owl.txt"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, subject, told):
    (tmp_path / "elk.jsonl").write_text(answers("By day"))
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(answers("Tonight").encode())[:-20])
    (tmp_path / "odd.csv").write_text("colour,size\ngrey,7\n")
    assert forensics("import", "elk.jsonl", "-o", "out", cwd=tmp_path).code == 0
    (tmp_path / "out" / "elk.jsonl").rename(tmp_path / "owl.txt")
    done = compare(tmp_path, subject, "elk.jsonl")
    assert done.code == 2
    assert told in done.complaint
    assert "cannot tell what" not in done.complaint


def test_two_copies_of_a_file_keep_the_names_that_their_folders_give(tmp_path):
    answer = {"doc_id": 0, "doc": {}, "target": "x", "arguments": [["Describe rain.", {}]]}
    row = {**answer, "resps": [["It falls."]], "filtered_resps": ["It falls."]}
    for name in ("org__owl", "org__elk"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "samples_quiz.jsonl").write_text(json.dumps(row) + "\n")
    subjects = [f"org__{name}/samples_quiz.jsonl#org/{name}" for name in ("owl", "elk")]
    done = compare(tmp_path, *subjects)
    assert done.code == 0, done.err
    # A file beside it says better what the model is called.
    results = {"config": {"model_args": "pretrained=org/barn-owl"}}
    (tmp_path / "org__owl" / "results_1.json").write_text(json.dumps(results))
    done = compare(tmp_path, subjects[0].replace("org/owl", "org/barn-owl"), subjects[1])
    assert done.code == 0, done.err


def test_what_a_killed_run_left_in_the_cache_is_no_obstacle(tmp_path):
    for name in ("[owl]*.jsonl", "elk.jsonl"):
        (tmp_path / name).write_text(answers("Tonight"))
    assert compare(tmp_path, "[owl]*.jsonl", "elk.jsonl").code == 0
    folder = tmp_path / "cache" / "imported"
    for complete in [path for path in folder.iterdir() if path.is_dir()]:
        complete.rename(complete.with_name(f"{complete.name}.partial"))
    assert compare(tmp_path, "[owl]*.jsonl", "elk.jsonl").code == 0
    assert not list(folder.glob("*.partial"))


def test_a_cache_that_was_cleared_in_part_is_filled_again(tmp_path):
    (tmp_path / "owl.jsonl").write_text(answers("Tonight"))
    (tmp_path / "elk.jsonl").write_text(answers("By day"))
    compare(tmp_path, "owl.jsonl", "elk.jsonl")
    for path in (tmp_path / "cache" / "imported").glob("owl*/*"):
        path.unlink()
    done = compare(tmp_path, "owl.jsonl", "elk.jsonl", "--json", "-")
    assert shared_prompts(done) == len(PLACES)
    assert "owl.jsonl: imported" in done.err
    assert "elk.jsonl: imported" not in done.err


@pytest.mark.parametrize(
    "bases, told",
    [
        (["owl.jsonl"], "base owl.jsonl is the known model itself"),
        (["cat.jsonl", "transcript:cat.jsonl"], "base transcript:cat.jsonl is named twice"),
        (["cohort:no-such-model"], "no model 'no-such-model' in "),
    ],
)
def test_a_past_is_another_model_that_is_there(tmp_path, bases, told):
    for name, voice in (("owl", "Tonight"), ("elk", "By day"), ("cat", "At noon")):
        (tmp_path / f"{name}.jsonl").write_text(answers(voice))
    named = [word for base in bases for word in ("--base", base)]
    assert compare(tmp_path, "owl.jsonl", "elk.jsonl", "--base", "cat.jsonl").code == 0
    done = compare(tmp_path, "owl.jsonl", "elk.jsonl", *named)
    assert done.code == 2
    assert told in done.complaint
