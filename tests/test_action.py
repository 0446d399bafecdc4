"""The GitHub Action, the workflow and the pre-commit hook: parsed, and their shell steps run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.builders import essays, write
from tests.cli.cli import ROOT
from tests.report.sarif import check_sarif

ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
POLICY = """\
comparators = ["phrasing"]
[[against]]
subject = "a.jsonl"
[rules.max-similarity]
limits = { phrasing = 0.2 }
"""
_EXPRESSION = re.compile(r"\$\{\{ *(.+?) *\}\}")


def _steps() -> Iterator[dict[str, Any]]:
    yield from ACTION["runs"]["steps"]
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            yield from job["steps"]


def test_actions_of_others_are_pinned_by_commit():
    used = [step["uses"] for step in _steps() if "uses" in step]
    assert used
    for name in used:
        assert name == "./" or re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40}", name), name


def test_no_expression_is_written_into_a_script():
    scripts = [step["run"] for step in _steps() if "run" in step]
    assert len(scripts) >= 3
    assert not any("${{" in script for script in scripts)


@pytest.fixture(name="installed", scope="module")
def installed_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the step that installs, into a folder and without dependencies: they are here."""
    folder = tmp_path_factory.mktemp("installed")
    settings = {
        "PIP_TARGET": str(folder),
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip takes this one the wrong way round: 0 switches it off
    }
    _script("Install", tmp_path_factory.mktemp("work"), {}, settings)
    assert (folder / "forensics" / "policy" / "restricted_teachers.toml").is_file()
    return folder


@pytest.fixture(name="job")
def job_fixture(tmp_path: Path) -> Path:
    write(tmp_path / "a.jsonl", essays(20))
    write(tmp_path / "b.jsonl", essays(20, 1))
    (tmp_path / "forensics.toml").write_text(POLICY)
    return tmp_path


def _script(
    name: str,
    folder: Path,
    inputs: Mapping[str, str],
    environment: Mapping[str, str],
    outputs: Mapping[str, str] | None = None,
) -> int:
    """Run a step's script as the runner does, with its expressions filled in."""
    step = next(s for s in ACTION["runs"]["steps"] if s.get("name") == name)
    known = {k: str(v.get("default", "")) for k, v in ACTION["inputs"].items()} | dict(inputs)
    values = {f"inputs.{k}": v for k, v in known.items()}
    values |= {f"steps.check.outputs.{k}": v for k, v in (outputs or {}).items()}
    own = {
        key: _EXPRESSION.sub(lambda found: values[found[1]], value)
        for key, value in step.get("env", {}).items()
    }
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    runner = {
        "PATH": search,
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_OUTPUT": str(folder / "outputs.txt"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "RUNNER_TEMP": str(folder / "temp"),
    }
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
        cwd=folder,
        env=dict(os.environ) | runner | dict(environment) | own,
        timeout=300,
        check=False,
    )
    if name == "Install":
        assert done.returncode == 0
    return done.returncode


def _check(job: Path, installed: Path, **inputs: str) -> dict[str, str]:
    """Run the step that checks; return its outputs."""
    path = os.pathsep.join([str(installed / "bin"), str(Path(sys.executable).parent)])
    environment = {
        "PATH": os.pathsep.join([path, os.environ["PATH"]]),
        "PYTHONPATH": str(installed),
    }
    assert _script("Check", job, inputs, environment) == 0
    lines = (job / "outputs.txt").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize(("subject", "code"), [("b.jsonl", 0), ("a.jsonl", 1)])
def test_the_scripts_check_report_and_exit(job, installed, subject, code):
    found = _check(job, installed, subject=subject)
    assert found["exit-code"] == str(code)
    check_sarif(Path(found["sarif"]).read_text())
    report = Path(found["report"])
    assert {"check.json", "check.md", "check.xml", "check.sarif"} <= {
        p.name for p in report.iterdir()
    }
    assert f"exit {code}:" in (job / "summary.md").read_text()
    assert _script("Outcome", job, {}, {}, found) == code


def test_inputs_reach_the_command_and_run_nothing(job, installed):
    found = _check(job, installed, subject="$(touch pwned); `touch pwned`", strict="true")
    assert found == {"exit-code": "2", "report": found["report"]}
    assert not (job / "pwned").exists()
    (job / "outputs.txt").unlink()
    (job / "card.md").write_text("---\nbase_model: a\n---\n")
    strict = _check(job, installed, subject="a.jsonl", card="card.md", strict="true")
    assert strict["exit-code"] == "0"


def test_the_pre_commit_hook_names_a_command_there_is(tmp_path):
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    program, *arguments = shlex.split(hook["entry"])
    assert program == "forensics"
    done = subprocess.run(
        [sys.executable, "-m", "forensics", *arguments, "--help"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    for name in ("README.md", "model/config.json", "x.safetensors", "forensics.toml"):
        assert re.search(hook["files"], name)
    assert not re.search(hook["files"], "README.rst")
