"""The shipped cohort of puzzles as the reference of shared manner, against a plain reference."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from forensics.case.details.shared_manner import MannerDetails
from forensics.case.evidence import Evidence
from forensics.cohorts.finding import find_cohort
from forensics.cohorts.lineage.models import read_models
from forensics.cohorts.manner import manner_in, manner_reference
from forensics.cohorts.outputs import Outputs, arrange
from forensics.cohorts.placed import place_member
from forensics.evidence.text.shared_manner.manner_evidence import SharedManner
from forensics.transcripts.importers.table import Table

NAME = "misguided-attention"
# What a plain programme finds that keeps all rows whole and centres on all other models, in per
# cent: sketches and own clusters left out move it by a few points.
PLAIN = {
    ("gemini-2.5-pro-high", "gemini-2.5-pro-low"): 100,
    ("gpt-4.1", "optimus-alpha"): 97,
    ("gemini-2.5-flash-high", "gemini-2.5-flash-preview-05-20:thinking"): 90,
    ("o4-mini-high", "o4-mini-high-long"): 85,
    ("qwen3-30b-a3b-think", "qwen3-235b-a22b-think"): 65,
    ("gemini-2.5-pro-preview-03-25", "gemini-2.5-pro-preview-05-06"): 64,
    ("claude-3.7-sonnet", "claude-3.7-thinking-4k"): 53,
    ("phi-4-reasoning-plus", "o3-mini"): 53,
    ("llama-4-maverick", "llama-4-scout"): 49,
    ("grok-3-mini-beta-think", "grok-3-mini-think"): 49,
    ("claude-4-sonnet-0522-thinking", "claude-sonnet-4"): 41,
    ("command-a-03-2025", "olmo-2-0325-32b"): 5,
}


@cache
def members(a: str, b: str) -> Evidence:
    cohort = find_cohort(NAME)
    return manner_in((place_member(a, cohort), ()), (place_member(b, cohort), ()), cohort)


def details(evidence: Evidence) -> MannerDetails:
    assert isinstance(evidence.details, MannerDetails), evidence.reason
    return evidence.details


@pytest.mark.parametrize(("pair", "expected"), PLAIN.items())
def test_members_share_what_the_plain_reference_finds(pair, expected):
    assert 100 * details(members(*pair)).share == pytest.approx(expected, abs=8)


def test_two_settings_of_one_model_are_one_and_the_foils_are_named():
    test = details(members("gemini-2.5-pro-high", "gemini-2.5-pro-low")).one_model
    assert test.reading == "one_model"
    assert test.foils_from == NAME
    assert len(test.foils) >= 30
    # A preview and its release, and a model that was announced as an early form of the other.
    assert {(foil.a, foil.b) for foil in test.foils if not foil.apart} == {
        ("gemini-2.5-flash-high", "gemini-2.5-flash-preview-05-20:thinking"),
        ("gpt-4.1", "optimus-alpha"),
    }


def test_unrelated_models_are_no_one_model_and_hundreds_of_pairs_share_as_much():
    record = details(members("command-a-03-2025", "olmo-2-0325-32b"))
    assert record.one_model.reading == "another_manner"
    assert record.unrelated is not None
    assert record.unrelated.reached > 50
    assert record.unrelated.pairs > 1000


def test_a_cohort_of_one_answer_a_prompt_abstains():
    cohort = find_cohort("alpaca-eval")
    a, b = (place_member(model, cohort) for model in ("vicuna-13b", "vicuna-7b"))
    found = manner_in((a, ()), (b, ()), cohort)
    assert found.status == "insufficient"
    assert "--samples 3" in found.reason


@pytest.fixture(name="outputs", scope="module")
def outputs_fixture(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    """Give the answers of six models, whole."""
    import pandas as pd

    source = data_folder / "modern" / "misguided_attention_outputs.parquet"
    wanted = ["gemini-2.5-pro-high", "gemini-2.5-pro-low", "command-a-03-2025", "olmo-2-0325-32b"]
    path = tmp_path_factory.mktemp("puzzles") / "some.parquet"
    pd.read_parquet(source, filters=[("model", "in", wanted)]).to_parquet(path)
    facts = read_models(source.with_name("misguided_attention_models.csv"))
    answers = {one.model: one.responses for one in Table().read(path)}
    return arrange({model: facts[model] for model in answers}, answers)


@pytest.mark.parametrize(
    ("pair", "expected"),
    [(pair, value) for pair, value in PLAIN.items() if value in (100, 5)],
)
def test_answers_share_what_the_plain_reference_finds(outputs, pair, expected):
    comparator = SharedManner(manner_reference(find_cohort(NAME)))
    a, b = (comparator.extract(outputs.examined(outputs.models.index(name))) for name in pair)
    record = details(comparator.compare(a, b))
    assert (record.known_as_a, record.known_as_b) == pair
    assert 100 * record.share == pytest.approx(expected, abs=6)
    swapped = details(comparator.compare(b, a))
    assert swapped.share == record.share
    assert swapped.one_model == record.one_model


def test_a_cohort_without_repeats_still_centres():
    cohort = find_cohort(NAME)
    once = manner_reference(replace(cohort, repeats=np.zeros((0, 0), np.float16)))
    assert not np.isfinite(once.repeats).any()
    assert np.linalg.norm(once.rows, axis=2).max() == pytest.approx(1, abs=1e-3)
