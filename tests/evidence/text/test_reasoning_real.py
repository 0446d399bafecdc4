"""Reasoning on real traces: one model of the reference data shows its thinking, cut off each time.

Twelve answers of it, to eight puzzles, open ``<think>`` and reach their limit before closing it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from forensics.case.evidence import Evidence
from forensics.evidence.text.reasoning import FEATURES, Reasoning
from forensics.examination.examined import Examined
from forensics.subjects.subject import parse_subject
from forensics.transcripts.importers import import_file
from forensics.transcripts.transcript import read_transcript
from tests.evidence.text.fresh import with_reasoning

THINKS, SILENT = "DeepHermes-3-Mistral-24B-Pre", "QwQ-32b"


@pytest.fixture(name="subjects", scope="module")
def subjects_fixture(
    data_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Examined]:
    """Give the two models as imported, and the traces with an end to their thinking."""
    import pandas as pd

    folder = tmp_path_factory.mktemp("reasoning")
    table = pd.read_parquet(
        data_folder / "misguided_attention_outputs.parquet",
        filters=[("model", "in", [THINKS, SILENT])],
    )
    # The traces never end by themselves: let the last paragraph be the answer.
    closed = table[table.output.str.startswith("<think>")].copy()
    closed["output"] = ["\n\n</think>".join(text.rsplit("\n\n", 1)) for text in closed.output]
    closed["model"] = "closed"
    pd.concat([table, closed]).to_parquet(folder / "models.parquet")
    imported = import_file(folder / "models.parquet", folder / "out")
    return {
        found.model: Examined(
            parse_subject(f"transcript:{found.path}"), read_transcript(found.path)
        )
        for found in imported
    }


def _compared(a: Examined, b: Examined) -> Evidence:
    comparator = Reasoning()
    return comparator.compare(comparator.extract(a), comparator.extract(b))


def _of_samples(side: Examined, *, later: bool) -> Examined:
    """The first answer to each prompt, or all that follow it."""
    seen: set[str] = set()
    traces: list[str | None] = []
    for response in side.transcript.responses:
        again = response.prompt.sha256 in seen
        seen.add(response.prompt.sha256)
        traces.append(response.reasoning if again == later else None)
    return with_reasoning(side, traces)


def test_a_trace_that_was_cut_off_is_no_answer(subjects: dict[str, Examined]) -> None:
    responses = subjects[THINKS].transcript.responses
    thinking = [response for response in responses if response.reasoning]
    assert len(thinking) == 12
    assert all(not response.text for response in thinking)
    assert all((response.reasoning or "").startswith("Okay, ") for response in thinking)
    assert all(response.text.strip() for response in responses if not response.reasoning)
    assert all(response.reasoning is None for response in subjects[SILENT].transcript.responses)


def test_traces_without_answers_are_too_little(subjects: dict[str, Examined]) -> None:
    evidence = _compared(subjects[THINKS], subjects[SILENT])
    assert evidence.status == "insufficient"
    assert evidence.score is None
    assert "no answer of A and B comes with its reasoning" in evidence.reason
    assert "12 responses were cut off before their answer" in evidence.reason


def test_a_closed_trace_is_split_from_its_answer(subjects: dict[str, Examined]) -> None:
    unclosed = [r.reasoning or "" for r in subjects[THINKS].transcript.responses if r.reasoning]
    closed = subjects["closed"].transcript.responses
    for whole, response in zip(unclosed, closed, strict=True):
        assert response.reasoning is not None
        assert whole.startswith(response.reasoning)
        assert whole.endswith(response.text)
        assert "think>" not in response.text + response.reasoning


def test_real_thinking_turns(subjects: dict[str, Examined]) -> None:
    traces = Reasoning().extract(subjects["closed"])
    rates = dict(zip(FEATURES, np.expm1(traces.rates).T, strict=True))
    for marker in ("wait", "hmm", "okay", "alternatively"):
        assert (rates[marker] > 0).all(), marker
    # Several a page of what is rare in answers: "wait" in every trace, no layout of an answer.
    assert np.median(rates["wait"]) > 5
    assert not rates["bold"].any()
    assert not rates["用户 (the user)"].any()
    assert np.median(rates["length"]) > 1_000


def test_too_few_puzzles_have_two_traces(subjects: dict[str, Examined]) -> None:
    closed = subjects["closed"]
    evidence = _compared(_of_samples(closed, later=False), _of_samples(closed, later=True))
    assert evidence.status == "insufficient"
    assert "3 matched prompts have reasoning of both" in evidence.reason


def test_traces_match_their_own_puzzle(subjects: dict[str, Examined]) -> None:
    first = _of_samples(subjects["closed"], later=False)
    own = [response.reasoning for response in first.transcript.responses]
    kept = [trace for trace in own if trace]
    moved = iter([*kept[1:], kept[0]])
    others = with_reasoning(first, [next(moved) if trace else None for trace in own])
    same, exchanged = _compared(first, first), _compared(first, others)
    assert same.n == exchanged.n == 8
    assert same.score is not None
    assert exchanged.score is not None
    assert same.interval is not None
    assert exchanged.score < 0.1 < same.interval.low
