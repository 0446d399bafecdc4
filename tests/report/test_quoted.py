"""What two models quote is somebody else's wording: such passages are not shown as evidence."""

from __future__ import annotations

import pytest

from forensics.report.exhibits import shown_exhibits
from forensics.report.quoted import own_chars, quotations
from tests.report.sample_case import sample_case


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("He said “to be or not to be” and left.", "“to be or not to be”"),
        ('As it says: "four score and seven years ago".', '"four score and seven years ago"'),
        ("Er sagte: „so ist es“, sonst nichts.", "„so ist es“"),
        ("Il dit « oui » et part.", "« oui »"),
        ("他说「学而时习之」。", "「学而时习之」"),
        ("A quotation:\n> all the world's a stage\nand more", "> all the world's a stage"),
    ],
)
def test_quotations_are_found(text: str, quoted: str) -> None:
    assert [text[start:end].strip() for start, end in quotations(text)] == [quoted]


@pytest.mark.parametrize("text", ['a board of 6" by 8" and 2"', "it's the dog's", "3 > 2", ""])
def test_what_only_looks_like_a_quotation_is_none(text: str) -> None:
    assert quotations(text) == []


def test_of_a_passage_only_what_stands_outside_counts() -> None:
    text = "Twelve characters “and a quotation” more"
    assert own_chars(text, (0, len(text))) == len(text) - len("“and a quotation”")
    assert own_chars(text, (18, 33)) == 0


def test_a_passage_that_both_quote_is_not_shown_for_kinship() -> None:
    case = sample_case()
    shown = shown_exhibits(case, 5).speaks_for[0]
    entry = shown.exhibit
    (start, end) = max(entry.spans_a, key=lambda span: span[1] - span[0])
    whole = shown.a.text
    quoted = f"{whole[:start]}“{whole[start:end]}”{whole[end:]}".replace("\n", " ")
    spans = ((start, end + 2),)
    moved = entry.model_copy(update={"spans_a": spans})
    evidence = shown.evidence.model_copy(
        update={"exhibits": tuple(moved if x is entry else x for x in shown.evidence.exhibits)}
    )
    answers = tuple(
        x.model_copy(update={"text": quoted}) if x is shown.a else x for x in shown.prompt.a
    )
    prompt = shown.prompt.model_copy(update={"a": answers})
    changed = case.model_copy(
        update={
            "evidence": tuple(evidence if e is shown.evidence else e for e in case.evidence),
            "prompts": tuple(prompt if p is shown.prompt else p for p in case.prompts),
        }
    )
    still = [(x.index, x.exhibit.prompt_sha256) for x in shown_exhibits(changed, 5).speaks_for]
    assert (shown.index, entry.prompt_sha256) not in still
