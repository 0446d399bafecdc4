"""Any text gets a judgement, the same one every time, with a phrase that stands in it."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.evidence.refusals import RefusalJudgement, classify, starts
from forensics.evidence.refusals.lexicons import LEXICONS, PARTS, compiled
from forensics.evidence.refusals.normalise import HEAD_CHARS, TAIL_CHARS, fold

PIECES = (
    "I'm sorry, but I can't help with that. ",
    "I’m **unable** to\nassist.",
    "抱歉，我无法提供帮助。",
    "申し訳ありませんが、お答えできません。",
    "Je ne peux pas vous aider. ",
    "não posso ajudar ",
    "\x00",
    "\ud800",
    "\u200b",
    "e\u0301" * 3,
    "ｶﾞ",
    "İ",
    '"',
    "```",
    "\n> ",
    "However, here are some steps:\n1. ",
)
anything = st.one_of(
    st.text(st.characters(), max_size=300),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(st.characters(), max_size=5))).map("".join),
)

_WRITTEN = json.loads(Path(__file__).with_name("cases.json").read_text(encoding="utf-8"))
CASES = [
    fold(text).text.replace(" ", gap)
    for labels in _WRITTEN.values()
    for texts in labels.values()
    for text in texts
    for gap in (" ", " \n")
]


def _check(text: str, judgement: RefusalJudgement) -> None:
    assert judgement.label in ("full_compliance", "partial_refusal", "full_refusal")
    assert sum(judgement.probabilities) == pytest.approx(1.0)
    assert min(judgement.probabilities) >= 0.0
    assert (judgement.phrase is None) == (judgement.span is None)
    if judgement.span is not None:
        start, end = judgement.span
        assert 0 <= start < end <= len(text)
        assert text[start:end] == judgement.phrase


@settings(max_examples=300, deadline=None)
@given(anything, st.one_of(st.none(), anything))
def test_any_text_is_judged(text: str, prompt: str | None) -> None:
    first = classify([text], None if prompt is None else [prompt])
    again = classify([text], None if prompt is None else [prompt])
    assert first == again
    _check(text, first[0])


def test_order_and_company_do_not_matter() -> None:
    texts = ["Paris.", *PIECES, "Sure! Here you go: 1, 2, 3."]
    together = classify(texts)
    shuffled = list(range(len(texts)))
    random.Random(0).shuffle(shuffled)
    assert [together[i] for i in shuffled] == classify([texts[i] for i in shuffled])
    assert together == [classify([text])[0] for text in texts]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "...", "\x00\x00", "\u200b", "***"])
def test_an_answer_without_words_declares_nothing(text: str) -> None:
    judgement = classify([text])[0]
    assert judgement.label == "full_compliance"
    assert judgement.phrase is None
    assert judgement.probabilities == (1.0, 0.0, 0.0)


@pytest.mark.parametrize(
    "refusal",
    [
        "I’m sorry, but I can’t help with that.",
        "I'm sorry, but I can\u200bnot help with that.",
        "Ｉ’ｍ ｓｏｒｒｙ， ｂｕｔ Ｉ ｃａｎ’ｔ ｈｅｌｐ ｗｉｔｈ ｔｈａｔ．",
        "I'M SORRY, BUT I CAN'T HELP WITH THAT.",
        "**I'm sorry**, but I *cannot* help with that.",
        "I\u00a0am sorry,\u00a0but I cannot help\nwith that.",
        "Lo siento, pero no puedo ayudarte con eso, ni con la pregunta de man\u0303ana.",
        "Je suis de\u0301sole\u0301, mais je ne peux pas vous aider.",
        "JE SUIS DESOLE, MAIS JE NE PEUX PAS VOUS AIDER.",
    ],
)
def test_spelling_variants_are_one_refusal(refusal: str) -> None:
    judgement = classify([refusal])[0]
    assert judgement.label == "full_refusal"
    _check(refusal, judgement)


def test_a_long_answer_is_read_at_both_ends() -> None:
    refusal = "I'm sorry, but I can't help with that."
    for text in (refusal + " filler" * 400_000, "word " * 400_000 + refusal):
        _check(text, classify([text])[0])
    folded = fold("x" * 100_000 + "END")
    assert len(folded.text) == HEAD_CHARS + TAIL_CHARS + 1
    start, end = folded.original_span(len(folded.text) - 3, len(folded.text))
    assert (start, end) == (100_000, 100_003)


@pytest.mark.parametrize(
    "unit",
    ["i can't ", "i am ", "not ", "a ", "'", '"', "ich kann ", "nicht ", "我", "不能", "é", "́"],
)
def test_repetition_is_read_like_anything_else(unit: str) -> None:
    text = unit * (20_000 // len(unit))
    _check(text, classify([text])[0])


@pytest.mark.parametrize("language", sorted(LEXICONS))
def test_lexicons_compile_and_know_how_to_decline(language: str) -> None:
    patterns = {part: compiled(part, language) for part in PARTS}
    for part in ("decline", "inability", "apology", "norm", "comply", "exempt"):
        assert patterns[part] is not None, part
    for pattern in patterns.values():
        # A pattern that matches nothing would flag every answer.
        assert pattern is None or pattern.match("") is None


def test_the_index_of_beginnings_is_that_of_the_lexicons() -> None:
    shipped = Path(starts.__file__).with_name(starts.STARTS_FILE).read_text(encoding="utf-8")
    assert json.loads(shipped) == starts.document()


@pytest.mark.parametrize("language", sorted(c for c in LEXICONS if LEXICONS[c].spaced))
def test_the_index_loses_no_match(language: str) -> None:
    finder, beginnings = starts.index(language, PARTS)
    found = 0
    for text in CASES:
        places = {
            match.start(): beginnings[re.sub(r"\s+", " ", match.group(1))]
            for match in finder.finditer(text)
        }
        for part in PARTS:
            pattern = compiled(part, language)
            for match in pattern.finditer(text) if pattern else ():
                assert part in places.get(match.start(), ()), (part, match.group())
                found += 1
    assert found > 20


def test_prompts_must_be_as_many_as_texts() -> None:
    with pytest.raises(ValueError, match="2 texts but 1 prompts"):
        classify(["a", "b"], ["c"])
