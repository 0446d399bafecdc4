"""Damaged weights: told before any model is asked, and never a pass."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from forensics.errors import InputFileError
from forensics.evidence.weights.units import WeightsUnits
from forensics.exitcodes import ExitCode
from tests.builders import essays, write
from tests.cli.cli import forensics
from tests.loopback import chat_reply

Damage = Callable[[Path], None]


def _nan(folder: Path) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    next(values for name, values in tensors.items() if "gate" in name)[3, 3] = torch.nan
    save_file(tensors, path)


def _truncated(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")


def _missing_shard(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")


def _pointer(folder: Path) -> None:
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")


DAMAGES = {
    _nan: "gate_proj.weight holds NaN or infinite weights",
    _truncated: "is not a complete safetensors file",
    _pickled: "holds its weights only as a pickle (pytorch_model.bin)",
    _missing_shard: "lacks 1 of 2 shards (first: model-00002-of-00002.safetensors)",
    _pointer: "is a Git LFS pointer; the file itself was not fetched (git lfs pull)",
}
CASES = pytest.mark.parametrize(
    ("damage", "says"), DAMAGES.items(), ids=lambda x: getattr(x, "__name__", "")
)


@pytest.fixture(name="model")
def model_fixture(zoo: dict[str, Path], tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    shutil.copytree(zoo["tiny-lora"], folder)
    return folder


@pytest.mark.parametrize("tiers", ["weights", "text,weights"])
@CASES
def test_compare_says_so_in_one_line_and_exits_2(cli, zoo, model, here, damage, says, tiers):
    damage(model)
    for sides in ((zoo["tiny-base"], model), (model, zoo["tiny-base"])):
        result = cli("compare", *sides, "--tiers", tiers, "--json", "case.json")
        assert result.code == ExitCode.USAGE
        assert says in result.complaint
    assert not (here / "case.json").exists()
    assert not (here / "transcripts").exists()


@CASES
def test_check_asks_nobody_and_exits_2_with_every_report(zoo, model, here, loopback, damage, says):
    server = loopback(lambda call: chat_reply(f"{call.prompt} and so on. " * 9))
    reference = f"openai:m@{server.url}"
    damage(model)
    (here / "forensics.toml").write_text(
        f'tiers = ["text", "weights"]\nlimit = 8\n[[against]]\nsubject = "{reference}"\n'
        f'[[against]]\nsubject = "{zoo["tiny-base"]}"\n[rules.undeclared-kinship]\n'
        "[budget]\nmax_calls = 1000\n"
    )
    formats = ("--json", "c.json", "--junit", "c.xml", "--sarif", "c.sarif", "--markdown", "c.md")
    result = forensics("check", model, *formats, cwd=here)
    assert result.code == ExitCode.USAGE, result.err
    assert "Traceback" not in result.err
    document = json.loads((here / "c.json").read_text())
    assert (document["exit_code"], document["status"]) == (2, "error")
    assert [one["status"] for one in document["outcomes"]] == ["error", "error"]
    assert says in document["outcomes"][0]["message"]
    for name in ("c.xml", "c.sarif", "c.md"):
        assert "could not be checked" in (here / name).read_text() or says[:20] in (
            here / name
        ).read_text().replace("\\", "")
    assert server.calls == []
    assert not (here / "transcripts").exists()


def test_a_damaged_reference_is_an_error_and_the_others_are_measured(cli, zoo, model, here):
    _truncated(model)
    (here / "forensics.toml").write_text(
        f'tiers = ["weights"]\n[[against]]\nsubject = "{model}"\n[[against]]\n'
        f'subject = "{zoo["tiny-untrained"]}"\n[rules.undeclared-kinship]\n'
    )
    result = cli("check", zoo["tiny-base"], "--json", "-")
    assert result.code == ExitCode.USAGE
    found = {o["reference"]: o["status"] for o in json.loads(result.out)["outcomes"]}
    assert found[str(model)] == "error"
    assert found[str(zoo["tiny-untrained"])] != "error"


def test_a_pickled_control_is_told_before_anything_is_asked(cli, zoo, model, here):
    _pickled(model)
    sides = zoo["tiny-base"], zoo["tiny-untrained"]
    result = cli("compare", *sides, "--control", model, "--limit", 8)
    assert result.code == ExitCode.USAGE
    assert "only as a pickle" in result.complaint
    assert not (here / "transcripts").exists()


def test_what_breaks_while_measuring_is_no_pass_either(cli, zoo, here, monkeypatch):
    # Quantised weights are not read beforehand: NaN in them is met by a comparator.
    def broken(*_: object) -> None:
        raise InputFileError("model.gguf: the tensor blk.0 holds NaN or infinite weights")

    monkeypatch.setattr(WeightsUnits, "compare", broken)
    sides = zoo["tiny-base"], zoo["tiny-lora"]
    result = cli("compare", *sides, "--tiers", "weights", "--json", "case.json")
    assert result.code == ExitCode.USAGE
    assert "Hidden units: could not be computed (model.gguf: the tensor blk.0" in result.err
    assert (here / "case.json").exists()
    (here / "forensics.toml").write_text(
        f'tiers = ["weights"]\n[[against]]\nsubject = "{sides[0]}"\n[rules.undeclared-kinship]\n'
    )
    checked = cli("check", sides[1], "--json", "-")
    assert checked.code == ExitCode.USAGE
    assert "holds NaN" in json.loads(checked.out)["outcomes"][0]["message"]


def test_without_the_tier_a_pickle_is_no_model_that_could_be_asked(cli, zoo, model, here, loopback):
    server = loopback(lambda call: chat_reply("x"))
    _pickled(model)
    result = cli("compare", f"openai:m@{server.url}", model, "--tiers", "text", "--limit", 8)
    assert result.code == ExitCode.USAGE
    assert "only as a pickle" in result.complaint
    assert server.calls == []


def test_transcripts_need_no_weights_even_where_the_tier_is_asked_for(cli, here):
    write(here / "c.jsonl", essays(20, 2))
    result = cli("compare", "a.jsonl", "c.jsonl", "--tiers", "weights,text", "--only", "style")
    assert result.code == ExitCode.OK
