"""`forensics zoo build` end to end; what it writes is what `evaluate` reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forensics.exitcodes import ExitCode


def test_a_folder_that_is_not_empty_is_left_alone(cli, tmp_path: Path):
    mine = tmp_path / "other"
    mine.mkdir()
    (mine / "mine").write_text("x")
    result = cli("zoo", "build", mine, "--minutes", "0.5")
    assert (result.code, [p.name for p in mine.iterdir()]) == (ExitCode.USAGE, ["mine"])
    assert "is not an empty folder" in result.complaint


@pytest.mark.slow
def test_a_zoo_can_be_evaluated(cli, tmp_path: Path):
    folder = tmp_path / "zoo"
    assert cli("zoo", "build", folder, "--minutes", "0.5").code == ExitCode.OK
    found = cli(
        "evaluate",
        *sorted((folder / "transcripts").glob("*.jsonl")),
        *("--models", folder / "models.csv", "--pairs", folder / "pairs.csv", "--json", "-"),
    )
    assert found.code == ExitCode.OK, found.err
    figures = json.loads(found.out)
    # Four clusters of tiny models, and SmolLM2's where there was time for it.
    made = len(list((folder / "transcripts").glob("*.jsonl")))
    assert made >= 18
    assert (figures["n_models"], figures["n_clusters"]) == (made, 4 + (made > 18))
