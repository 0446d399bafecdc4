"""The null distributions are what they are said to be, on models that were never trained apart."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.stats import binomtest, kstest

from forensics.evidence.weights.numerics.cka import grams, unbiased_cka
from forensics.evidence.weights.numerics.correspondence import correspond
from forensics.evidence.weights.numerics.pvalues import fisher, sign_test, upper_tail
from forensics.evidence.weights.numerics.unit_matching import _spearman, agreements
from forensics.evidence.weights.numerics.unit_signs import all_signs, layer_signs
from forensics.subjects.model_files.folder import folder_files

WIDTH, UNITS, LAYERS, TOKENS = 24, 40, 2, 80


def _model(folder: Path, seed: int, aligned: float) -> Path:
    """Write random weights in which a unit's two rows agree up to sign, as training makes them.

    Some directions are common to all models (the first coordinates carry more), the hardest case
    for a test that matches rows.
    """
    dice = torch.Generator().manual_seed(seed)
    common = torch.linspace(4, 0.5, WIDTH)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=dice)

    tensors = {"model.embed_tokens.weight": random(TOKENS, WIDTH) * common}
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}."
        gate = random(UNITS, WIDTH) * common
        signs = random(UNITS, 1).sign()
        up = signs * (aligned * gate + (1 - aligned) * random(UNITS, WIDTH) * common)
        tensors[f"{prefix}mlp.gate_proj.weight"] = gate
        tensors[f"{prefix}mlp.up_proj.weight"] = up
        tensors[f"{prefix}mlp.down_proj.weight"] = random(WIDTH, UNITS)
    folder.mkdir()
    save_file(tensors, folder / "model.safetensors")
    return folder


@pytest.mark.parametrize("aligned", [0.0, 0.8])
def test_p_values_of_independent_models_are_uniform(tmp_path, aligned):
    """n = 150 pairs; with gate and up rows alike inside every model, and without."""
    values = []
    for seed in range(150):
        sides = [_model(tmp_path / f"{seed}{x}", 2 * seed + x, aligned) for x in (0, 1)]
        matched = correspond(*(folder_files(side) for side in sides))
        values.append(all_signs(layer_signs(matched)))
    # A discrete test: never more often below a level than the level says.
    for level in (0.01, 0.05, 0.2, 0.5):
        hits = sum(p <= level for p in values)
        assert binomtest(hits, len(values), level, alternative="greater").pvalue > 1e-3, level
    assert kstest(values, "uniform", alternative="less").pvalue > 1e-3


def test_controls_widen_the_matching_where_rows_depend_on_each_other(tmp_path):
    """n = 40 independent pairs with gates like up rows: without controls they look like kin."""
    found = []
    for seed in range(40):
        sides = [_model(tmp_path / f"{seed}{x}", 2 * seed + x, 0.9) for x in (0, 1)]
        found.append(agreements(correspond(*(folder_files(side) for side in sides))))
    plain = [fisher([upper_tail(x.z) for x in one.layers]) for one in found]
    assert min(plain) < 1e-9
    assert min(one.combined for one in found) > 1e-3


def test_the_exact_tail_is_that_of_fair_coins():
    assert sign_test(0, 10) == 1
    assert sign_test(10, 10) == pytest.approx(2**-10)
    assert sign_test(600, 1000) == pytest.approx(
        binomtest(600, 1000, 0.5, alternative="greater").pvalue
    )
    assert sign_test(5_000, 5_000) == 1e-300
    assert sign_test(0, 0) == 1


def test_tails_and_ranks_are_those_of_scipy():
    from scipy import stats

    dice = np.random.default_rng(1)
    for n, positive in ((25, 20), (3000, 1600), (40_000, 20_700), (30_720, 25_000)):
        exact = stats.binom.sf(positive - 1, n, 0.5)
        assert sign_test(positive, n) == pytest.approx(exact, rel=1e-6)
    assert upper_tail(9.5) == pytest.approx(stats.norm.sf(9.5))
    combined = stats.combine_pvalues([1e-9, 0.3, 0.02])
    assert fisher([1e-9, 0.3, 0.02]) == pytest.approx(combined.pvalue)
    one, other = (dice.permutation(500)[:200] for _ in range(2))
    assert _spearman(one, other) == pytest.approx(stats.spearmanr(one, other).statistic)
    assert _spearman(one, one) == 1


def test_fisher_of_one_p_value_is_that_p_value():
    assert fisher([0.03]) == pytest.approx(0.03)
    assert fisher([0.5, 0.5]) == pytest.approx(0.25 * (1 - math.log(0.25)))
    assert fisher([]) == 1


def test_unbiased_cka_is_zero_of_strangers_and_one_of_rotations():
    dice = np.random.default_rng(0)
    first = dice.normal(size=(200, 30, 64)).astype(np.float32)
    second = dice.normal(size=(200, 30, 64)).astype(np.float32)
    found = np.diag(unbiased_cka(grams(list(first)), grams(list(second))))
    assert abs(found.mean()) < 4 * found.std() / math.sqrt(len(found))  # unbiased, n = 200
    turn = np.linalg.qr(dice.normal(size=(30, 30)))[0].astype(np.float32)
    turned = [3 * turn @ matrix for matrix in first[:3]]
    assert np.diag(unbiased_cka(grams(list(first[:3])), grams(turned))) == pytest.approx(
        1, abs=1e-4
    )
    assert unbiased_cka(np.zeros((1, 8, 8), np.float32), grams([turn[:, :8]]))[0, 0] == 0
