"""`compare --tiers`: what is measured, what is not, and why."""

from __future__ import annotations

import json

import pytest

from forensics.exitcodes import ExitCode
from tests.asking import ONCE


def _case(result) -> dict:
    return json.loads(result.out)


def test_weights_alone_ask_no_model_anything(cli, zoo, here):
    case = _case(
        cli("compare", zoo["tiny-base"], zoo["tiny-lora"], "--tiers", "weights", "--json", "-")
    )
    assert {e["tier"] for e in case["evidence"]} == {"weights"}
    assert case["verdict"]["reading"].startswith("They share weights:")
    assert (case["a"]["answers"], case["verdict"]["status"]) == (0, "screening")
    assert not (here / "transcripts").exists()


def test_two_local_folders_are_measured_in_every_tier(cli, zoo):
    sides = zoo["tiny-base"], zoo["tiny-other-seed"]
    options = ("--limit", "8", "--max-tokens", "8", *ONCE, "--without", "embedding", "--json", "-")
    case = _case(cli("compare", *sides, *options))
    tiers = {e["tier"]: e["status"] for e in case["evidence"]}
    assert tiers["weights"] == "ok"
    assert "text" in tiers
    assert case["verdict"]["readings"]["weights"].startswith("Weights show no kinship")


def test_a_tier_that_cannot_be_had_is_one_line_with_its_reason(cli, zoo, here):
    sides = [f"hf:{zoo['tiny-base']}", f"hf:{zoo['tiny-lora']}"]
    asked = ("--limit", "8", "--max-tokens", "8", *ONCE)
    for number, side in enumerate(sides):
        cli("probe", side, *asked, "-o", here / f"{number}.jsonl")
    case = _case(cli("compare", "0.jsonl", "1.jsonl", "--without", "embedding", "--json", "-"))
    [weights] = [e for e in case["evidence"] if e["tier"] == "weights"]
    assert weights["status"] == "not_measured"
    assert "A (transcript) gives no weights; B (transcript) gives no weights" in weights["reason"]
    text = _case(cli("compare", "0.jsonl", "1.jsonl", "--tiers", "text", "--json", "-"))
    assert {e["tier"] for e in text["evidence"]} == {"text"}


def test_an_unknown_tier_is_named_with_those_there_are(cli, zoo):
    result = cli("compare", zoo["tiny-base"], zoo["tiny-lora"], "--tiers", "weights,wieghts")
    assert result.code == ExitCode.USAGE
    assert "no tier 'wieghts'; choose from: text, logprobs, tokenizer, weights" in result.complaint


def test_a_check_of_weights_alone_asks_no_model_and_judges_as_the_verdict_does(cli, zoo, here):
    policy = f"""\
tiers = ["weights"]
budget = {{ max_calls = 1 }}
[[against]]
subject = "{zoo["tiny-base"]}"
names = ["org/base"]
[rules.undeclared-kinship]
[rules.contradicted-declaration]
"""
    (here / "forensics.toml").write_text(policy)
    caught = cli("check", zoo["tiny-lora"], "--json", "-")
    found = _case(caught)
    assert caught.code == found["exit_code"] == 1
    assert found["outcomes"][0]["message"].startswith(
        "a close relative by its weights (Weights show close kinship"
    )
    assert found["false_alarms"][0]["upper"] == pytest.approx(0.1)
    assert not (here / "transcripts").exists()
    (here / "forensics.toml").write_text(policy + '[declared]\nbase_models = ["org/base"]\n')
    assert cli("check", zoo["tiny-lora"], "--strict").code == 0


def test_a_control_that_is_no_local_model_is_told_before_anything_is_asked(cli, zoo, here):
    sides = zoo["tiny-base"], zoo["tiny-other-seed"]
    result = cli("compare", *sides, "--control", "transcript:x.jsonl")
    assert result.code == ExitCode.USAGE
    assert "--control transcript:x.jsonl is not a local model" in result.complaint
    assert not (here / "transcripts").exists()
    (here / "forensics.toml").write_text(
        f'controls = ["transcript:x.jsonl"]\n[[against]]\nsubject = "{sides[0]}"\n'
        "[rules.undeclared-kinship]\nmin_log10_lr = 1.0\n"
    )
    assert cli("check", sides[1]).code == ExitCode.USAGE
    assert not (here / "transcripts").exists()
