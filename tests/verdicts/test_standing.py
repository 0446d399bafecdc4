"""No combination of signs gives answers that contradict each other or speak from silence."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from forensics.case.questions import AnswerWord, Question
from forensics.verdicts.answering import Answered, answer_all
from forensics.verdicts.standing import (
    LEARNED,
    OF_TEXT,
    OF_WEIGHTS,
    SUPPORTED,
    Signs,
    Standing,
    stand,
)

KINS = ("yes", "no", "open", "not_measured")
RATIOS = (None, -2.0, -0.3, 0.5, 1.0, 2.0)
LEARNED_RATIOS = (None, 0.4, 2.0)
MANNERS = ("one_model", "another_manner", "undecided", "not_measured")


def _every_sign() -> Iterator[Signs]:
    yes_no = (True, False)
    for signs in itertools.product(
        KINS, (True, False, None), KINS, RATIOS, yes_no, MANNERS, yes_no, yes_no, LEARNED_RATIOS
    ):
        yield Signs(*signs)


EVERY: list[tuple[Standing, dict[Question, Answered]]] = [
    (standing, {one.question: one for one in answer_all(standing, known)})
    for signs in _every_sign()
    for known in (True, False)
    for standing in [stand(signs)]
]


def _answers(found: dict[Question, Answered]) -> dict[Question, AnswerWord]:
    return {question: one.answer for question, one in found.items()}


def test_every_combination_answers_all_four_questions() -> None:
    assert len(EVERY) == 2 * 4 * 3 * 4 * 6 * 2 * 4 * 2 * 2 * 3
    assert all(len(found) == 4 for _, found in EVERY)
    words = {one.answer for _, found in EVERY for one in found.values()}
    assert words == {
        "indistinguishable",
        "not one model",
        "supported",
        "points to it",
        "speaks against",
        "contradicted",
        "not supported",
        "no",
        "no sign of kinship",
        "cannot be told",
    }


def test_answers_never_contradict_each_other() -> None:
    for standing, found in EVERY:
        said = _answers(found)
        if said["one_model"] == "indistinguishable":
            assert said["close_relatives"] == "supported", standing
        if said["close_relatives"] == "supported" or said["learned"] == "supported":
            assert said["independent"] == "no", standing
        assert (said["close_relatives"], said["learned"]) != ("supported", "supported"), standing
        if said["close_relatives"] == "contradicted":
            assert said["one_model"] == "not one model", standing
        if said["independent"] == "no sign of kinship":
            assert "supported" not in said.values(), standing
            assert said["learned"] != "points to it", standing
            assert said["one_model"] != "indistinguishable", standing


def test_only_weights_contradict_and_nothing_is_excluded_without_them() -> None:
    for standing, found in EVERY:
        if found["close_relatives"].answer == "contradicted":
            assert standing.signs.weights == "no"
        if standing.excluded:
            assert standing.signs.weights == "no" or standing.signs.same_weights is False


def test_text_supports_kinship_only_above_ten_times_against_every_rival_that_was_weighed() -> None:
    for standing, found in EVERY:
        signs = standing.signs
        if found["close_relatives"].reason != "ratio":
            continue
        assert signs.ratio is not None and signs.ratio > SUPPORTED
        assert signs.learned is not None and signs.learned > SUPPORTED
        assert signs.weights != "no"
    reached = stand(Signs(ratio=SUPPORTED))
    assert answer_all(reached, detection_known=True)[1].answer == "not supported"


def test_independence_is_never_said_from_silence() -> None:
    for standing, found in EVERY:
        if found["independent"].answer != "no sign of kinship":
            continue
        signs = standing.signs
        assert signs.weights == "no" or (signs.ratio is not None and signs.ratio < 0)
    for standing in map(stand, _every_sign()):
        unknown = answer_all(standing, detection_known=False)
        assert unknown[3].answer in ("no", "cannot be told")
    assert {one.answer for one in answer_all(stand(Signs()), True)} == {"cannot be told"}


@pytest.mark.parametrize(
    ("signs", "said"),
    [
        (
            Signs(weights="no", probabilities="yes"),
            ("not one model", "contradicted", "supported", "no"),
        ),
        (
            Signs(probabilities="yes"),
            ("cannot be told", "cannot be told", "points to it", "no"),
        ),
        (
            Signs(ratio=-1.1, matched=True),
            ("cannot be told", "speaks against", "cannot be told", "no sign of kinship"),
        ),
        (
            Signs(ratio=-0.4, stands_out=True),
            ("cannot be told", "cannot be told", "cannot be told", "cannot be told"),
        ),
        (
            Signs(ratio=-0.4, matched=True, stands_out=True),
            ("cannot be told", "speaks against", "cannot be told", "no sign of kinship"),
        ),
        (
            Signs(ratio=2.0, learned=1.4, manner="another_manner"),
            ("not one model", "supported", "cannot be told", "no"),
        ),
        (
            Signs(ratio=2.0, learned=1.0, manner="another_manner"),
            ("not one model", "points to it", "points to it", "no"),
        ),
        (
            Signs(ratio=2.0),
            ("cannot be told", "points to it", "points to it", "no"),
        ),
        (
            Signs(weights="no", ratio=2.0),
            ("not one model", "contradicted", "points to it", "cannot be told"),
        ),
        (
            Signs(manner="one_model", ratio=0.5),
            ("indistinguishable", "supported", "cannot be told", "no"),
        ),
        (
            Signs(weights="no", copies=True),
            ("not one model", "contradicted", "cannot be told", "cannot be told"),
        ),
        (
            Signs(weights="yes", same_weights=False, manner="one_model"),
            ("not one model", "supported", "cannot be told", "no"),
        ),
    ],
)
def test_what_telling_combinations_come_to(signs: Signs, said: tuple[str, ...]) -> None:
    assert tuple(one.answer for one in answer_all(stand(signs), True)) == said


def test_weights_support_one_parent_too_and_text_does_not() -> None:
    assert stand(Signs(weights="yes")).supported == OF_WEIGHTS
    assert stand(Signs(ratio=2.0, learned=1.4)).supported < OF_WEIGHTS


def test_likeness_that_learning_explains_as_well_supports_kinship_and_learning_together() -> None:
    for learned in (None, -1.0, 1.0):
        standing = stand(Signs(ratio=2.0, learned=learned))
        assert standing.supported == OF_TEXT | LEARNED
    weights_say_no = stand(Signs(ratio=2.0, weights="no"))
    assert (weights_say_no.supported, weights_say_no.unexplained) == (frozenset(), True)
