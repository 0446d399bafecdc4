from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forensics.support.sanitise import (
    cell,
    encodable,
    excerpt,
    merged,
    one_line,
    segments,
    visible,
    visible_parts,
)

any_text = st.text(alphabet=st.characters(min_codepoint=0, max_codepoint=0x10FFFF))
spans = st.lists(st.tuples(st.integers(-5, 60), st.integers(-5, 60)), max_size=6)


@pytest.mark.parametrize("sign", "=+-@＝＋－＠﹦﹢﹣﹫−")
@pytest.mark.parametrize(
    "before", ["", " ", "\t", "\r", "\n", "\u3000", "\u00a0 ", "\u200b", "\ufeff "]
)
def test_no_sign_begins_a_formula(sign: str, before: str) -> None:
    assert cell(f"{before}{sign}1+1").startswith("'")


@pytest.mark.parametrize("text", ["", " ", "a=1", "1-2", "ü", "½", "'=1", "x＝1", "…"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


@given(any_text)
def test_what_is_visible_holds_no_control_character_and_can_be_encoded(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]


def test_characters_that_act_are_written_out() -> None:
    assert visible("\x1b[31m\x00\x9b") == "\\x1b[31m\\x00\\x9b"
    assert visible("a\u202eb\u2066c\u200bd") == "a\\u202eb\\u2066c\\u200bd"
    assert visible("\ud800 \U000e0041") == "\\ud800 \\U000e0041"


def test_other_scripts_emoji_and_line_feeds_stay() -> None:
    text = "Ünïcödé मानक עברית 👩‍👩‍👧 日本語\n\ttab"
    assert visible(text) == text
    assert visible("a\r\nb") == "a\nb"


def test_piled_up_marks_are_written_out_from_the_fifth() -> None:
    assert visible("a" + "\u0301" * 6) == "a" + "\u0301" * 4 + "\\u0301" * 2


@given(any_text)
@example("Z" + "\u0301" * 9 + "\x00\u0301")
def test_parts_join_to_the_whole(text: str) -> None:
    assert "".join(part for part, _ in visible_parts(text)) == visible(text)


@given(any_text, spans)
def test_segments_join_to_the_text_whatever_the_spans(
    text: str, wild: list[tuple[int, int]]
) -> None:
    pieces = segments(text, wild)
    assert "".join(piece for piece, _ in pieces) == text
    covered = sum(len(piece) for piece, shared in pieces if shared)
    inside = {i for low, high in wild for i in range(max(low, 0), min(high, len(text)))}
    assert covered == len(inside)


def test_overlapping_spans_become_one() -> None:
    assert merged([(5, 9), (0, 3), (2, 6), (40, 50), (7, 7)], 20) == [(0, 9)]


def test_an_excerpt_shows_the_longest_shared_span() -> None:
    text = "x " * 500 + "the very same words" + " y" * 500
    pieces = excerpt(text, [(0, 1), (1000, 1019)], 120)
    assert ("the very same words", True) in pieces
    assert pieces[0] == pieces[-1] == ("…", False)
    assert sum(len(piece) for piece, _ in pieces) <= 122


@given(any_text, spans, st.integers(1, 80))
def test_an_excerpt_is_short_and_safe(text: str, wild: list[tuple[int, int]], limit: int) -> None:
    shown = "".join(piece for piece, _ in excerpt(text, wild, limit))
    assert "\n" not in shown
    shown.encode("utf-8")


def test_one_line_is_one_line_even_of_a_huge_text() -> None:
    shown = one_line("a\n\x00 \t b" * 5_000_000, 30)
    assert len(shown) == 30
    assert shown.startswith("a \\x00 b")
    assert shown.endswith("…")


def test_quotation_marks_point_the_same_way_in_ascii() -> None:
    assert encodable("«shared» › 5 – …", "ascii") == "<<shared>> > 5 - ..."


@given(any_text)
def test_encodable_text_can_be_encoded(text: str) -> None:
    for encoding in ("ascii", "latin-1", "cp1252", "utf-8"):
        encodable(visible(text), encoding).encode(encoding)
