"""`forensics baseline watch` against servers that answer as real models do, well and badly."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
import pytest

from forensics.suites.loading import load_suite
from studies.watch.answers import WATCHED, read_table
from tests.cli.cli import forensics
from tests.loopback import Call, Loopback, Reply, chat_reply, error_reply

OTHER = "gemma3-270m"
TABLE = read_table()
IDS = {prompt.messages[-1].content: prompt.id for prompt in load_suite("watch").prompts}


@dataclass
class Host:
    """Answers as a model's table says; `other` answers a share, `mood` is how it behaves."""

    share: float = 0.0
    mood: str = "well"
    cache: dict[str, str] = field(default_factory=dict)

    def __call__(self, call: Call) -> Reply:
        if self.mood == "dead":
            return error_reply(401, "bad key")
        if self.mood == "broken":
            return error_reply(400, "content policy", code="content_filter")
        if self.mood == "stubborn" and "temperature" in call.body:
            return error_reply(400, "temperature is not supported", param="temperature")
        dice = np.random.default_rng([call.body["seed"], sum(call.prompt.encode())])
        model = OTHER if dice.random() < self.share else WATCHED
        text = TABLE[model][IDS[call.prompt]].draw(dice)
        if self.mood == "caching":
            text = self.cache.setdefault(call.prompt, text)
        return chat_reply(text)


@pytest.fixture(name="host")
def host_fixture():
    return Host()


@pytest.fixture(name="spec")
def spec_fixture(loopback, host):
    server = loopback(host)
    return f"openai:m@{server.url}"


@pytest.fixture(name="baseline", scope="module")
def baseline_fixture(tmp_path_factory) -> bytes:
    """Give a baseline that was saved once, through the command line."""
    folder = tmp_path_factory.mktemp("baseline")
    with Loopback(Host()) as server:
        spec = f"openai:m@{server.url}"
        result = forensics("baseline", "save", spec, "--watch", "-o", "b.jsonl", cwd=folder)
        seeds = [(call.prompt, call.body["seed"]) for call in server.calls]
    assert (result.code, result.out) == (0, "")
    assert "b.jsonl: 960 answers" in result.err  # 40 prompts, 24 samples
    assert len(set(seeds)) == 960
    return (folder / "b.jsonl").read_bytes()


@pytest.fixture(name="saved")
def saved_fixture(baseline, spec, here):
    (here / "b.jsonl").write_bytes(baseline)
    return spec


def look(cli, spec: str, *more: object) -> dict:
    result = cli("baseline", "watch", spec, "b.jsonl", *more, "--json", "-")
    report = json.loads(result.out)
    assert report["exit_code"] == result.code
    return report


def test_an_unchanged_model_then_a_swap_seen_once_and_repeated(cli, saved, host, here):
    for number in (1, 2, 3):
        report = look(cli, saved)
        assert (report["verdict"], report["calls"], report["asked"]) == ("same", 40 * number, 40)
    host.share = 1.0
    result = cli("baseline", "watch", saved, "b.jsonl")
    assert result.code == 1
    assert result.out.startswith("Not the same: openai:m@")
    assert max(map(len, result.out.splitlines())) <= 80
    later = look(cli, saved)
    assert (later["verdict"], later["exit_code"], later["asked"]) == ("different", 0, 0)
    assert 120 < later["calls"] < 160  # it stopped before all calls of the look were made
    assert later["reported_before"]
    assert later["share"]["since_call"] >= 100


def test_a_fifth_of_the_calls_routed_elsewhere(cli, saved, host):
    host.share = 0.2
    report = look(cli, saved, "--calls", 500, "--concurrency", 16)
    assert (report["verdict"], report["exit_code"]) == ("different", 1)
    assert report["share"]["low"] < 0.2 < report["share"]["high"]


def test_a_cache_is_named_and_is_no_finding(cli, saved, host):
    host.mood = "caching"
    report = look(cli, saved, "--calls", 160)
    assert report["verdict"] == "same"
    assert "only first answers count" in report["notes"][0]


@pytest.mark.parametrize(
    ("mood", "code", "says"),
    [
        ("dead", 4, "bad key"),
        ("broken", 4, "none of 8 calls was answered (filtered)"),
        ("stubborn", 4, "takes the temperature no longer"),
    ],
)
def test_calls_that_fail_count_nothing(cli, saved, host, mood, code, says):
    host.mood = mood
    result = cli("baseline", "watch", saved, "b.jsonl", "--calls", 8)
    assert result.code == code
    assert says in result.complaint
    host.mood = "well"
    assert look(cli, saved, "--calls", 8)["calls"] == 8


