"""`forensics check` as a job runs it: every exit code, in every format."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from junitparser import JUnitXml
from rich.cells import cell_len

from forensics.case.document import Case
from forensics.cli import run
from forensics.policy.outcomes import CheckResult
from forensics.report.caveats import caveats
from forensics.transcripts.transcript import read_transcript
from tests.builders import essays, write
from tests.cli.cli import ROOT, Result, forensics
from tests.loopback import Call, Reply, chat_reply, error_reply
from tests.policy.test_reading import PIECES
from tests.report.sarif import check_sarif

SIMILAR = "[rules.max-similarity]\nlimits = { phrasing = 0.2 }\n"
KINSHIP = "[rules.undeclared-kinship]\n"
FILES = ("--json", "c.json", "--markdown", "c.md", "--junit", "c.xml", "--sarif", "c.sarif")


@pytest.fixture(name="policy")
def policy_fixture(here: Path):
    """Give a function that writes forensics.toml; `same.jsonl` holds the answers of a.jsonl."""
    write(here / "same.jsonl", essays(20))

    def put(rules: str, against: str = "a.jsonl", more: str = "") -> Path:
        path = here / "forensics.toml"
        text = f'comparators = ["phrasing"]\n{more}\n[[against]]\nsubject = "{against}"\n{rules}'
        path.write_text(text, encoding="utf-8")
        return path

    return put


def _run(*arguments: object, cwd: Path, code: int) -> Result:
    """Run a check in a process of its own; every format must say what the exit code says."""
    summary = cwd / "summary.md"
    environment = {"GITHUB_STEP_SUMMARY": str(summary)}
    result = forensics(
        "check", *arguments, *FILES, "--step-summary", cwd=cwd, COLUMNS="80", **environment
    )
    assert result.code == code, result.err
    assert "Traceback" not in result.err
    found = CheckResult.model_validate_json((cwd / "c.json").read_bytes())
    assert found.exit_code == code
    for text in (result.out, (cwd / "c.md").read_text(), summary.read_text()):
        assert f"exit {code}:" in text
    assert max(map(cell_len, result.out.splitlines())) <= 80
    _check_sarif(cwd / "c.sarif", found)
    _check_junit(cwd / "c.xml", found)
    return result


def _check_sarif(path: Path, found: CheckResult) -> None:
    (run,) = check_sarif(path.read_text(encoding="utf-8"))["runs"]
    (invocation,) = run["invocations"]
    assert invocation["exitCode"] == found.exit_code
    assert invocation["executionSuccessful"] is (found.exit_code != 4)
    assert len(run["results"]) == sum(one.status != "pass" for one in found.outcomes)
    errors = any(result["level"] == "error" for result in run["results"])
    assert errors is (found.exit_code != 0)


def _check_junit(path: Path, found: CheckResult) -> None:
    (suite,) = JUnitXml.fromfile(str(path))
    assert {p.name: p.value for p in suite.properties()}["exit_code"] == str(found.exit_code)
    counts = suite.tests, suite.failures, suite.errors, suite.skipped
    cases = list(suite)
    assert counts[0] == len(cases) == len(found.outcomes)
    assert (suite.failures + suite.errors > 0) is (found.exit_code != 0)
    kinds = [type(one).__name__ for case in cases for one in case.result]
    assert counts[1:] == tuple(kinds.count(k) for k in ("Failure", "Error", "Skipped"))


def test_a_pass(policy, here):
    policy(SIMILAR)
    result = _run("b.jsonl", cwd=here, code=0)
    assert "Policy passed: 1 pass." in result.out
    assert "False alarms to expect per 100 checked models" in result.out
    assert "max-similarity: unknown" in result.out


def test_a_violation_says_what_by_how_much_where_and_what_next(policy, here):
    policy(SIMILAR)
    result = _run("same.jsonl", "--cases", "cases", cwd=here, code=1)
    told = " ".join(result.out.split())
    assert "lies above 0.2, the policy's own, uncalibrated limit" in told
    assert "exhibit prompt p0" in told
    assert "next Declare it (base_model in the model card" in told
    assert "rule forensics.toml, line 5" in told
    assert sorted(p.name for p in (here / "cases").iterdir()) == ["0-a.html", "0-a.json"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--policy", "none.toml"), "cannot read settings none.toml"),
        (("--card", "none.md"), "cannot read the model's file none.md"),
        (("--json", "-", "--sarif", "-"), "both want stdout"),
        (("--junit", "no/such/folder.xml"), "the folder no/such does not exist"),
        (("--cases", "a.jsonl"), "--cases takes a folder"),
    ],
)
def test_usage_errors_are_one_line_and_exit_2(policy, here, arguments, says):
    policy(SIMILAR)
    result = forensics("check", "b.jsonl", *arguments, cwd=here)
    assert result.code == 2
    assert says in result.complaint


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ("[rules.max-similar]\n", "line 5: rules.max-similar is not a setting; did you mean"),
        ("[rules.max-similarity]\nlimits = { fashion = 1 }\n", "no comparator 'fashion'"),
        ('[rules.drift]\nbaseline = "none.jsonl"\n', "cannot read transcript none.jsonl"),
        ('[rules.restricted-teacher]\ntable = "none.toml"\n', "cannot read settings none"),
    ],
)
def test_an_impossible_policy_is_one_line_and_exits_2(cli, policy, rules, says):
    policy(rules)
    result = cli("check", "b.jsonl")
    assert result.code == 2
    assert says in result.complaint


def test_no_policy_and_no_subject_exit_2(cli, policy, here):
    policy(SIMILAR)
    assert cli("check", "none.jsonl").code == 2
    (here / "forensics.toml").unlink()
    assert "there is no forensics.toml here" in cli("check", "b.jsonl").complaint


def test_what_is_undecided_passes_and_fails_under_strict(policy, here):
    policy(KINSHIP, more='cohort = "none"')
    _says_first("Not checked: 1 inconclusive.", _run("b.jsonl", cwd=here, code=0), here)
    _run("b.jsonl", "--strict", cwd=here, code=3)
    policy(KINSHIP, more='cohort = "none"\nstrict = true')
    _run("b.jsonl", cwd=here, code=3)


def _says_first(answer: str, result: Result, here: Path) -> None:
    """Every format begins with the answer."""
    assert answer in result.out.splitlines()[1]  # below the box's edge
    assert "as nothing was checked; with --strict this is exit 3" in (here / "c.md").read_text()
    first = (here / "c.json").read_text().splitlines()[1]
    assert first == f' "headline": "{answer}",'
    assert answer in (here / "c.md").read_text().splitlines()[0]
    assert answer in (here / "summary.md").read_text().splitlines()[0]
    assert answer in (here / "c.xml").read_text().splitlines()[1]
    (run,) = check_sarif((here / "c.sarif").read_text())["runs"]
    first_note = run["invocations"][0]["toolExecutionNotifications"][0]
    assert (first_note["level"], first_note["message"]["text"]) == ("warning", answer)


def test_a_cohort_with_whose_prompts_nothing_is_shared_is_not_searched(here):
    (here / "forensics.toml").write_text(
        f'[[against]]\ncohort = "alpaca-eval"\n{KINSHIP}[rules.restricted-teacher]\n'
    )
    result = _run("b.jsonl", cwd=here, code=0)
    _says_first("Not checked: 2 not measured.", result, here)
    told = " ".join(result.out.split())
    assert "nothing could be searched: b answered none of the 120 prompts of the cohort" in told
    assert "forensics probe MODEL --suite alpaca-eval" in told
    found = CheckResult.model_validate_json((here / "c.json").read_bytes())
    assert [one.reference for one in found.outcomes] == ["cohort alpaca-eval", "–"]
    assert (found.checked, found.cases, found.kept) == (False, (), ())
    _run("b.jsonl", "--strict", cwd=here, code=3)


def test_an_endpoint_that_dies_half_way_exits_4_and_keeps_what_it_collected(policy, here, loopback):
    def script(call: Call) -> Reply:
        if call.number >= 5:
            return error_reply(401, "bad key")
        return chat_reply(essays(20)[call.number])

    server = loopback(script)
    policy(SIMILAR, more="limit = 12\nmax_tokens = 16")
    result = _run(f"openai:m@{server.url}", "--concurrency", 1, cwd=here, code=4)
    assert "could not be checked" in result.out
    found = json.loads((here / "c.json").read_text())
    assert [one["status"] for one in found["outcomes"]] == ["error"]
    (kept,) = (here / "transcripts").glob("*.jsonl")
    assert read_transcript(kept).count("ok") == 5
    assert found["kept"] == ["transcripts/"]


def test_calls_that_fail_one_by_one_exit_4_and_the_case_is_kept(policy, here, loopback):
    server = loopback(
        lambda call: error_reply(400, "no") if "7" in call.prompt else chat_reply(call.prompt * 9)
    )
    policy(SIMILAR)
    _run(f"openai:m@{server.url}", cwd=here, code=4)
    found = CheckResult.model_validate_json((here / "c.json").read_bytes())
    assert found.cases[0].overlap.both == 18
    assert "2 calls to openai:m" in found.outcomes[0].message


def test_an_interrupted_check_exits_130_and_goes_on_later(policy, here, loopback):
    server = loopback(lambda call: Reply(chat_reply(call.prompt * 9).body, delay=0.2))
    policy(SIMILAR)
    command = [sys.executable, "-m", "forensics", "check", f"openai:m@{server.url}"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [*command, "--concurrency", "1"], cwd=here, env=environment, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while len(server.calls) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == b"forensics: interrupted; answers so far are kept\n"
    _run(f"openai:m@{server.url}", cwd=here, code=0)
    assert len(server.calls) <= 22  # the call that was under way may be repeated


def test_one_format_on_stdout_suppresses_the_report_for_people(cli, policy):
    policy(SIMILAR)
    for option, begins in (
        ("--json", "{"),
        ("--markdown", "## "),
        ("--junit", "<?xml"),
        ("--sarif", "{"),
    ):
        result = cli("check", "b.jsonl", option, "-")
        assert result.code == 0
        assert result.out.startswith(begins)
        assert "╭" not in result.out


def test_a_declared_parent_passes_by_card_and_by_policy(cli, policy, here):
    policy(SIMILAR)
    assert cli("check", "same.jsonl").code == 1
    (here / "README.md").write_text("---\nbase_model: someone/a\n---\n")
    assert cli("check", "same.jsonl", "--card", "README.md").code == 0
    policy(f'{SIMILAR}[declared]\nbase_models = ["a"]\n')
    result = cli("check", "same.jsonl")
    assert result.code == 0
    assert "forensics.toml, line 8" in " ".join(result.out.split())


def test_an_accepted_finding_passes_until_it_expires(cli, policy):
    allow = '[[allow]]\nrule = "max-similarity"\nreference = "a.jsonl"\nreason = "ours"\nexpires = '
    policy(f"{SIMILAR}{allow}2999-12-31\n")
    result = cli("check", "same.jsonl")
    assert result.code == 0
    assert "allowed until 2999-12-31: ours" in " ".join(result.out.split())
    policy(f"{SIMILAR}{allow}2020-12-31\n")
    result = cli("check", "same.jsonl")
    assert result.code == 1
    assert "expired on 2020-12-31" in " ".join(result.out.split())


def test_a_budget_is_kept_before_anything_is_asked(cli, policy, loopback):
    server = loopback()
    policy(SIMILAR, more="[budget]\nmax_calls = 19")
    result = cli("check", f"openai:m@{server.url}")
    assert result.code == 2
    assert "would make 20 calls, and budget.max_calls is 19" in result.complaint
    policy(SIMILAR, more="[budget]\nmax_output_tokens = 100")
    assert "answer tokens" in cli("check", f"openai:m@{server.url}").complaint
    assert server.calls == []
    policy(SIMILAR, more="[budget]\nmax_calls = 20")
    assert cli("check", f"openai:m@{server.url}").code == 0


def test_endpoints_of_the_policys_own_file_are_known(cli, policy, here, loopback):
    server = loopback(lambda call: chat_reply(call.prompt * 9))
    path = policy(SIMILAR)
    path.rename(here / "gate.toml")
    with (here / "gate.toml").open("a") as file:
        file.write(f'[endpoints.local]\nbase_url = "{server.url}"\n')
    assert cli("check", "openai:m@local", "--policy", "gate.toml").code == 0
    assert len(server.calls) == 20


def _tells_of_a_search(case: Case) -> bool:
    return any("was found by a search" in caveat.text for caveat in caveats(case))


def test_a_cohort_is_searched_and_its_models_are_references(cli, policy):
    rules = f'{KINSHIP}[rules.restricted-teacher]\n[[against]]\ncohort = "alpaca-eval"\n'
    policy(rules, "cohort:Meta-Llama-3-8B-Instruct")
    result = cli("check", "cohort:REBEL-Llama-3-8B-Instruct", "--json", "-")
    assert result.code == 1
    found = json.loads(result.out)
    by_status = {(o["rule"], o["reference"]): o["status"] for o in found["outcomes"]}
    parent = "cohort:Meta-Llama-3-8B-Instruct"
    assert by_status["undeclared-kinship", parent] == "violated"
    assert by_status["restricted-teacher", parent] == "review"
    assert ("restricted-teacher", "cohort:Meta-Llama-3.1-8B-Instruct-Turbo") not in by_status
    assert found["false_alarms"][0]["upper"] >= 1
    # The parent was named beforehand; the other candidates came out of the search.
    named, *searched = (Case.model_validate(case) for case in found["cases"])
    assert all(_tells_of_a_search(case) for case in searched)
    assert not _tells_of_a_search(named)
    declared = '[declared]\nbase_models = ["meta-llama/Meta-Llama-3-8B-Instruct"]\n'
    policy(rules.replace("[rules.restricted-teacher]\n", "") + declared, parent)
    assert cli("check", "cohort:REBEL-Llama-3-8B-Instruct", "--strict").code == 0


def test_answers_that_are_hostile_are_shown_and_do_nothing(cli, policy, here):
    hostile = "]](javascript:x) <script>alert(1)</script> \x1b[31m [bold] |&&| =cmd() \ud800 \x00 "
    texts = [f"{hostile} {text}" for text in essays(20)]
    write(here / "evil.jsonl", texts)
    write(here / "evil2.jsonl", texts)
    policy(SIMILAR, "evil.jsonl")
    result = cli("check", "evil2.jsonl", *FILES, "--cases", "cases")
    assert result.code == 1
    assert "\x1b" not in result.out
    document = check_sarif((here / "c.sarif").read_text())
    assert "](" not in document["runs"][0]["results"][0]["message"]["text"].replace("\\]", "")
    outside_code = re.sub(r"(`+).+?\1", "", (here / "c.md").read_text())
    assert "<" not in outside_code
    xml = (here / "c.xml").read_text()
    assert "<script>" not in xml
    assert "\x00" not in xml
    found = CheckResult.model_validate(json.loads((here / "c.json").read_bytes()))
    assert found.cases[0].prompts[0].a[0].text == texts[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cut=st.integers(0, 400), length=st.integers(0, 12), piece=st.sampled_from(PIECES) | st.text()
)
def test_a_mutated_policy_never_ends_in_a_traceback(here, cut, length, piece):
    text = (
        f'comparators = ["openings"]\nlimit = 12\n[[against]]\nsubject = "a.jsonl"\n{KINSHIP}'
        f'min_log10_lr = 1.0\n{SIMILAR}[declared]\nbase_models = ["x"]\n[[allow]]\n'
        'rule = "max-similarity"\nreason = "r"\nexpires = 2030-01-01\n[budget]\nmax_calls = 5\n'
    )
    mutated = text[:cut] + piece + text[cut + length :]
    (here / "forensics.toml").write_bytes(mutated.encode("utf-8", "surrogatepass"))
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = run(["check", "b.jsonl"])
    assert code in (0, 1, 2, 3), said.getvalue()
    assert "internal error" not in said.getvalue()
