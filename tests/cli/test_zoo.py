"""`forensics zoo build` end to end; what it writes is what `evaluate` reads."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from forensics.exitcodes import ExitCode


def test_a_folder_that_is_not_empty_is_left_alone(cli, tmp_path: Path):
    mine = tmp_path / "other"
    mine.mkdir()
    (mine / "mine").write_text("x")
    result = cli("zoo", "build", mine, "--minutes", "0.5")
    assert (result.code, [p.name for p in mine.iterdir()]) == (ExitCode.USAGE, ["mine"])
    assert "is not an empty folder" in result.complaint


@pytest.mark.slow
def test_a_zoo_can_be_evaluated(cli, tmp_path: Path):
    folder = tmp_path / "zoo"
    assert cli("zoo", "build", folder, "--minutes", "0.5").code == ExitCode.OK
    found = cli(
        "evaluate",
        *sorted((folder / "transcripts").glob("*.jsonl")),
        *("--models", folder / "models.csv", "--pairs", folder / "pairs.csv", "--json", "-"),
    )
    assert found.code == ExitCode.OK, found.err
    figures = json.loads(found.out)
    # Four clusters of tiny models, and those of published ones where there was time for them.
    made = {path.stem for path in (folder / "transcripts").glob("*.jsonl")}
    assert len(made) >= 18
    clusters = 4 + len(made & {"smollm2", "gemma3"})
    assert (figures["n_models"], figures["n_clusters"]) == (len(made), clusters)


@pytest.mark.parametrize("change", ["extended", "lora", "tuned"])
def test_a_child_of_any_local_model_is_made_and_found(cli, zoo, tmp_path: Path, change: str):
    made = cli("zoo", "child", zoo["tiny-base"], change, tmp_path / "child")
    assert made.code == ExitCode.OK, made.err
    found = cli(
        *("compare", zoo["tiny-base"], tmp_path / "child", "--tiers", "weights", "--json", "-")
    )
    evidence = {e["comparator"]: e for e in json.loads(found.out)["evidence"]}
    assert evidence["weights_units"]["p_value"] < 1e-6


def test_the_changes_are_listed_a_line_each(cli):
    shown = cli("zoo", "child", "--help").out
    assert "\\b" not in shown
    assert "\n    noised     1 % noise on every matrix\n" in shown


def test_a_child_of_what_is_no_local_model_is_refused(cli, tmp_path: Path):
    made = cli("zoo", "child", "transcript:x.jsonl", "pruned", tmp_path / "child")
    assert made.code == ExitCode.USAGE
    assert "is not a local model" in made.complaint
    assert not (tmp_path / "child").exists()


def test_layers_of_other_names_are_refused(cli, zoo, tmp_path: Path):
    from safetensors.torch import load_file, save_file

    other = tmp_path / "other"
    shutil.copytree(zoo["tiny-base"], other)
    tensors = load_file(other / "model.safetensors")
    save_file({f"gpt.{name}": t for name, t in tensors.items()}, other / "model.safetensors")
    made = cli("zoo", "child", other, "pruned", tmp_path / "child")
    assert made.code == ExitCode.USAGE
    assert "its tensors are not named as Llama's" in made.complaint


def test_a_model_in_half_precision_is_tuned_in_full(cli, zoo, tmp_path: Path):
    from safetensors.torch import load_file, save_file

    half = tmp_path / "half"
    shutil.copytree(zoo["tiny-base"], half)
    tensors = load_file(half / "model.safetensors")
    save_file({n: t.bfloat16() for n, t in tensors.items()}, half / "model.safetensors")
    config = json.loads((half / "config.json").read_text())
    (half / "config.json").write_text(json.dumps(config | {"dtype": "bfloat16"}))
    for change in ("lora", "tuned"):
        made = cli("zoo", "child", half, change, tmp_path / change)
        assert made.code == ExitCode.OK, made.err
        name = "model.layers.0.mlp.up_proj.weight"
        moved = load_file(tmp_path / change / "model.safetensors")[name] - tensors[name].bfloat16()
        assert moved.abs().min() < moved.abs().mean() < 0.01
        assert (moved != 0).float().mean() > 0.99


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("model.safetensors", "cut", "is not a complete safetensors file"),
        ("config.json", "[", "is not a configuration"),
        ("tokenizer.json", None, "its folder holds no tokenizer.json"),
    ],
)
def test_a_damaged_model_is_told_in_one_line(
    cli, zoo, tmp_path: Path, file: str, text: str | None, complaint: str
):
    source = tmp_path / "source"
    shutil.copytree(zoo["tiny-base"], source)
    (source / file).unlink()
    if text is None:
        (source / "tokenizer.model").write_text("x")
    else:
        (source / file).write_text(text)
    made = cli("zoo", "child", source, "extended", tmp_path / "child")
    assert made.code in (ExitCode.USAGE, ExitCode.FAILURE), made.err
    assert complaint in made.complaint
    assert "internal error" not in made.err


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files as Linux does")
def test_a_full_disk_is_told_in_one_line(zoo, tmp_path: Path):
    # A limit on the size of files stands in for the disk's; a process of its own keeps it.
    limited = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); "
        "from forensics.cli import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", limited, "zoo", "child", str(zoo["tiny-base"]), "pruned"]
    done = subprocess.run(
        [*command, str(tmp_path / "child")], capture_output=True, text=True, check=False
    )
    assert done.returncode == ExitCode.FAILURE, done.stderr
    assert "cannot write" in done.stderr and "internal error" not in done.stderr
