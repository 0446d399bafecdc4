"""What a check says it will ask, what its budget allows, and what an endpoint then gets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from forensics.examination.passages import load_passages
from forensics.examination.token_counting import suite as token_suite
from forensics.suites.suite import text_sha256
from forensics.transcripts.transcript import read_transcript
from tests.loopback import Call, Loopback, Reply, chat_reply
from tests.subjects.backends.tiny_model import make_tiny_model

SIMILAR = "[rules.max-similarity]\nlimits = { openings = 0.9 }\n"
TOKENS = len(token_suite().prompts)


def _answer(call: Call) -> Reply:
    return chat_reply(f"{call.prompt[::-1]} and more of the same, at some length. " * 3)


@pytest.fixture(name="servers")
def servers_fixture(loopback) -> list[Loopback]:
    return [loopback(_answer), loopback(_answer)]


@pytest.fixture(name="gate")
def gate_fixture(cli, here) -> Callable[[str, Sequence[object]], int]:
    """Give a check by a policy that counts what a dry run says; both budgets are tried at it."""

    def counted(policy: str, arguments: Sequence[object]) -> int:
        path = here / "forensics.toml"
        path.write_text(policy)
        dry = cli("check", *arguments, "--dry-run")
        assert dry.code == 0, dry.err
        calls = int(re.findall(r"(\d+) calls in all", dry.out)[0])
        tokens = int(re.findall(r"in all, at most (\d+) answer tokens", dry.out)[0])
        for name, figure in (("max_calls", calls), ("max_output_tokens", tokens)):
            if figure < 2:
                continue
            path.write_text(f"{policy}[budget]\n{name} = {figure - 1}\n")
            for extra in ((), ("--dry-run",)):
                refused = cli("check", *arguments, *extra)
                assert refused.code == 2
                assert f"{figure} " in refused.complaint
        path.write_text(f"{policy}[budget]\nmax_calls = {max(calls, 1)}\n")
        return calls

    return counted


def _sent(servers: Sequence[Loopback]) -> int:
    return sum(len(server.calls) for server in servers)


def _policy(*against: object, more: str = "", rules: str = SIMILAR) -> str:
    references = "".join(f'[[against]]\nsubject = "{one}"\n' for one in against)
    return f'comparators = ["openings", "token_counts"]\nlimit = 12\n{more}\n{references}{rules}'


def test_answers_and_token_counts_are_counted_as_they_are_sent(cli, gate, servers):
    subject, reference = (f"openai:m@{server.url}" for server in servers)
    policy = _policy(reference, more='tiers = ["text", "tokenizer"]\nmax_tokens = 16')
    assert gate(policy, [subject]) == 2 * (12 + TOKENS)
    assert _sent(servers) == 0
    assert cli("check", subject).code == 0
    assert _sent(servers) == 2 * (12 + TOKENS)
    assert gate(policy, [subject]) == 0
    assert cli("check", subject).code == 0
    assert _sent(servers) == 2 * (12 + TOKENS)


def test_without_the_tier_no_token_counts_are_sent_or_counted(cli, gate, servers):
    subject, reference = (f"openai:m@{server.url}" for server in servers)
    assert gate(_policy(reference, more="samples = 2"), [subject]) == 48
    assert cli("check", subject).code == 0
    assert _sent(servers) == 48


def test_a_tier_of_token_counts_alone_asks_for_nothing_else(cli, gate, servers, here):
    subject, reference = (f"openai:m@{server.url}" for server in servers)
    policy = _policy(
        reference,
        more='tiers = ["tokenizer"]',
        rules="[rules.undeclared-kinship]\n",
    )
    assert gate(policy, [subject]) == 2 * TOKENS
    assert cli("check", subject).code == 0
    assert _sent(servers) == 2 * TOKENS


def test_what_two_references_share_is_asked_once_and_counted_once(cli, gate, servers, here):
    subject, reference = (f"openai:m@{server.url}" for server in servers)
    policy = _policy(reference, f"openai:other@{servers[1].url}", subject)
    assert gate(policy, [subject]) == 36
    assert cli("check", subject).code in (0, 1)
    assert _sent(servers) == 36


def test_a_baseline_is_asked_again_each_time_and_its_tokens_count(cli, gate, servers, here):
    subject = f"openai:m@{servers[0].url}"
    saved = cli("baseline", "save", subject, "-o", "base.jsonl", "--limit", 8, "--max-tokens", 9)
    assert saved.code == 0, saved.err
    before = _sent(servers)
    policy = '[rules.drift]\nbaseline = "base.jsonl"\n'
    for _ in range(2):
        assert gate(policy, [subject]) == 24
        assert _sent(servers) == before
        assert cli("check", subject).code == 0
        assert _sent(servers) == before + 24
        before += 24
    (here / "forensics.toml").write_text(f"{policy}[budget]\nmax_output_tokens = 215\n")
    assert "may ask for 216 answer tokens" in cli("check", subject).complaint


def test_texts_that_local_models_score_are_counted(cli, gate, zoo, here, tmp_path, monkeypatch):
    # A cache of its own: other tests score the zoo's models too.
    monkeypatch.setenv("FORENSICS_CACHE", str(tmp_path / "cache"))
    base, lora, control = (zoo[name] for name in ("tiny-base", "tiny-lora", "tiny-other-seed"))
    policy = (
        f'comparators = ["likelihoods"]\ncontrols = ["{control}"]\n[[against]]\n'
        f'subject = "{base}"\n[rules.undeclared-kinship]\n'
    )
    calls = gate(policy, [lora])
    assert calls % 3 == 0
    assert calls > 0
    assert cli("check", lora).code in (0, 1)
    assert gate(policy, [lora]) == 0


def test_controls_that_answer_are_counted_as_they_are_asked(cli, gate, here, tmp_path, monkeypatch):
    # A cache of its own: other tests make the same models and have them read the passages.
    monkeypatch.setenv("FORENSICS_CACHE", str(tmp_path / "cache"))
    base, subject, *controls = [
        f"hf:{make_tiny_model(tmp_path / f'm{seed}', seed=seed, max_position_embeddings=1024)}"
        for seed in range(1, 6)
    ]
    policy = (
        'tiers = ["logprobs"]\nlimit = 12\nmax_tokens = 24\n'
        f'controls = {json.dumps(controls)}\n[[against]]\nsubject = "{base}"\n'
        "[rules.undeclared-kinship]\n"
    )
    # Both subjects and three controls answer 12 prompts; all five read what all five wrote.
    passages = len(load_passages())
    assert gate(policy, [subject]) == 5 * 12 + 5 * (5 * 12 + passages)
    assert cli("check", subject).code in (0, 1)
    kept = [read_transcript(path) for path in (here / "transcripts").glob("*.jsonl")]
    assert [len(one.responses) for one in kept] == [12] * 5
    assert gate(policy, [subject]) == 5 * 5 * 12  # read from the cache, which is not looked into


def test_a_dry_run_of_transcripts_asks_nothing(cli, gate, here):
    assert gate(_policy("a.jsonl"), ["b.jsonl"]) == 0
    assert not Path("transcripts").exists()


def test_texts_of_a_referenced_suite_are_told_by_the_policy_or_the_command(cli, servers, here):
    texts = [f"What would you do with {i} of these?" for i in range(9)]
    rows = "".join(f"{i},open,{text_sha256(text)}\n" for i, text in enumerate(texts))
    (here / "hashes.csv").write_text(f"id,category,sha256\n{rows}")
    (here / "suite.yaml").write_text(
        "name: held-elsewhere\nversion: '1'\ntitle: T\nlicense: CC0-1.0\ndescription: d\n"
        "categories: {open: o}\nreference:\n  prompts: hashes.csv\n  dataset: nobody/nothing\n"
        "  file: x.json\n  text_field: prompt\n"
    )
    (here / "texts.jsonl").write_text("".join(json.dumps({"prompt": t}) + "\n" for t in texts))
    subject, reference = (f"openai:m@{server.url}" for server in servers)
    told = 'suite = "suite.yaml"\nsuite_text = "texts.jsonl"'
    (here / "forensics.toml").write_text(_policy(reference, more=told))
    assert cli("check", subject).code == 0
    assert _sent(servers) == 18
    (here / "forensics.toml").write_text(_policy(reference, more='suite = "suite.yaml"'))
    given = ("--suite-text", "texts.jsonl", "--transcripts", "other")
    assert cli("check", subject, *given).code == 0
    assert _sent(servers) == 36
