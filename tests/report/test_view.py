from __future__ import annotations

import csv

import pytest

from forensics.case.document import Finding
from forensics.case.evidence import Evidence, Interval, Neighbourhood, NoiseFloor
from forensics.report import view
from forensics.report.exhibits import SIDE_TITLES
from forensics.report.formats import rendered, report_format
from forensics.support.numbers import number
from tests.report.sample_case import sample_case


def _evidence(low: float, high: float, method: str, floor: tuple[float, float]) -> Evidence:
    return Evidence.model_validate(
        {
            "comparator": "x",
            "title": "X",
            "status": "ok",
            "score": (low + high) / 2,
            "interval": Interval(low=low, high=high),
            "noise_floor": NoiseFloor(a=floor[0], b=floor[1], method=method),  # type: ignore[arg-type]
        }
    )


@pytest.mark.parametrize(
    ("low", "high", "method", "words"),
    [
        (0.3, 0.4, "resampled_prompts", "above the noise floor"),
        (0.15, 0.4, "resampled_prompts", "not clear of the noise floor"),
        (0.0, 0.05, "resampled_prompts", "below the noise floor"),
        (0.15, 0.4, "repeat_samples", "as alike as one model asked twice"),
        (0.0, 0.05, "repeat_samples", "less alike than one model asked twice"),
    ],
)
def test_position_depends_on_what_the_floor_means(
    low: float, high: float, method: str, words: str
) -> None:
    assert view.position(_evidence(low, high, method, (0.1, 0.2))) == words


@pytest.mark.parametrize(
    ("prompts", "expected"),
    [
        ("matched", "above 99.5 % of 1,240 unrelated pairs"),
        ("other", "above 99.5 % of 1,240 unrelated pairs, on other prompts"),
    ],
)
def test_where_a_score_stands_among_unrelated_pairs(prompts: str, expected: str) -> None:
    near = Neighbourhood(source="x", prompts=prompts, above=0.9959, reaching=5, pairs=1_240)
    evidence = Evidence(comparator="style", title="Style", status="ok", score=0.3)
    assert view.among_unrelated(evidence) == ""
    placed = evidence.model_copy(update={"neighbourhood": near})
    assert view.among_unrelated(placed) == expected


def test_kinds_whose_unrelated_pairs_nobody_scored_speak_for_nothing() -> None:
    case = sample_case(8)
    near = Neighbourhood(source="x", prompts="matched", above=1.0, reaching=0, pairs=900)
    first, second, third = case.evidence[:3]
    measured = tuple(
        e.model_copy(update={"neighbourhood": placed, "noise_floor": None})
        for e, placed in ((first, near), (second, None), (third, near))
    )
    found = tuple(Finding(comparator=e.comparator, text="more alike") for e in measured)
    verdict = case.verdict.model_copy(
        update={"findings_for": found, "findings_apart": (third.comparator,)}
    )
    sides = view.sides(case.model_copy(update={"evidence": measured, "verdict": verdict}))
    exact = second.model_copy(update={"p_value": 1e-9, "neighbourhood": None})
    of_weights = second.model_copy(update={"tier": "weights", "neighbourhood": None})
    for tested in (exact, of_weights):
        changed = {"evidence": (measured[0], tested, measured[2]), "verdict": verdict}
        assert view.sides(case.model_copy(update=changed)).unplaced == ()
    assert [f.comparator for f in sides.speak_for] == [first.comparator]
    assert [f.comparator for f in sides.apart] == [third.comparator]
    assert [f.comparator for f in sides.unplaced] == [second.comparator]
    assert [title for title, _ in sides.grey] == [view.APART, view.UNPLACED]


def test_numbers_are_short_and_never_minus_zero() -> None:
    shown = [number(x) for x in (0.0, -0.0001, 0.12345, 12.345, -1234.5, 1e30, None)]
    assert shown == ["0.000", "0.000", "0.123", "12.35", "-1234", "1e+30", "–"]


def test_lookup_reads_models_lists_and_dicts() -> None:
    case = sample_case(8)
    assert view.lookup(case, "prompts.3.a.0.text") == case.prompts[3].a[0].text
    assert view.lookup(case, "a.manifests.0.settings.max_tokens") == 256
    for path in ("prompts.99", "nothing", "a.manifests.0.x", "prompts.x"):
        with pytest.raises(KeyError, match="nothing at"):
            view.lookup(case, path)


def test_rows_below_a_value_resolve_even_with_dots_in_keys() -> None:
    case = sample_case(8)
    rows = view.flatten(case.a.manifests[0], "a.manifests.0")
    assert ("identity", "a.manifests.0.identity") in rows  # it holds a key with dots
    assert ("settings › max tokens", "a.manifests.0.settings.max_tokens") in rows
    for _, path in rows:
        view.lookup(case, path)


def test_a_list_of_records_is_one_row() -> None:
    value = {"top": [{"word": "the", "share": 0.1}, {"word": "a", "share": 0.2}]}
    assert view.flatten(value, "x") == [("top", "x.top")]
    assert view.columns(value["top"]) == ("word", "share")
    assert view.columns([{"a": 1}, {"b": 1}]) == ()
    assert view.columns([]) == ()


def test_no_wording_of_ours_claims_more_than_was_measured() -> None:
    case = sample_case(8)
    own = [view.status_line(case), view.holds_for(case), *view.is_not(case)]
    text = " ".join([*own, *SIDE_TITLES.values(), view.tripwire_words(case)]).lower()
    for word in ("derived", "stolen", "unauthorised", "unauthorized", "secret", "suspect"):
        assert word not in text


def test_flat_values_are_shown_without_brackets() -> None:
    shown = [view.display(x) for x in ([-0.4716, 1.41], {"0.01": 0.95}, [], ["a", None, True])]
    assert shown == ["-0.472, 1.410", "0.01: 0.950", "–", "a, –, yes"]
    assert view.display({"a": [1]}) == '{"a": [1]}'


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("text", "above 90 % of 700 unrelated pairs, on other prompts"),
        ("junit", "above 90 % of 700 unrelated pairs, on other prompts"),
        ("csv", "above_unrelated_elsewhere."),
    ],
)
def test_every_format_says_where_scores_stand_among_unrelated_pairs(name: str, said: str) -> None:
    case = sample_case()
    assert said not in rendered(report_format(name), case)
    near = Neighbourhood(source="x", prompts="other", above=0.9, reaching=70, pairs=700)
    first, *others = case.evidence
    placed = first.model_copy(update={"neighbourhood": near})
    text = rendered(report_format(name), case.model_copy(update={"evidence": (placed, *others)}))
    assert said in " ".join(text.split())
    if name == "csv":
        head, *rows = csv.reader(text.splitlines())
        column = head.index(f"above_unrelated_elsewhere.{first.comparator}")
        assert {row[column] for row in rows} == {"0.9"}
