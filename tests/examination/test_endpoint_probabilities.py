"""Token probabilities of an endpoint: a loopback server that serves a tiny model's real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forensics.examination.endpoint_probabilities import LEAST, ask_probabilities, echoed_score
from forensics.examination.first_token_probabilities import PROMPTS
from forensics.examination.local_probabilities import text_probabilities
from forensics.examination.passages import load_passages
from forensics.subjects.backends.backend import BackendOptions
from forensics.subjects.subject import parse_subject
from forensics.zoo import surgery, training
from forensics.zoo.checkpoint import write_checkpoint
from tests.asking import ONCE
from tests.cli.conftest import cli_fixture, here_fixture
from tests.loopback import Call, Reply, chat_reply, completion_reply, error_reply

__all__ = ["cli_fixture", "here_fixture"]
SIZE = training.Size(width=32, units=64, layers=2, vocabulary=400, batch=8, steps=60, tokens=40_000)
pytestmark = pytest.mark.usefixtures("cache")


class Served:
    """A model behind `/completions` with `echo`; a token that begins texts stands before them."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.model = AutoModelForCausalLM.from_pretrained(folder)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    def __call__(self, call: Call) -> Reply:
        import torch

        if "messages" in call.body:
            return chat_reply(f"You said: {call.prompt}")
        ids = self.tokenizer(call.prompt, add_special_tokens=False)["input_ids"]
        ids = [self.tokenizer.eos_token_id, *ids]
        with torch.inference_mode():
            rows = self.model(torch.tensor([ids])).logits[0].log_softmax(-1)
        ids = [*ids, int(rows[-1].argmax())]
        top = [rows[i].topk(call.body["logprobs"]) for i in range(len(rows))]
        given = {
            "tokens": [self.tokenizer.decode([token]) for token in ids],
            "token_logprobs": [None, *(float(rows[i][t]) for i, t in enumerate(ids[1:]))],
            "top_logprobs": [
                None,
                *(
                    {
                        self.tokenizer.decode([int(t)]): float(v)
                        for v, t in zip(one.values, one.indices, strict=True)
                    }
                    for one in top
                ),
            ],
        }
        assert call.body["echo"] is True
        return completion_reply(call.prompt + given["tokens"][-1], "length", logprobs=given)


