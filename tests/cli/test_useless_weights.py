"""Weights that can be read and tell nothing are insufficient; shapes that do not fit are damage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from forensics.exitcodes import ExitCode
from tests.gguf_files import write_gguf

WIDTH, INNER, TOKENS, LAYERS = 48, 80, 120, 2
Arrays = dict[str, np.ndarray]
CONFIG = {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}


def _arrays(seed: int) -> Arrays:
    draw = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> np.ndarray:
        return draw.normal(0, 0.1, (rows, columns)).astype(np.float32)

    arrays = {"model.embed_tokens.weight": matrix(TOKENS, WIDTH)}
    for n in range(LAYERS):
        layer = f"model.layers.{n}."
        for part in "qkvo":
            arrays[f"{layer}self_attn.{part}_proj.weight"] = matrix(WIDTH, WIDTH)
        arrays[layer + "mlp.gate_proj.weight"] = matrix(INNER, WIDTH)
        arrays[layer + "mlp.up_proj.weight"] = matrix(INNER, WIDTH)
        arrays[layer + "mlp.down_proj.weight"] = matrix(WIDTH, INNER)
        for norm in ("input_layernorm", "post_attention_layernorm"):
            arrays[f"{layer}{norm}.weight"] = np.ones(WIDTH, np.float32)
    return arrays


def _write(folder: Path, arrays: Arrays, config: str | None = None) -> Path:
    folder.mkdir()
    save_file(arrays, folder / "model.safetensors")
    (folder / "config.json").write_text(config if config is not None else json.dumps(CONFIG))
    return folder


def _evidence(case: Path) -> dict[str, Any]:
    return {one["comparator"]: one for one in json.loads(case.read_text())["evidence"]}


def _filled(value: float) -> Callable[[Arrays], None]:
    def fill(arrays: Arrays) -> None:
        for numbers in arrays.values():
            numbers[:] = value

    return fill


def _scaled(arrays: Arrays) -> None:
    for name, numbers in arrays.items():
        if "norm" not in name:
            numbers[:] = numbers / np.abs(numbers).max() * 3e38


def _equal_rows(arrays: Arrays) -> None:
    for name, numbers in arrays.items():
        if "norm" not in name:
            numbers[:] = numbers[:1]


USELESS = {
    "zeros": (_filled(0), "is all zeros"),
    "ones": (_filled(1), "holds one number throughout"),
    "huge": (_filled(3e38), "has numbers as large as 3e+38"),
    "lowest": (_filled(-3e38), "has numbers as large as 3e+38"),
    "scaled": (_scaled, "which no trained model has"),
    "equal rows": (_equal_rows, "has rows or columns that are all the same"),
}


@pytest.mark.parametrize(("spoil", "says"), USELESS.values(), ids=USELESS)
@pytest.mark.parametrize("both", [False, True], ids=["one", "both"])
def test_numbers_that_tell_nothing_are_insufficient(cli, here, spoil, says, both):
    spoilt = _arrays(1)
    spoil(spoilt)
    useless = _write(here / "useless", spoilt)
    other = _write(here / "other", spoilt if both else _arrays(2))
    for sides in ((useless, other), (other, useless)):
        result = cli("compare", *sides, "--tiers", "weights", "--json", "case.json")
        assert result.code == ExitCode.OK, result.err
        evidence = {
            e["comparator"]: e for e in json.loads((here / "case.json").read_text())["evidence"]
        }
        for name in ("weights_units", "weights_matching", "weights_attention"):
            assert evidence[name]["status"] == "insufficient"
            assert says in evidence[name]["reason"]
        assert evidence["weights_tensors"]["status"] in ("ok", "insufficient")


def test_check_takes_them_for_not_measured(cli, here):
    spoilt = _arrays(1)
    _filled(0)(spoilt)
    useless, other = _write(here / "useless", spoilt), _write(here / "other", spoilt)
    (here / "forensics.toml").write_text(
        f'tiers = ["weights"]\n[[against]]\nsubject = "{other}"\n[rules.undeclared-kinship]\n'
    )
    result = cli("check", useless, "--json", "-")
    assert result.code == ExitCode.OK, result.err
    [outcome] = json.loads(result.out)["outcomes"]
    assert outcome["status"] in ("not_measured", "inconclusive")
    assert cli("check", useless, "--strict", "--json", "-").code == ExitCode.INCONCLUSIVE


def test_a_layer_that_tells_nothing_is_left_out(cli, here):
    base, tuned = _arrays(1), _arrays(1)
    for name in ("gate", "up", "down"):
        base[f"model.layers.1.mlp.{name}_proj.weight"][:] = 0
    _write(here / "base", base)
    _write(here / "tuned", tuned)
    result = cli("compare", "hf:./base", "hf:./tuned", "--tiers", "weights", "--json", "case.json")
    assert result.code == ExitCode.OK
    evidence = {
        e["comparator"]: e for e in json.loads((here / "case.json").read_text())["evidence"]
    }
    assert evidence["weights_units"]["score"] > 0.99
    assert evidence["weights_units"]["details"]["unmatched_layers_b"] == "1"


@pytest.mark.parametrize("value", [3e38, -3e38, 1e30])
def test_a_single_huge_number_stops_nothing(cli, here, value):
    base, hit = _arrays(1), _arrays(1)
    for name in ("mlp.up_proj", "mlp.gate_proj", "self_attn.q_proj"):
        hit[f"model.layers.0.{name}.weight"][3, 5] = value
    hit["model.layers.0.post_attention_layernorm.weight"][:] = 10
    _write(here / "base", base)
    _write(here / "hit", hit)
    for sides in (("hf:./base", "hf:./hit"), ("hf:./hit", "hf:./base")):
        result = cli("compare", *sides, "--tiers", "weights", "--json", "case.json")
        assert result.code == ExitCode.OK, result.err


SHAPES: dict[str, tuple[int, ...]] = {
    "model.embed_tokens.weight": (1, TOKENS, WIDTH),
    "model.layers.1.mlp.gate_proj.weight": (INNER, WIDTH, 1),
    "model.layers.0.mlp.up_proj.weight": (INNER * WIDTH,),
    "model.layers.0.mlp.down_proj.weight": (INNER, WIDTH),
    "model.layers.1.mlp.up_proj.weight": (INNER // 2, WIDTH * 2),
    "model.layers.0.self_attn.q_proj.weight": (2, WIDTH // 2, WIDTH),
    "model.layers.1.post_attention_layernorm.weight": (1, WIDTH),
    "model.layers.0.mlp.gate_proj.weight": (0,),
}


@pytest.mark.parametrize(("name", "shape"), SHAPES.items())
def test_a_tensor_of_unexpected_shape_is_named(cli, here, name, shape):
    arrays = _arrays(1)
    arrays[name] = np.resize(arrays[name], shape).astype(np.float32)
    _write(here / "odd", arrays)
    _write(here / "other", _arrays(2))
    for sides in (("hf:./odd", "hf:./other"), ("hf:./other", "hf:./odd")):
        result = cli("compare", *sides, "--tiers", "weights")
        assert result.code == ExitCode.USAGE
        assert name in result.complaint
        assert str(list(shape)) in result.complaint


def test_layers_of_other_widths_stop_nothing(cli, here):
    arrays = _arrays(1)
    for part in "qk":
        name = f"model.layers.1.self_attn.{part}_proj.weight"
        arrays[name] = np.resize(arrays[name], (WIDTH, WIDTH // 2)).astype(np.float32)
    arrays["model.embed_tokens.weight"] = np.ones((TOKENS, WIDTH // 2), np.float32)
    _write(here / "odd", arrays)
    _write(here / "other", _arrays(2))
    assert cli("compare", "hf:./odd", "hf:./other", "--tiers", "weights").code == ExitCode.OK


CONFIGS = {
    "nested": ("[" * 100_000, "it is nested too deeply"),
    "cut": ('{"model_type": "lla', "no JSON at line 1"),
    "list": ("[]", "no JSON object"),
    "twice": ('{"model_type": "llama", "model_type": "gemma"}', "'model_type' occurs twice"),
    "pointer": ("version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
    "endless": ('{"hidden_size": %s}' % ("9" * 5000), "Exceeds the limit"),
}


@pytest.mark.parametrize(("content", "says"), CONFIGS.values(), ids=CONFIGS)
def test_a_damaged_configuration_is_told(cli, here, content, says):
    _write(here / "odd", _arrays(1), content)
    _write(here / "other", _arrays(2))
    result = cli("compare", "hf:./odd", "hf:./other", "--tiers", "weights")
    assert result.code == ExitCode.USAGE
    assert "odd/config.json" in result.complaint and says in result.complaint


def test_gguf_weights_that_tell_nothing_are_insufficient(cli, here):
    def zeros(_: Any, shape: tuple[int, ...]) -> np.ndarray:
        return np.zeros(shape)

    write_gguf(here / "zero.gguf", values=zeros)
    write_gguf(here / "m.gguf")
    result = cli("compare", "zero.gguf", "m.gguf", "--tiers", "weights", "--json", "case.json")
    assert result.code == ExitCode.OK
    evidence = {
        e["comparator"]: e for e in json.loads((here / "case.json").read_text())["evidence"]
    }
    assert evidence["weights_units"]["status"] == "insufficient"
