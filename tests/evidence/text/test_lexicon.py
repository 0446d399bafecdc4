"""Over-used words: against general English, and without the words of the prompt."""

from __future__ import annotations

import pytest

from forensics.case.evidence import Evidence
from forensics.evidence.features.general_english import general_english
from forensics.evidence.text.lexicon import Lexicon
from forensics.examination.examined import Examined
from forensics.testing import check_comparator
from tests.builders import essays, examined
from tests.evidence.text.fresh import subject


def compared(a: Examined, b: Examined) -> Evidence:
    comparator = Lexicon()
    return comparator.compare(comparator.extract(a), comparator.extract(b))


def test_table_orders_words_as_english_does() -> None:
    english = general_english()
    assert english.word("the") > english.word("house") > english.word("tapestry")
    assert english.word("tapestry") > english.word("zzyzx") == english.rarest_word
    assert english.word("the") == pytest.approx(0.0226, rel=0.02)
    assert "of the" in english.frequencies
    assert {"the", "of", "and", "is"} <= english.function_words


def test_overused_word_is_found_with_its_phrase() -> None:
    answers = [f"{text} It is a rich tapestry of the moon." for text in essays(20)]
    features = Lexicon().extract(examined(answers))
    assert features.z["tapestry"] > 5
    assert features.z["rich tapestry"] > 5
    assert "of" not in features.z


def test_words_of_the_prompt_do_not_count() -> None:
    answers = {f"Tell of a tapestry, {i}": f"{text} tapestry" for i, text in enumerate(essays(20))}
    assert "tapestry" not in Lexicon().extract(subject(answers)).z


def test_same_words_on_the_same_prompts_score_high() -> None:
    evidence = compared(examined(essays(20)), examined(essays(20)))
    strangers = compared(examined(essays(20)), examined(essays(20, shift=7)))
    assert evidence.matched == pytest.approx(1.0, abs=1e-4)
    assert evidence.score is not None
    assert strangers.score is not None
    assert evidence.score > strangers.score
    assert evidence.details.english_a == 1.0


def test_answers_in_other_languages_are_left_out() -> None:
    german = ["Der Uhrmacher stand am Fenster und schwieg eine lange Weile vor sich hin."] * 20
    evidence = compared(examined(german), examined(german))
    assert evidence.status == "insufficient"
    assert "English" in evidence.reason


def test_kin_score_above_strangers_on_real_answers(reference: dict[str, Examined]) -> None:
    lexicon = Lexicon()
    features = {name: lexicon.extract(side) for name, side in reference.items()}
    kin = lexicon.compare(features["vicuna-13b"], features["vicuna-7b"])
    other = lexicon.compare(features["vicuna-13b"], features["gpt4_1106_preview"])
    assert kin.interval is not None
    assert other.interval is not None
    assert kin.interval.low > other.interval.high
    assert len(other.details.shared) > 5


def test_conventions() -> None:
    check_comparator(Lexicon())
