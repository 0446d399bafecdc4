"""`compare --control`: controls answer too where enough of them are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.asking import ONCE
from tests.subjects.backends.tiny_model import make_tiny_model


@pytest.mark.usefixtures("cache")
def test_three_controls_are_asked_what_both_answered_and_two_are_not(
    cli, here: Path, tmp_path: Path
) -> None:
    a, b, *controls = [
        f"hf:{make_tiny_model(tmp_path / f'm{seed}', seed=seed, max_position_embeddings=1024)}"
        for seed in range(1, 6)
    ]
    options = [word for control in controls for word in ("--control", control)]
    asked = ("--limit", "12", "--max-tokens", "24", *ONCE, "--tiers", "logprobs", "--json", "-")
    two = _mutual(cli("compare", a, b, *options[:4], *asked).out)
    assert two["status"] == "insufficient" and "3 are needed" in two["reason"]
    assert len(list((here / "transcripts").glob("*.jsonl"))) == 2
    three = _mutual(cli("compare", a, b, *options, *asked).out)
    assert three["status"] == "ok", three["reason"]
    assert len(three["details"]["controls"]) == 3
    assert three["p_value"] > 0.01  # random weights have nothing in common
    assert len(list((here / "transcripts").glob("*.jsonl"))) == 5


def _mutual(case: str) -> dict:
    evidence = json.loads(case)["evidence"]
    return next(e for e in evidence if e["comparator"] == "mutual_fit")
