"""What goes where: stdout, stderr, files."""

from __future__ import annotations

import json
import os
import re

import jsonschema
import pytest

from forensics.case.document import case_schema
from tests.builders import essays, write
from tests.cli.cli import ONE, QUICK, forensics

ANSI = re.compile(r"\x1b")


def test_json_on_stdout_is_nothing_but_a_case(here):
    result = forensics("compare", "a.jsonl", "b.jsonl", *ONE, "--json", "-", cwd=here)
    assert result.code == 0
    jsonschema.Draft202012Validator(case_schema()).validate(json.loads(result.out))
    assert result.err == ""
    assert json.loads(result.out)["command"].startswith("forensics compare a.jsonl b.jsonl")


def test_reports_show_as_many_against_as_for_and_three_pairs_of_chance(here):
    kin = [f"{text} {passage}" for text, passage in zip(essays(20), essays(20, 7), strict=True)]
    texts = [
        f"{passage} {text}" for text, passage in zip(essays(20, 1), essays(20, 7), strict=True)
    ]
    write(here / "kin.jsonl", kin)
    write(here / "other.jsonl", [*texts[:4], *essays(20, 1)[4:]])
    options = ("--only", "phrasing", "--html", "c.html", "--markdown", "c.md", "--verbose")
    result = forensics("compare", "kin.jsonl", "other.jsonl", *options, cwd=here)
    assert result.code == 0, result.err
    shown = {"out": result.out, "md": (here / "c.md").read_text()}
    for name, limit in (("out", 2), ("md", 3)):
        parts = re.split(
            "Passages that speak for|Passages that speak against|at random", shown[name]
        )
        assert [part.count("Shared wording") for part in parts[1:]] == [limit, limit, 3], name
    html = (here / "c.html").read_text()
    sides = re.findall('class="exhibit (for|against|random)"', html)
    assert [sides.count(side) for side in ("for", "against", "random")] == [5, 5, 3]


def test_markdown_on_stdout_suppresses_the_terminal_report(cli, here):
    result = cli(
        "compare", "a.jsonl", "b.jsonl", *QUICK, "--markdown", "-", "--json", here / "c.json"
    )
    assert result.out.startswith("#")
    assert "calibration transferred from another population" in result.out
    assert "╭" not in result.out
    assert "c.json" in result.err


def test_a_pipe_gets_no_control_sequences_and_80_columns(here):
    plain = forensics("compare", "a.jsonl", "b.jsonl", *ONE, "--verbose", cwd=here)
    quiet = forensics("compare", "a.jsonl", "b.jsonl", *ONE, "--verbose", cwd=here, NO_COLOR="1")
    assert plain.out == quiet.out
    assert not ANSI.search(plain.out + plain.err)
    assert max(map(len, plain.out.splitlines())) <= 80
    assert "uncalibrated: no reference cohort" in plain.out
    assert plain.err == ""
    short = forensics("compare", "a.jsonl", "b.jsonl", *ONE, cwd=here)
    assert not ANSI.search(short.out + short.err)
    assert len(short.out.splitlines()) <= 15


def test_colours_are_for_those_who_force_them(here):
    forced = forensics("compare", "a.jsonl", "b.jsonl", *ONE, cwd=here, FORCE_COLOR="1")
    assert ANSI.search(forced.out)


@pytest.mark.parametrize("option", [(), ("--markdown", "-"), ("--json", "-")])
def test_an_ascii_terminal_is_served(here, option):
    result = forensics(
        "compare",
        "a.jsonl",
        "b.jsonl",
        *ONE,
        *option,
        "--quiet",
        cwd=here,
        PYTHONIOENCODING="ascii",
        PYTHONUTF8="0",
        LC_ALL="C",
    )
    assert result.code == 0
    assert result.out.isascii()
    assert result.err == ""


@pytest.mark.parametrize(
    "arguments",
    [("suites", "show", "core"), ("compare", "a.jsonl", "b.jsonl", *ONE, "--json", "-")],
)
def test_a_reader_that_goes_away_leaves_no_traceback(here, arguments):
    read, write = os.pipe()
    os.close(read)
    result = forensics(*arguments, cwd=here, stdout=write)
    os.close(write)
    # Not 1: that is `check` saying that a policy is violated.
    assert (result.code, result.err) == (4, "")


