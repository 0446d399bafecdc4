"""The weights tier on models of real size: SmolLM2-135M, Gemma-3-270M and children of theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics.errors import UsageError
from forensics.subjects.model_files.folder import model_files
from forensics.subjects.subject import parse_subject
from forensics.verdicts.tier_readings import read_tiers
from forensics.zoo.children import CHANGES, Published, build_child
from forensics.zoo.training import Size, encode, texts
from tests.evidence.weights.comparing import weight_evidence
from tests.zoo.losses import loss_on

pytestmark = [pytest.mark.demo, pytest.mark.slow]
SURE = 1e-6
# Tuning all of SmolLM2 takes a minute and an adapter of Gemma two; tiny models stand in for both.
LEFT_OUT = {"smollm2": {"tuned"}, "gemma3-270m": {"tuned", "lora", "disguised"}}
PAIRS = [(name, change) for name in LEFT_OUT for change in CHANGES if change not in LEFT_OUT[name]]


def _demo(name: str) -> Path:
    found = model_files(parse_subject(f"demo:{name}"))
    assert found is not None and found.folder is not None
    return found.folder


@pytest.mark.parametrize(("name", "change"), PAIRS)
def test_a_child_is_kin(name: str, change: str, tmp_path: Path) -> None:
    source = _demo(name)
    build_child(Published(name, source), change, tmp_path)
    found = weight_evidence(source, tmp_path)
    p_values = {key: one.p_value for key, one in found.items() if one.p_value is not None}
    assert min(p_values.values()) < SURE, p_values
    if change != "disguised":  # turned signs are what this test cannot see
        assert p_values["weights_units"] < SURE
    assert read_tiers(tuple(found.values()))[0].kin == "yes"


def test_another_family_is_not() -> None:
    found = weight_evidence(_demo("smollm2"), _demo("gemma3-270m"))
    assert read_tiers(tuple(found.values()))[0].kin == "no", found
    assert all(one.p_value > 1e-3 for one in found.values() if one.p_value is not None)


def test_a_permuted_gemma_computes_the_same_function(tmp_path: Path) -> None:
    source, size = _demo("gemma3-270m"), Size()
    build_child(Published("gemma3-270m", source), "permuted", tmp_path)
    tokens = encode(source, texts("prose", 2_000), size)[: 4 * size.context]
    losses = [loss_on(folder, tokens, size.context) for folder in (source, tmp_path)]
    assert losses[1] == pytest.approx(losses[0], abs=0.02)  # it is written in half precision


@pytest.mark.parametrize("change", ["disguised", "tuned"])
def test_what_cannot_be_done_to_gemma_is_said(change: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"cannot be {change}"):
        build_child(Published("gemma3-270m", _demo("gemma3-270m")), change, tmp_path)
