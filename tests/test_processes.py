"""A forked command is what an interpreter started for it would have been."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.processes import ROOT, Done, run_command

COMMANDS = (
    ("suites", "list"),
    ("compare", "none.jsonl", "none.jsonl"),
    ("--no-such-option",),
    ("cohort", "info", "no-such-cohort"),
)


def _environment(**more: str) -> Mapping[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80"} | more


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_both_say_the_same(arguments: tuple[str, ...], tmp_path: Path) -> None:
    def said(*, cold: bool) -> Done:
        return run_command(arguments, cwd=tmp_path, environment=_environment(), cold=cold)

    assert said(cold=False) == said(cold=True)


def test_folder_and_environment_are_the_commands_own(tmp_path: Path) -> None:
    lines = []
    for name, columns in (("first", 60), ("second", 120)):
        folder = tmp_path / name
        folder.mkdir()
        environment = _environment(COLUMNS=str(columns))
        assert run_command(("suites", "new", name), cwd=folder, environment=environment).code == 0
        assert [path.name for path in folder.iterdir()] == [name]
        shown = run_command(("compare", "--help"), cwd=folder, environment=environment).out
        lines.append(len(shown.splitlines()))
    assert lines[0] > lines[1]


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is forked on this system")
def test_a_command_that_hangs_is_ended_and_the_next_ones_run(tmp_path: Path) -> None:
    fifo = tmp_path / "never.json"
    os.mkfifo(fifo)
    environment = _environment()
    with pytest.raises(subprocess.TimeoutExpired):
        run_command(("report", str(fifo)), cwd=tmp_path, environment=environment, timeout=0.5)
    for _ in range(2):
        assert run_command(("--version",), cwd=tmp_path, environment=environment).code == 0
