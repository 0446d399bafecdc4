"""Baselines: what is stored, and what counts as a difference."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from forensics.errors import InputFileError
from forensics.policy.drift import compare_with_baseline, read_baseline, save_baseline
from forensics.testing import HOSTILE_TEXTS
from forensics.transcripts.transcript import Transcript
from tests.builders import NOUNS, essays, lines, manifest, responses


def _side(*samples: list[str], temperature: float = 0.0, **fields: object) -> Transcript:
    """Give a transcript with these samples of every prompt."""
    made = [
        replace(response, sample=number)
        for number, texts in enumerate(samples)
        for response in responses(texts, **fields)
    ]
    told = manifest(settings={"temperature": temperature, "max_tokens": 64, "seed": 0})
    return Transcript("m", tuple(made), (told,))


def _drawn(seed: int, habits: list[str], count: int = 12) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choice(habits) for _ in range(30)) for _ in range(count)]


def test_the_same_answers_are_the_same():
    side = _side(essays(20))
    found = compare_with_baseline(side, side)
    assert (found.verdict, found.agreement, found.p_value) == ("same", 1.0, None)


def test_answers_that_repeat_exactly_are_compared_exactly():
    old, new = essays(20), essays(20)
    new[3] += "!"
    found = compare_with_baseline(_side(old, old), _side(new, new))
    assert found.verdict == "different"
    assert "1 of 20 prompts" in found.reading
    assert [(one.prompt_id, one.after[-1]) for one in found.changed] == [("p003", "!")]


def test_one_answer_a_prompt_cannot_tell_noise_from_a_change():
    old, new = essays(20), essays(20)
    new[3] += "!"
    found = compare_with_baseline(_side(old), _side(new))
    assert found.verdict == "inconclusive"
    assert "--samples 3" in found.reading


def test_drawn_answers_of_one_model_pass_and_those_of_another_do_not():
    habits, others = list(NOUNS[:10]), list(NOUNS[10:])
    old = _side(*(_drawn(seed, habits) for seed in range(4)), temperature=1.0)
    same = _side(*(_drawn(seed, habits) for seed in range(10, 14)), temperature=1.0)
    other = _side(*(_drawn(seed, others) for seed in range(10, 14)), temperature=1.0)
    passed, failed = (compare_with_baseline(old, now, 0.01) for now in (same, other))
    assert passed.verdict == "same"
    assert passed.p_value > 0.01
    assert failed.verdict == "different"
    assert failed.p_value <= 0.01


def test_failed_calls_are_an_error_and_too_few_prompts_inconclusive():
    side = _side(essays(20))
    broken = replace(side, responses=(*side.responses[:-1], *responses([""], 19, status="error")))
    assert compare_with_baseline(side, broken).verdict == "error"
    few = replace(side, responses=side.responses[:5])
    assert compare_with_baseline(side, few).verdict == "inconclusive"


def test_a_changed_model_name_is_noted():
    old, new = (_side(essays(20), model=name) for name in ("m-1", "m-2"))
    assert compare_with_baseline(old, new).notes == (
        "the endpoint's model name was m-1 and is m-2",
    )


def test_a_baseline_keeps_answers_and_nothing_an_endpoint_added(tmp_path):
    texts = [*HOSTILE_TEXTS, *essays(20)]
    side = _side(texts, raw={"id": "secret"}, request_id="req-1", model="m-1", key="k" * 64)
    path = tmp_path / "b.jsonl"
    assert save_baseline(path, side) == len(texts)
    stored = read_baseline(path)
    assert [r.text for r in stored.responses] == texts
    assert compare_with_baseline(stored, side).verdict == "same"
    dropped = {"raw", "raw_sha256", "request_id", "key", "logprobs"}
    assert not any(dropped & set(line) for line in lines(path))


def test_what_is_no_baseline_is_refused(tmp_path):
    path = tmp_path / "b.jsonl"
    for side, says in (
        (replace(_side(essays(20)), manifests=()), "does not say who answered"),
        (_side(essays(3)), "at least 8"),
        (_side(essays(20), status="error"), "calls failed"),
    ):
        with pytest.raises(InputFileError, match=says):
            save_baseline(path, side)
        assert not path.exists()
