"""Exhibits: as many against kinship as for it, and three pairs that chance chose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from forensics.case.document import Case
from forensics.case.evidence import Evidence
from forensics.report import view
from forensics.report.exhibits import EXHIBITS_ARE, Side, balance_words, shown_exhibits
from forensics.report.formats import rendered, report_format
from tests.report.sample_case import sample_case

FORMATS = ("html", "markdown", "text")


def _kept(case: Case, kept: Mapping[tuple[str, Side], int]) -> Case:
    """Return the case with the first so many exhibits of each comparator's side, 0 by default."""

    def cut(evidence: Evidence) -> Evidence:
        seen: Counter[str] = Counter()
        left = []
        for one in evidence.exhibits:
            seen[one.side] += 1
            if one.side == "random" or seen[one.side] <= kept.get(
                (evidence.comparator, one.side), 0
            ):
                left.append(one)
        return evidence.model_copy(update={"exhibits": tuple(left)})

    return case.model_copy(update={"evidence": tuple(map(cut, case.evidence))})


def _comparators(case: Case, side: Side, limit: int = 5) -> list[str]:
    return [x.evidence.comparator for x in shown_exhibits(case, limit).of(side)]


def test_exhibits_take_turns_and_no_prompt_stands_twice() -> None:
    case = sample_case()
    shown = shown_exhibits(case, 5)
    turns = ["phrasing", "openings", "style", "embedding", "refusal"]
    for side in (shown.speaks_for, shown.speaks_against):
        assert len({x.prompt.prompt_sha256 for x in side}) == 5
        assert [x.evidence.comparator for x in side] == turns
    assert balance_words(case, shown) == ""
    strongest = max(e.score for e in case.evidence[0].exhibits if e.side == "for")
    weakest = min(e.score for e in case.evidence[0].exhibits if e.side == "against")
    assert shown.speaks_for[0].exhibit.score == strongest
    assert shown.speaks_against[0].exhibit.score == weakest
    for x in (*shown.speaks_for, *shown.speaks_against, *shown.random):
        assert view.lookup(case, f"{x.a_path}.text") == x.a.text
        assert view.lookup(case, f"{x.b_path}.text") == x.b.text
        assert view.lookup(case, x.path) == x.exhibit


def test_what_speaks_against_is_of_the_comparators_that_speak_for() -> None:
    kept: dict[tuple[str, Side], int] = {("phrasing", "for"): 2, ("refusal", "for"): 1}
    against: dict[tuple[str, Side], int] = {(e.comparator, "against"): 4 for e in _measured()}
    case = _kept(sample_case(), kept | against)
    assert _comparators(case, "for") == ["phrasing", "refusal", "phrasing"]
    assert _comparators(case, "against") == ["phrasing", "refusal", "phrasing"]
    assert shown_exhibits(case, 5).balance == ""


def _measured() -> list[Evidence]:
    return [e for e in sample_case(8).evidence if e.exhibits]


def test_other_evidence_fills_the_side_against_and_that_is_said() -> None:
    case = _kept(
        sample_case(),
        {("phrasing", "for"): 3, ("phrasing", "against"): 1, ("style", "against"): 4},
    )
    assert _comparators(case, "against") == ["phrasing", "style", "style"]
    said = "Passages from other evidence fill the side against"
    assert shown_exhibits(case, 5).balance.startswith(said)
    for name in FORMATS:
        assert said in rendered(report_format(name), case), name


def test_fewer_against_than_for_is_said_in_every_report() -> None:
    case = _kept(sample_case(), {("phrasing", "for"): 4, ("phrasing", "against"): 1})
    shown = shown_exhibits(case, 5)
    assert (len(shown.speaks_for), len(shown.speaks_against)) == (4, 1)
    assert balance_words(case, shown) == (
        "4 for and 1 against are shown: no further passage speaks against. Shared phrasing: 4 "
        "for, 1 against."
    )
    for name in FORMATS:
        flat = " ".join(rendered(report_format(name), case).split())
        assert "no further passage speaks against" in flat, name


def test_where_nothing_speaks_for_kinship_the_other_side_stands_alone() -> None:
    case = _kept(sample_case(), {("phrasing", "against"): 2, ("style", "against"): 2})
    shown = shown_exhibits(case, 5)
    assert shown.speaks_for == ()
    assert len(shown.speaks_against) == 4
    assert "No passage speaks for kinship" in shown.balance
    assert shown_exhibits(_kept(sample_case(), {}), 5).balance == ""


def test_every_report_shows_three_pairs_of_chance_and_says_what_exhibits_are() -> None:
    case = sample_case()
    drawn = shown_exhibits(case, 5).random
    assert len({x.prompt.prompt_sha256 for x in drawn}) == 3
    for name in FORMATS:
        text = rendered(report_format(name), case)
        after = text.partition("Pairs drawn at random")[2]
        assert all(x.prompt.prompt_id in after for x in drawn), name
        assert EXHIBITS_ARE in text, name


def test_exhibits_without_their_answers_are_passed_over() -> None:
    shown = shown_exhibits(sample_case().model_copy(update={"prompts": ()}), 5)
    assert (shown.speaks_for, shown.speaks_against, shown.random) == ((), (), ())
