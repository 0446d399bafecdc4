"""Tab: the script that `forensics completion` prints, run by the shell it is for."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from forensics.cli import VERBS
from forensics.cohorts.finding import shipped
from forensics.suites.loading import suite_names
from tests.cli.cli import ROOT, forensics

# What Bash makes of the words: every colon is one of its own.
_PRESS_TAB = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_forensics_completion forensics 2>/dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(name="tab", scope="module")
def tab_fixture(tmp_path_factory):
    """Give what Bash offers for the words of a command line, the last of them unfinished."""
    folder = tmp_path_factory.mktemp("completion")
    program = folder / "forensics"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m forensics "$@"\n')
    program.chmod(0o700)
    (folder / "answers.jsonl").touch()
    printed = forensics("completion", "bash", cwd=folder)
    assert printed.code == 0
    script = folder / "script"
    script.write_text(printed.out)
    environment = os.environ | {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "FORENSICS_CACHE": str(folder / "cache"),
    }

    def press(*words: str) -> list[str]:
        done = subprocess.run(
            ["bash", "-c", _PRESS_TAB, "bash", str(script), "forensics", *words],
            cwd=folder,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        return done.stdout.split()

    return press


def test_verbs_and_options(tab):
    assert tab("") == list(VERBS)
    assert tab("co") == ["compare", "cohort", "completion"]
    assert "--max-tokens" in tab("compare", "--max")


def test_suites_and_cohorts_by_name(tab):
    assert tab("compare", "--suite", "") == suite_names()
    assert tab("trace", "--cohort", "") == shipped()
    assert tab("trace", "--cohort", "=", "alp") == ["alpaca-eval"]
    assert tab("compare", "--control", "=", "demo", ":", "gem") == ["gemma3-270m"]


def test_subjects_of_a_kind_though_bash_breaks_words_at_colons(tab):
    assert tab("compare", "demo") == ["demo:"]
    assert tab("compare", "demo", ":") == ["smollm2", "smollm2-pruned", "gemma3-270m"]
    assert tab("compare", "demo", ":", "smollm2", "demo", ":", "gem") == ["gemma3-270m"]
    assert tab("trace", "cohort", ":", "vicuna-33") == ["vicuna-33b-v1.3"]
    assert tab("probe", "transcript", ":", "ans") == ["answers.jsonl"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_whole_words(shell, tmp_path):
    script = forensics("completion", shell, cwd=tmp_path)
    assert script.code == 0
    assert f"_FORENSICS_COMPLETE={shell}_complete" in script.out
    variables = {
        "zsh": {"COMP_WORDS": "forensics compare demo:gem", "COMP_CWORD": "2"},
        "fish": {"COMP_WORDS": "forensics compare demo:gem", "COMP_CWORD": "demo:gem"},
    }[shell]
    offered = forensics(cwd=tmp_path, _FORENSICS_COMPLETE=f"{shell}_complete", **variables)
    assert offered.code == 0
    assert "demo:gemma3-270m" in offered.out
    assert "smollm2" not in offered.out


def test_an_unknown_shell_is_refused(tmp_path):
    assert "bash" in forensics("completion", "tcsh", cwd=tmp_path).complaint
