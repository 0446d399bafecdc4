"""What is advised can be typed: its options exist, and its subjects are those of the case."""

from __future__ import annotations

import shlex

import pytest

from forensics.case.document import CaseSubject, Overlap
from forensics.case.questions import NextStep
from forensics.cli.compare_verb import command
from forensics.verdicts.answering import answer_all
from forensics.verdicts.next_steps import Asked, next_step
from forensics.verdicts.standing import Signs, stand
from tests.report.sample_case import sample_case

SIDE = sample_case(4).a
NOTHING = Signs()


def _side(spec: str, kind: str, *, collected: str = "") -> CaseSubject:
    manifests = ({"subject": collected, "provenance": "collected"},) if collected else ()
    return SIDE.model_copy(update={"spec": spec, "kind": kind, "manifests": manifests})


def _steps(a: CaseSubject, b: CaseSubject, signs: Signs = NOTHING) -> dict[str, NextStep | None]:
    asked = Asked(a, b, Overlap(a=64, b=64, both=64))
    return {one.question: next_step(one, asked) for one in answer_all(stand(signs), True)}


LOCAL = _side("hf:org/a", "hf"), _side("gguf:b's.gguf", "gguf")
SERVED = _side("openai:a@http://x/v1", "openai"), _side("openai:b@http://x/v1", "openai")
COLLECTED = tuple(
    _side(f"{name}.jsonl", "transcript", collected=f"demo:{name}") for name in ("smollm2", "gemma3")
)
IMPORTED = _side("a.jsonl", "transcript"), _side("b.jsonl", "transcript")


@pytest.mark.parametrize("pair", [LOCAL, SERVED, COLLECTED, IMPORTED])
def test_every_command_can_be_typed(pair: tuple[CaseSubject, CaseSubject]) -> None:
    known = {name for parameter in command.params for name in parameter.opts}
    for step in filter(None, _steps(*pair).values()):
        for line in step.commands:
            program, verb, first, second, *options = shlex.split(line)
            assert (program, verb) == ("forensics", "compare")
            assert {word for word in options if word.startswith("--")} <= known
            assert first != second


def test_commands_name_the_models_that_were_asked() -> None:
    steps = _steps(*COLLECTED)
    assert steps["one_model"] is not None
    assert steps["one_model"].commands == (
        "forensics compare demo:smollm2 demo:gemma3 --samples 3 --temperature 0.7",
    )
    assert steps["one_model"].cost == "384 answers (64 prompts, 3 times, 2 models)"
    imported = _steps(*IMPORTED)["one_model"]
    assert imported is not None and " KNOWN QUESTIONED " in imported.commands[0]


def test_nobody_is_told_to_read_weights_that_an_endpoint_does_not_give() -> None:
    for question in ("close_relatives", "learned"):
        step = _steps(*SERVED)[question]
        assert step is not None and step.commands == ()


def test_what_is_settled_needs_no_next_step() -> None:
    steps = _steps(*LOCAL, Signs(weights="no", same_weights=False, probabilities="yes"))
    assert set(steps.values()) == {None}
