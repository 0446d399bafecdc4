"""Verbs and GGUF files: what is not whole is neither asked nor kept, and split files are joined."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.exitcodes import ExitCode
from tests.asking import ONCE
from tests.gguf_files import write_gguf

Broken = Callable[[Path], Path]


def _no_weights(path: Path) -> Path:
    return write_gguf(path, shapes={})


def _one_missing(path: Path) -> Path:
    return write_gguf(path, without=["blk.1.ffn_up.weight"])


@pytest.mark.parametrize("broken", [_no_weights, _one_missing])
def test_no_verb_asks_or_keeps_what_is_not_whole(cli, here, tmp_path, monkeypatch, broken):
    monkeypatch.setenv("FORENSICS_CACHE", str(tmp_path / "cache"))
    path = broken(here / "m.gguf")
    for command in (
        ("probe", f"gguf:{path}", "--limit", 1, "-o", "m.jsonl"),
        ("doctor", f"gguf:{path}"),
        ("compare", f"gguf:{path}", f"gguf:{path}", "--tiers", "weights"),
        ("compare", f"gguf:{path}", "a.jsonl", "--limit", 1),
    ):
        result = cli(*command)
        assert result.code == ExitCode.USAGE, command
        assert "usable" not in result.out
        assert "missing" in result.err or "only a vocabulary" in result.err
    assert not (here / "m.jsonl").exists()
    assert not list((tmp_path / "cache").rglob("*.safetensors"))


def _answers(path: Path) -> list[str]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line["text"] for line in lines if "text" in line]


def test_a_split_model_answers_as_the_whole_one(cli, here, tmp_path, monkeypatch):
    monkeypatch.setenv("FORENSICS_CACHE", str(tmp_path / "cache"))
    write_gguf(here / "whole.gguf")
    write_gguf(here / "m.gguf", split=12)
    asked = ("--limit", 2, "--max-tokens", 8, *ONCE)
    assert cli("probe", "whole.gguf", *asked, "-o", "w.jsonl").code == ExitCode.OK
    result = cli("probe", "m-00001-of-00003.gguf", *asked, "-o", "s.jsonl")
    assert result.code == ExitCode.OK, result.err
    assert _answers(here / "s.jsonl") == _answers(here / "w.jsonl")
    assert not list((tmp_path / "cache").rglob("*.gguf"))
    both = ("whole.gguf", "m-00001-of-00003.gguf", "--tiers", "weights,tokenizer")
    assert cli("compare", *both, "--json", "case.json").code == ExitCode.OK
    case = json.loads((here / "case.json").read_text())
    identical = next(e for e in case["evidence"] if e["comparator"] == "weights_tensors")
    assert identical["score"] == 1


def test_a_partial_conversion_of_an_earlier_version_is_not_used(cli, here, tmp_path, monkeypatch):
    monkeypatch.setenv("FORENSICS_CACHE", str(tmp_path / "cache"))
    path = write_gguf(here / "m.gguf", without=["blk.1.ffn_up.weight"])
    from forensics.support.cache import file_sha256

    for version in (1, 2, 3):
        folder = tmp_path / "cache" / "gguf" / f"{file_sha256(path)}-float32-{version}"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
    result = cli("probe", "m.gguf", "--limit", 1, "-o", "m.jsonl")
    assert result.code == ExitCode.USAGE
    assert "blk.1.ffn_up.weight is missing" in result.complaint


def test_what_the_header_does_not_show_is_seen_when_it_is_converted(
    cli, here, tmp_path, monkeypatch
):
    # Qwen2 has biases; a file in which all layers lack them passes for one of a kind without.
    monkeypatch.setenv("FORENSICS_CACHE", str(tmp_path / "cache"))
    write_gguf(here / "m.gguf", architecture="qwen2")
    result = cli("probe", "m.gguf", "--limit", 1, "-o", "m.jsonl")
    assert result.code == ExitCode.USAGE
    assert "weights are missing or of another shape" in result.complaint
    assert not list((tmp_path / "cache").rglob("*.safetensors"))
    assert not (here / "m.jsonl").read_bytes()


def test_an_architecture_that_is_not_run_is_a_model_that_fails_to_answer(cli, here):
    write_gguf(here / "m.gguf", architecture="orion")
    result = cli("probe", "m.gguf", "--limit", 1, "-o", "m.jsonl")
    assert result.code == ExitCode.FAILURE
    assert "'orion'" in result.complaint
    compared = cli("compare", "m.gguf", "m.gguf", "--tiers", "weights", "--json", "case.json")
    assert compared.code == ExitCode.OK
