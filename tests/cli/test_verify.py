from __future__ import annotations

import json
from pathlib import Path

import pytest

from forensics.cli import run
from tests.chained import PROMPTS, make_case, probe


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verify")
    claim = "I am Claude, made by Anthropic."
    a, b = probe(folder, "first-model", claim), probe(folder, "second-model", claim)
    make_case(folder, a, b, "--blind", "--html", str(folder / "case.html"))
    assert run(["bundle", str(folder / "case.json"), "-o", str(folder / "case.zip")]) == 0
    return folder


def test_an_intact_file_prints_its_seal_and_what_it_cannot_say(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "first-model.jsonl"
    assert run(["verify", str(path)]) == 0
    out = capsys.readouterr().out
    seal = json.loads(path.read_text().splitlines()[-1])["chain"]
    assert f"intact: {PROMPTS} lines" in out
    assert f"seal {seal} ({PROMPTS} lines)" in out
    assert "removed from the end" in out
    assert run(["verify", str(path), "--seal", seal]) == 0
    assert "removed from the end" not in capsys.readouterr().out


def test_a_changed_line_is_named_and_exits_1(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (folder / "first-model.jsonl").read_bytes().splitlines(keepends=True)
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"".join([*lines[:4], lines[4].replace(b"Claude", b"ChatGPT"), *lines[5:]]))
    assert run(["verify", str(path)]) == 1
    out = capsys.readouterr().out
    assert "CHANGED" in out and "line 5: it was edited" in out
    assert run(["verify", str(path), "--json", "-"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["result"] == "changed"
    assert [fault["line"] for fault in document["faults"]] == [5]


def test_a_removed_end_shows_against_seal_and_case(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, case = folder / "first-model.jsonl", str(folder / "case.json")
    assert run(["verify", str(path), "--case", case]) == 0
    lines = path.read_bytes().splitlines(keepends=True)
    seal = json.loads(lines[-1])["chain"]
    short = tmp_path / "x.jsonl"
    short.write_bytes(b"".join(lines[:-2]))
    assert run(["verify", str(short)]) == 0
    capsys.readouterr()
    assert run(["verify", str(short), "--seal", seal]) == 1
    assert "removed from its end" in capsys.readouterr().out
    assert run(["verify", str(short), "--case", case]) == 1
    assert "neither of its transcripts" in capsys.readouterr().out
    grown = tmp_path / "y.jsonl"
    grown.write_bytes(path.read_bytes() + b"{}\n")
    assert run(["verify", str(grown), "--case", case]) == 1
    assert f"made from the first {PROMPTS} lines" in capsys.readouterr().out


def test_a_transcript_without_chain_exits_3(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (folder / "first-model.jsonl").read_text().splitlines()
    plain = [{k: v for k, v in json.loads(x).items() if k != "chain"} for x in lines]
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(x) + "\n" for x in plain))
    assert run(["verify", str(path)]) == 3
    assert "not chained" in capsys.readouterr().out


def test_a_bundle_is_identical_and_blind(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(folder / "case.zip"), "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["result"] == "identical"
    assert document["blind"] is True
    assert run(["verify", str(folder / "case.zip"), "--seal", document["seal"]]) == 0
    assert "identical: the same evidence and verdict" in capsys.readouterr().out


def test_what_differs_in_a_blind_bundle_is_placed_but_not_quoted(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (folder / "case.json").read_text()
    (tmp_path / "case.json").write_text(text.replace("made by Anthropic", "made by Google", 1))
    options = ["--transcript", str(folder / "first-model.jsonl")]
    options += ["--transcript", str(folder / "second-model.jsonl"), "-o", str(tmp_path / "x.zip")]
    assert run(["bundle", str(tmp_path / "case.json"), *options]) == 0
    capsys.readouterr()
    assert run(["verify", str(tmp_path / "x.zip")]) == 1
    out = capsys.readouterr().out
    assert "DIFFERENT" in out and "prompts ›" in out and "the case is blind" in out
    assert "Google" not in out and "Anthropic" not in out


def test_a_blind_comparison_shows_no_names_and_keeps_them_on_file(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("first", "second", "claude", "anthropic")
    page = (folder / "case.html").read_text().lower()
    assert [
        name for name in names if f"{name}-model" in page or (name in names[2:] and name in page)
    ] == []
    assert "first-model" in (folder / "case.json").read_text()
    a, b = (f"transcript:{folder / name}-model.jsonl" for name in ("first", "second"))
    capsys.readouterr()
    options = ["--without", "embedding", "--blind"]
    assert run(["compare", a, b, *options]) == 0
    shown = capsys.readouterr().out
    assert run(["compare", a, b, *options, "--json", "-"]) == 0
    shown += capsys.readouterr().out
    assert not any(name in shown.lower() for name in ("first-model", "second-model", *names[2:]))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["verify", "{0}/none.jsonl"], "cannot read"),
        (["verify", "{0}"], "is a folder"),
        (["verify", "{0}/case.json"], "is a case: pack it"),
        (["verify", "{0}/case.html"], "not JSON"),
        (["verify", "{0}/first-model.jsonl", "--seal", "12"], "64 hex digits"),
        (["verify", "{0}/first-model.jsonl", "--case", "{0}/case.zip"], "not JSON"),
        (["verify", "{0}/case.zip", "--case", "{0}/case.json"], "--case is for transcripts"),
        (["bundle", "{0}/case.html", "-o", "{0}/x.zip"], "not JSON"),
        (["bundle", "{0}/case.json", "-o", "{0}"], "is a folder"),
        (["bundle", "{0}/case.json", "-o", "{0}/case.json"], "choose another -o"),
        (["report", "{0}/case.json", "--blind", "--unblind"], "contradict"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert run([part.format(folder) for part in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert err.count("\n") == 1


def test_an_empty_file_is_unreadable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"")
    assert run(["verify", str(path)]) == 2
    assert "is empty" in capsys.readouterr().err
