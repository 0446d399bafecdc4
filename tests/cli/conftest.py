"""A run inside this process: quick, and as the command would do it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.cli import run
from tests.builders import essays, write
from tests.cli.cli import Result

Run = Callable[..., Result]


@pytest.fixture(name="here")
def here_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder to work in, with two transcripts of 20 common prompts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    write(tmp_path / "a.jsonl", essays(20))
    write(tmp_path / "b.jsonl", essays(20, 1))
    return tmp_path


@pytest.fixture(name="cli")
def cli_fixture(capsys: pytest.CaptureFixture[str], here: Path) -> Run:
    def call(*arguments: object) -> Result:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return Result(code, *capsys.readouterr())

    return call
