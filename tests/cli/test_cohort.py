"""The verb `cohort`: what it writes, shows and refuses."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from forensics.cohorts.finding import find_cohort
from forensics.cohorts.outputs import Outputs
from tests.cli.cli import forensics
from tests.cohorts.builders import facts, outputs, pairs
from tests.served_files import served


def _tables(folder: Path, made: Outputs) -> None:
    """Write outputs.jsonl, models.csv and pairs.csv."""
    rows = [
        {"model": model, "prompt_id": p.id, "prompt": p.text, "output": text}
        for p, row in zip(made.prompts, made.texts, strict=True)
        for model, samples in zip(made.models, row, strict=True)
        for text in samples
    ]
    (folder / "outputs.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    lines = [f"{f.model},{f.weights_id},{f.released},Dev" for f in made.facts.values()]
    (folder / "models.csv").write_text(
        "\n".join(["model,weights_id,released,developer", *lines]) + "\n"
    )
    labels = [f"{p.a},{p.b},{p.relation},{p.confidence}" for p in pairs(made.facts)]
    (folder / "pairs.csv").write_text(
        "\n".join(["model_a,model_b,relation,confidence", *labels]) + "\n"
    )


@pytest.fixture(name="data")
def data_fixture(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORENSICS_CACHE", str(here / "cache"))
    _tables(here, outputs())
    return here


BUILD = ("cohort", "build", "outputs.jsonl", "--models", "models.csv")


def test_a_cohort_is_built_listed_and_shown(cli, data):
    built = cli(*BUILD, "--pairs", "pairs.csv", "-o", "mine", "--date", "2026-01-02")
    assert (built.code, built.out) == (0, "")
    assert "22 models, 16 prompts, calibrated" in built.err
    listed = cli("cohort", "list")
    assert listed.code == 0
    for name in ("alpaca-eval", "misguided-attention", "mine"):
        assert name in listed.out
    shown = cli("cohort", "info", "mine", "--models")
    assert shown.code == 0
    assert max(map(len, shown.out.splitlines())) <= 80
    for part in ("22 in 16 clusters", "2026-01-02", "outputs.jsonl", "same model", "m0a", "LR"):
        assert part in shown.out
    assert "nan" not in shown.out.casefold().replace("provenance", "")


def test_the_same_command_writes_the_same_bytes(cli, data):
    for name in ("one", "two"):
        (data / name).mkdir()
        built = cli(*BUILD, "--pairs", "pairs.csv", "-o", data / name / "x.safetensors")
        assert built.code == 0
    first, second = ((data / n / "x.safetensors").read_bytes() for n in ("one", "two"))
    assert first == second


def test_fewer_prompts_and_no_labels(cli, data):
    built = cli(*BUILD, "--prompts", "9", "--seed", "3", "-o", "./x.safetensors")
    assert "22 models, 9 prompts, not calibrated" in built.err
    assert cli("cohort", "info", "x.safetensors").code == 0
    assert find_cohort("x.safetensors").error_rates == {}


def test_too_few_models_to_judge_by_is_said(cli, data):
    _tables(data, outputs(facts(1, 1)))
    built = cli(*BUILD, "--pairs", "pairs.csv", "-o", "three")
    assert built.code == 0
    assert "3 models are too few" in built.err
    assert "not calibrated" in built.err


def test_models_are_added(cli, data):
    assert cli(*BUILD, "--pairs", "pairs.csv", "-o", "mine").code == 0
    new = facts(0, 12)
    _tables(data, outputs({name: new[name] for name in ("s10", "s11")}))
    grown = cli("cohort", "add", "mine", "outputs.jsonl", "--models", "models.csv", "-o", "more")
    assert grown.code == 0
    assert "24 models, 16 prompts, calibrated" in grown.err
    assert "s10; s11" in cli("cohort", "info", "more").out
    again = cli("cohort", "add", "more", "outputs.jsonl", "--models", "models.csv", "-o", "most")
    assert again.code == 2
    assert "has a model 's10'" in again.complaint


def test_a_transcript_is_named_by_its_file(cli, data):
    assert cli("import", "outputs.jsonl", "-o", "transcripts").code == 0
    files = sorted((data / "transcripts").glob("*.jsonl"))
    assert len(files) == 22
    built = cli("cohort", "build", *files, "--models", "models.csv", "-o", "mine")
    assert "22 models, 16 prompts" in built.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((*BUILD, "-o", "alpaca-eval"), "shipped already"),
        ((*BUILD, "-o", "two words"), "cannot name a cohort"),
        ((*BUILD, "--prompts", "3", "-o", "x"), "--prompts"),
        (("cohort", "build", "no.jsonl", "--models", "models.csv", "-o", "x"), "no.jsonl"),
        (("cohort", "build", "outputs.jsonl", "--models", "no.csv", "-o", "x"), "no.csv"),
        (("cohort", "build", "outputs.jsonl", "-o", "x"), "--models"),
        ((*BUILD, "--pairs", "stray.csv", "-o", "x"), "'nobody' is not in the table of models"),
        ((*BUILD, "--pairs", "contrary.csv", "-o", "x"), "keep one of the two"),
        (("cohort", "build", "outputs.jsonl", "--models", "cycle.csv", "-o", "x"), "cycle"),
        (("cohort", "build", "outputs.jsonl", "--models", "few.csv", "-o", "x"), "no row for"),
        (("cohort", "info", "nope"), "no cohort 'nope'"),
        (("cohort", "info", "models.csv"), "not a cohort file"),
        (("cohort", "info"), "NAME"),
        (("cohort", "add", "nope", "a.jsonl", "--models", "models.csv", "-o", "x"), "no cohort"),
        (("cohort", "add", "alpaca-eval", "a.jsonl", "--models", "a.csv", "-o", "x"), "answered 0"),
    ],
)
def test_what_cannot_be_is_one_line(cli, data, arguments, says):
    head = "model_a,model_b,relation\n"
    (data / "stray.csv").write_text(head + "m0a,nobody,unrelated\n")
    (data / "contrary.csv").write_text(head + "m0a,s1,unrelated\ns1,m0a,finetune_parent\n")
    (data / "cycle.csv").write_text("model,weights_parent\nm0a,m0b\nm0b,m0a\n")
    (data / "few.csv").write_text("model\nm0a\n")
    (data / "a.csv").write_text("model\na\n")
    result = cli(*arguments)
    assert result.code == 2
    assert says in result.complaint
    assert not (data / "cache" / "cohorts" / "x.safetensors").exists()


def test_a_pack_that_is_cut_short(cli, data):
    assert cli(*BUILD, "-o", "./x.safetensors").code == 0
    file = data / "x.safetensors"
    file.write_bytes(file.read_bytes()[:-10])
    result = cli("cohort", "info", "x.safetensors")
    assert result.code == 2
    assert "cut short" in result.complaint


def test_names_from_a_file_are_shown_as_text(cli, data):
    rows = (data / "models.csv").read_text().splitlines()
    rows = [rows[0], *(row.replace("Dev", "[bold]\x1b[31m<b>") for row in rows[1:])]
    (data / "models.csv").write_text("\n".join(rows) + "\n")
    options = ("--source", "[red]\x1b]0;x\x07", "-o", "mine")
    assert cli(*BUILD, *options).code == 0
    shown = cli("cohort", "info", "mine", "--models").out
    assert "\x1b" not in shown
    assert "[red]" in shown
    assert "[bold]" in shown


def test_an_ascii_terminal_is_served(here):
    result = forensics("cohort", "info", "alpaca-eval", cwd=here, PYTHONIOENCODING="ascii")
    assert result.code == 0
    assert "163 in" in result.out


def test_a_case_judged_by_a_shared_cohort_is_derived_anew_wherever_it_was_fetched(
    cli, data, monkeypatch
):
    assert cli(*BUILD, "--pairs", "pairs.csv", "-o", "./mine.safetensors").code == 0
    assert cli("import", "outputs.jsonl", "-o", "transcripts").code == 0
    content = (data / "mine.safetensors").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    with served({"/mine.safetensors": content}) as url:
        address = f"{url}/mine.safetensors#sha256={digest}"
        assert "22 in 16 clusters" in cli("cohort", "info", address).out
        sides = ("transcripts/m0a.jsonl", "transcripts/m0b.jsonl")
        compared = cli("compare", *sides, "--only", "phrasing", "--cohort", address, "--json", "c")
        assert compared.code == 0, compared.err
    refused = cli("compare", *sides, "--cohort", address.partition("#")[0])
    assert refused.code == 2
    assert "needs the file's hash" in refused.complaint
    assert cli("bundle", "c", "-o", "b.zip").code == 0
    assert cli("verify", "b.zip").code == 0
    # Where it was not fetched, nobody can tell.
    monkeypatch.setenv("FORENSICS_CACHE", str(data / "another"))
    assert cli("verify", "b.zip").code == 3
