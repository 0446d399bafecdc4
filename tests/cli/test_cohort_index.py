"""`cohort index` and `cohort nearest`: what they write, show and refuse."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from forensics.cohorts.index_files import read_index, write_index
from forensics.cohorts.pack_files import write_cohort
from forensics.support.sanitise import one_line
from forensics.transcripts.transcript import Response
from forensics.transcripts.writer import write_transcript
from tests.builders import manifest
from tests.made_cohort import made_cohort, prompts, said
from tests.report.sample_case import HOSTILE


@pytest.fixture(name="data")
def data_fixture(cli, here: Path) -> Path:
    write_cohort(here / "made", made_cohort())
    assert cli("cohort", "index", "made", "-o", "made.index").code == 0
    return here


def subject(folder: Path, count: int = 24) -> Path:
    """Write a transcript of a model with the habits of m2a and m2b."""
    texts = said("m2", "new", count)
    made = [Response(prompt=p, text=t) for p, t in zip(prompts(), texts, strict=False)]
    write_transcript(folder / "new.jsonl", manifest("new"), made)
    return folder / "new.jsonl"


def test_the_answer_comes_first_and_everything_fits(cli, data) -> None:
    result = cli("cohort", "nearest", "made.index", subject(data))
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0].startswith(("m2a is the most similar to", "m2b is the most similar to"))
    assert max(map(len, lines)) <= 80
    assert "forensics compare" in result.out
    table = [line.split()[0] for line in lines if line.startswith(("m", "s")) and "0." in line]
    assert set(table[:2]) == {"m2a", "m2b"}
    assert len(table) == 20


def test_a_model_of_the_index_is_not_its_own_neighbour(cli, data) -> None:
    result = cli("cohort", "nearest", "made.index", "cohort:m2a", "--top", 3, "--json", "-")
    document = json.loads(result.out)
    assert document["nearest"][0]["model"] == "m2b"
    assert len(document["nearest"]) == 3
    assert document["cohort"]["models"] == len(made_cohort().models)
    assert "m2a" not in [row["model"] for row in document["nearest"]]


def test_json_goes_to_a_file_beside_the_table(cli, data) -> None:
    result = cli("cohort", "nearest", "made.index", "cohort:s3", "--json", "near.json")
    assert "is the most similar to cohort:s3" in " ".join(result.out.split())
    assert json.loads(Path("near.json").read_text())["kind"] == "nearest"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nearest", "made.index", "cohort:m2"), 2, "did you mean m2"),
        (("nearest", "made.index", "nothing.jsonl"), 2, "nothing.jsonl"),
        (("nearest", "nothing.index", "cohort:m2a"), 2, "nothing.index"),
        (("nearest", "made", "cohort:m2a"), 2, "not an index; make one with"),
        (("nearest", "made.index", "a.jsonl"), 2, "answers 0 of the 24 prompts of made"),
        (("nearest", "made.index", "cohort:m2a", "--top", 0), 2, "--top"),
        (("index", "nothing", "-o", "x"), 2, "nothing"),
        (("index", "made", "-o", "."), 4, "."),
    ],
)
def test_what_cannot_be_done_is_one_line(cli, data, arguments, code, words) -> None:
    result = cli("cohort", *arguments)
    assert result.code == code
    assert words in result.err
    assert len(result.err.strip().splitlines()) == 1


def test_too_few_answers_are_counted(cli, data) -> None:
    result = cli("cohort", "nearest", "made.index", subject(data, 7))
    assert result.code == 2
    assert "answers 7 of the 24 prompts" in result.err


def test_without_faiss_the_extra_is_named(cli, data, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    result = cli("cohort", "nearest", "made.index", "cohort:m2a")
    assert result.code == 4
    assert "pip install 'model-forensics[index]'" in result.err


def test_hostile_names_are_shown_and_nothing_more(cli, data) -> None:
    index = read_index(data / "made.index")
    names = (*HOSTILE, *index.models)[: len(index.models)]
    write_index(data / "hostile.index", replace(index, models=names, cohort=HOSTILE[0]))
    result = cli("cohort", "nearest", "hostile.index", subject(data), "--top", 99)
    assert result.code == 0
    assert "\x1b" not in result.out
    assert not any(line.lstrip().startswith("::") for line in result.out.splitlines())
    for name in names:
        assert one_line(name, 60).split()[0][:12] in result.out
