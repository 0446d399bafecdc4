"""Folding keeps a way back to every original character."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from forensics.evidence.refusals.normalise import fold, fold_literal


@given(st.text(st.characters(), max_size=200))
def test_every_folded_character_comes_from_the_text(text: str) -> None:
    folded = fold(text)
    for index in range(len(folded.text)):
        start, end = folded.original_span(index, index + 1)
        assert 0 <= start < end <= len(text)


def test_spans_lead_back_over_removed_and_composed_characters() -> None:
    text = "\u200bJe suis de\u0301sole\u0301 !"
    folded = fold(text)
    assert folded.text == "je suis desole !"
    start = folded.text.index("desole")
    left, right = folded.original_span(start, start + 6)
    assert text[left:right] in ("de\u0301sole\u0301", "de\u0301sole")


def test_aligned_texts_need_no_table() -> None:
    folded = fold("I’m SORRY — no")
    assert folded.offsets is None
    assert folded.text == "i'm sorry - no"


def test_lexicon_entries_keep_their_operators() -> None:
    assert fold_literal("désolée?s*_x") == "desolee?s*_x"
    assert fold_literal("й ё") == "й е"
