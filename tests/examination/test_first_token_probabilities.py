"""First tokens of answers: chat endpoints that serve tiny models' real log-probabilities."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forensics.examination.first_token_probabilities import (
    PROMPTS,
    _start,
    ask_first_tokens,
    local_first_tokens,
    suite,
)
from forensics.examination.passages import load_passages
from forensics.subjects.backends.backend import BackendOptions
from forensics.subjects.subject import parse_subject
from forensics.zoo import surgery, training
from forensics.zoo.checkpoint import write_checkpoint
from tests.asking import ONCE
from tests.cli.conftest import cli_fixture, here_fixture
from tests.loopback import Call, Reply, error_reply

__all__ = ["cli_fixture", "here_fixture"]
SIZE = training.Size(width=32, units=64, layers=2, vocabulary=400, batch=8, steps=60, tokens=40_000)
TEMPLATE = "{% for m in messages %}{{ m.content }}\n{% endfor %}\n"
pytestmark = pytest.mark.usefixtures("cache")


class Served:
    """A model behind `/chat/completions` with `top_logprobs`; `/completions` is not there."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.model = AutoModelForCausalLM.from_pretrained(folder)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    def __call__(self, call: Call) -> Reply:
        import torch

        if "messages" not in call.body:
            return error_reply(404, "no such route")
        ids = self.tokenizer(f"{call.prompt}\n\n", add_special_tokens=False)["input_ids"]
        with torch.inference_mode():
            row = self.model(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
        top = row.topk(call.body.get("top_logprobs", 1))
        told = [
            {"token": self.tokenizer.decode([int(token)]), "logprob": float(value)}
            for value, token in zip(top.values, top.indices, strict=True)
        ]
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": "assistant", "content": told[0]["token"]},
            "finish_reason": "length",
        }
        if call.body.get("logprobs"):
            choice["logprobs"] = {"content": [told[0] | {"top_logprobs": told}]}
        return Reply({"id": "c", "model": "m", "choices": [choice]})


