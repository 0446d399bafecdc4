"""Style, formatting and identity."""

from __future__ import annotations

import numpy as np
import pytest

from forensics.evidence.text.formatting import Formatting
from forensics.evidence.text.identity import Identity, claim_in
from forensics.evidence.text.style import Style
from forensics.transcripts.layout import FEATURES, PATTERNS
from forensics.verdicts.compare import measure
from tests.builders import essays, examined


def _habits(text: str) -> dict[str, float]:
    profile = Formatting().extract(examined([text]))
    return {
        name.removeprefix("any "): rate
        for name, rate in zip(FEATURES, profile.rates[0], strict=True)
        if name.startswith("any ") or name.startswith(("starts", "ends"))
    }


@pytest.mark.parametrize(
    ("text", "habits"),
    [
        ("# Title\n\nText.", {"heading #", "blank line", "line", "starts with a heading"}),
        ("**Title**\nText.", {"heading by bold line", "bold", "line", "starts with a heading"}),
        ("Some *words* here.", {"italic"}),
        ("- a\n- b", {"bullet -", "line", "starts with a list", "ends without a full stop"}),
        ("Do:\n\n  1. a.", {"numbered 1.", "nested list", "line ending in colon"}),
        ("1) a.", {"numbered 1)", "starts with a list"}),
        ("```python\nx\n```", {"code fence", "named code fence", "line"}),
        ("Use `x` now.", {"inline code"}),
        ("a\n| x | y |\nb.", {"table row", "line"}),
        ("> quoted.", {"quote"}),
        ("a.\n---\nb.", {"rule", "line"}),
        ("See [x](http://y.z).", {"link"}),
        ("\\(x\\).", {"LaTeX"}),
        ("Fun 😀.", {"emoji"}),
        ("A — b.", {"em dash"}),
        ("“Yes.”", {"curly quotes"}),
        ("Well...", {"ellipsis"}),
        ("Ready?", {"ends in a question"}),
        (" x.", {"starts with white space"}),
    ],
)
def test_each_layout_habit_is_seen(text, habits):
    found = {name for name, rate in _habits(text).items() if rate}
    assert habits <= found
    plain = {name for name, rate in _habits("A plain sentence.").items() if rate}
    assert plain == set()


def test_indented_items_count_as_items():
    assert _habits("x\n    - a\n\t* b\n")["bullet -"]
    assert _habits("x\n\n\n   * b\n")["bullet *"]


def test_no_pattern_reads_a_run_of_blank_lines_again_from_each_line():
    assert [name for name, pattern in PATTERNS.items() if "^\\s" in pattern] == []
    stuck = ["\n" * 15_000 + "x", "\n " * 7_000 + "x", "\t" * 15_000 + "x", "- " * 7_000 + "x"]
    assert Formatting().extract(examined(stuck)).rates.shape == (4, len(FEATURES))


def test_style_finds_the_writer_across_other_topics_than_formatting_does():
    a, b = essays(24), [text.replace("The", "the").upper() + "!!!" for text in essays(24, 1)]
    same = measure(Style(), examined(a), examined(a, "twin"))
    other = measure(Style(), examined(a), examined(b, "other"))
    assert same.score > other.score


def test_burrows_delta_is_the_mean_difference_in_standard_deviations():
    a, b = (Style().extract(examined(essays(16, shift))) for shift in (0, 1))
    spread = np.sqrt((a.rates.var(axis=0) + b.rates.var(axis=0)) / 2)
    used = spread > 1e-9
    difference = (a.rates.mean(axis=0) - b.rates.mean(axis=0))[used] / spread[used]
    evidence = measure(Style(), examined(essays(16)), examined(essays(16, 1)))
    assert evidence.details.burrows_delta == pytest.approx(np.abs(difference).mean(), abs=1e-5)


def test_answers_all_alike_have_no_habits_to_compare():
    same = examined(["Hello there."] * 12)
    for comparator in (Style(), Formatting()):
        evidence = measure(comparator, same, same)
        assert (evidence.status, evidence.score) == ("insufficient", None)


@pytest.mark.parametrize(
    ("text", "maker"),
    [
        ("I am ChatGPT, a large language model.", "OpenAI"),
        ("I was created by Anthropic.", "Anthropic"),
        ("My name is Vicuna, and I'm from LMSYS.", "LMSYS"),
        ("我是通义千问。", "Alibaba"),
        ("Ich bin Gemma.", "Google"),
        ("I am not ChatGPT.", None),
        ("OpenAI is a company. I like it.", None),
        ("I am a farmer. ChatGPT is a program.", None),
        ("", None),
    ],
)
def test_claims_are_read_only_where_a_speaker_introduces_itself(text, maker):
    claim = claim_in(text)
    assert (claim.maker if claim else None) == maker
    if claim:
        assert 0 <= claim.span[0] < claim.span[1] <= len(text)


def test_identity_weighs_little_and_needs_claims():
    claims = ["I am ChatGPT, made by OpenAI."] * 8 + essays(8)
    other = ["I am Claude, made by Anthropic."] * 8 + essays(8, 1)
    same, apart = (
        measure(Identity(), examined(claims), examined(texts, "b")) for texts in (claims, other)
    )
    assert (same.score, apart.score, same.n, same.weight) == (1.0, 0.0, 8, "low")
    silent = measure(Identity(), examined(claims), examined(essays(16), "b"))
    assert (silent.status, silent.weight) == ("insufficient", "low")
    assert silent.details.claims_a == {"OpenAI": 8}
