"""What compare, trace, probe and baseline say before the first call, and what an endpoint gets."""

from __future__ import annotations

import json
import re

import pytest

from forensics.cli import progress as shown
from forensics.cohorts.finding import find_cohort
from forensics.suites.suite import text_sha256
from tests.loopback import Call, Reply, chat_reply

QUICK = ("--only", "openings", "--limit", 12, "--max-tokens", 50, "--samples", 1)


def _answer(call: Call) -> Reply:
    return chat_reply(f"{call.prompt[::-1]} and more of the same, at some length. " * 3)


@pytest.fixture(name="servers")
def servers_fixture(loopback):
    return [loopback(_answer), loopback(_answer)]


def _subjects(servers):
    return [f"openai:m@{server.url}" for server in servers]


def _sent(servers):
    return sum(len(server.calls) for server in servers)


def test_compare_says_what_it_will_ask_and_asks_that(cli, servers):
    result = cli("compare", *_subjects(servers), *QUICK)
    assert result.code == 0
    first = result.err.splitlines()[0]
    assert first == ("24 calls to 2 endpoints, at most 1,200 answer tokens; --dry-run shows more")
    assert _sent(servers) == 24
    again = cli("compare", *_subjects(servers), *QUICK)
    assert "calls to" not in again.err
    assert _sent(servers) == 24


def test_only_what_is_missing_is_counted(cli, servers):
    known, questioned = _subjects(servers)
    beside = (*QUICK[:2], *QUICK[-2:])
    assert cli("compare", known, "a.jsonl", *beside).code == 0
    assert _sent(servers) == 20
    assert _calls(cli("compare", known, "a.jsonl", *beside, "--dry-run")) == 0
    assert _calls(cli("compare", known, questioned, *QUICK, "--dry-run")) == 24
    assert _calls(cli("compare", questioned, "a.jsonl", *beside, "--dry-run")) == 20
    assert _sent(servers) == 20


def _calls(dry):
    return int(re.findall(r"(\d+) calls in all", dry.out)[0])


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (("--max-calls", 23), "would make 24 calls, and --max-calls is 23; lower --limit"),
        (("--max-output-tokens", 1199), "for 1200 answer tokens, and --max-output-tokens is 1199"),
    ],
)
def test_a_limit_refuses_before_the_first_call(cli, servers, limits, says):
    for extra in ((), ("--dry-run",)):
        refused = cli("compare", *_subjects(servers), *QUICK, *limits, *extra)
        assert refused.code == 2
        assert says in refused.complaint
    assert _sent(servers) == 0
    name, figure = limits
    assert cli("compare", *_subjects(servers), *QUICK, name, figure + 1).code == 0


def test_a_price_makes_money_of_it(cli, servers):
    dry = cli("compare", *_subjects(servers), *QUICK, "--price", "1000000/2000000", "--dry-run")
    tokens = int(re.findall(r"at most (\d+) prompt tokens", dry.out)[0])
    assert dry.out.splitlines()[-1] == (
        f"at most {tokens + 2 * 1200:.2f} at 1e+06/2e+06 per million tokens"
    )
    told = cli("compare", *_subjects(servers), *QUICK, "--price", "0.5/1.5").err
    assert "answer tokens, at most 0.00 at 0.5/1.5 per million tokens; --dry-run" in told


@pytest.mark.parametrize("price", ["1", "a/b", "1/-2", "nan/1", "1/2/3"])
def test_a_price_that_is_none_is_refused(cli, price):
    assert "--price" in cli("compare", "a.jsonl", "b.jsonl", "--price", price).complaint


def test_transcripts_cost_nothing_and_nothing_is_said(cli):
    result = cli("compare", "a.jsonl", "b.jsonl", *QUICK[:2])
    assert "calls" not in result.err
    dry = cli("compare", "a.jsonl", "b.jsonl", "--dry-run")
    assert dry.out == "0 calls in all, at most 0 answer tokens\n"


