"""The cohorts that come with the package, and that they are made as said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from forensics.cohorts.finding import find_cohort, shipped
from forensics.cohorts.similarity import pair_scores
from forensics.suites.loading import load_suite
from forensics.suites.references import read_hashes
from forensics.support import resources
from studies.cohorts.build_shipped import RECIPES, build_shipped, tables

LIMIT = 4_000_000  # bytes


def _folder(name: str) -> Path:
    return resources.data_folder("probes") / name


@pytest.mark.parametrize("name", ["alpaca-eval", "misguided-attention"])
def test_a_shipped_cohort_is_small_complete_and_joins_its_suite(name):
    cohort = find_cohort(name)
    suite = {prompt.sha256: prompt for prompt in load_suite(name).prompts}
    assert name in shipped()
    assert (_folder(name) / "cohort.safetensors").stat().st_size <= LIMIT
    for prompt in cohort.prompts:
        known = suite[prompt.sha256]
        assert (prompt.id, prompt.category) == (known.id, known.category)
    assert {"source", "licence", "command", "date", "version"} <= cohort.provenance.keys()
    answered = np.einsum("pmd,pmd->pm", cohort.rows(), cohort.rows()) > 0.5
    assert answered.mean() > 0.9


TODAY = {"misguided-attention": 58, "longform": 50, "slop-score": 22, "farel": 85}


@pytest.mark.parametrize("name", TODAY)
def test_cohorts_of_today_are_small_and_say_what_they_hold(name):
    cohort = find_cohort(name)
    folder = _folder(name)
    assert len(cohort.models) == TODAY[name]
    assert (folder / "cohort.safetensors").stat().st_size <= LIMIT
    listed = {prompt.sha256: prompt for prompt in read_hashes(folder / "prompts.csv")}
    assert {prompt.sha256 for prompt in cohort.prompts} <= listed.keys()
    assert f"{TODAY[name]}" in (folder / "DATASHEET.md").read_text("utf-8")
    assert max(traits.released for traits in cohort.traits) >= "2025-01"
    assert (cohort.scales == 0).mean() < 0.05  # blank answers are none


def test_only_puzzles_were_asked_more_than_once():
    asked_again = find_cohort("misguided-attention")
    repeats = asked_again.repeats.astype(np.float64)
    assert np.isfinite(repeats).mean() > 0.95
    place = asked_again.place
    # A model that answers alike each time is more like itself than one that does not.
    itself = np.nanmean(repeats, axis=0)
    assert itself[place("qwen3-235b-a22b-nothink")] > itself[place("deepseek-r1")] + 0.1
    assert not any(find_cohort(name).repeats.size for name in ("longform", "slop-score", "farel"))


def test_the_smallest_serves_as_reference_and_issues_no_ratio():
    cohort = find_cohort("slop-score")
    assert cohort.calibration is None
    pair = np.array([[cohort.place("gemma-3-27b-it"), cohort.place("gemma-3-27b-it-antislop")]])
    excluded = cohort.excluded()
    kept = [~(excluded[a] | excluded[b]) for a, b in pair]
    assert not cohort.population().met(pair, kept)[0]
    strangers = np.array([[pair[0, 0], i] for i in np.flatnonzero(~excluded[pair[0, 0]])])
    scores = pair_scores(cohort.similarities(), excluded, np.concatenate([pair, strangers])).score
    assert scores[0] > scores[1:].max()


def test_two_listings_with_the_same_answers_are_one(data_folder: Path):
    recipe = next(one for one in RECIPES if one.suite == "longform")
    outputs, pairs = tables(recipe, data_folder)
    for left_out in recipe.left_out:
        assert left_out not in outputs.models
        assert not any(left_out in (pair.a, pair.b) for pair in pairs)
    assert not set(recipe.left_out) & set(find_cohort("longform").models)


def test_the_large_one_is_calibrated_on_other_clusters():
    cohort = find_cohort("alpaca-eval")
    assert len(cohort.models) == 163
    assert len(cohort.prompts) >= 100
    assert cohort.provenance["near_copies"] == ["aligner-2b_gpt-4-turbo-2024-04-09"]
    for name in ("same_model", "close_descent"):
        rates = cohort.error_rates[name]
        assert rates["auc"] > 0.98
        assert 0 < rates["cllr"] < 0.5
        assert rates["interval"]["auc"][0] <= rates["auc"] <= rates["interval"]["auc"][1]


def test_close_kin_stand_out_and_strangers_do_not():
    cohort = find_cohort("alpaca-eval")
    names = [
        ("vicuna-13b-v1.5", "vicuna-13b-v1.5-togetherai"),
        ("vicuna-13b-v1.5", "gpt4_1106_preview"),
    ]
    pairs = np.array([[cohort.place(a), cohort.place(b)] for a, b in names])
    scores = pair_scores(cohort.similarities(), cohort.excluded(), pairs).score
    kin, strangers = cohort.calibration.llr(scores, len(cohort.prompts))
    assert kin > np.log(10)
    assert strangers < 0


@pytest.mark.slow
def test_the_small_one_is_rebuilt_by_its_command(data_folder: Path, tmp_path: Path):
    recipe = RECIPES[1]
    shipped_one = find_cohort(recipe.suite)
    date = shipped_one.provenance["date"]
    built = build_shipped(recipe, data_folder, date, tmp_path)
    listed = tmp_path / recipe.suite / "prompts.csv"
    folder = _folder(recipe.suite)
    assert listed.read_bytes() == (folder / "prompts.csv").read_bytes()
    assert built.facts == shipped_one.facts
    assert built.prompts == shipped_one.prompts
    # The shipped pack names command and version of its day; its hash stands in cases, so it is not
    # made again with every release.
    today = {name: built.provenance[name] for name in ("command", "version")}
    assert built.provenance == {**shipped_one.provenance, **today}
    assert np.array_equal(built.frequency, shipped_one.frequency)
    assert np.array_equal(built.phrases, shipped_one.phrases)
    # Another machine's arithmetic may round a number to the next of its sixteen levels.
    assert (built.sketches != shipped_one.sketches).mean() < 1e-3
    for name, rates in shipped_one.error_rates.items():
        assert built.error_rates[name]["auc"] == pytest.approx(rates["auc"], abs=5e-3)


def test_no_answer_and_no_prompt_is_shipped(data_folder: Path):
    import pandas as pd

    for recipe in RECIPES:
        path = data_folder / f"{recipe.prefix}_outputs.parquet"
        table = pd.read_parquet(path, columns=["prompt", "output"])
        folder = _folder(recipe.suite)
        content = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
        answers = table["output"].dropna().sample(400, random_state=0)
        for text in (*table["prompt"].unique(), *(one for one in answers if len(one) > 30)):
            assert text[:60].encode("utf-8", "replace") not in content


def test_sketches_of_the_text_at_hand_agree_with_the_pack(data_folder: Path):
    outputs, _ = tables(RECIPES[1], data_folder)
    cohort = find_cohort("misguided-attention")
    place = outputs.models.index("QwQ-32b")
    answers = {p.sha256: row[place] for p, row in zip(outputs.prompts, outputs.texts, strict=True)}
    anew, kept = cohort.sketch(answers), cohort.rows()[:, cohort.place("QwQ-32b")]
    answered = kept.any(axis=1)
    assert (anew.any(axis=1) == answered).all()
    assert (anew * kept).sum(axis=1)[answered].min() > 0.97
