"""The same matrices are found under the names of different families, fused or transposed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from forensics.evidence.weights.numerics.correspondence import open_model
from forensics.evidence.weights.numerics.parts import Parts
from forensics.subjects.model_files.folder import folder_files

WIDTH, UNITS = 8, 12


def _parts(folder: Path, tensors: dict[str, torch.Tensor], config: str = "{}") -> Parts:
    folder.mkdir(exist_ok=True)
    save_file({name: t.contiguous() for name, t in tensors.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(config)
    return open_model(folder_files(folder)).parts


def _random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


GATE, UP, DOWN = _random(UNITS, WIDTH), _random(UNITS, WIDTH) * 2, _random(WIDTH, UNITS)
Q, K, V, O = (_random(WIDTH, WIDTH) * scale for scale in (1, 2, 3, 4))  # noqa: E741
NORM = torch.linspace(0.5, 1.5, WIDTH)


def _llama() -> dict[str, torch.Tensor]:
    return {
        "model.layers.0.mlp.gate_proj.weight": GATE,
        "model.layers.0.mlp.up_proj.weight": UP,
        "model.layers.0.mlp.down_proj.weight": DOWN,
        "model.layers.0.post_attention_layernorm.weight": NORM,
        "model.layers.0.self_attn.q_proj.weight": Q,
    }


def test_norms_are_multiplied_in_and_writers_are_turned(tmp_path):
    parts = _parts(tmp_path, _llama())
    (layer,) = parts.layers
    assert np.allclose(parts.matrix(layer, "gate"), (GATE * NORM).numpy())
    assert np.allclose(parts.matrix(layer, "down"), DOWN.T.numpy())
    assert np.allclose(parts.matrix(layer, "q"), Q.numpy())  # its norm is not there
    rows = np.array([3, 1])
    assert np.allclose(parts.matrix(layer, "up", rows), (UP * NORM).numpy()[rows])
    assert np.allclose(parts.matrix(layer, "down", rows), DOWN.T.numpy()[rows])
    assert [parts.units(layer, part) for part in ("gate", "down")] == [UNITS, UNITS]


def test_gemma_stores_its_norms_less_one_and_has_one_more(tmp_path):
    tensors = _llama() | {"model.layers.0.pre_feedforward_layernorm.weight": NORM - 1}
    parts = _parts(tmp_path, tensors, '{"model_type": "gemma3_text"}')
    (layer,) = parts.layers
    assert np.allclose(parts.matrix(layer, "gate"), (GATE * NORM).numpy(), atol=1e-6)


@pytest.mark.parametrize(
    "tensors",
    [
        {"model.layers.0.mlp.gate_up_proj.weight": torch.cat([GATE, UP])},
        {"layers.0.feed_forward.w1.weight": GATE, "layers.0.feed_forward.w3.weight": UP},
        {"blk.0.ffn_gate.weight": GATE, "blk.0.ffn_up.weight": UP},
        {
            "model.layers.0.block_sparse_moe.experts.0.w1.weight": GATE,
            "model.layers.0.block_sparse_moe.experts.0.w3.weight": UP,
        },
    ],
)
def test_other_names_of_gated_mlps(tmp_path, tensors):
    parts = _parts(tmp_path, tensors)
    (layer,) = parts.layers
    assert np.array_equal(parts.matrix(layer, "gate"), GATE.numpy())
    assert np.array_equal(parts.matrix(layer, "up"), UP.numpy())
    assert np.array_equal(parts.matrix(layer, "up", np.array([2])), UP.numpy()[[2]])


def test_gpt_2_stores_matrices_transposed_and_attention_fused(tmp_path):
    fused = torch.cat([Q, K, V]).T
    parts = _parts(tmp_path, {"h.0.attn.c_attn.weight": fused, "h.0.attn.c_proj.weight": O.T})
    (layer,) = parts.layers
    for part, matrix in (("q", Q), ("k", K), ("v", V), ("o", O.T)):
        assert np.array_equal(parts.matrix(layer, part), matrix.numpy()), part
        assert parts.units(layer, part) == WIDTH


def test_towers_of_other_senses_are_left_out(tmp_path):
    tower = {f"vision_{name}": values for name, values in _llama().items()}
    assert _parts(tmp_path, tower).layers == ()
