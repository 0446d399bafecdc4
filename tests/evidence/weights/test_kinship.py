"""What the weights tier says of models whose lineage is known."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from forensics.case.evidence import Evidence
from forensics.testing import check_comparator
from forensics.verdicts.tier_readings import KIN, read_tiers
from tests.evidence.weights.comparing import examined, weight_evidence

Found = dict[str, Evidence]
DERIVED = (
    "tiny-tuned",
    "tiny-lora",
    "tiny-chain",
    "tiny-tuned-prose",
    "tiny-merge",
    "tiny-slerp",
    "tiny-pruned",
    "tiny-noised",
    "tiny-int8",
    "tiny-int4",
    "tiny-dropped",
    "tiny-extended",
    "tiny-permuted",
)
INDEPENDENT = ("tiny-other-seed", "tiny-untrained", "tiny-student-100")
SURE = 1e-6


@pytest.fixture(name="found", scope="module")
def found_fixture(zoo: dict[str, Path]) -> dict[str, Found]:
    base = zoo["tiny-base"]
    return {name: weight_evidence(base, folder) for name, folder in zoo.items()}


@pytest.mark.parametrize("name", DERIVED)
def test_what_was_made_from_the_base_is_kin_by_the_exact_test(found, name):
    units = found[name]["weights_units"]
    assert (units.status, units.p_value < SURE) == ("ok", True), units
    assert units.score > 0.5
    assert read_tiers(tuple(found[name].values()))[0].kin == "yes"


def test_siblings_are_kin(zoo):
    units = weight_evidence(zoo["tiny-chain"], zoo["tiny-lora"])["weights_units"]
    assert units.p_value < SURE


@pytest.mark.parametrize("name", INDEPENDENT)
def test_what_began_from_other_random_weights_is_never_kin(found, name):
    weights, _ = read_tiers(tuple(found[name].values()))
    assert weights.kin == "no", {k: e.p_value for k, e in found[name].items()}
    assert abs(found[name]["weights_units"].score) < 0.2
    assert found[name]["weights_tensors"].score == 0


def test_signs_turned_and_coordinates_rotated_hide_nothing_from_the_matching(found):
    disguised = found["tiny-disguised"]
    assert disguised["weights_units"].p_value > SURE  # it says so: it does not see turned signs
    assert disguised["weights_matching"].p_value < SURE
    assert disguised["weights_matching"].details.coordinates == "rotated"
    assert disguised["weights_attention"].score > 0.99
    assert read_tiers(tuple(disguised.values()))[0].kin == "yes"


def test_permuted_units_are_found_again(found):
    units = found["tiny-permuted"]["weights_units"]
    assert units.details.units_in_same_order is False
    assert units.details.coordinates == "permuted"
    assert units.score == pytest.approx(1.0, abs=1e-3)


def test_layers_are_matched_where_some_are_gone(found):
    details = found["tiny-dropped"]["weights_units"].details
    assert [(row.a, row.b) for row in details.layers] == [("0", "0"), ("2", "1")]
    assert (details.unmatched_layers_a, details.unmatched_layers_b) == ("1", "")
    assert all(row.p_value < SURE for row in details.layers)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("tiny-pruned", "zero"),
        ("tiny-int8", "grid"),
        ("tiny-int4", "grid"),
        ("tiny-dropped", "layer"),
        ("tiny-extended", "embedding rows"),
    ],
)
def test_direction_is_told_where_a_change_cannot_be_undone(zoo, found, name, reason):
    there = found[name]["weights_tensors"]
    back = weight_evidence(zoo[name], zoo["tiny-base"])["weights_tensors"]
    assert (there.direction, back.direction) == ("a_to_b", "b_to_a")
    assert reason in there.details.direction_reason


@pytest.mark.parametrize("name", ["tiny-tuned", "tiny-noised", "tiny-permuted", *INDEPENDENT])
def test_direction_is_left_open_otherwise(found, name):
    assert found[name]["weights_tensors"].direction == "undetermined"


def test_a_model_is_itself(found):
    same = found["tiny-base"]
    assert same["weights_tensors"].score == 1
    assert same["weights_units"].score == pytest.approx(1)


def test_p_values_of_independent_pairs_are_those_of_chance(zoo):
    """Seven pairs that have nothing in common, both ways round: n = 14."""
    strangers = ["tiny-other-seed", "tiny-untrained", "tiny-student-100"]
    pairs = [("tiny-tuned", s) for s in strangers] + [("tiny-lora", s) for s in strangers]
    pairs.append(("tiny-other-seed", "tiny-untrained"))
    both = [*pairs, *((b, a) for a, b in pairs)]
    values = [weight_evidence(zoo[a], zoo[b])["weights_units"].p_value for a, b in both]
    assert min(values) > 0.05 / len(values) / 10
    # The e-values that enter fusion are expected to be at most 1; KIN is far off.
    assert sum(0.5 / math.sqrt(p) for p in values) / len(values) < KIN / 100


@pytest.mark.parametrize(
    "name", ["weights_units", "weights_matching", "weights_attention", "weights_tensors"]
)
def test_weight_comparators_keep_the_conventions(zoo, name):
    from forensics.evidence import load_comparators

    sides = [examined(zoo[model]) for model in ("tiny-base", "tiny-dropped", "tiny-other-seed")]
    [comparator] = load_comparators(only=[name])
    check_comparator(comparator, [(sides[0], sides[1]), (sides[0], sides[2])])


@pytest.fixture(name="adapters", scope="module")
def adapters_fixture(zoo, tmp_path_factory) -> dict[str, Path]:
    """Give adapters trained on the base: one, the same disguised, and one from another seed."""
    import torch
    from safetensors.torch import save_file

    from forensics.zoo.build import SMALLEST
    from forensics.zoo.checkpoint import read_checkpoint
    from forensics.zoo.training import encode, texts, trained_lora

    base = read_checkpoint(zoo["tiny-base"])
    tokens = encode(zoo["tiny-base"], texts("code", 60_000), SMALLEST)
    first, second = (trained_lora(base, tokens, SMALLEST, 12, seed)[1] for seed in (1, 2))
    noisy = {name: values + 0.02 * values.std() for name, values in first.items()}
    order = torch.tensor([2, 0, 3, 1])
    turned = {
        name: values[order] if "lora_A" in name else values[:, order]
        for name, values in noisy.items()
    }
    folders = {}
    for name, tensors in (("first", first), ("turned", turned), ("second", second)):
        folders[name] = tmp_path_factory.mktemp(name)
        contiguous = {key: values.contiguous() for key, values in tensors.items()}
        save_file(contiguous, folders[name] / "adapter_model.safetensors")
        (folders[name] / "adapter_config.json").write_text('{"r": 4}')
    return folders


def test_adapters_are_compared_as_adapters(zoo, adapters):
    same = weight_evidence(adapters["first"], adapters["turned"])
    assert same["weights_units"].details.units == "ranks of adapters"
    assert same["weights_units"].p_value < SURE
    assert same["weights_matching"].status == "not_applicable"
    other = weight_evidence(adapters["first"], adapters["second"])["weights_units"]
    assert (other.status, other.p_value > 1e-3) == ("ok", True)
    mixed = weight_evidence(zoo["tiny-lora"], adapters["first"])["weights_units"]
    assert mixed.status == "not_applicable"


def test_too_few_units_to_tell_are_not_read_as_no_kinship(tmp_path):
    import numpy as np
    from safetensors.numpy import save_file

    for name, seed in (("one", 1), ("other", 2)):
        random = np.random.default_rng(seed)
        shapes = {"A": (4, 64), "B": (64, 4)}
        (tmp_path / name).mkdir()
        save_file(
            {
                f"base_model.model.model.layers.0.self_attn.{module}.lora_{side}.weight": (
                    random.normal(size=shape).astype(np.float32)
                )
                for module in ("q_proj", "v_proj")
                for side, shape in shapes.items()
            },
            tmp_path / name / "adapter_model.safetensors",
        )
        (tmp_path / name / "adapter_config.json").write_text('{"r": 4}')
    found = weight_evidence(tmp_path / "one", tmp_path / "other")
    assert (found["weights_units"].status, found["weights_units"].n) == ("insufficient", 8)
    assert read_tiers(tuple(found.values()))[0].kin == "not_measured"
