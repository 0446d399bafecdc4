"""Building and growing cohorts, with the input that goes wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forensics.cohorts.lineage.hypotheses import LabelledPair
from forensics.cohorts.lineage.models import ModelFacts
from forensics.cohorts.outputs import MIN_MODELS, Outputs, arrange, read_outputs
from forensics.cohorts.pack_files import write_cohort
from forensics.cohorts.similarity import pair_scores
from forensics.errors import InputFileError, UsageError
from forensics.evaluation.cohort_build import add, build, near_copies
from forensics.transcripts.transcript import Response
from tests.builders import essays, write
from tests.cohorts.builders import facts, outputs, pairs


def _strict(cohort, tmp_path) -> None:
    """Write it: JSON that holds a NaN, or an array of another type, would fail here."""
    write_cohort(tmp_path / "x.safetensors", cohort)


def _only(found: Outputs, names: list[str]) -> Outputs:
    places = [found.models.index(name) for name in names]
    texts = tuple(tuple(row[i] for i in places) for row in found.texts)
    return replace(found, facts={name: found.facts[name] for name in names}, texts=texts)


def test_kin_are_told_from_strangers():
    made = outputs()
    cohort = build(made, pairs(made.facts), "small")
    scores = pair_scores(cohort.similarities(), cohort.excluded(), np.array([(0, 1), (0, 2)])).score
    kin, strangers = cohort.calibration.llr(scores, len(cohort.prompts))
    assert kin > 0 > strangers
    assert cohort.error_rates["same_model"]["auc"] == 1
    assert "by_relation" not in cohort.error_rates
    assert cohort.provenance["answers"] == 22 * 16


def test_prompts_that_most_models_answered_are_kept_and_the_seed_decides_among_them():
    made = outputs(prompts=20)
    texts = [list(row) for row in made.texts]
    for number in range(10):
        texts[number][0] = ()
    made = replace(made, texts=tuple(map(tuple, texts)))
    full = {p.sha256 for p in made.prompts[10:]}
    kept = [
        {p.sha256 for p in build(made, (), "x", prompts=8, seed=seed).prompts} for seed in (0, 1)
    ]
    assert kept[0] < full
    assert kept[1] < full
    assert kept[0] != kept[1]


def test_several_samples_and_many_models_stay_within_a_byte(tmp_path):
    made = outputs(facts(2, 4), prompts=8, samples=40)  # 320 texts a prompt
    cohort = build(made, (), "many")
    assert (cohort.texts == 255).all()
    assert 240 < cohort.frequency.max() <= 255
    answers = {p.sha256: row[0] for p, row in zip(made.prompts, made.texts, strict=True)}
    assert (cohort.sketch(answers) * cohort.rows()[:, 0]).sum(axis=1).min() > 0.97
    _strict(cohort, tmp_path)


def test_too_few_prompts():
    with pytest.raises(InputFileError, match="only 7 prompts"):
        build(outputs(prompts=7), (), "x")


def test_a_cohort_of_three_is_made_but_judges_nobody(tmp_path):
    made = outputs(facts(1, 1))
    cohort = build(made, pairs(made.facts), "three")
    assert cohort.calibration is None
    scores = pair_scores(cohort.similarities(), cohort.excluded(), np.array([(0, 1), (0, 2)]))
    assert np.isnan(scores.score).all()
    _strict(cohort, tmp_path)


def test_two_models_are_no_cohort(tmp_path):
    files = [write(tmp_path / f"{name}.jsonl", essays(10)) for name in "ab"]
    with pytest.raises(InputFileError, match=f"2 models have answers here; at least {MIN_MODELS}"):
        read_outputs(files, {name: ModelFacts(name, name) for name in "abc"})


def test_a_model_without_facts_is_named(tmp_path):
    with pytest.raises(InputFileError, match="no row for 'b'"):
        read_outputs([write(tmp_path / "b.jsonl", essays(10))], {"a": ModelFacts("a", "a")})


def test_only_one_class_present(tmp_path):
    made = outputs()
    every = pairs(made.facts)
    for name in ("same_model", "independent"):
        cohort = build(made, [pair for pair in every if pair.hypothesis == name], "one")
        assert cohort.calibration is None
        _strict(cohort, tmp_path)


def test_kin_from_too_few_clusters_calibrate_nothing(tmp_path):
    made = outputs(facts(4, 12))
    cohort = build(made, pairs(made.facts), "few")
    assert cohort.calibration is None
    assert cohort.error_rates["same_model"]["cllr"] is None
    _strict(cohort, tmp_path)


def test_all_identical_answers(tmp_path):
    made = outputs()
    same = tuple(
        tuple(("the same words again and again " * 10,) for _ in row) for row in made.texts
    )
    made = replace(made, texts=same)
    cohort = build(made, pairs(made.facts), "same")
    assert cohort.calibration is None
    assert set(cohort.provenance["near_copies"]) == set(made.models)
    _strict(cohort, tmp_path)


def test_short_identical_answers_are_no_copies_and_calibrate_nothing(tmp_path):
    made = outputs()
    made = replace(made, texts=tuple(tuple(("Paris.",) for _ in row) for row in made.texts))
    cohort = build(made, pairs(made.facts), "short")
    assert cohort.provenance["near_copies"] == []
    assert cohort.calibration is None
    _strict(cohort, tmp_path)


def test_a_model_with_nine_blank_answers_in_ten(tmp_path):
    made = outputs(facts(kin=7), prompts=20)
    texts = [list(row) for row in made.texts]
    for number in range(18):
        texts[number][0] = ()
    made = replace(made, texts=tuple(map(tuple, texts)))
    cohort = build(made, pairs(made.facts), "blank")
    scores = pair_scores(cohort.similarities(), cohort.excluded(), np.array([(0, 1), (2, 3)]))
    assert scores.prompts.tolist() == [2, 20]
    assert np.isnan(scores.score[0])
    assert cohort.calibration is not None
    _strict(cohort, tmp_path)


def test_blank_answers_and_failures_are_no_answers():
    asked = [f"m{i}" for i in range(4)]
    one = outputs(facts(0, 4), prompts=1).prompts[0]
    answers = {
        "m0": [Response(prompt=one, text="words")],
        "m1": [Response(prompt=one, text=" \n"), Response(prompt=one, text="words", sample=1)],
        "m2": [Response(prompt=one, text="half", status="truncated")],
        "m3": [Response(prompt=one, text="no", status="error")],
    }
    found = arrange({name: ModelFacts(name, name) for name in asked}, answers)
    assert found.texts == ((("words",), ("words",), ("half",), ()),)


def test_a_model_that_hands_out_others_answers_is_found_and_calibrates_nothing():
    made = outputs(facts(6, 10))
    thief = made.models.index("s9")
    texts = [list(row) for row in made.texts]
    for number in range(4):  # a quarter, taken of several models
        texts[number][thief] = texts[number][number]
    released = {**made.facts, "s9": replace(made.facts["s9"], released="2025-06")}
    made = replace(made, facts=released, texts=tuple(map(tuple, texts)))
    assert near_copies(made) == {"s9"}
    every = pairs(made.facts)
    cohort = build(made, every, "thief")
    without = [pair for pair in every if "s9" not in (pair.a, pair.b)]
    assert cohort.provenance["near_copies"] == ["s9"]
    assert cohort.calibration.to_json() == build(made, without, "thief").calibration.to_json()


def test_kin_may_give_the_same_answers():
    made = outputs()
    texts = tuple((row[0], row[0], *row[2:]) for row in made.texts)
    assert near_copies(replace(made, texts=texts)) == frozenset()


def test_labels_of_models_without_answers_are_passed_over():
    made = outputs()
    stray = LabelledPair("x", "y", "unrelated", "high", "independent")
    assert (
        build(made, (*pairs(made.facts), stray), "x").calibration.to_json()
        == build(made, pairs(made.facts), "x").calibration.to_json()
    )


# --- adding models ----------------------------------------------------------------------------


def _responses(found: Outputs, model: str) -> list[Response]:
    place = found.models.index(model)
    return [
        Response(prompt=prompt, text=text, sample=i)
        for prompt, row in zip(found.prompts, found.texts, strict=True)
        for i, text in enumerate(row[place])
    ]


def test_an_added_model_is_found_beside_its_kin(tmp_path):
    whole = outputs()
    rest = [name for name in whole.models if name != "m0b"]
    cohort = build(_only(whole, rest), pairs({n: whole.facts[n] for n in rest}), "base")
    grown = add(cohort, whole.facts, {"m0b": _responses(whole, "m0b")}, {"date": "2026-01-01"})
    assert grown.models == (*cohort.models, "m0b")
    assert np.array_equal(grown.sketches[:, :-1], cohort.sketches)
    assert grown.calibration == cohort.calibration
    assert grown.provenance["added"] == [{"date": "2026-01-01", "models": ["m0b"]}]
    assert grown.traits[-1].length > 0
    place = grown.place("m0b")
    pair = np.array([(grown.place("m0a"), place), (grown.place("s0"), place)])
    kin, stranger = pair_scores(grown.similarities(), grown.excluded(), pair).score
    assert kin > 10 > stranger
    assert grown.excluded()[place, grown.place("m0a")]
    _strict(grown, tmp_path)


def test_what_cannot_be_added():
    whole = outputs()
    cohort = build(whole, (), "base")
    answers = _responses(whole, "s0")
    with pytest.raises(UsageError, match="has a model 's0'"):
        add(cohort, whole.facts, {"s0": answers})
    with pytest.raises(UsageError, match="no row for 'new'"):
        add(cohort, whole.facts, {"new": answers})
    known = {"new": ModelFacts("new", "new")}
    with pytest.raises(InputFileError, match="answered 7 of the 16 prompts"):
        add(cohort, known, {"new": answers[:7]})
    with pytest.raises(InputFileError, match="answered 0 of the 16 prompts"):
        add(cohort, known, {"new": [replace(one, text=" ") for one in answers]})
