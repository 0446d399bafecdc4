"""Every bad input: one line, the right exit code, nothing lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from forensics.testing import HOSTILE_TEXTS
from forensics.transcripts.transcript import read_transcript
from forensics.transcripts.writer import write_transcript
from tests.builders import essays, manifest, responses, write
from tests.cli.cli import QUICK


def _verdict(cli, *arguments: object) -> dict:
    result = cli("compare", *arguments, *QUICK, "--json", "-")
    assert result.code == 0, result.err
    assert "Traceback" not in result.err
    return json.loads(result.out)


def _insufficient(case: dict) -> str:
    assert case["verdict"]["status"] == "insufficient"
    assert {one["answer"] for one in case["verdict"]["answers"]} == {"cannot be told"}
    said = [case["verdict"][name] for name in ("headline", "reading", "reasons", "limits")]
    assert "independent" not in json.dumps(said)
    assert all(e["score"] is None for e in case["evidence"])
    return case["verdict"]["headline"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot read"),
        (b"", "no responses"),
        (b"\n", "no responses"),
        (b'{"prompt_id": "x", "prom', "no responses"),
        (b"caf\xe9 au lait\n", "not UTF-8"),
        (b"\xff\xfe{\x00}\x00\n\x00", "not UTF-8"),
        (b"PK\x03\x04\n", "not JSON"),
        (b"model,output\nx,y\n", "forensics import"),
        (b'{"model": "x", "output": "y"}\n', "missing 'status'"),
    ],
)
def test_a_file_that_is_no_transcript(cli, here, content, says):
    if content is not None:
        (here / "bad.jsonl").write_bytes(content)
    for pair in (("bad.jsonl", "a.jsonl"), ("a.jsonl", "bad.jsonl")):
        result = cli("compare", *pair, *QUICK)
        assert result.code == 2
        assert says in result.complaint
        assert "bad.jsonl" in result.err
        assert result.out == ""


def test_a_folder_is_no_transcript(cli, here):
    (here / "folder.jsonl").mkdir()
    assert "cannot read" in cli("compare", "folder.jsonl", "a.jsonl").complaint


def test_a_half_written_last_line_is_left_out_and_said(cli, here):
    path = here / "a.jsonl"
    path.write_bytes(path.read_bytes()[:-30])
    case = _verdict(cli, "a.jsonl", "b.jsonl")
    assert (case["overlap"]["a"], case["overlap"]["both"]) == (19, 19)
    assert "cut off" in case["a"]["warnings"][0]


def test_an_answer_of_50_megabytes_is_read_and_does_not_outweigh_the_rest(cli, here):
    texts = [*essays(19), "word " * 10_000_000]
    write(here / "huge.jsonl", texts)
    result = cli("compare", "huge.jsonl", "b.jsonl", *QUICK, "--quiet")
    assert result.code == 0
    assert result.err == ""
    assert len(result.out) < 100_000


def test_hostile_text_acts_on_nothing(cli, here):
    write(here / "x.jsonl", HOSTILE_TEXTS)
    write(here / "y.jsonl", HOSTILE_TEXTS[::-1])
    outputs = ("--html", "o.html", "--markdown", "o.md", "--json", "o.json")
    result = cli("compare", "x.jsonl", "y.jsonl", *QUICK, *outputs)
    assert result.code == 0
    shown = result.out + (here / "o.md").read_text(encoding="utf-8")
    page = (here / "o.html").read_text(encoding="utf-8")
    for sign in ("\x1b", "\0", "\x07", "\u202e", "\ud800"):
        assert sign not in shown + page
    assert "<script>alert" not in page
    texts = {
        r["text"] for p in json.loads((here / "o.json").read_text())["prompts"] for r in p["a"]
    }
    assert texts == set(HOSTILE_TEXTS)


def test_hostile_names_act_on_nothing(cli, here):
    name = "\x1b[31m[bold]<script>\u202e.jsonl"
    write(here / name, essays(20))
    result = cli("compare", name, "b.jsonl", *QUICK)
    assert result.code == 0
    assert "\x1b" not in result.out + result.err
    assert "\x1b" not in cli("compare", "no-" + name, "b.jsonl").complaint


def test_duplicate_prompt_ids_are_flagged_and_matched_by_hash(cli, here):
    same = [replace(r, prompt=replace(r.prompt, id="same")) for r in responses(essays(20))]
    write_transcript(here / "d.jsonl", manifest(), same)
    case = _verdict(cli, "d.jsonl", "b.jsonl")
    assert case["overlap"]["both"] == 20
    assert "20 prompt ids" not in case["a"]["warnings"][0]
    assert "prompt ids stand for several prompts" in case["a"]["warnings"][0]


def test_disjoint_suites_are_insufficient(cli, here):
    write(here / "c.jsonl", essays(20), first=500)
    assert "share no prompt" in _insufficient(_verdict(cli, "a.jsonl", "c.jsonl"))


def test_too_few_common_prompts_are_insufficient(cli, here):
    write(here / "c.jsonl", essays(20), first=15)
    assert "only 5 prompts" in _insufficient(_verdict(cli, "a.jsonl", "c.jsonl"))


@pytest.mark.parametrize(
    ("texts", "status", "field"),
    [
        ([""] * 20, "ok", "empty"),
        ([" \n\t"] * 20, "truncated", "empty"),
        ([""] * 20, "error", "errors"),
    ],
)
def test_answers_that_are_blank_or_failed_are_insufficient(cli, here, texts, status, field):
    write(here / "c.jsonl", texts, status=status)
    for pair in (("a.jsonl", "c.jsonl"), ("c.jsonl", "a.jsonl"), ("c.jsonl", "c.jsonl")):
        case = _verdict(cli, *pair)
        _insufficient(case)
        assert case["b" if pair[1] == "c.jsonl" else "a"][field] == 20


@pytest.mark.parametrize("pair", [("a.jsonl", "a.jsonl"), ("a.jsonl", "transcript:./a.jsonl")])
def test_a_subject_against_itself_is_said_to_be_that(cli, here, pair):
    long = [" ".join(essays(3, i)) for i in range(20)]
    write(here / "a.jsonl", long)
    case = _verdict(cli, *pair)
    assert "same transcript" in case["comparability"][0]
    assert case["copy_tripwire"]["tripped"]
    assert case["verdict"]["reading"].startswith("Same model, cache, alias or proxy")


def test_a_copy_of_a_file_is_recognised(cli, here):
    (here / "c.jsonl").write_bytes((here / "a.jsonl").read_bytes())
    assert "same transcript" in _verdict(cli, "a.jsonl", "c.jsonl")["comparability"][0]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--only", "vibes"), "no comparator 'vibes'; choose from: phrasing"),
        (("--without", "vibes"), "no comparator 'vibes'"),
        (("--only", "style", "--without", "style"), "no comparator is left"),
        (("--suite", "nope"), "no suite 'nope': give one of alpaca-eval, core"),
        (("--suite", "a" * 300), "no suite"),
        (("--suite", "core", "--category", "cooking"), "no category 'cooking'; it has:"),
        (("--category", "advice"), "need --suite"),
        (("--limit", "0"), "--limit"),
        (("--samples", "-1"), "--samples"),
        (("--temperature", "hot"), "--temperature"),
        (("--dtype", "float16"), "--dtype"),
        (("--nope",), "--nope"),
        (("--json", "-", "--markdown", "-"), "both want stdout"),
        (("--json", "-", "--report", "text=-"), "json and text both want stdout"),
        (("--json", "x.out", "--html", "./x.out"), "same file"),
        (("--json", "x.out", "--report", "text=x.out"), "same file"),
        (("--report", "text"), "takes NAME=FILE"),
        (("--report", "nope=x.out"), "no report format 'nope'; formats: json, html,"),
        (("--json", "no/such/folder.json"), "does not exist"),
        (("--html", "no/such/folder.html"), "does not exist"),
        (("--json", "."), "is a folder"),
        (("--markdown", "folder"), "is a folder"),
    ],
)
def test_wrong_options_are_one_line_before_any_work(cli, here, options, says):
    (here / "folder").mkdir()
    before = sorted(here.iterdir())
    result = cli("compare", "a.jsonl", "b.jsonl", *options)
    assert result.code == 2
    assert says in result.complaint
    assert result.out == ""
    assert sorted(here.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nope",),
        ("compare",),
        ("compare", "a.jsonl"),
        ("compare", "gpt-4", "a.jsonl"),
        ("compare", "", "a.jsonl"),
        ("compare", "openai:m", "a.jsonl"),
        ("compare", "demo:nope", "a.jsonl"),
        ("probe", "transcript:a.jsonl"),
        ("probe",),
        ("report", "none.json"),
        ("report", "a.jsonl"),
        ("suites", "show", "nope"),
        ("import", "none.csv", "-o", "out"),
        ("import", "a.jsonl", "-o", "out"),
    ],
)
def test_wrong_command_lines_are_one_line(cli, arguments):
    result = cli(*arguments)
    assert result.code == 2
    if arguments:
        assert result.complaint


def test_a_name_too_long_for_a_file_is_one_line(cli):
    for option in ("--json", "--html", "--markdown"):
        result = cli("compare", "a.jsonl", "b.jsonl", *QUICK, option, "x" * 300)
        assert result.code in (2, 4)
        assert result.complaint
    assert cli("compare", "x" * 300 + ".jsonl", "b.jsonl").complaint


def test_a_result_that_cannot_be_written_is_a_failure_and_keeps_the_old_one(cli, here):
    (here / "case.json").write_text("old")
    (here / "case.json.partial").mkdir()
    result = cli("compare", "a.jsonl", "b.jsonl", *QUICK, "--json", "case.json")
    assert result.code == 4
    assert "cannot write case.json" in result.complaint
    assert (here / "case.json").read_text() == "old"


def test_nothing_given_is_changed_by_comparing(cli, here):
    before = {path: path.read_bytes() for path in here.iterdir()}
    assert cli("compare", "a.jsonl", "b.jsonl", *QUICK).code == 0
    assert {path: path.read_bytes() for path in here.iterdir()} == before


def test_a_transcript_with_prompts_unknown_cannot_be_asked_of_a_live_model(cli, here):
    bare = [
        {k: v for k, v in json.loads(line).items() if k not in ("messages", "chain")}
        for line in (here / "a.jsonl").read_text().splitlines()
    ]
    (here / "bare.jsonl").write_text("".join(json.dumps(line) + "\n" for line in bare))
    result = cli("compare", "bare.jsonl", "openai:m@http://127.0.0.1:9/v1")
    assert result.code == 2
    assert "name their suite with --suite" in result.complaint


def test_two_files_of_one_name_stay_apart(cli, here: Path):
    (here / "other").mkdir()
    write(here / "other" / "a.jsonl", essays(20, 3))
    case = _verdict(cli, "a.jsonl", "other/a.jsonl")
    assert case["a"]["name"] == case["b"]["name"] == "a"
    assert case["a"]["spec"] != case["b"]["spec"]
    digests = {case[side]["transcript_sha256"] for side in "ab"}
    assert digests == {read_transcript(here / p).sha256 for p in ("a.jsonl", "other/a.jsonl")}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("cohort", "collect", "none.toml", "-o", "x"), 2, "forensics cohort panel new none.toml"),
        (("fleet", "run", "none.toml"), 2, "forensics fleet new none.toml"),
        (("fleet", "run", "n" * 300), 2, "cannot read job"),
        (("cohort", "panel", "new", "a.jsonl/p.toml"), 4, "a.jsonl is a file, not a folder"),
        (("cohort", "panel", "new", "n" * 300 + "/p.toml"), 4, "File name too long"),
        (("report", "random"), 2, "is not JSON, nor any text; give a file that --json wrote"),
        (("report", "cut"), 2, "give a file that --json wrote"),
    ],
)
def test_what_is_not_there_or_not_that_says_what_to_do(cli, here, arguments, code, words):
    (here / "random").write_bytes(bytes(range(128, 256)))
    (here / "cut").write_text("{")
    result = cli(*arguments)
    assert result.code == code
    assert words in result.err
    assert len(result.err.strip().splitlines()) == 1