def test_a_case_is_rendered_again_the_same(cli, here):
    outputs = ("--json", "c.json", "--html", "one.html", "--markdown", "one.md")
    first = cli("compare", "a.jsonl", "b.jsonl", *QUICK, *outputs)
    again = cli("report", "c.json", "--html", "two.html", "--markdown", "two.md")
    assert (first.code, again.code) == (0, 0)
    assert first.out == again.out
    for kind in ("html", "md"):
        assert (here / f"one.{kind}").read_bytes() == (here / f"two.{kind}").read_bytes()
    echoed = cli("report", "c.json", "--json", "-")
    assert echoed.out == (here / "c.json").read_text()


def test_any_format_can_be_asked_for_by_name(cli, here):
    first = cli("compare", "a.jsonl", "b.jsonl", *QUICK, "--json", "c.json", "--report", "text=-")
    assert first.code == 0
    assert first.out == cli("report", "c.json", "--verbose").out
    assert cli("report", "c.json", "--format", "text").out == first.out
    assert cli("report", "c.json", "--format", "json").out == (here / "c.json").read_text()
    written = cli("report", "c.json", "--format", "markdown", "-o", "c.md", "--markdown", "d.md")
    assert written.code == 0
    assert (here / "c.md").read_bytes() == (here / "d.md").read_bytes()
    assert written.out == ""


def test_the_text_format_has_no_styles_whatever_the_environment(here):
    compared = ("compare", "a.jsonl", "b.jsonl", *ONE, "--report", "text=out.txt")
    assert forensics(*compared, cwd=here, FORCE_COLOR="1", COLUMNS="200").code == 0
    text = (here / "out.txt").read_text(encoding="utf-8")
    assert not ANSI.search(text)
    assert max(map(len, text.splitlines())) <= 80


def test_no_report_claims_a_descent_or_a_probability(cli, here):
    result = cli(
        "compare", "a.jsonl", "b.jsonl", *QUICK, "--html", here / "o.html", "--markdown", "o.md"
    )
    said = result.out + (here / "o.md").read_text() + (here / "o.html").read_text()
    assert not re.search(r"\bderived\b|stolen|unauthori[sz]ed", said, re.IGNORECASE)


def test_the_suite_cuts_two_transcripts(cli, here):
    suite = here / "s.yaml"
    prompts = "".join(
        f"  - {{id: q{i}, category: c, prompt: 'Question {i}?'}}\n" for i in range(3, 13)
    )
    suite.write_text(f"name: s\nversion: '1'\ntitle: S\nprompts:\n{prompts}")
    result = cli("compare", "a.jsonl", "b.jsonl", *QUICK, "--suite", suite, "--json", "-")
    case = json.loads(result.out)
    assert (case["overlap"]["both"], case["suite"]["name"]) == (10, "s")


def test_suites_are_listed_and_printed(cli):
    listed = cli("suites")
    assert listed.code == 0
    assert "core" in listed.out
    shown = cli("suites", "show", "core")
    printed = [
        json.loads(line) for line in cli("suites", "show", "core", "--json").out.splitlines()
    ]
    assert f"{len(printed)} prompts" in shown.out
    assert all(entry["id"] in shown.out for entry in printed)


def test_an_imported_table_can_be_compared(cli, here):
    rows = [
        {"model": m, "prompt_id": f"p{i}", "prompt": f"Q {i}?", "output": f"{m} says {i} " * 9}
        for m in ("org/one", "org/two")
        for i in range(12)
    ]
    (here / "table.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    imported = cli("import", "table.jsonl", "-o", "out")
    assert (imported.code, imported.out) == (0, "")
    assert "2 transcripts with 24 answers" in imported.err
    files = sorted((here / "out").glob("*.jsonl"))
    case = json.loads(cli("compare", *files, *QUICK, "--json", "-").out)
    assert case["overlap"]["both"] == 12
    assert any("Provenance unverified" in note for note in case["comparability"])


def test_a_step_summary_is_appended_to_githubs_file_and_replaces_any_other(here):
    summary = here / "summary.md"
    summary.write_text("what another command wrote\n")
    given = ("compare", "a.jsonl", "b.jsonl", *ONE, "--report")
    for _ in range(2):
        done = forensics(
            *given, "step-summary=summary.md", cwd=here, GITHUB_STEP_SUMMARY=str(summary)
        )
        assert done.code == 0
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("what another command wrote\n### ")
    assert text.count("### ") == 2
    for _ in range(2):
        done = forensics(*given, "step-summary=own.md", cwd=here, GITHUB_STEP_SUMMARY=str(summary))
        assert done.code == 0
    assert (here / "own.md").read_text(encoding="utf-8").count("### ") == 1