@pytest.fixture(name="models", scope="module")
def models_fixture(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give a model, a noised copy of it, and two strangers, trained for a second each."""
    root = tmp_path_factory.mktemp("served")
    prose = training.texts("prose", 4 * SIZE.tokens)
    tokenizer = training.make_tokenizer(root / "tokenizer", SIZE, prose)
    tokens = training.encode(tokenizer, prose, SIZE)
    made = {
        name: training.trained(
            training.untrained(SIZE, tokenizer, seed), tokens, SIZE, SIZE.steps, seed
        )
        for name, seed in (("base", 1), ("one", 2), ("two", 3))
    }
    made["copy"] = surgery.noised(made["base"], 0.01, 4)
    return {name: write_checkpoint(model, root / name) for name, model in made.items()}


def test_an_endpoint_says_what_the_model_says(
    models: dict[str, Path], loopback: Callable[..., Any], tmp_path: Path
) -> None:
    server = loopback(Served(models["base"]))
    subject = parse_subject("openai:m", base_url=server.url)
    remote = ask_probabilities(subject, BackendOptions(), tmp_path)
    assert not isinstance(remote, str), remote
    assert len(server.calls) == len(load_passages())
    local = text_probabilities(parse_subject(f"hf:{models['base']}"), BackendOptions())
    assert LEAST < len(remote.passages) <= len(local.passages)
    same = []
    for name, score in remote.passages.items():
        own = local.passages[name]
        assert score.log_likelihood == pytest.approx(own.log_likelihood, abs=1e-2)
        assert score.size == own.size
        shared = set(score.next_tokens) & set(own.next_tokens)
        same += [score.next_tokens[p] == own.next_tokens[p] for p in shared]
    # Tokens that are no whole characters have one name, so that a few of them are mixed up.
    assert len(same) > 200 and sum(same) > 0.95 * len(same)
    ask_probabilities(subject, BackendOptions(), tmp_path)
    assert len(server.calls) == len(load_passages())  # kept


def test_a_service_that_gives_five_alternatives_is_asked_for_five(
    models: dict[str, Path], loopback: Callable[..., Any], tmp_path: Path
) -> None:
    served = Served(models["base"])

    def stingy(call: Call) -> Reply:
        if call.body["logprobs"] > 5:
            return error_reply(400, "logprobs must be at most 5")
        return served(call)

    subject = parse_subject("openai:m", base_url=loopback(stingy).url)
    found = ask_probabilities(subject, BackendOptions(), tmp_path)
    assert not isinstance(found, str), found
    assert len(found.passages) > LEAST


def test_a_copy_behind_an_endpoint_is_told_from_a_stranger(
    cli: Any, models: dict[str, Path], loopback: Callable[..., Any]
) -> None:
    controls = [word for n in ("one", "two") for word in ("--control", f"hf:{models[n]}")]
    asked = ("--tiers", "logprobs", "--limit", "8", "--max-tokens", "8", *ONCE, "--json", "-")

    def compared(served: str, *others: str) -> dict[str, Any]:
        server = loopback(Served(models[served]))
        given = ("--base-url", server.url, *others, *asked)
        found = cli("compare", f"hf:{models['base']}", "openai:m", *given)
        assert found.code == 0, found.err
        return {e["comparator"]: e for e in json.loads(found.out)["evidence"]}

    kin = compared("copy", *controls)
    assert kin["next_tokens"]["status"] == "ok", kin["next_tokens"]["reason"]
    assert kin["next_tokens"]["p_value"] < 1e-6
    assert kin["likelihoods"]["p_value"] < 1e-6
    assert {r["compared"] for r in kin["next_tokens"]["details"]["controls"]} == {
        "first two characters"
    }
    stranger = compared("one", "--control", f"hf:{models['two']}", "--control", controls[3])
    assert stranger["next_tokens"]["p_value"] is None or stranger["next_tokens"]["p_value"] > 0.05


def test_a_budget_counts_what_endpoints_are_asked_to_echo(
    cli: Any,
    here: Path,
    models: dict[str, Path],
    loopback: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A cache of its own: other tests have these models read the passages too.
    monkeypatch.setenv("FORENSICS_CACHE", str(here / "cache"))
    servers = [loopback(Served(models[name])) for name in ("base", "one")]
    subject, reference = (f"openai:m@{server.url}" for server in servers)
    controls = json.dumps([f"hf:{models['copy']}", f"hf:{models['two']}"])
    policy = (
        f'tiers = ["logprobs"]\nlimit = 8\nmax_tokens = 8\ncontrols = {controls}\n'
        f'[[against]]\nsubject = "{reference}"\n[rules.undeclared-kinship]\n'
    )
    passages = len(load_passages())
    # What would stand in for the passages is counted until it is known that they are echoed.
    answers, read = 2 * 8, 2 * (2 * 8 + passages + PROMPTS)
    for on_file in (False, True):
        calls = read if on_file else answers + 2 * passages + read
        (here / "forensics.toml").write_text(f"{policy}[budget]\nmax_calls = {calls - 1}\n")
        assert f"would make {calls} calls" in cli("check", subject).complaint
        (here / "forensics.toml").write_text(f"{policy}[budget]\nmax_calls = {calls}\n")
        assert cli("check", subject).code in (0, 1, 3)
        assert sum(len(server.calls) for server in servers) == answers + 2 * passages
        # Controls read the passages once; of answers it is not looked up what was read before.
        read = 2 * 2 * 8


@pytest.mark.parametrize(
    ("script", "reason", "calls"),
    [
        (lambda _: completion_reply("x"), "did not give any", 1),
        (
            lambda _: completion_reply(
                "x", logprobs={"tokens": ["x"], "token_logprobs": [-1.0], "top_logprobs": [{}]}
            ),
            "did not give the prompt's",
            1,
        ),
        (lambda _: error_reply(400, "echo is not supported"), "cannot be asked: ", 2),
        (lambda _: error_reply(404, "no such path"), "cannot be asked: ", 1),
    ],
)
def test_an_endpoint_that_does_not_echo_is_hardly_asked_and_told(
    script: Callable[[Call], Reply],
    reason: str,
    calls: int,
    loopback: Callable[..., Any],
    tmp_path: Path,
) -> None:
    server = loopback(script)
    subject = parse_subject("openai:m", base_url=server.url)
    found = ask_probabilities(subject, BackendOptions(), tmp_path)
    assert isinstance(found, str) and reason in found
    assert len(server.calls) == calls


def test_the_report_says_why_an_endpoint_was_not_measured(
    cli: Any, models: dict[str, Path], loopback: Callable[..., Any]
) -> None:
    server = loopback()  # echoes, without log-probabilities
    sides = (f"transcript:{Path('a.jsonl').resolve()}", "openai:m", "--base-url", server.url)
    asked = ("--tiers", "logprobs", "--json", "-")
    control = ("--control", f"hf:{models['one']}")
    [missing] = json.loads(cli("compare", *sides, *control, *asked).out)["evidence"]
    assert missing["status"] == "not_measured"
    assert "B (openai) it was asked to echo a text" in missing["reason"]
    [unasked] = json.loads(cli("compare", *sides, *asked).out)["evidence"]
    assert "is asked for them by --tiers logprobs with --control" in unasked["reason"]


def _token(text: Any, value: Any, **top: float) -> dict[str, Any]:
    return {
        "token": text,
        "logprob": value,
        "top_logprobs": [{"token": t, "logprob": v} for t, v in top.items()],
    }


TEXT = "Aaaa bbbb cccc dddd"
TOKENS = [
    _token("Aaaa bbbb", None),
    _token(" cccc", -1.0, x=-3.0),
    _token(" dddd", -2.0, xy=-1.0, xz=-1.1, q=-0.9),
    _token(" more", -9.0),
]


@pytest.mark.parametrize("tokens", [TOKENS, [_token("<s>", None), *TOKENS]], ids=["plain", "bos"])
def test_what_was_echoed_is_read_by_hand(tokens: list[dict[str, Any]]) -> None:
    tokens = [*tokens]
    score = echoed_score(TEXT, tokens)
    assert score is not None and score.log_likelihood == -3.0
    assert score.size == len(" cccc dddd")
    assert score.next_tokens[len("Aaaa bbbb")] == ("x", "x")
    # The likeliest token is q; tokens that begin with x have more together, but not two letters.
    assert score.next_tokens[len("Aaaa bbbb cccc")] == ("q", "q")


@pytest.mark.parametrize(
    "tokens",
    [
        [],
        TOKENS[:2],  # cut off
        [_token("\ufffd", None), *TOKENS[1:]],  # a byte that is no character of its own
        [TOKENS[0], _token(" cccc", None), TOKENS[2]],
        [TOKENS[0], _token(" cccc", float("nan")), TOKENS[2]],
        [TOKENS[0], _token(" cccc", True), TOKENS[2]],
        [TOKENS[0], _token(5, -1.0), *TOKENS[1:]],
        [TOKENS[0], {"token": " cccc"}, TOKENS[2]],
        [_token("Aaaa bbbb cccc dddd", None)],  # nothing is left to score
    ],
)
def test_what_does_not_spell_the_text_is_left_out(tokens: list[dict[str, Any]]) -> None:
    assert echoed_score(TEXT, tokens) is None