def test_a_changed_baseline_another_subject_or_level_is_one_line(cli, saved, host, here, loopback):
    look(cli, saved, "--calls", 8)
    command = ("baseline", "watch", saved, "b.jsonl")
    result = cli(*command, "--level", 0.05)
    assert result.code == 2
    assert "began with --level 0.01" in result.complaint
    elsewhere = f"openai:m@{loopback(host).url}"
    result = cli("baseline", "watch", elsewhere, "b.jsonl")
    assert result.code == 2
    assert "watches another subject" in result.complaint
    lines = (here / "b.jsonl").read_bytes().splitlines(True)
    (here / "b.jsonl").write_bytes(b"".join(lines[:-1]))
    result = cli(*command)
    assert result.code == 2
    assert "was changed since" in result.complaint


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--limit", 12), "at least 8 prompts with 8 answers each"),
        (("--watch", "--samples", 7), "at least 8 prompts with 8 answers each"),
    ],
)
def test_a_baseline_that_cannot_be_watched_is_refused(cli, loopback, here, options, says):
    server = loopback([chat_reply("Yes")])
    spec = f"openai:m@{server.url}"
    assert cli("baseline", "save", spec, *options, "-o", "b.jsonl").code == 0
    result = cli("baseline", "watch", spec, "b.jsonl")
    assert result.code == 2
    assert says in result.complaint


def test_answers_that_never_vary_cannot_be_watched(cli, spec, host, here):
    host.mood = "caching"
    assert cli("baseline", "save", spec, "--watch", "--samples", 8, "-o", "b.jsonl").code == 0
    result = cli("baseline", "watch", spec, "b.jsonl")
    assert result.code == 2
    assert "never vary" in result.complaint


def test_a_look_killed_midway_loses_nothing_and_counts_nothing_twice(cli, saved, here):
    look(cli, saved, "--calls", 16)
    state = here / "b.watch.jsonl"
    whole = state.read_bytes()
    lines = whole.splitlines(True)
    state.write_bytes(b"".join(lines[:12]) + lines[12][:40])
    report = look(cli, saved, "--calls", 5)
    assert report["calls"] == 16
    written = [json.loads(line) for line in state.read_bytes().splitlines()]
    assert sorted(line["call"] for line in written[1:]) == list(range(16))
    assert (here / "b.watch.jsonl.cut-off").exists()


def test_a_finding_that_nobody_read_is_reported_by_the_next_look(cli, saved, host, here):
    host.share = 1.0
    assert look(cli, saved)["exit_code"] == 1
    state = here / "b.watch.jsonl"
    lines = state.read_bytes().splitlines(True)
    assert json.loads(lines[-1])["kind"] == "reported"
    state.write_bytes(b"".join(lines[:-1]))
    again = look(cli, saved)
    assert (again["exit_code"], again["asked"]) == (1, 0)


def test_a_damaged_state_is_one_line(cli, saved, here):
    look(cli, saved, "--calls", 8)
    state = here / "b.watch.jsonl"
    state.write_bytes(state.read_bytes().replace(b'"text":"', b'"text":"x', 1))
    result = cli("baseline", "watch", saved, "b.jsonl")
    assert result.code == 2
    assert "b.watch.jsonl, line 2" in result.complaint


def test_two_looks_at_once_are_refused(saved, here):
    from forensics.workflows.watch_state import WatchState

    with WatchState(here / "b.watch.jsonl"):
        result = forensics("baseline", "watch", saved, "b.jsonl", cwd=here)
    assert result.code == 2
    assert "in use by another look" in result.complaint


def test_a_dry_run_asks_nothing_and_limits_hold(cli, loopback, host, saved, here):
    result = cli("baseline", "watch", saved, "b.jsonl", "--dry-run")
    assert result.code == 0
    assert "40 calls for one look, at most 160 answer tokens" in result.out
    assert not (here / "b.watch.jsonl").exists()
    result = cli("baseline", "watch", saved, "b.jsonl", "--max-calls", 10)
    assert result.code == 2
    result = cli("baseline", "watch", "b.jsonl", "b.jsonl")
    assert result.code == 2
    assert "cannot be asked" in result.complaint


def test_no_seed_of_the_baseline_or_of_a_look_is_used_again(cli, baseline, host, here):
    (here / "b.jsonl").write_bytes(baseline)
    with Loopback(host) as server:
        for _ in range(2):
            look(cli, f"openai:m@{server.url}")
        seeds = [call.body["seed"] for call in server.calls]
    assert sorted(seeds) == list(range(24, 24 + 80))
