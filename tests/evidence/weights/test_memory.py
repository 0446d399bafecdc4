"""A comparison holds a few tensors and never a whole model.

Measured on files of Llama 2's shapes (7B, bfloat16, random, in shards): a model of 32 layers and a
tuned copy, 13.5 GB each, read from disk: 75 s, 19 s of processor time, at most 0.31 GB of memory;
looking at all numbers for NaN first adds about 12 s of processor time and no memory. Models that
have nothing in common are aligned and searched: 1.57 GB with 4 layers, 1.63 GB with 16 and 1.85 GB
with all 32, these in 277 s of processor time; with 16 two thirds of it were the rotation of 4096
coordinates.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from forensics.evidence.weights.numerics.reader import open_weights
from forensics.subjects.model_files.folder import folder_files
from tests.evidence.weights.comparing import cost_of

WIDTH, UNITS, TOKENS = 2048, 8192, 4096  # a matrix of 32 MB: large ones are given back
RUN = [sys.executable, "-m", "forensics", "compare", "--tiers", "weights", "--json", os.devnull]


def _write(folder: Path, layers: int, noise: float) -> Path:
    import torch

    dice = torch.Generator().manual_seed(layers)
    more = torch.Generator().manual_seed(1)

    def random(*shape: int) -> torch.Tensor:
        values = torch.randn(*shape, generator=dice)
        return (values + noise * torch.randn(*shape, generator=more)).bfloat16()

    def shard(number: int) -> Path:
        return folder / f"model-{number:05}-of-{layers + 1:05}.safetensors"

    folder.mkdir()
    save_file({"model.embed_tokens.weight": random(TOKENS, WIDTH)}, shard(1))
    for layer in range(layers):
        prefix = f"model.layers.{layer}."
        tensors = {f"{prefix}mlp.{name}_proj.weight": random(UNITS, WIDTH) for name in _GATES}
        tensors[f"{prefix}mlp.down_proj.weight"] = random(WIDTH, UNITS)
        tensors |= {
            f"{prefix}self_attn.{name}_proj.weight": random(WIDTH, WIDTH) for name in "qkvo"
        }
        save_file(tensors, shard(layer + 2))
    (folder / "config.json").write_text('{"model_type": "llama"}')
    return folder


_GATES = ("gate", "up")


def _peak(a: Path, b: Path) -> int:
    """Return the most memory that a comparison in a process of its own held, in megabytes."""
    return cost_of([*RUN, f"hf:{a}", f"hf:{b}"])[1]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
def test_memory_does_not_grow_with_the_layers(tmp_path):
    """Two and eight layers: files of 0.3 and 1.1 GB, twice."""
    peaks = []
    for layers in (2, 8):
        sides = [_write(tmp_path / f"{layers}-{noise}", layers, noise) for noise in (0, 0.05)]
        peaks.append(_peak(*sides))
    sizes = [_megabytes(tmp_path / f"{layers}-0") for layers in (2, 8)]
    assert peaks[1] < sizes[1]
    assert peaks[1] - peaks[0] < 2 * (sizes[1] - sizes[0]) / 20, peaks


def _megabytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir()) >> 20


def test_what_was_given_back_reads_the_same_again(tmp_path):
    import torch

    values = torch.arange(3 * 2048 * 1024, dtype=torch.float32).reshape(3 * 2048, 1024)
    save_file({"x": values, "y": values + 1}, tmp_path / "model.safetensors")
    tensor = open_weights(folder_files(tmp_path)).tensors["x"]
    rows = np.array([5, 6000])
    before = tensor.read()
    for _ in range(2):
        tensor.release()
        assert np.array_equal(tensor.rows(rows), before[rows])
    assert np.array_equal(tensor.read(), values.numpy())
