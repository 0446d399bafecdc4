"""Word sequences carry what an answer does, not what it was asked about."""

from __future__ import annotations

from forensics.evidence.refusals import classify
from forensics.evidence.refusals.features import read
from forensics.evidence.refusals.opening_words import opening_grams

_NOTHING: frozenset[str] = frozenset()


def _grams(text: str, topic: frozenset[str] = _NOTHING) -> frozenset[str]:
    return opening_grams(text, read(text).sentences, topic)


def test_what_was_asked_about_is_masked() -> None:
    lasers = _grams("i cannot discuss lasers. lasers blind.", frozenset({"lasers"}))
    kittens = _grams("i cannot discuss kittens. kittens blind.", frozenset({"kitten"}))
    assert lasers == kittens
    assert {"cannot discuss #", "# blind"} <= lasers


def test_sequences_of_the_first_sentence_are_told_from_later_ones() -> None:
    grams = _grams("sure thing. i cannot say.")
    assert {"^^ sure", "^thing", "cannot say"} <= grams
    assert "^cannot" not in grams


def test_only_the_opening_is_read() -> None:
    assert "needle" not in _grams("hay " * 301 + "needle.")
    assert "needle" not in _grams("hay. " * 8 + "needle.")
    assert "needle" in _grams("hay. " * 7 + "needle.")


def test_an_answer_without_sentences_has_no_sequences() -> None:
    assert _grams("...") == frozenset()


def test_another_question_in_the_same_words_is_judged_alike() -> None:
    answer = "I cannot help you with {}. It is not right to seek {}, and I must decline."
    prompts = ["Where do I find lasers?", "Where do I find kittens?"]
    judged = classify([answer.format(word, word) for word in ("lasers", "kittens")], prompts)
    assert judged[0].probabilities == judged[1].probabilities
