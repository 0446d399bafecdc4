"""A third party's comparator and backend, installed as a distribution of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parent / "plugins" / "echo"


@pytest.fixture(name="installed", scope="module")
def installed_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the plugin with pip into a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    source = tmp_path_factory.mktemp("source") / "echo"
    subprocess.run(["cp", "-r", str(PLUGIN), str(source)], check=True)
    subprocess.run([*pip, "--target", str(folder), str(source)], check=True)
    return folder


def forensics(
    installed: Path | None, folder: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    extra = {"PYTHONPATH": str(installed)} if installed else {}
    return subprocess.run(
        [sys.executable, "-m", "forensics", *arguments],
        cwd=folder,
        env=os.environ | extra,
        capture_output=True,
        text=True,
        check=False,
    )


COMPARE = ("compare", "echo:quiet", "echo:loud", "--limit", "16", "--json", "-")


def test_backend_and_comparator_work_from_the_command_line(installed: Path, tmp_path: Path) -> None:
    done = forensics(installed, tmp_path, *COMPARE, "--only", "lengths", "--only", "phrasing")
    assert done.returncode == 0, done.stderr
    case = json.loads(done.stdout)
    assert [e["comparator"] for e in case["evidence"]] == ["phrasing", "lengths"]
    assert case["evidence"][1]["status"] == "ok"
    assert case["evidence"][1]["matched"] == 1.0
    assert case["a"]["manifests"][0]["identity"] == {"kind": "echo", "model": "quiet"}


def test_a_broken_plugin_is_named_and_skipped(installed: Path, tmp_path: Path) -> None:
    done = forensics(installed, tmp_path, *COMPARE, "--without", "embedding")
    assert done.returncode == 0, done.stderr
    assert "broken" in done.stderr
    assert "skipped" in done.stderr
    assert "Traceback" not in done.stderr
    names = [e["comparator"] for e in json.loads(done.stdout)["evidence"]]
    assert "lengths" in names
    assert "broken" not in names


def test_a_broken_plugin_asked_for_by_name_is_an_error(installed: Path, tmp_path: Path) -> None:
    done = forensics(installed, tmp_path, *COMPARE, "--only", "broken")
    assert done.returncode == 2
    assert "does not load" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_without_the_plugin_its_names_are_unknown(tmp_path: Path) -> None:
    done = forensics(None, tmp_path, *COMPARE)
    assert done.returncode == 2
    assert "cannot tell what subject" in done.stderr


def test_a_plugin_comparator_keeps_the_conventions(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(installed))
    from forensics.comparators import load_comparators
    from forensics.testing import check_comparator

    (lengths,) = load_comparators(only=["lengths"])
    check_comparator(lengths)
