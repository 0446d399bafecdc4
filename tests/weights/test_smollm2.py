"""The weights tier on a model of real size: children of SmolLM2-135M made without training."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from forensics.fusion import read_tiers
from forensics.model_folder import model_files
from forensics.subjects import parse_subject
from forensics.zoo.build import build_children
from tests.weights.comparing import weight_evidence

pytestmark = [pytest.mark.demo, pytest.mark.slow]
SURE = 1e-6


def _demo(name: str) -> Path:
    found = model_files(parse_subject(f"demo:{name}"))
    assert found is not None and found.folder is not None
    return found.folder


@pytest.fixture(name="children")
def children_fixture(tmp_path: Path) -> Iterator[Iterator[tuple[str, Path]]]:
    source = _demo("smollm2")

    def one_by_one() -> Iterator[tuple[str, Path]]:
        for animal in build_children(source, "smollm2", tmp_path, time.monotonic() + 3600, print):
            if animal.folder != source:
                yield animal.name, animal.folder
                shutil.rmtree(animal.folder)  # half a gigabyte each

    yield one_by_one()


def test_every_child_is_kin(children):
    source, seen = _demo("smollm2"), []
    for name, folder in children:
        found = weight_evidence(source, folder)
        p_values = {key: one.p_value for key, one in found.items() if one.p_value is not None}
        assert min(p_values.values()) < SURE, (name, p_values)
        if not name.endswith("disguised"):  # turned signs are what this test cannot see
            assert p_values["weights_units"] < SURE, name
        assert read_tiers(tuple(found.values()))[0].kin == "yes", name
        seen.append(name)
    assert len(seen) == 8


def test_another_family_is_not():
    found = weight_evidence(_demo("smollm2"), _demo("gemma3-270m"))
    assert read_tiers(tuple(found.values()))[0].kin == "no", found
    assert all(one.p_value > 1e-3 for one in found.values() if one.p_value is not None)
