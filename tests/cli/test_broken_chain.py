"""A transcript that was changed after it was written: refused, or taken and told everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.cli import run
from forensics.transcripts.transcript import read_transcript
from tests.chained import probe, speaker, write_suite

POLICY = """[rules.max-similarity]
limits = {{ phrasing = 0.9 }}
[[against]]
subject = "transcript:{}"
"""


@pytest.fixture(scope="module", name="made")
def made_fixture(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two transcripts, and a copy of the first with an answer changed."""
    folder = tmp_path_factory.mktemp("broken")
    a, b = probe(folder, "first"), probe(folder, "second")
    changed = folder / "changed.jsonl"
    changed.write_bytes(a.read_bytes().replace(b'"text":"About', b'"text":"Around', 1))
    (folder / "forensics.toml").write_text(POLICY.format(b))
    return {"a": a, "b": b, "changed": changed, "policy": folder / "forensics.toml"}


def _commands(made: dict[str, Path]) -> list[list[str]]:
    a, changed, policy = (str(made[name]) for name in ("a", "changed", "policy"))
    return [
        ["compare", changed, str(made["b"]), "--only", "phrasing"],
        ["compare", str(made["b"]), changed, "--only", "phrasing"],
        ["check", changed, "--policy", policy],
        ["baseline", "compare", a, changed],
        ["baseline", "compare", changed, a],
        ["trace", changed],
    ]


@pytest.mark.parametrize("number", range(6))
def test_a_changed_transcript_is_refused_in_one_line(
    made: dict[str, Path], number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(_commands(made)[number]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "changed.jsonl, line 1: it was edited" in line
    assert "--allow-broken" in line


@pytest.mark.parametrize("number", range(5))
def test_a_changed_transcript_that_is_taken_is_told(
    made: dict[str, Path], number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*_commands(made)[number], "--allow-broken"]) in (0, 1)
    shown = capsys.readouterr().out.replace("│", "")
    assert "line 1: it was edited" in " ".join(shown.split())


def test_every_report_tells_of_it(made: dict[str, Path], tmp_path: Path) -> None:
    names = ("json", "html", "markdown", "text", "step-summary", "junit", "cyclonedx")
    reports = [f"--report={name}={tmp_path / name}" for name in names]
    command = ["compare", str(made["changed"]), str(made["b"]), "--only", "phrasing"]
    assert run([*command, "--allow-broken", *reports]) == 0
    for name in names:
        text = " ".join((tmp_path / name).read_text().replace("│", " ").split())
        assert "The transcript of A was changed after it was written" in text, name


def test_a_baseline_is_not_saved_from_changed_answers(
    made: dict[str, Path], tmp_path: Path
) -> None:
    suite = str(write_suite(tmp_path / "suite.json"))
    out = tmp_path / "baseline.jsonl"
    assert run(["baseline", "save", str(made["changed"]), "--suite", suite, "-o", str(out)]) == 2
    assert not out.exists()


def test_answers_on_file_that_were_changed_are_refused_before_anybody_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    suite = str(write_suite(tmp_path / "suite.json"))
    with speaker("m") as first, speaker("n") as second:
        command = ["compare", f"openai:m@{first.url}", f"openai:n@{second.url}", "--suite", suite]
        command += ["--max-tokens", "64", "--samples", "1", "--only", "phrasing"]
        assert run(command) == 0
        asked = len(first.calls)
        [path] = (tmp_path / "transcripts").glob("m-*.jsonl")
        path.write_bytes(path.read_bytes().replace(b'"text":"About', b'"text":"Around', 1))
        assert run([*command, "--limit", "10"]) == 2
        assert run([*command, "--limit", "10", "--allow-broken"]) == 0
        assert len(first.calls) == asked


def _unchained(lines: list[bytes]) -> bytes:
    values = [json.loads(line) for line in lines]
    return b"".join(
        json.dumps({k: v for k, v in value.items() if k != "chain"}).encode() + b"\n"
        for value in values
    )


@pytest.mark.parametrize(
    "other",
    [
        lambda lines: b"".join(lines)[:-40],  # a killed run
        lambda lines: b"".join(lines)[:-1],
        lambda lines: b"".join(lines[:-3]),  # nothing shows, but against the seal
        lambda lines: b"".join(lines).replace(b"\n", b"\r\n"),  # line ends of another system
        lambda lines: b"\n".join(lines) + b"\n",  # blank lines
        _unchained,
        # Written before there were chains, and gone on with since.
        lambda lines: (
            _unchained([lines[0].replace(b'"sample":0', b'"sample":7')]) + b"".join(lines)
        ),
    ],
)
def test_what_is_not_broken_reads_as_before(
    made: dict[str, Path], tmp_path: Path, other: Callable[[list[bytes]], bytes]
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(other(made["a"].read_bytes().splitlines(keepends=True)))
    assert read_transcript(path).broken == ""


@pytest.mark.parametrize(
    "other",
    [
        lambda lines: b"".join([*lines[:3], *lines[4:]]),
        lambda lines: b"".join([lines[1], lines[0], *lines[2:]]),
        lambda lines: b"".join([*lines, lines[3]]),
        lambda lines: b"".join(lines[1:]),
        lambda lines: b"".join([*lines[:4], _unchained(lines[4:5]), *lines[5:]]),
        lambda lines: _unchained(lines[:4]) + b"".join(lines[4:]),
        lambda lines: b"".join(json.dumps(json.loads(line)).encode() + b"\n" for line in lines),
        lambda lines: b"".join(lines)[:-1].replace(b'"text":"About', b'"text":"Around'),
    ],
)
def test_what_is_broken_is_seen(
    made: dict[str, Path], tmp_path: Path, other: Callable[[list[bytes]], bytes]
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(other(made["a"].read_bytes().splitlines(keepends=True)))
    assert read_transcript(path).broken
