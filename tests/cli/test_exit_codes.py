"""The documented table of exit codes: complete, and what the commands do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from forensics.cli import VERBS
from forensics.exitcodes import ExitCode
from tests.builders import essays, write
from tests.cli.cli import ROOT
from tests.gguf_files import write_gguf
from tests.loopback import chat_reply

PAGE = ROOT / "docs" / "reference" / "exit-codes.md"
CODES = (0, 1, 2, 3, 4)


def table() -> dict[str, dict[int, str]]:
    """Return verb → code → meaning, as the page has it; codes that never occur are left out."""
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        verb = re.fullmatch(r"`(\w+)`", cells[0])
        if verb and len(cells) == 1 + len(CODES):
            told = zip(CODES, cells[1:], strict=True)
            found[verb[1]] = {code: text for code, text in told if text != "–"}
    return found


def test_every_verb_has_a_row_and_every_code_a_meaning():
    assert list(table()) == list(VERBS)
    text = PAGE.read_text(encoding="utf-8")
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == {
        int(code) for code in ExitCode
    }


@pytest.fixture(name="files")
def files_fixture(here: Path) -> Path:
    write_gguf(here / "vocabulary.gguf", shapes={})
    (here / "cut.gguf").write_bytes(write_gguf(here / "whole.gguf").read_bytes()[:-5000])
    write(here / "failed.jsonl", essays(3), status="error", error="HTTP 500")
    whole = (here / "a.jsonl").read_text()
    (here / "edited.jsonl").write_text(whole.replace('"status":"ok"', '"status":"truncated"', 1))
    (here / "unchained.jsonl").write_text(re.sub(r',"chain":"\w+"', "", whole))
    (here / "empty.jsonl").write_text("")
    (here / "words.txt").write_text("no case, no table\n")
    reference = f'[[against]]\nsubject = "transcript:{here / "b.jsonl"}"\n'
    limits = "[rules.max-similarity]\nlimits = {openings = %s}\n"
    (here / "kept.toml").write_text(reference + limits % "1.1")
    (here / "violated.toml").write_text(reference + limits % "-0.5")
    (here / "damaged.toml").write_text(
        f'tiers = ["weights"]\n[[against]]\nsubject = "{here / "cut.gguf"}"\n'
        "[rules.undeclared-kinship]\n"
    )
    (here / "broken.toml").write_text("[rules")
    return here


ROWS = [
    (0, "compare a.jsonl b.jsonl --only openings"),
    (0, "compare whole.gguf whole.gguf --tiers weights"),
    (2, "compare cut.gguf whole.gguf --tiers weights"),
    (2, "compare vocabulary.gguf whole.gguf --tiers tokenizer"),
    (2, "compare a.jsonl none.jsonl"),
    (4, "compare openai:m@{dead} b.jsonl --only openings"),
    (0, "check a.jsonl --policy kept.toml"),
    (1, "check a.jsonl --policy violated.toml"),
    (2, "check whole.gguf --policy damaged.toml"),
    (2, "check a.jsonl --policy broken.toml"),
    (4, "check openai:m@{dead} --policy kept.toml"),
    (0, "doctor a.jsonl"),
    (2, "doctor cut.gguf"),
    (2, "doctor vocabulary.gguf"),
    (2, "doctor none.jsonl"),
    (4, "doctor failed.jsonl"),
    (4, "doctor openai:m@{dead}"),
    (0, "probe openai:m@{alive} --limit 1 -o p.jsonl"),
    (2, "probe cut.gguf --limit 1 -o p.jsonl"),
    (4, "probe openai:m@{dead} --limit 1 -o p.jsonl"),
    (2, "verify none.zip"),
    (0, "verify a.jsonl"),
    (1, "verify edited.jsonl"),
    (3, "verify unchained.jsonl"),
    (2, "import words.txt -o out"),
    (2, "report words.txt"),
    (2, "bundle words.txt -o b.zip"),
    (2, "cohort info words.txt"),
    (0, "suites list"),
    (2, "suites show words.txt"),
    (2, "baseline compare a.jsonl words.txt"),
    (2, "nothing"),
]


@pytest.mark.parametrize(("code", "line"), ROWS, ids=[line for _, line in ROWS])
def test_the_commands_do_what_the_page_says(cli, files, loopback, monkeypatch, code, line):
    monkeypatch.setattr("forensics.subjects.backends.openai.OpenAIBackend.attempts", 1)
    alive = loopback(lambda call: chat_reply("A river runs through it."))
    line = line.format(alive=alive.url, dead="http://127.0.0.1:9/v1")
    verb = line.split()[0]
    result = cli(*line.split())
    assert result.code == code, result.err
    assert "Traceback" not in result.err and "internal error" not in result.err
    assert code == 2 if verb not in VERBS else code in table()[verb]