def test_probe_and_baseline_say_it_too(cli, servers):
    subject = _subjects(servers)[0]
    once = ("--samples", 1, "--max-tokens", 9)
    probed = cli("probe", subject, "--limit", 5, *once)
    assert probed.err.startswith("5 calls to 1 endpoint, at most 45 answer tokens; --dry-run")
    dry = cli("probe", subject, "--limit", 6, *once, "--price", "1/1", "--dry-run")
    assert dry.out.startswith("1 calls to")
    assert "per million tokens" in dry.out
    save = ("baseline", "save", subject, "-o", "base.jsonl", "--limit", 8, "--max-tokens", 8)
    assert "24 calls in all, at most 192 answer tokens" in cli(*save, "--dry-run").out
    assert cli(*save, "--max-calls", 23).code == 2
    assert _sent(servers) == 5
    saved = cli(*save)
    assert saved.code == 0, saved.err
    assert "24 calls to 1 endpoint" in saved.err
    compare = ("baseline", "compare", subject, "base.jsonl")
    assert "24 calls in all" in cli(*compare, "--dry-run").out
    assert cli(*compare, "--max-output-tokens", 191).code == 2
    assert "24 calls to 1 endpoint, at most 192 answer tokens" in cli(*compare).err
    assert _sent(servers) == 5 + 24 + 24


def test_a_frozen_plan_says_what_following_it_will_ask(cli, servers):
    frozen = cli("case", "init", "case.jsonl", *_subjects(servers), *QUICK)
    assert frozen.code == 0, frozen.err
    assert "compare --case case.jsonl will make 24 calls to 2 endpoints" in frozen.err
    assert _sent(servers) == 0
    followed = cli("compare", "--case", "case.jsonl", "--max-calls", 24, "--json", "c.json")
    assert followed.code == 0, followed.err
    assert _sent(servers) == 24
    assert "deviations: 0" in followed.err


@pytest.fixture(name="alpaca_texts")
def alpaca_texts_fixture(here, data_folder):
    """Give the file of the suite's 805 texts, which are not shipped."""
    import pandas as pd

    table = pd.read_parquet(
        data_folder / "alpaca_eval_outputs.parquet",
        columns=["prompt"],
        filters=[("model", "==", "vicuna-7b")],
    )
    path = here / "texts.json"
    path.write_text(json.dumps([{"instruction": text} for text in sorted(set(table["prompt"]))]))
    return path


def test_of_a_suite_with_a_cohort_only_what_it_weighs_is_asked(cli, servers, alpaca_texts):
    subject = _subjects(servers)[0]
    weighed = {prompt.sha256 for prompt in find_cohort("alpaca-eval").prompts}
    given = ("--suite", "alpaca-eval", "--suite-text", alpaca_texts)
    dry = cli("probe", subject, *given, "--samples", 1, "--dry-run")
    assert dry.out.startswith(f"{len(weighed)} calls to")
    # Texts of the other prompts are missing here, and whoever asks for all needs them.
    assert "no text matches" in cli("probe", subject, *given, "--all-prompts").complaint
    traced = cli("trace", subject, "--suite-text", alpaca_texts, "--max-tokens", 40, "--json", "-")
    assert traced.code == 0, traced.err
    assert traced.err.startswith(f"{len(weighed)} calls to 1 endpoint")
    assert {text_sha256(call.prompt) for call in servers[0].calls} == weighed
    assert len(servers[0].calls) == len(weighed) == json.loads(traced.out)["prompts"]
    assert cli("trace", subject, "--suite-text", alpaca_texts, "--max-calls", 3).code == 2


def test_a_log_gets_a_line_now_and_then(cli, servers, monkeypatch):
    monkeypatch.setattr(shown, "SECONDS_A_LINE", 0.0)
    told = cli("probe", _subjects(servers)[0], "--limit", 3, "--samples", 1).err
    assert [line for line in told.splitlines() if " of 3" in line][-1] == "m: 3 of 3"
    assert cli("probe", _subjects(servers)[1], "--limit", 3, "--quiet").err == ""