@pytest.fixture(name="models", scope="module")
def models_fixture(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give a model with a chat template, a noised copy of it, and three strangers."""
    root = tmp_path_factory.mktemp("begun")
    prose = training.texts("prose", 4 * SIZE.tokens)
    tokenizer = training.make_tokenizer(root / "tokenizer", SIZE, prose)
    (tokenizer / "chat_template.jinja").write_text(TEMPLATE)
    tokens = training.encode(tokenizer, prose, SIZE)
    made = {
        name: training.trained(
            training.untrained(SIZE, tokenizer, seed), tokens, SIZE, SIZE.steps, seed
        )
        for name, seed in (("base", 1), ("one", 2), ("two", 3), ("three", 4))
    }
    made["copy"] = surgery.noised(made["base"], 0.01, 4)
    made["untrained"] = training.untrained(SIZE, tokenizer, 9)
    return {name: write_checkpoint(model, root / name) for name, model in made.items()}


def test_an_endpoint_begins_as_its_model_does(
    models: dict[str, Path], loopback: Callable[..., Any], tmp_path: Path
) -> None:
    server = loopback(Served(models["base"]))
    subject = parse_subject("openai:m", base_url=server.url)
    remote = ask_first_tokens(subject, BackendOptions(), tmp_path)
    assert not isinstance(remote, str), remote
    assert len(server.calls) == PROMPTS
    local = local_first_tokens(parse_subject(f"hf:{models['base']}"), BackendOptions())
    assert local.has_template and remote.has_template
    assert len(remote.expected) == len(local.expected) == PROMPTS
    same = sum(remote.expected[key] == local.expected[key] for key in local.expected)
    assert same >= PROMPTS - 3  # tokens that are no whole characters have one name
    ask_first_tokens(subject, BackendOptions(), tmp_path)
    assert len(server.calls) == PROMPTS  # kept


def test_a_service_that_gives_five_alternatives_is_asked_for_five(
    models: dict[str, Path], loopback: Callable[..., Any], tmp_path: Path
) -> None:
    served = Served(models["base"])

    def stingy(call: Call) -> Reply:
        if call.body["top_logprobs"] > 5:
            return error_reply(400, "top_logprobs must be at most 5")
        return served(call)

    subject = parse_subject("openai:m", base_url=loopback(stingy).url)
    found = ask_first_tokens(subject, BackendOptions(), tmp_path)
    assert not isinstance(found, str) and len(found.expected) == PROMPTS


@pytest.mark.parametrize(
    "content",
    [
        *([], [{}], [{"top_logprobs": None}], [{"top_logprobs": ["x"]}], ["x"], "x", None),
        [{"top_logprobs": [{"token": "x", "logprob": -(10**400)}]}],
    ],
    ids=["nothing", "empty", "null", "no objects", "a word", "text", "absent", "huge"],
)
def test_an_endpoint_without_usable_probabilities_is_asked_once(
    loopback: Callable[..., Any], tmp_path: Path, content: Any
) -> None:
    message = {"role": "assistant", "content": "x"}
    choice = {"index": 0, "message": message, "logprobs": {"content": content}}
    server = loopback([Reply({"id": "c", "model": "m", "choices": [choice]})])
    subject = parse_subject("openai:m", base_url=server.url)
    found = ask_first_tokens(subject, BackendOptions(), tmp_path)
    assert found == "it gives no log-probabilities of what it answers"
    assert len(server.calls) == 1


def test_no_more_is_asked_than_a_budget_counts_for_passages() -> None:
    assert len(load_passages()) >= PROMPTS + 3
    assert len(suite().prompts) == PROMPTS


@pytest.fixture(name="compared")
def compared_fixture(
    cli: Any, here: Path, models: dict[str, Path], loopback: Callable[..., Any]
) -> Callable[..., dict[str, Any]]:
    def compare(known: str, served: str, controls: tuple[str, ...]) -> dict[str, Any]:
        server = loopback(Served(models[served]))
        named = [word for n in controls for word in ("--control", f"hf:{models[n]}")]
        asked = ("--tiers", "logprobs", "--limit", "8", "--max-tokens", "8", *ONCE, "--json", "-")
        first = "openai:k" if known == "endpoint" else f"hf:{models[known]}"
        found = cli("compare", first, "openai:m", "--base-url", server.url, *named, *asked)
        assert found.code == 0, found.err
        return {e["comparator"]: e for e in json.loads(found.out)["evidence"]}

    return compare


def test_a_copy_behind_a_chat_endpoint_is_told_from_a_stranger(compared: Any) -> None:
    kin = compared("base", "copy", ("one", "two"))["first_tokens"]
    assert kin["status"] == "ok", kin["reason"]
    assert kin["n"] == PROMPTS and kin["score"] > 0.2
    assert kin["p_value"] < 1e-4
    stranger = compared("base", "one", ("two", "three"))["first_tokens"]
    assert stranger["p_value"] > 0.05
    one_control = compared("base", "copy", ("one",))["first_tokens"]
    assert one_control["p_value"] is None


def test_controls_without_skill_do_not_make_kin(compared: Any) -> None:
    found = compared("base", "one", ("untrained", "two"))["first_tokens"]
    assert found["p_value"] is None  # one control is left
    assert "untrained predicts the passages" in " ".join(found["details"]["left_out"])


def test_two_endpoints_are_not_asked_for_what_cannot_be_weighed(compared: Any, here: Path) -> None:
    found = compared("endpoint", "copy", ("one", "two"))
    assert "first_tokens" not in found or found["first_tokens"]["status"] == "not_measured"
    assert not list(here.rglob("first-tokens-*"))


def test_between_local_models_it_is_not_mentioned(cli: Any, models: dict[str, Path]) -> None:
    named = [word for n in ("two", "three") for word in ("--control", f"hf:{models[n]}")]
    asked = ("--tiers", "logprobs", "--limit", "8", "--max-tokens", "8", *ONCE, "--json", "-")
    found = cli("compare", f"hf:{models['base']}", f"hf:{models['one']}", *named, *asked)
    names = {e["comparator"] for e in json.loads(found.out)["evidence"]}
    assert "next_tokens" in names and "first_tokens" not in names


def test_a_model_without_a_template_is_not_compared_and_nothing_is_asked(
    compared: Any, here: Path, models: dict[str, Path], tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    shutil.copytree(models["base"], plain)
    (plain / "chat_template.jinja").unlink()
    models["plain"] = plain
    found = compared("plain", "copy", ("one", "two"))
    told = " ".join(row["reason"] for row in found.values())
    assert "it answers through a chat template, and " in told and "plain has none" in told
    assert not list(here.rglob("first-tokens-*"))


def test_asked_for_by_name_it_runs_and_between_local_models_says_why_not(
    cli: Any, here: Path, models: dict[str, Path], loopback: Callable[..., Any]
) -> None:
    server = loopback(Served(models["copy"]))
    named = [word for n in ("one", "two") for word in ("--control", f"hf:{models[n]}")]
    asked = ("--tiers", "logprobs", "--only", "first_tokens", *named, "--json", "-")
    base = f"hf:{models['base']}"
    found = cli("compare", base, "openai:m", "--base-url", server.url, *asked)
    (row,) = json.loads(found.out)["evidence"]
    assert (row["comparator"], row["status"]) == ("first_tokens", "ok"), row["reason"]
    between = cli("compare", base, f"hf:{models['three']}", *asked)
    (row,) = json.loads(between.out)["evidence"]
    assert row["status"] == "not_measured" and "beside a chat endpoint" in row["reason"]


def test_spaces_in_front_of_a_token_do_not_matter() -> None:
    assert _start([{"top_logprobs": [{"token": "\u2581Sure", "logprob": -0.1}]}]) == "Su"
    both = [{"token": " S", "logprob": -1.0}, {"token": "So", "logprob": -1.1}]
    other = [{"token": "No", "logprob": -0.9}]
    assert _start([{"top_logprobs": [*both, *other]}]) == "No"
    assert _start([{"top_logprobs": [{"token": "\n\n", "logprob": -0.1}]}]) == "\n\n"


def test_a_chat_endpoint_costs_no_more_than_its_budget_counts(
    cli: Any, here: Path, models: dict[str, Path], loopback: Callable[..., Any]
) -> None:
    server = loopback(Served(models["one"]))
    controls = json.dumps([f"hf:{models[name]}" for name in ("two", "three")])
    (here / "forensics.toml").write_text(
        f'tiers = ["logprobs"]\nlimit = 8\nmax_tokens = 8\ncontrols = {controls}\n'
        f'[[against]]\nsubject = "hf:{models["base"]}"\n[rules.undeclared-kinship]\n'
    )
    subject = f"openai:m@{server.url}"
    told = cli("check", subject, "--dry-run")
    counted = sum(
        int(line.split(": ")[-1].split(" calls")[0])
        for line in (told.out + told.err).splitlines()
        if "openai:m@" in line and " calls for " in line
    )
    assert counted == 8 + len(load_passages())
    assert cli("check", subject).code in (0, 1, 3)
    assert 8 + PROMPTS <= len(server.calls) <= counted
