"""What cannot be unpacked is named; plain numbers stay plain whatever the configuration says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from forensics.subjects.model_files.folder import folder_files
from forensics.subjects.model_files.quantised import Layout, quantised_layout
from forensics.subjects.model_files.weight_files import select_weights, tensor_table
from tests import model_folders
from tests import quantised_folders as pack
from tests.model_folders import Tensors

NAME = "model.layers.0.mlp.gate_proj."
SCALES = torch.ones(8, 1)


def _layout(folder: Path, content: Tensors, config: dict[str, Any] | None = None) -> Layout:
    model_folders.model(folder, content, **(config or {}))
    return quantised_layout(folder, tensor_table(select_weights(folder)))


def _packed(dtype: torch.dtype, *shape: int) -> torch.Tensor:
    return torch.ones(*shape).to(dtype)


GPTQ = pack.gptq(f"{NAME}weight", torch.zeros(64, 64))
WORDS = {f"{NAME}weight": _packed(torch.uint32, 64, 8), f"{NAME}scales": SCALES}
CASES: list[tuple[str, Tensors, dict[str, Any]]] = [
    ("GPTQ 4 bit", GPTQ, {"quantization_config": {"quant_method": "gptq", "bits": 4}}),
    ("GPTQ", GPTQ, {}),
    ("AWQ 4 bit", GPTQ, {"quantization_config": {"quant_method": "awq", "bits": 4}}),
    ("AutoRound 3 bit", GPTQ, {"quantization_config": {"quant_method": "auto-round", "bits": 3}}),
    (
        "GPTQ or AWQ",
        {name: values for name, values in GPTQ.items() if not name.endswith("g_idx")},
        {},
    ),
    (
        "HQQ 4 bit",
        {f"{NAME}W_q": _packed(torch.uint8, 32, 64)},
        {
            "quantization_config": {
                "quant_method": "hqq",
                "quant_config": {"weight_quant_params": {"nbits": 4}},
            }
        },
    ),
    (
        "EETQ",
        {f"{NAME}weight": _packed(torch.int8, 64, 64), f"{NAME}weight_scales": SCALES},
        {"quantization_config": {"quant_method": "eetq", "weights": "int8"}},
    ),
    ("AQLM", {f"{NAME}codes": _packed(torch.int16, 8, 8, 2), f"{NAME}codebooks": SCALES}, {}),
    (
        "BitNet",
        {f"{NAME}weight": _packed(torch.uint8, 16, 64), f"{NAME}weight_scale": SCALES},
        {"quantization_config": {"quant_method": "bitnet"}},
    ),
    (
        "compressed-tensors 4 bit",
        {f"{NAME}weight_packed": _packed(torch.int32, 64, 8), f"{NAME}weight_scale": SCALES},
        {
            "quantization_config": {
                "quant_method": "compressed-tensors",
                "config_groups": {"group_0": {"weights": {"num_bits": 4}}},
            }
        },
    ),
    ("MLX 4 bit", WORDS, {"quantization": {"group_size": 64, "bits": 4}}),
    (
        "torchao",
        {f"{NAME}weight_qdata": _packed(torch.int8, 64, 64)},
        {"quantization_config": {"quant_method": "torchao"}},
    ),
    (
        "bitsandbytes 8 bit",  # in the layout of old graphics cards
        pack.bnb8(f"{NAME}weight", torch.ones(8, 8))
        | {f"{NAME}weight_format": torch.tensor(2, dtype=torch.uint8)},
        {"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}},
    ),
    (
        "of-tomorrow 6 bit",
        {f"{NAME}weight": _packed(torch.uint8, 64, 48)},
        {"quantization_config": {"quant_method": "of-tomorrow", "bits": 6}},
    ),
]


@pytest.mark.parametrize(("method", "packed", "config"), CASES)
def test_what_cannot_be_unpacked_is_named(tmp_path, method, packed, config):
    plain = model_folders.tensors(1)
    del plain[f"{NAME}weight"]
    assert _layout(tmp_path, plain | packed, config).unread == (
        f"is quantised ({method}); compare the unquantised original, or save the model dequantised"
    )
    files = folder_files(tmp_path)
    assert files.weights
    assert not files.readable


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int32, torch.uint16])
@pytest.mark.parametrize("name", ["weight", "packed", "something"])
def test_integers_in_the_place_of_weights_are_never_read(tmp_path, dtype, name):
    told = _layout(tmp_path, {f"{NAME}{name}": _packed(dtype, 64, 64), "x": SCALES}).unread
    assert told.startswith("is quantised in a way that is not known (the tensor model.layers.0.mlp")


def test_scales_that_do_not_fit_are_of_no_known_layout(tmp_path):
    packed = {
        f"{NAME}weight": torch.ones(10, 10).to(torch.float8_e4m3fn),
        f"{NAME}weight_scale_inv": torch.ones(3, 3),
    }
    assert "(the tensor" in _layout(tmp_path, packed).unread
    other = {f"{NAME}weight": packed[f"{NAME}weight"], f"{NAME}weight_scaling": SCALES}
    assert "F8_E4M3" in _layout(tmp_path, other | {f"{NAME}scale_table": SCALES}).unread


def test_older_tools_write_a_file_of_their_own(tmp_path):
    (tmp_path / "quantize_config.json").write_text(json.dumps({"bits": 8, "group_size": 128}))
    assert "(GPTQ 8 bit)" in _layout(tmp_path, GPTQ).unread


@pytest.mark.parametrize(
    "config",
    [
        {"quant_method": "gptq", "bits": 4},
        {"quant_method": "bitsandbytes", "load_in_4bit": True},
        {"quant_method": ["odd"]},
        {},
    ],
)
def test_plain_numbers_stay_plain_whatever_the_configuration_says(tmp_path, config):
    content = model_folders.tensors(1)
    assert _layout(tmp_path, content, {"quantization_config": config}) == Layout()
    assert folder_files(tmp_path).readable


def test_tables_of_positions_and_masks_are_no_packed_weights(tmp_path):
    tables = {
        "h.0.attn.bias": torch.ones(1, 1, 1024, 1024).to(torch.uint8),
        "h.0.attn.masked_bias": torch.ones(1, 1, 32, 32).bool(),
        "embeddings.position_ids": torch.arange(512)[None],
        "model.norm.num_batches_tracked": torch.tensor(7),
    }
    assert _layout(tmp_path, model_folders.tensors(1) | tables) == Layout()
