"""Nothing that a model or a file says is a command to the CI service whose log shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from forensics.cli import run
from tests.builders import essays, write
from tests.cli.cli import ROOT, forensics

HOSTILE = (
    "::error file=a.py,line=1::boom ::add-mask::the \r::warning::x \u2028::debug::y "
    "##[group]folded ##vso[task.setvariable variable=PATH]z ##[command]rm ##VSO[a]b"
)
NAME = "::error::m ##[x]"
POLICY = """[rules.max-similarity]
limits = {{ phrasing = 0.1 }}
[[against]]
subject = "transcript:{}"
"""


@pytest.fixture(name="hostile")
def hostile_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with two transcripts whose answers, prompts and names are hostile."""
    monkeypatch.chdir(tmp_path)
    texts = [f"{HOSTILE}\n{HOSTILE} {text}" for text in essays(12)]
    write(tmp_path / f"{NAME}.jsonl", texts)
    write(tmp_path / "b.jsonl", texts[::-1])
    for name in (f"{NAME}.jsonl", "b.jsonl"):
        lines = [json.loads(line) for line in (tmp_path / name).read_text().splitlines()]
        for number, line in enumerate(lines):
            del line["chain"]
            line |= {"prompt_id": f"::error::{number} ##[p]", "category": "::notice::c ##vso[c]"}
            line |= {"prompt_sha256": f"::error::{number:02d}", "messages": [["user", HOSTILE]]}
        (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "forensics.toml").write_text(POLICY.format(f"./{NAME}.jsonl"))
    return tmp_path


def _assert_harmless(text: str) -> None:
    for line in re.split("[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", text):
        bare = re.sub("[\ufeff\u200b]|\x1b\\[[0-9;]*m", "", line).lstrip()
        assert not bare.startswith("::"), line
        assert "##[" not in line and "##vso[" not in line.lower(), line


@pytest.mark.parametrize("width", [20, 41, 80])
def test_a_comparison_at_any_width(
    hostile: Path, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    command = ["compare", f"./{NAME}.jsonl", "b.jsonl", "--only", "phrasing", "--only", "openings"]
    assert run([*command, "--json", "case.json"]) == 0
    assert run(["check", "b.jsonl"]) in (0, 1)
    shown = capsys.readouterr()
    assert "error" in shown.out
    _assert_harmless(shown.out)
    _assert_harmless(shown.err)


def test_every_format_to_stdout_and_to_a_file(
    hostile: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["compare", f"./{NAME}.jsonl", "b.jsonl", "--only", "phrasing"]
    assert run([*command, "--json", "case.json"]) == 0
    case = json.loads(Path("case.json").read_text())
    capsys.readouterr()
    for name in ("text", "csv", "markdown", "step-summary", "junit", "html", "json", "cyclonedx"):
        capsys.readouterr()
        assert run(["report", "case.json", "--format", name, "-o", "-"]) == 0, name
        shown = capsys.readouterr()
        _assert_harmless(shown.out)
        _assert_harmless(shown.err)
        assert run(["report", "case.json", "--format", name, "-o", f"file.{name}"]) == 0
        written = Path(f"file.{name}").read_text()
        if name in ("json", "cyclonedx"):
            assert json.loads(shown.out) == json.loads(written)
        elif name != "html":
            _assert_harmless(written)
        if name == "json":
            assert json.loads(shown.out)["prompts"] == case["prompts"]
    assert run(["check", "b.jsonl", "--markdown", "c.md", "--junit", "c.xml"]) in (0, 1)
    for path in ("c.md", "c.xml"):
        _assert_harmless(Path(path).read_text())
    for flag in ("--json", "--markdown", "--junit", "--sarif"):
        capsys.readouterr()
        assert run(["check", "b.jsonl", flag, "-"]) in (0, 1)
        _assert_harmless(capsys.readouterr().out)


def test_other_verbs_notes_and_errors(
    hostile: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(hostile / "summary.md"))
    Path("::error::.jsonl").write_text("::error::\n##[group]\n")
    suite = {"name": "s", "version": "1", "title": HOSTILE, "prompts": [
        {"id": "::error::", "category": "open", "prompt": HOSTILE}]}  # fmt: skip
    Path("suite.json").write_text(json.dumps(suite))
    for command in (
        ["refusals", f"./{NAME}.jsonl"],
        ["refusals", f"./{NAME}.jsonl", "--json", "-"],
        ["trace", f"./{NAME}.jsonl"],
        ["map", f"./{NAME}.jsonl", "b.jsonl"],
        ["verify", f"./{NAME}.jsonl"],
        ["suites", "show", "suite.json"],
        ["suites", "show", "suite.json", "--json"],
        ["check", "b.jsonl", "--step-summary"],
        ["doctor", f"./{NAME}.jsonl"],
        ["compare", "::error::.jsonl", "b.jsonl"],
        ["compare", "::error::x", "##[b]"],
        ["probe", "::error::"],
        ["import", "::error::.jsonl"],
        ["::error::"],
        ["compare", "--only", "\n::error::##[x]", "a", "b"],
        ["report", "\n::error::.json"],
    ):
        run(command)
        shown = capsys.readouterr()
        assert shown.out or shown.err, command
        _assert_harmless(shown.out)
        _assert_harmless(shown.err)
    _assert_harmless((hostile / "summary.md").read_text())


def test_a_process_of_its_own(hostile: Path) -> None:
    command = ("compare", f"./{NAME}.jsonl", "b.jsonl", "--only", "phrasing")
    for environment in ({"PYTHONIOENCODING": "ascii"}, {"FORCE_COLOR": "1", "COLUMNS": "37"}):
        shown = forensics(*command, cwd=hostile, **environment)
        assert shown.code == 0
        _assert_harmless(shown.out)
        _assert_harmless(shown.err)
    device = forensics(*command, "--json", "/dev/stdout", "--html", "h.html", cwd=hostile)
    _assert_harmless(device.out)


def test_a_page_on_stdout_keeps_its_style_and_script() -> None:
    # Their hashes stand in the page's policy: one escape in them, and the page would be blank.
    for path in (ROOT / "reports" / "examples").glob("*.html"):
        _assert_harmless(path.read_text())
