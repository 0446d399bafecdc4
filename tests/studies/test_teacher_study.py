"""Teachers, providers and common teachers, measured on models made to have them."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from forensics.cohorts.lineage.hypotheses import LabelledPair
from forensics.cohorts.lineage.models import ModelFacts, Teacher
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.teacher_level import HeldOut
from studies.error_rates.teacher_claims import RIGHT, WRONG, claims, margins
from studies.error_rates.teacher_study import (
    blind_to_labels,
    by_developer,
    no_hubs,
    provider,
    rare_sequences,
    specificity,
    teacher_study,
)
from studies.error_rates.teachers import figures, section
from tests.cohorts.builders import answer, prompt, word

TEACHERS, STUDENTS, UNTAUGHT = 2, 6, 12
PROMPTS = 16


def _facts() -> dict[str, ModelFacts]:
    """Give two teachers of two developers, six students of each, and twelve without a teacher."""
    rows = [
        ModelFacts(
            f"t{i}", f"t{i}", developer=f"T{i}", teachers_known="none known", released="2024-01"
        )
        for i in range(TEACHERS)
    ]
    rows += [
        ModelFacts(
            f"s{i}{j}",
            f"s{i}{j}",
            developer=f"S{i}{j}",
            teachers=(Teacher(f"t{i}", "sft", "high"),),
            teachers_known="listed",
            released="2024-03",
        )
        for i in range(TEACHERS)
        for j in range(STUDENTS)
    ]
    rows += [
        ModelFacts(
            f"n{i}", f"n{i}", developer=f"N{i}", teachers_known="none known", released="2024-02"
        )
        for i in range(UNTAUGHT)
    ]
    return {row.model: row for row in rows}


def _outputs(facts: dict[str, ModelFacts]) -> Outputs:
    """Give answers in which half of a student's words are its teacher's."""

    def habits(model: str) -> list[str]:
        own = [word(random.Random(f"{model} {i}")) for i in range(30)]
        taught = facts[model].teachers
        return own[:15] + habits(taught[0].name)[:15] if taught else own

    texts = tuple(
        tuple(
            (answer(habits(model), number, random.Random(f"{model} {number}")),) for model in facts
        )
        for number in range(PROMPTS)
    )
    return Outputs(facts, tuple(prompt(number) for number in range(PROMPTS)), texts)


def _pairs(facts: dict[str, ModelFacts]) -> tuple[LabelledPair, ...]:
    found = []
    names = sorted(facts)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            of_a, of_b = ({t.name for t in facts[one].teachers} for one in (a, b))
            if a in of_b or b in of_a:
                found.append(LabelledPair(a, b, "distilled_teacher", "high", "common_teacher"))
            elif of_a & of_b:
                found.append(LabelledPair(a, b, "same_teacher", "high", "common_teacher"))
            elif not (of_a and of_b):
                found.append(LabelledPair(a, b, "unrelated", "high", "independent"))
    return tuple(found)


FACTS = _facts()
MADE = _outputs(FACTS)
PAIRS = _pairs(FACTS)


@pytest.fixture(name="found", scope="module")
def found_fixture() -> dict:
    found = teacher_study(MADE, MADE.similarities(), PAIRS)
    assert found is not None
    return found


def _number(model: str) -> int:
    return MADE.models.index(model)


def _kinds(pairs: tuple[LabelledPair, ...], facts: dict[str, ModelFacts]) -> dict:
    judged = claims(replace(MADE, facts=facts), pairs)
    named = zip(judged.student.tolist(), judged.teacher.tolist(), judged.kinds, strict=True)
    return {(MADE.models[s], MADE.models[t]): kind for s, t, kind in named}


def test_claims_are_right_or_wrong_for_a_reason() -> None:
    kinds = _kinds(PAIRS, FACTS)
    assert kinds["s00", "t0"] == RIGHT
    assert kinds["s00", "t1"] == WRONG[0]
    assert kinds["n0", "t0"] == WRONG[2]
    assert ("t0", "t1") in kinds  # a teacher had none itself
    assert ("s00", "n0") not in kinds  # n0 is not known to have taught anybody
    assert sum(kind == RIGHT for kind in kinds.values()) == TEACHERS * STUDENTS


def test_a_teacher_released_later_taught_nobody_before() -> None:
    late = {**FACTS, "t1": replace(FACTS["t1"], released="2024-09")}
    kinds = _kinds(PAIRS, late)
    assert kinds["s00", "t1"] == kinds["s10", "t1"] == WRONG[1]


def test_what_is_documented_less_surely_is_neither_right_nor_wrong() -> None:
    unsure = tuple(
        replace(pair, confidence="medium") if {pair.a, pair.b} == {"s00", "t0"} else pair
        for pair in PAIRS
    )
    assert ("s00", "t0") not in _kinds(unsure, FACTS)


def test_a_pair_that_does_not_say_who_learned_is_passed_over() -> None:
    both = {**FACTS, "t0": replace(FACTS["t0"], teachers=(Teacher("x"),))}
    assert not any(t == "t0" and k == RIGHT for (_, t), k in _kinds(PAIRS, both).items())


def test_rivals_are_of_the_teachers_time_and_did_not_teach_the_student() -> None:
    old = {**FACTS, "n0": replace(FACTS["n0"], released="2021-01")}
    judged = claims(replace(MADE, facts=old), PAIRS)
    place = next(i for i in range(len(judged.kinds)) if judged.kinds[i] == RIGHT)
    student, teacher = judged.student[place], judged.teacher[place]
    rivals = judged.rivals[place]
    assert not rivals[student]
    assert not rivals[teacher]
    assert not rivals[_number("n0")]
    assert rivals[_number("n1")]


def test_a_margin_is_the_score_less_the_best_rivals() -> None:
    judged = claims(MADE, PAIRS)
    matrix = np.zeros((len(FACTS), len(FACTS)))
    student, teacher = judged.student[0], judged.teacher[0]
    matrix[student, teacher] = 0.5
    rival = int(np.flatnonzero(judged.rivals[0])[0])
    matrix[student, rival] = 0.2
    assert margins(matrix, judged)[0] == pytest.approx(0.3)
    alone = replace(judged, rivals=np.zeros_like(judged.rivals))
    assert np.isnan(margins(matrix, alone)).all()


def test_teachers_who_left_their_words_are_told_from_wrong_ones(found: dict) -> None:
    area, rate = found["specificity"]["rows"]["this project, hubs removed"]["score"]
    assert area > 0.95
    assert rate > 0.5
    assert found["claims"][RIGHT] == TEACHERS * STUDENTS
    assert found["specificity"]["of_chosen"][0] > 0.8
    low, high = found["specificity"]["intervals"]["auc"]
    assert low <= high


def test_the_two_providers_are_named(found: dict) -> None:
    measured = found["provider"]
    assert measured["providers"] == ["T0", "T1"]
    assert measured["majority"] == 0.5
    assert measured["micro"] > 0.8
    assert measured["macro"] == pytest.approx(measured["micro"], abs=0.2)
    assert measured["untaught"] == UNTAUGHT
    assert measured["untaught_named"] < 0.5


def test_scores_without_meaning_name_nobody() -> None:
    judged = claims(MADE, PAIRS)
    noise = np.random.default_rng(0).normal(size=(len(FACTS), len(FACTS)))
    tried = {"noise": noise + noise.T}
    measured = specificity(tried, judged)
    assert 0.2 < measured["of_chosen"][0] < 0.8
    named = provider(MADE, tried, judged)
    assert named["micro"] < 0.5
    assert named["chosen"] == ["noise", "noise"]


def test_few_clusters_of_teachers_give_no_ratio(found: dict) -> None:
    one = found["by_developer"]["T0"]
    assert one == {"claims": STUDENTS, "groups": STUDENTS, "teacher_clusters": 1, "ratio": False}
    assert by_developer(MADE, claims(MADE, PAIRS)) == found["by_developer"]


def test_kin_by_one_teacher_part_from_strangers(found: dict) -> None:
    table = found["common_teacher"]
    assert table["this project"]["plain"][0] > 0.9
    assert table["all of these, fused"]["plain"][0] > 0.8
    assert all(set(one) >= {"plain", "removed", "hubs"} for one in table.values())


def test_effects_that_add_up_are_removed_to_nothing() -> None:
    labelled = MADE.labelled(PAIRS)
    effects = np.random.default_rng(1).normal(size=len(FACTS))
    matrix = 3 + effects[:, None] + effects[None]
    for removed in (no_hubs(matrix, labelled), blind_to_labels(matrix, MADE.excluded())):
        off = ~np.eye(len(FACTS), dtype=bool)
        assert np.abs(removed[off]).max() < 0.25 * np.abs(matrix - 3)[off].max()


def test_rare_sequences_are_those_few_models_share() -> None:
    phrase = "one two three four five six seven eight"
    everybody = "nine ten eleven twelve thirteen fourteen fifteen sixteen"
    facts = {f"m{i}": ModelFacts(f"m{i}", f"m{i}") for i in range(14)}
    texts = tuple((f"{everybody} {phrase if i < 2 else i}",) for i in range(14))
    found = rare_sequences(Outputs(facts, (prompt(0),), (texts,)))
    assert found[0, 1] == pytest.approx(np.log1p(8))
    assert found[2, 3] == 0
    assert found.shape == (14, 14)


def test_without_documented_teachers_there_is_no_study() -> None:
    assert teacher_study(MADE, MADE.similarities(), ()) is None
    assert "Not measured: no documented teachers." in list(section(None, None))
    assert all("not measured" in line for line in figures(None, None))


def test_the_section_tells_every_figure_and_what_stopped_it(found: dict) -> None:
    text = "\n".join(section(found, HeldOut(59, 3, 24, 3)))
    assert "| all of these, fused |" in text
    assert f"{TEACHERS * STUDENTS} documented claims" in text
    assert f"| T0 | {STUDENTS} | {STUDENTS} | 1 | none: fewer than 5 clusters |" in text
    assert "3 of 59 documented students" in text
    assert "therefore names no teacher at any level" in text
    assert "names that level" in "\n".join(section(found, HeldOut(59, 50, 60, 1)))
    assert all(line.endswith("|") for line in text.splitlines() if line.startswith("|"))


def test_figures_are_of_what_was_chosen_elsewhere(found: dict) -> None:
    measured = {**found["specificity"], "of_chosen": (0.7, 0.4)}
    specific, named, traced = figures({**found, "specificity": measured}, HeldOut(59, 3, 24, 3))
    assert "AUC 0.700" in specific
    assert "TPR at 1 % 0.400" in specific
    assert "| students resemble" in specific
    assert f"| {found['provider']['micro']:.3f} · {found['provider']['macro']:.3f} (" in named
    assert "Only 5% of documented students are flagged (30% required)" in traced
    unchosen = {**found["specificity"], "of_chosen": None}
    assert next(figures({**found, "specificity": unchosen}, None)).endswith("| not measured |")
    one = {**found["provider"], "providers": ["T0"]}
    _, only = figures({**found, "provider": one}, None)
    assert "**not measurable**: every documented provider is T0" in only
