"""Beside Cisco's `cisco-ai-provenance-kit`, which needs a Python and an environment of its own.

    python3.13 -m venv KIT && KIT/bin/pip install cisco-ai-provenance-kit==1.0.0
    PROVENANCE_KIT=KIT/bin/provenancekit pytest tests/benchmarks/test_provenance_kit.py

Measured with 1.0.0 (Python 3.13, one thread each, two cores that others used too), SmolLM2-135M in
float32 against three models of its configuration:

| against | kit says | seconds (processor) | this says | seconds (processor) |
|---|---|---|---|---|
| itself, 30 % pruned | Confirmed Match, 1.0 | 35 (13.7) | kin, p < 1e-300 | 5 (2.1) |
| itself, permuted | Confirmed Match, 1.0 | 26 (10.4) | kin, p < 1e-300 | 8 (4.6) |
| an untrained model | Confirmed Match, 1.0 | 23 (11.7) | no kinship, p = 0.18 | 14 (5.5) |

The kit held 1.4 GB of memory at most, this 0.66. With its own number of threads and more load
beside it, the kit took 86 to 122 s (28 to 42 of processor time). Its weight scores tell the
untrained model (0.003 of 1 for weight values), but an equal configuration decides before they are
asked. A good part of its time goes into loading libraries; what costs here is matching units where
they do not stand in the same order.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from forensics.subjects.model_files.folder import model_files
from forensics.subjects.subject import parse_subject
from tests.evidence.weights.comparing import cost_of

KIT = os.environ.get("PROVENANCE_KIT", "")
pytestmark = [
    pytest.mark.demo,
    pytest.mark.slow,
    pytest.mark.skipif(not KIT, reason="PROVENANCE_KIT does not name the kit's command"),
]
OURS = [sys.executable, "-m", "forensics", "compare", "--tiers", "weights", "--json", "-"]


@pytest.fixture(name="source", scope="module")
def source_fixture() -> Path:
    found = model_files(parse_subject("demo:smollm2"))
    assert found is not None and found.folder is not None
    return found.folder


def _untrained(source: Path, target: Path) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(7)
    AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(source)).save_pretrained(target)


def _pruned(source: Path, target: Path) -> None:
    from forensics.zoo.checkpoint import read_checkpoint, write_checkpoint
    from forensics.zoo.surgery import pruned

    write_checkpoint(pruned(read_checkpoint(source), 0.3), target)


def _permuted(source: Path, target: Path) -> None:
    from forensics.zoo.checkpoint import read_checkpoint, write_checkpoint
    from forensics.zoo.disguise import permuted

    write_checkpoint(permuted(read_checkpoint(source), 10), target)


def _timed(command: Sequence[str], printed: Path) -> tuple[float, float, int]:
    """Return a command's seconds, processor seconds, and most memory in MB."""
    began = time.perf_counter()
    processor, megabytes = cost_of(["/bin/sh", "-c", f"{shlex.join(command)} > '{printed}'"])
    return round(time.perf_counter() - began, 1), processor, megabytes


@pytest.mark.parametrize(
    ("make", "related"), [(_pruned, True), (_permuted, True), (_untrained, False)]
)
def test_beside_the_provenance_kit(source, tmp_path, monkeypatch, make, related):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    target = tmp_path / "other"
    make(source, target)
    for file in source.glob("*token*"):
        if not (target / file.name).exists():
            shutil.copy(file, target)
    said, case = tmp_path / "kit.json", tmp_path / "case.json"
    kit = [KIT, "compare", "--json", "--no-cache", str(source), str(target)]
    theirs = _timed(kit, said)
    ours = _timed([*OURS, f"hf:{source}", f"hf:{target}"], case)
    printed = said.read_text()
    report = json.loads(printed[printed.index("{") :])
    headline = json.loads(case.read_text())["verdict"]["headline"]
    print(f"\n{make.__name__}: kit {theirs} {_said(report)}; this {ours} {headline}")
    assert headline.startswith(
        "Weights show close kinship" if related else "Weights show no kinship"
    )


def _said(report: object) -> dict[str, object]:
    """Return the kit's decision and score, wherever in its JSON they stand."""
    found: dict[str, object] = {}
    if isinstance(report, dict):
        for key, value in report.items():
            if key in ("provenance_decision", "pipeline_score"):
                found[key] = value
            found |= _said(value)
    return found
