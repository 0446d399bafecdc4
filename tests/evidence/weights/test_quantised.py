"""Packed weights: numbers again where the layout is known, and never read as if they were."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from forensics.errors import ModelFileError
from forensics.evidence.weights.numerics.dequantise import fp8_numbers
from forensics.evidence.weights.numerics.reader import check_numbers, open_weights
from forensics.subjects.model_files.folder import folder_files
from forensics.verdicts.tier_readings import read_tiers
from tests import model_folders
from tests import quantised_folders as pack
from tests.evidence.weights.comparing import weight_evidence
from tests.model_folders import Tensors

Pack = Callable[[str, torch.Tensor], Tensors]
GATE = "model.layers.0.mlp.gate_proj.weight"
BLOCKS = {"quant_method": "fp8", "weight_block_size": [48, 48]}
# How to pack, what the configuration says, and the largest error as a share of the largest weight.
METHODS: dict[str, tuple[Pack, dict[str, Any], float]] = {
    "nf4": (pack.bnb4, {"quant_method": "bitsandbytes", "load_in_4bit": True}, 0.16),
    "nf4 nested": (partial(pack.bnb4, nested=True), {"load_in_4bit": True}, 0.17),
    "fp4": (partial(pack.bnb4, kind="fp4"), {"quant_method": "bitsandbytes"}, 0.18),
    "int8": (pack.bnb8, {"quant_method": "bitsandbytes", "load_in_8bit": True}, 0.01),
    "fp8 blocks": (pack.fp8_blocks, BLOCKS, 0.04),
    "fp8 usual blocks": (partial(pack.fp8_blocks, block=128), {}, 0.04),
    "fp8 tensor": (pack.fp8_tensor, {"quant_method": "modelopt", "quant_algo": "FP8"}, 0.04),
    "fp8 rows": (pack.fp8_rows, {"quant_method": "compressed-tensors"}, 0.13),
    "fp8 plain": (pack.fp8_plain, {}, 0.07),
    "int8 rows": (pack.int8_rows, {"quant_method": "compressed-tensors"}, 0.01),
    "mxfp4": (pack.mxfp4, {"quant_method": "mxfp4"}, 0.26),
}
EACH = pytest.mark.parametrize("method", METHODS)


def _folder(path: Path, method: str, content: Tensors) -> Path:
    change, config, _ = METHODS[method]
    packed = model_folders.each_matrix(content, change)
    return model_folders.model(path, packed, **({"quantization_config": config} if config else {}))


@EACH
def test_numbers_are_those_that_were_packed(tmp_path, method):
    values = model_folders.tensors(1)
    weights = open_weights(folder_files(_folder(tmp_path / "b", method, values)))
    check_numbers(weights)
    assert sorted(weights.tensors) == sorted(values)
    error = METHODS[method][2]
    for name in values:
        if name.endswith("proj.weight"):
            wanted = values[name].numpy()
            found = weights.read(name)
            assert np.abs(found - wanted).max() < error * np.abs(wanted).max()
            rows = np.array([5, 0, 60])
            assert np.array_equal(weights.tensors[name].rows(rows), found[rows])


@EACH
def test_a_packed_fine_tune_is_found_kin(tmp_path, method):
    base = model_folders.model(tmp_path / "base", model_folders.tensors(1))
    kin = _folder(tmp_path / "kin", method, model_folders.tuned())
    other = _folder(tmp_path / "other", method, model_folders.tensors(2))
    assert read_tiers(list(weight_evidence(base, kin).values()))[0].kin == "yes"
    assert read_tiers(list(weight_evidence(other, base).values()))[0].kin == "no"


@pytest.mark.parametrize("shape", [(5, 13), (3, 64), (1, 1)])
@pytest.mark.parametrize("nested", [True, False])
def test_the_last_block_of_bitsandbytes_may_be_short(tmp_path, shape, nested):
    values = torch.randn(*shape, generator=torch.Generator().manual_seed(3))
    model_folders.save(tmp_path, pack.bnb4("x", values, nested=nested))
    found = open_weights(folder_files(tmp_path)).read("x")
    assert found.shape == shape
    assert np.abs(found - values.numpy()).max() < 0.5


@pytest.mark.parametrize("kind", ["e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz"])
def test_eight_bit_floats_are_those_of_torch(kind):
    name = f"F8_{kind.removesuffix('fn').upper()}"
    codes = np.arange(256, dtype=np.uint8)
    wanted = torch.from_numpy(codes).view(getattr(torch, f"float8_{kind}")).float().numpy()
    assert np.array_equal(fp8_numbers(name, codes), wanted, equal_nan=True)


def test_experts_are_unpacked_as_transformers_unpacks_them(tmp_path):
    from transformers.integrations.mxfp4 import convert_moe_packed_tensors

    dice = torch.Generator().manual_seed(4)
    blocks = torch.randint(0, 256, (2, 6, 3, 16), dtype=torch.uint8, generator=dice)
    scales = torch.randint(120, 130, (2, 6, 3), dtype=torch.uint8, generator=dice)
    name = "model.layers.0.mlp.experts.gate_up_proj"
    model_folders.save(tmp_path, {f"{name}_blocks": blocks, f"{name}_scales": scales})
    found = open_weights(folder_files(tmp_path)).read(name)
    wanted = convert_moe_packed_tensors(blocks, scales, dtype=torch.float32)
    assert np.array_equal(found, wanted.numpy())


def test_packed_bytes_may_be_kept_in_another_number_format(tmp_path):
    values = model_folders.tensors(1)[GATE]
    packed = pack.bnb4(GATE, values)
    model_folders.save(tmp_path / "a", packed)
    packed[GATE] = packed[GATE].flatten().view(torch.bfloat16)[:, None]
    model_folders.save(tmp_path / "b", packed)
    first, second = (open_weights(folder_files(tmp_path / n)).read(GATE) for n in "ab")
    assert np.array_equal(first, second)


def test_packed_bytes_may_be_filled_up(tmp_path):
    values = torch.randn(3, 5, generator=torch.Generator().manual_seed(3))
    packed = pack.bnb4("x", values)
    filled = torch.nn.functional.pad(packed["x"].flatten(), (0, 4))
    model_folders.save(tmp_path, {**packed, "x": filled.view(torch.float32)})
    found = open_weights(folder_files(tmp_path)).read("x")
    assert np.abs(found - values.numpy()).max() < 0.5


def _damage(change: str) -> Tensors:
    packed = pack.bnb4(GATE, model_folders.tensors(1)[GATE], nested=True)
    state = f"{GATE}.quant_state.bitsandbytes__nf4"
    match change:
        case "no scales":
            del packed[f"{GATE}.absmax"]
        case "few scales":
            packed[f"{GATE}.absmax"] = packed[f"{GATE}.absmax"][:-1]
        case "few bytes":
            packed[GATE] = packed[GATE][:-8]
        case "no state":
            packed[state] = packed[state][:-1]
        case "shape":
            told = {"shape": [1 << 40, 1 << 40], "blocksize": 64, "nested_blocksize": 256}
            packed[state] = torch.tensor(list(json.dumps(told).encode()), dtype=torch.uint8)
        case "infinite":
            packed[f"{GATE}.nested_absmax"][0] = torch.inf
    return packed


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("no scales", f"the packed weight {GATE} lacks {GATE}.absmax"),
        ("few scales", "its scales are of sizes that do not fit"),
        ("few bytes", "its scales are of sizes that do not fit"),
        ("no state", "does not describe a packed weight"),
        ("shape", "its scales are of sizes that do not fit"),
        ("infinite", "nested_absmax holds NaN or infinite weights"),
    ],
)
def test_packed_weights_that_are_damaged_are_told(tmp_path, change, says):
    model_folders.save(tmp_path, _damage(change))
    with pytest.raises(ModelFileError) as error:
        check_numbers(open_weights(folder_files(tmp_path)))
    assert says in str(error.value)
    assert "\n" not in str(error.value)
