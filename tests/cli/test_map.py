"""`forensics map` as a user calls it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders import essays, write
from tests.cli.cli import Result

Run = Callable[..., Result]


@pytest.fixture(name="transcripts")
def transcripts_fixture(here: Path) -> list[Path]:
    paths = [here / f"model{i}.jsonl" for i in range(6)]
    for number, path in enumerate(paths):
        write(path, essays(12, number))
    return paths


def test_transcripts_become_a_table_and_three_files(
    cli: Run, here: Path, transcripts: list[Path]
) -> None:
    result = cli("map", *transcripts, "--csv", "m.csv", "--newick", "m.nwk", "--svg", "m.svg")
    assert result.code == 0, result.err
    assert "6 models, 12 prompts" in " ".join(result.out.split())
    assert max(map(len, result.out.splitlines())) <= 80
    assert "lineage" not in result.out
    assert len((here / "m.csv").read_text().splitlines()) == 7
    assert (here / "m.nwk").read_text().endswith(";\n")
    assert (here / "m.svg").read_text().startswith("<svg")
    for name in ("m.csv", "m.nwk", "m.svg"):
        assert f"written: {name}" in result.err


def test_the_same_command_writes_the_same_bytes(
    cli: Run, here: Path, transcripts: list[Path]
) -> None:
    for folder in ("one", "two"):
        files = [f"--{kind}={folder}/m.{kind}" for kind in ("csv", "newick", "svg")]
        assert cli("map", *transcripts, *files).code == 0
    for kind in ("csv", "newick", "svg"):
        assert (here / f"one/m.{kind}").read_bytes() == (here / f"two/m.{kind}").read_bytes()


def test_a_cohort_by_name_shows_documented_lineage(cli: Run) -> None:
    result = cli("map", "misguided-attention", "--top", 3)
    assert result.code == 0, result.err
    assert "lineage" in result.out
    assert "58 models" in result.out
    assert max(map(len, result.out.splitlines())) <= 80


def test_a_table_of_models_gives_lineage_to_transcripts(
    cli: Run, here: Path, transcripts: list[Path]
) -> None:
    rows = [f"model{i},{'w' if i < 2 else ''}" for i in range(6)]
    (here / "models.csv").write_text("model,weights_id\n" + "\n".join(rows) + "\n")
    result = cli("map", *transcripts, "--models", "models.csv", "--top", 15)
    assert result.code == 0, result.err
    shared = [line for line in result.out.splitlines() if line.rstrip().endswith("shared")]
    assert len(shared) == 1
    assert {"model0", "model1"} <= set(shared[0].split())


def test_hostile_file_names_do_not_act_on_the_terminal(cli: Run, here: Path) -> None:
    names = ["[bold]x", "\x1b[31mred", "-dash", "=1+1", "a'b", "é" * 60]
    paths = [here / f"{name}.jsonl" for name in names]
    for number, path in enumerate(paths):
        write(path, essays(10, number))
    result = cli("map", *paths, "--csv", "m.csv")
    assert result.code == 0, result.err
    assert "\x1b" not in result.out
    assert "[bold]x" in result.out
    assert "\n'=1+1," in (here / "m.csv").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a.jsonl", "b.jsonl"], "2 models are too few for a map"),
        (["nowhere"], "no cohort 'nowhere'"),
        (["a.jsonl", "a.jsonl"], "another file has a model 'a'"),
        (["alpaca-eval", "--models", "x.csv"], "a cohort knows its models"),
        (["a.jsonl", "b.jsonl", "--models", "x.csv"], "x.csv"),
        (["missing.jsonl", "a.jsonl"], "missing.jsonl"),
    ],
)
def test_bad_input_is_one_line(cli: Run, arguments: list[str], words: str) -> None:
    result = cli("map", *arguments)
    assert result.code == 2
    assert words in result.err
    assert len(result.err.splitlines()) == 1


def test_too_few_common_prompts_are_refused(cli: Run, here: Path) -> None:
    paths = [here / f"model{i}.jsonl" for i in range(5)]
    for number, path in enumerate(paths):
        write(path, essays(5, number))
    result = cli("map", *paths)
    assert result.code == 2
    assert "5 prompts" in result.err
