"""A third party's comparator, backend and reports, installed as a distribution of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from forensics.report.formats import BUILT_IN

PLUGIN = Path(__file__).parents[1] / "plugins" / "echo"


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
    from forensics.evidence import load_comparators
    from forensics.testing import check_comparator

    (lengths,) = load_comparators(only=["lengths"])
    check_comparator(lengths)


@pytest.fixture(name="case", scope="module")
def case_fixture(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compare the plugin's two models, and write the case and the plugin's report of it."""
    folder = tmp_path_factory.mktemp("case")
    options = ("--only", "lengths", "--report", "outline=outline.txt", "--verbose")
    command = (*COMPARE[:-1], "case.json", *options)
    done = forensics(installed, folder, *command)
    assert done.returncode == 0, done.stderr
    assert "written: outline.txt" in done.stderr
    assert "Evidence" in done.stdout
    return folder / "case.json"


def test_a_plugin_report_is_written_by_compare_and_again_from_the_case(
    installed: Path, case: Path, tmp_path: Path
) -> None:
    first = (case.parent / "outline.txt").read_text(encoding="utf-8")
    assert first.splitlines()[1:] == ["quiet \\ud800 loud", "lengths ok"]
    again = ("report", str(case), "--format", "outline")
    done = forensics(installed, tmp_path, *again, "-o", "again.txt")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again.txt").read_text(encoding="utf-8") == first
    assert forensics(installed, tmp_path, *again).stdout == first


def test_a_plugin_report_of_a_blind_case_is_masked(
    installed: Path, case: Path, tmp_path: Path
) -> None:
    done = forensics(installed, tmp_path, "report", str(case), "--format", "outline", "--blind")
    assert done.returncode == 0, done.stderr
    assert "quiet" not in done.stdout
    assert "lengths ok" in done.stdout


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("broken", 2, "'broken' (forensics_echo.missing:Nothing) does not load"),
        ("failing", 4, "report format 'failing' failed: ValueError: cannot draw 1 rows"),
    ],
)
def test_a_report_that_does_not_work_is_an_error_when_asked_for(
    installed: Path, case: Path, tmp_path: Path, name: str, code: int, says: str
) -> None:
    done = forensics(installed, tmp_path, "report", str(case), "--format", name, "-o", "x.txt")
    assert done.returncode == code
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "x.txt").exists()


def test_a_broken_report_is_named_and_skipped_where_formats_are_listed(
    installed: Path, case: Path, tmp_path: Path
) -> None:
    done = forensics(installed, tmp_path, "report", str(case), "--format", "nope")
    assert done.returncode == 2
    *warnings, error = done.stderr.strip().splitlines()
    built_in = ", ".join(BUILT_IN)
    assert f"formats: {built_in}, failing, outline" in error
    assert any("'broken'" in line and "skipped" in line for line in warnings)
    assert any("'html' skipped: a built-in has its name" in line for line in warnings)


def test_a_plugin_does_not_replace_a_built_in_report(
    installed: Path, case: Path, tmp_path: Path
) -> None:
    done = forensics(installed, tmp_path, "report", str(case), "--format", "html")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("<!DOCTYPE html>")


def test_a_broken_importer_is_an_error_only_when_asked_for(installed: Path, tmp_path: Path) -> None:
    rows = [{"model": "m", "prompt": "p", "output": "o"}]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    found = forensics(installed, tmp_path, "import", "t.json", "-o", "out")
    assert found.returncode == 0, found.stderr
    assert "'broken'" in found.stderr
    assert "skipped" in found.stderr
    asked = forensics(installed, tmp_path, "import", "t.json", "-o", "out", "--format", "broken")
    assert asked.returncode == 2
    assert "does not load" in asked.stderr
    assert len(asked.stderr.strip().splitlines()) == 1
