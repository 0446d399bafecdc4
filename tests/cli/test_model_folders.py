"""Folders as people have them: what is compared, what is refused, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from forensics.exitcodes import ExitCode
from tests import model_folders
from tests import quantised_folders as pack

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n"


@pytest.fixture(name="base")
def base_fixture(here: Path) -> Path:
    model_folders.model(here / "base", model_folders.tensors(1))
    return Path("base")


@pytest.fixture(name="stale")
def stale_fixture(here: Path) -> Path:
    """A fine-tune in shards, and beside them a file of other weights that no index names."""
    folder = here / "stale"
    model_folders.write_index(folder, model_folders.sharded(folder, model_folders.tuned()))
    model_folders.save(folder, model_folders.tensors(2), "zz_old.safetensors")
    return Path("stale")


def test_a_stale_file_hides_no_kinship(cli, base, stale, here):
    result = cli("compare", base, stale, "--tiers", "weights", "--verbose")
    assert result.code == ExitCode.OK
    assert "Weights show close kinship" in result.out
    (here / "forensics.toml").write_text(
        f'tiers = ["weights"]\n[[against]]\nsubject = "hf:./{base}"\n[rules.undeclared-kinship]\n'
    )
    assert cli("check", f"hf:./{stale}").code == ExitCode.POLICY_VIOLATED


def test_what_is_packed_beyond_reading_is_not_measured(cli, base, here):
    content = model_folders.each_matrix(model_folders.tuned(), pack.gptq)
    told = {"quant_method": "gptq", "bits": 4}
    model_folders.model(here / "packed", content, quantization_config=told)
    for sides, letter in ((("base", "packed"), "B"), (("packed", "base"), "A")):
        result = cli("compare", *sides, "--tiers", "weights", "--verbose", "--json", "case.json")
        assert result.code == ExitCode.OK, result.err
        (evidence,) = json.loads((here / "case.json").read_text())["evidence"]
        assert evidence["status"] == "not_measured"
        assert f"{letter} is quantised (GPTQ 4 bit); compare the" in evidence["reason"]
        assert "is quantised (GPTQ 4 bit)" in " ".join(result.out.split())


def test_what_was_unpacked_is_said_to_be_stored_so(cli, base, here):
    content = model_folders.each_matrix(model_folders.tuned(), pack.bnb4)
    told = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    model_folders.model(here / "packed", content, quantization_config=told)
    result = cli(
        "compare", base, "packed", "--tiers", "weights", "--verbose", "--json", "case.json"
    )
    assert "Weights show close kinship" in result.out
    found = json.loads((here / "case.json").read_text())["evidence"][0]["details"]
    assert found["architecture_b"].endswith("M weights, stored as bitsandbytes 4 bit")
    assert found["architecture_a"].endswith("M weights")


@pytest.mark.parametrize("first", [True, False])
def test_an_adapter_is_named_with_its_base_and_how_to_merge(cli, base, here, first):
    folder = model_folders.adapter(here / "adapter")
    sides = (folder, base) if first else (base, folder)
    for command in (
        ("compare", *sides, "--tiers", "weights", "--json", "case.json"),
        ("compare", folder, base, "--limit", 1),
        ("probe", "hf:./adapter", "--limit", 1, "-o", "a.jsonl"),
    ):
        result = cli(*command)
        assert result.code == ExitCode.USAGE
        assert "is an adapter (LORA) of someone/the-base and not a whole model" in result.complaint
        assert "merge_and_unload" in result.complaint
    assert not (here / "case.json").exists()


def test_adapters_are_compared_with_one_another(cli, here):
    for name in ("one", "two"):
        model_folders.adapter(here / name)
    result = cli("compare", "one", "two", "--tiers", "weights", "--verbose")
    assert result.code == ExitCode.OK
    assert "Weights show close kinship" in result.out


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("model.safetensors", POINTER, "is a Git LFS pointer; the file itself was not fetched"),
        ("config.json", POINTER, "is a Git LFS pointer; the file itself was not fetched"),
        ("tokenizer.json", POINTER, "is a Git LFS pointer; the file itself was not fetched"),
        ("model.safetensors", "<!doctype html>", "is a web page, not a model"),
        ("model.safetensors", "", "is empty; download it again"),
        ("model.safetensors", "Entry not found", "is a server's error message"),
        ("model.safetensors.index.json", "{}", "is not an index of shards"),
    ],
)
def test_what_is_not_the_models_file_is_named(cli, base, here, name, content, says):
    model_folders.model(here / "odd", model_folders.tuned())
    (here / "odd" / name).write_text(content)
    for command in (
        ("compare", base, "odd", "--tiers", "weights"),
        ("compare", "odd", base, "--tiers", "tokenizer,weights"),
        ("probe", "hf:./odd", "--limit", 1, "-o", "a.jsonl"),
    ):
        result = cli(*command)
        assert result.code == ExitCode.USAGE
        assert f"{name} {says}" in result.complaint
        assert "\n" not in result.complaint.strip()


def test_two_models_in_one_folder_are_refused(cli, base, here):
    for seed, name in enumerate(("first", "second")):
        content = model_folders.tensors(seed)
        model_folders.save(here / "two", content, f"{name}.safetensors", model_folders.CONFIG)
    result = cli("compare", base, "two", "--tiers", "weights", "--verbose")
    assert result.code == ExitCode.USAGE
    assert "several sets of weights (first.safetensors, second.safetensors)" in result.complaint


def test_half_precision_and_eight_bits_of_one_model_are_kin(cli, base, here):
    content = {name: values.to(torch.float8_e4m3fn) for name, values in _large().items()}
    model_folders.model(here / "eight", {**model_folders.tensors(1), **content})
    result = cli("compare", base, "eight", "--tiers", "weights", "--verbose")
    assert "Weights show close kinship" in result.out


def _large() -> model_folders.Tensors:
    return {n: v for n, v in model_folders.tensors(1).items() if n.endswith("proj.weight")}
