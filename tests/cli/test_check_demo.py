"""The gate on real models: a copy whose parent is declared passes, one that hides it is caught."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forensics.cli import run
from forensics.errors import MissingDependencyError
from forensics.subjects.backends.backend import BackendOptions
from forensics.subjects.backends.demo import open_demo
from forensics.subjects.subject import parse_subject
from tests.cli.cli import Result, forensics

pytestmark = pytest.mark.demo

PARENT = "HuggingFaceTB/SmolLM2-135M-Instruct"
# Chosen by looking at what unrelated base models score on these prompts: no calibrated figure.
POLICY = f"""\
suite = "core"
limit = 16
max_tokens = 40
comparators = ["phrasing", "openings"]

[[against]]
subject = "demo:smollm2"
names = ["{PARENT}"]

[rules.undeclared-kinship]

[rules.max-similarity]
limits = {{ openings = 0.05 }}
"""


@pytest.fixture(name="folder", scope="module")
def folder_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        open_demo(parse_subject("demo:smollm2-pruned"), BackendOptions()).identity()
    except MissingDependencyError as error:
        pytest.skip(f"demo models missing: {error}")
    folder = tmp_path_factory.mktemp("gate")
    (folder / "forensics.toml").write_text(POLICY)
    kept = ("--policy", folder / "forensics.toml", "--transcripts", folder / "transcripts")
    # Answering takes its time on a busy machine; the runs below find the answers on file.
    assert run(["check", "demo:smollm2-pruned", *map(str, kept)]) == 1
    return folder


def _check(folder: Path, text: str, *arguments: object) -> Result:
    (folder / "forensics.toml").write_text(text)
    return forensics("check", "demo:smollm2-pruned", *arguments, "--json", "c.json", cwd=folder)


def test_an_omitted_parent_is_caught_and_a_declared_one_passes(folder):
    omitted = _check(folder, POLICY)
    assert omitted.code == 1, omitted.err
    assert "uncalibrated limit" in " ".join(omitted.out.split())
    declared = _check(folder, f'{POLICY}[declared]\nbase_models = ["{PARENT}"]\n', "--strict")
    assert declared.code == 0, declared.out
    found = json.loads((folder / "c.json").read_text())
    assert {one["status"] for one in found["outcomes"]} == {"pass"}
    assert "16 of 16 answers are on file" in declared.err
