"""Who is a subject's kin among a cohort's models, and when nobody is."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from forensics.cohorts.cohort import Cohort
from forensics.cohorts.finding import find_cohort
from forensics.cohorts.lineage.models import ModelFacts, clusters
from forensics.cohorts.placed import (
    excluded_for,
    place_examined,
    place_member,
    shares_answers,
)
from forensics.cohorts.teacher_wording import held_out_words
from forensics.cohorts.trace import FAMILY_WISE, Trace, trace
from forensics.examination.examined import Examined
from forensics.suites.suite import Message, Prompt
from forensics.transcripts.transcript import Response
from tests.cohorts.builders import facts, outputs
from tests.foreign_text import ENGLISH, GERMAN, LATIN, of_cohort, prose, tokens
from tests.made_cohort import PROMPTS, answering, made_cohort, said


@pytest.fixture(name="shipped", scope="module")
def shipped_fixture() -> Cohort:
    return find_cohort("alpaca-eval")


def _strict(found: Trace) -> dict:
    return json.loads(json.dumps(asdict(found), allow_nan=False))


def test_documented_kin_of_a_shipped_model_come_first(shipped: Cohort) -> None:
    found = trace(place_member("Meta-Llama-3-8B-Instruct", shipped), shipped)
    numbers = clusters(shipped.facts)
    own = numbers["Meta-Llama-3-8B-Instruct"]
    assert numbers[found.relatives[0].model] == own
    assert found.relatives[0].family_wise is not None
    assert found.relatives[0].family_wise <= FAMILY_WISE
    assert sum(numbers[model] == own for model in found.named) >= 3
    assert "Meta-Llama-3-8B-Instruct" not in {one.model for one in found.relatives}
    assert len(found.relatives) == len(shipped.models) - 1
    scores = [one.score for one in found.relatives]
    assert scores == sorted(scores, reverse=True)
    assert found.covered
    _strict(found)


def test_vicuna_has_its_own_family_among_the_first(shipped: Cohort) -> None:
    found = trace(place_member("vicuna-13b", shipped), shipped)
    assert sum(one.family == "vicuna" for one in found.relatives[:5]) >= 2
    assert found.known_as == "vicuna-13b"
    rates = [one.family_wise for one in found.relatives if one.family_wise is not None]
    assert rates == sorted(rates)


@pytest.mark.parametrize(
    "texts",
    [
        prose(GERMAN, 1, 120),
        prose(LATIN, 1, 120),
        prose(ENGLISH, 1, 120),
        tokens(1, 120),
        ["I am sorry, I cannot help with that request. Ask me something else."] * 120,
        ["Yes."] * 120,
        ["the " * 300] * 120,
        ["\N{GRINNING FACE}"] * 120,
        ["\x00\ud800<script>alert(1)</script>[bold]\x1b[31m" * 20] * 120,
    ],
    ids="German Latin English tokens refusal yes the emoji hostile".split(),
)
def test_what_no_model_of_the_cohort_wrote_is_none_of_these(
    shipped: Cohort, texts: list[str]
) -> None:
    found = trace(place_examined(of_cohort(texts, shipped), shipped, "2024-05"), shipped)
    assert found.alike == found.named == ()
    assert found.level == "none"
    assert found.reading.startswith("None of these")
    assert found.known_as is None
    _strict(found)


@pytest.mark.parametrize("count", [0, 1, 7])
def test_too_few_answers_are_insufficient(count: int) -> None:
    cohort = made_cohort()
    found = trace(place_examined(answering(said("m0", "new", count)), cohort), cohort)
    assert found.relatives == found.named == found.conditions == ()
    assert found.reading.startswith(f"Insufficient data: {count} of the cohort's 24 prompts")
    assert not found.covered


def test_blank_answers_do_not_count_as_answers() -> None:
    cohort = made_cohort()
    texts = said("m0", "new")[:6] + [" \n"] * 18
    assert trace(place_examined(answering(texts), cohort), cohort).prompts == 6


def test_a_new_run_of_a_model_finds_it_and_a_stranger_finds_nobody() -> None:
    cohort = made_cohort()
    kin = trace(place_examined(answering(said("m0", "new")), cohort, "2024-06"), cohort)
    assert {one.model for one in kin.relatives[:2]} == {"m0a", "m0b"}
    assert set(kin.alike) == {"m0a", "m0b"}
    assert kin.known_as is None
    assert kin.relatives[0].log10_lr > 0 > kin.relatives[2].log10_lr
    stranger = trace(place_examined(answering(said("z", "z")), cohort, "2024-06"), cohort)
    assert stranger.alike == stranger.named == ()


def test_strangers_are_named_no_more_often_than_the_family_wise_limit_lets_expect() -> None:
    cohort = made_cohort()
    found = [
        trace(place_examined(answering(said(f"z{i}", f"z{i}")), cohort), cohort).alike
        for i in range(40)
    ]
    # Of 40 subjects at 1 %, three or more have a probability of .007.
    assert sum(map(bool, found)) <= 2


def test_the_conditions_are_told_when_the_release_is_not_known() -> None:
    cohort = made_cohort()
    found = trace(place_examined(answering(said("m0", "new")), cohort), cohort)
    assert not found.covered
    assert "Outside the validated population: the release date of" in found.reading
    known = trace(place_examined(answering(said("m0", "new")), cohort, "2024-06"), cohort)
    assert "release date" not in known.reading
    assert [one.model for one in known.relatives] == [one.model for one in found.relatives]


def test_a_subject_of_a_later_time_is_outside_the_population() -> None:
    cohort = made_cohort()
    found = trace(place_examined(answering(said("m0", "new")), cohort, "2027-01"), cohort)
    assert not found.covered
    assert "0 reference models of other families were released within 12 months" in found.reading


def test_the_cohorts_own_answers_are_recognised_and_are_no_reference() -> None:
    cohort = made_cohort()
    placed = place_examined(answering(_answers_of("m2a")), cohort)
    assert placed.known_as == "m2a"
    assert placed.traits.released == cohort.traits[cohort.place("m2a")].released
    left_out = {cohort.models[i] for i in np.flatnonzero(excluded_for(placed, cohort))}
    assert left_out == {"m2a", "m2b"}
    found = trace(placed, cohort)
    assert found.relatives[0].model == "m2b"
    # The same as the model's own row gives, but for the four bits a number has there.
    member = trace(place_member("m2a", cohort), cohort)
    assert member.relatives[0].model == "m2b"
    assert found.relatives[0].cosine == pytest.approx(member.relatives[0].cosine, abs=0.05)


def _answers_of(model: str) -> list[str]:
    made = outputs(facts(6, 16), PROMPTS)
    place = made.models.index(model)
    return [row[place][0] for row in made.texts]


def test_a_few_answers_in_common_do_not_make_a_subject_known() -> None:
    cohort = made_cohort()
    texts = _answers_of("m2a")[:8] + said("z", "z")[8:]
    assert place_examined(answering(texts), cohort).known_as is None


def test_a_release_that_the_user_gives_wins_over_the_cohorts() -> None:
    cohort = made_cohort()
    placed = place_examined(answering(_answers_of("m2a")), cohort, "2025-02")
    assert (placed.known_as, placed.traits.released) == ("m2a", "2025-02")


def test_no_teacher_is_named_where_that_did_not_hold_for_the_cohorts_own_models(
    shipped: Cohort,
) -> None:
    for model in ("vicuna-13b", "alpaca-7b", "guanaco-7b"):
        teacher = trace(place_member(model, shipped), shipped).teacher
        assert teacher is not None
        assert teacher.level == "none"
        assert not teacher.held_out.holds
        assert teacher.held_out.students > 50
        assert held_out_words(teacher.held_out) in teacher.statement
        assert "no model, family or developer is named" in teacher.statement


def test_a_cohort_that_documents_no_teachers_names_none() -> None:
    cohort = made_cohort()
    teacher = trace(place_examined(answering(said("m0", "new")), cohort, "2024-06"), cohort).teacher
    assert teacher is not None
    assert (teacher.level, teacher.leans, teacher.held_out.students) == ("none", None, 0)


def test_without_a_calibration_relatives_are_ranked_and_none_is_named() -> None:
    cohort = replace(made_cohort(), calibration=None)
    found = trace(place_examined(answering(said("m0", "new")), cohort, "2024-06"), cohort)
    assert {one.model for one in found.relatives[:2]} == {"m0a", "m0b"}
    assert found.named == ()
    assert all(one.log10_lr is None and one.family_wise is None for one in found.relatives)
    _strict(found)


def test_what_is_unlike_everybody_is_not_named_however_it_is_normalised() -> None:
    cohort = made_cohort()
    found = trace(place_examined(answering(tokens(3, 24)), cohort, "2024-06"), cohort)
    assert found.alike == found.named == ()


def test_real_answers_of_a_pack_model_are_recognised(
    reference: dict[str, Examined], shipped: Cohort
) -> None:
    for model in ("vicuna-13b", "gpt4_1106_preview"):
        placed = place_examined(reference[model], shipped)
        assert placed.known_as == model
        assert placed.traits.released == shipped.facts[model].released
        found = trace(placed, shipped)
        assert model not in {one.model for one in found.relatives}
        member = trace(place_member(model, shipped), shipped)
        # Another median length aside, texts give the very sketch that the cohort keeps.
        first = {one.model: one.score for one in found.relatives}
        best = member.relatives[0]
        assert first[best.model] == pytest.approx(best.score, rel=0.15)
        _strict(found)


def test_answers_to_other_prompts_are_passed_over() -> None:
    cohort = made_cohort()
    texts = said("m0", "new")
    known = answering(texts)
    others = tuple(
        Response(prompt=Prompt(f"o{i}", (Message("user", f"Other {i}"),)), text="x" * 9_000)
        for i in range(100)
    )
    responses = (*known.transcript.responses, *others)
    mixed = Examined(known.subject, replace(known.transcript, responses=responses))
    assert np.array_equal(place_examined(mixed, cohort).rows, place_examined(known, cohort).rows)
    assert place_examined(mixed, cohort).traits == place_examined(known, cohort).traits


def test_outputs_of_a_cohorts_model_are_known_under_any_name() -> None:
    made = outputs(facts(6, 16), PROMPTS)
    cohort = made_cohort()
    place = made.models.index("m2a")
    renamed = replace(
        made,
        facts={name: ModelFacts(name, name) for name in ("x", "y")},
        texts=tuple((row[place], ("Other words.",)) for row in made.texts),
    )
    assert shares_answers(renamed, cohort)
    others = replace(renamed, texts=tuple((("Other words.",), ("More.",)) for _ in made.texts))
    assert not shares_answers(others, cohort)
    assert not shares_answers(renamed.on(range(7)), cohort)


def test_outside_the_population_no_relation_is_claimed(shipped: Cohort) -> None:
    found = trace(place_member("text_davinci_003", shipped), shipped)
    assert found.alike
    assert not found.covered
    assert found.named == ()
    assert found.level == "none"
    assert found.reading.startswith("Screening only")
    assert "no relation is claimed" in found.reading
    assert "are needed" in found.reading


def test_a_trace_in_a_notebook(shipped: Cohort) -> None:
    found = trace(place_member("Meta-Llama-3-8B-Instruct", shipped), shipped)
    frame = found.to_frame()
    assert list(frame["model"]) == [one.model for one in found.relatives]
    assert list(frame["score"]) == [one.score for one in found.relatives]
    assert set(frame["model"][frame["alike"]]) == set(found.alike)
    assert set(frame["model"][frame["named"]]) == set(found.named)
    assert found.alike
    assert frame["log10_lr"].notna().all() == found.covered
    html = found._repr_html_()
    assert "Trace of Meta-Llama-3-8B-Instruct" in html
    assert f"{len(found.relatives)} candidates of the cohort {found.cohort}" in html


def test_no_likelihood_ratio_stands_in_a_frame_where_none_holds() -> None:
    cohort = made_cohort()
    found = trace(place_examined(answering(said("m0", "new")), cohort), cohort)
    assert not found.covered
    assert any(one.log10_lr is not None for one in found.relatives)
    assert found.to_frame()["log10_lr"].isna().all()


def test_names_are_escaped_in_a_notebook() -> None:
    evil = "<img src=x onerror=alert(1)>\x1b\u202e"
    cohort = made_cohort()
    found = trace(place_examined(answering(said("m0", "new")), cohort), cohort)
    html = replace(found, subject=evil, reading=evil, cohort=evil)._repr_html_()
    assert "<img" not in html
    assert "\x1b" not in html
    assert html.count("&lt;img") == 3


def test_a_trace_of_too_little_has_a_frame_without_rows() -> None:
    cohort = made_cohort()
    found = trace(place_examined(answering(said("m0", "new", 3)), cohort), cohort)
    assert found.to_frame().empty
    assert "Insufficient data" in found._repr_html_()
