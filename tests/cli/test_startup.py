"""What help costs, and that it speaks of every verb."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from forensics.cli import VERBS, group
from tests.cli.cli import ROOT

HEAVY = {
    "numpy",
    "scipy",
    "torch",
    "pydantic",
    "transformers",
    "pandas",
    "sklearn",
    "httpx",
    "safetensors",
}
SCRIPT = """
import json, sys
from forensics.cli import run
code = run(sys.argv[1:])
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def _loaded(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0
    return set(modules)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("-h",),
        ("--version",),
        ("compare", "--help"),
        ["cohort", "--help"],
        ["cohort", "build", "--help"],
    ],
)
def test_help_loads_nothing_heavy(arguments):
    assert _loaded(*arguments) & HEAVY == set()


def test_every_verb_can_be_loaded_and_has_help(capsys):
    from forensics.cli import run

    for verb in VERBS:
        assert run([verb, "--help"]) == 0
        text = capsys.readouterr().out
        assert text.startswith(f"Usage: forensics {verb}")


def test_help_lists_every_verb_with_what_it_does(capsys):
    from forensics.cli import run

    run(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    for verb, says in VERBS.items():
        assert f"{verb} {says}" in text


def test_no_verb_of_the_table_is_missing():
    context = group.make_context("forensics", [], resilient_parsing=True)
    assert [verb for verb in VERBS if group.get_command(context, verb) is None] == []


def test_a_traceback_is_shown_on_demand_only(capsys, tmp_path, monkeypatch):
    from forensics.cli import run

    monkeypatch.setenv("FORENSICS_DEBUG", "")
    missing = str(tmp_path / "none.json")
    assert run(["report", missing]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert run(["--debug", "report", missing]) == 2
    assert "Traceback" in capsys.readouterr().err
