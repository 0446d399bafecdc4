"""The calibrated report: every section, and that every value names its place in the case."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from forensics.case.details.kinds import read_details
from forensics.case.document import Case, Relatives, read_case
from forensics.custody.blinding import blinded
from forensics.evidence.refusals import classify
from forensics.report import view
from forensics.report.caveats import caveats
from forensics.report.charts.layers_chart import layer_pairs, layers_words
from forensics.report.charts.tree_chart import tree_chart
from forensics.report.html.html import render_html
from forensics.support.sanitise import visible
from tests.report.html.test_html import everywhere
from tests.report.parsed import Page, parse
from tests.report.sample_calibrated import LAYERS, calibrated_case, likeness, plan, weights
from tests.report.sample_case import HOSTILE, insufficient_case, sample_case

SENTINEL = "Quokka7"


@pytest.fixture(name="page", scope="module")
def page_fixture() -> Page:
    return parse(render_html(calibrated_case()))


class _Values(HTMLParser):
    """Collects text with the sentinel that stands in no element which names a place.

    Keys of a table of keys and values are labels; the value beside them names its place.
    """

    def __init__(self) -> None:
        super().__init__()
        self.places: list[bool] = []
        self.covered = 0
        self.uncovered: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_key = tag == "th" and attrs == [("scope", "row"), ("class", "key")]
        if tag not in ("meta", "link"):
            self.places.append(is_key or any(name == "data-case" for name, _ in attrs))

    def handle_endtag(self, tag: str) -> None:
        self.places.pop()

    def handle_data(self, data: str) -> None:
        if SENTINEL in data and any(self.places):
            self.covered += 1
        elif SENTINEL in data:
            self.uncovered.append(data.strip()[:80])


def _sentinels() -> Case:
    """Return a case with the sentinel in every text of it."""
    case = everywhere(SENTINEL)
    filled = calibrated_case(8)
    frozen = plan()
    claims = tuple(
        c.model_copy(update={"text": SENTINEL, "source": SENTINEL, "needs": (SENTINEL,)})
        for c in frozen.claims
    )
    changes = {
        "claims": claims,
        "title": SENTINEL,
        "path": SENTINEL,
        "propositions": (SENTINEL,),
        "settings": {"x": SENTINEL},
        "deviations": (SENTINEL,),
        "notes": tuple(n.model_copy(update={"text": SENTINEL}) for n in frozen.notes),
    }
    assert filled.relatives is not None
    near = tuple(r.model_copy(update={"name": SENTINEL}) for r in filled.relatives.a)
    return case.model_copy(
        update={
            "plan": frozen.model_copy(update=changes),
            "relatives": Relatives(cohort=SENTINEL, a=near, b=near, newick=f"({SENTINEL}:1,x:2);"),
            "evidence": (*case.evidence, likeness()),
        }
    )


def test_no_value_of_the_case_stands_where_no_place_is_named() -> None:
    seen = _Values()
    seen.feed(render_html(_sentinels()))
    assert seen.uncovered == []
    assert seen.covered > 100


def test_every_place_named_in_the_page_is_in_the_case(page: Page) -> None:
    case = calibrated_case()
    paths = [path for e in page.elements if (path := e.attributes.get("data-case")) is not None]
    assert len(paths) > 700
    for path in paths:
        view.lookup(case, path)


def test_sections_are_in_the_agreed_order(page: Page) -> None:
    order = [e.attributes["id"] for e in page.of("section") if "id" in e.attributes]
    assert order == [
        *("answer", "why", "claims", "falls", "exhibits", "evidence", "prompts", "refusals"),
        *("relatives", "method", "limits", "glossary"),
    ]


def test_the_answer_has_the_ratio_with_all_that_qualifies_it(page: Page) -> None:
    answer = next(e for e in page.of("section") if e.attributes.get("id") == "why").text
    for words in (
        "about 12 times as probable if the two are one model or of close descent",
        "12 (log10 1.08)",
        "4.79 to 15.8",
        "1/12.6 to 15.8",
        "moderate support for kinship",
        "4.9 % (2 of 41 lineage clusters)",
        "weighs the evidence, not the claim: it is not the probability that B was trained on A",
        "models like those of the cohort alpaca-eval",
        "2 of 41 lineage clusters are in error",
        "The result cannot show how, when or with whose permission outputs were obtained",
        "Validated population: 2 of 2 conditions are met",
    ):
        assert words in answer, words


@pytest.mark.parametrize("case", [sample_case(8), insufficient_case()], ids=["screening", "none"])
def test_what_a_result_is_not_is_said_always(case: Case) -> None:
    html = render_html(case)
    assert "is not the probability that B was trained on A" in html
    assert "The result cannot show how, when or with whose permission outputs were obtained" in html
    assert 'class="ratio"' not in html


def test_claims_say_what_they_need(page: Page) -> None:
    rows = next(e for e in page.of("section") if e.attributes.get("id") == "claims").text
    assert "API logs" in rows
    assert visible(plan().claims[0].text) in rows
    assert "claims" not in {
        e.attributes.get("id") for e in parse(render_html(sample_case())).elements
    }


def test_a_blind_case_shows_claims_and_relatives_without_names() -> None:
    page = parse(render_html(blinded(calibrated_case(8))))
    assert {"claims", "relatives"} <= {e.attributes.get("id") for e in page.elements}
    shown = " ".join(e.text for e in page.of("main"))
    assert "koala" not in shown
    assert "A: [MODEL A]" in [e.text for e in page.of("text")]
    assert "newspaper" not in shown


def test_distributions_say_where_the_pair_lies(page: Page) -> None:
    charts = [e for e in page.of("svg") if "distribution" in (e.attributes["class"] or "")]
    assert len(charts) == 7
    assert re.search(r"above 99\.\d % of 2,\d{3} unrelated pairs and 30", charts[0].text)


def test_the_share_below_is_read_off_a_histogram() -> None:
    # Two bins of width 1 with 3 and 1 pairs: at 1.5 all three and half of the one lie below.
    assert view.share_below((0.0, 1.0, 2.0), (3, 1), 1.5) == 0.875
    assert view.share_below((0.0, 1.0, 2.0), (3, 1), -1.0) == 0.0
    assert view.share_below((0.0, 1.0, 2.0), (3, 1), 9.0) == 1.0


def test_histograms_that_do_not_fit_together_are_not_drawn() -> None:
    entry = likeness()
    assert entry.reference is not None
    broken = entry.reference.model_copy(update={"related": (1, 2)})
    assert view.has_reference(entry)
    assert not view.has_reference(entry.model_copy(update={"reference": broken}))


def test_layers_are_drawn_and_put_into_words() -> None:
    pairs = layer_pairs(weights())
    assert len(pairs) == LAYERS**2
    assert f"{LAYERS} pairs beyond chance" in layers_words(pairs)
    odd = [{"a": 1, "b": "mlp.up", "similarity": 0.5}, {"a": 0, "b": "10", "similarity": 1.0}]
    for rows, drawn in ((odd, 1), ([*odd, "no"], 0)):
        entry = weights().model_copy(update={"details": {"layers": rows}})
        assert len(layer_pairs(entry)) == drawn
    page = parse(render_html(calibrated_case(8)))
    (heat,) = [e for e in page.of("svg") if "layers" in (e.attributes["class"] or "")]
    assert heat.attributes["data-case"] == "evidence.10.details.layers"
    assert "similarity" not in {e.text for e in page.of("th")}  # the chart stands for the table


def test_evidence_is_grouped_by_tier(page: Page) -> None:
    tiers = [e.text for e in page.of("h3") if e.text.startswith("Tier: ")]
    present = ["Tier: text", "Tier: token probabilities", "Tier: weights"]
    assert tiers == [*present, "Tier: tokenizer"]  # no part of the run: last


def test_the_tree_marks_the_subjects_and_keeps_names_text() -> None:
    case = calibrated_case(8)
    svg = str(tree_chart(case))
    texts = [e.text for e in parse(svg).of("text")]
    assert len(texts) == 7
    assert texts[0].startswith("A: vicuna-<b>a</b>")
    assert "O'Neill <b>&" in texts


@pytest.mark.parametrize(
    "text", [*HOSTILE, "((", "(a,b", "", "a;", "(,);", "(" * 5000 + "a,b" + ")" * 5000 + ";"]
)
def test_a_hostile_tree_is_a_tree_or_nothing(text: str) -> None:
    quoted = "'" + text.replace("'", "''") + "'"
    for newick in (text, f"({quoted}:1,b:nan);", f"({quoted}:1,{quoted}:1e999);"):
        case = calibrated_case(8)
        assert case.relatives is not None
        changed = case.relatives.model_copy(update={"newick": newick})
        svg = str(tree_chart(case.model_copy(update={"relatives": changed})))
        assert svg == visible(svg)
        if svg:
            allowed = {"svg", "title", "desc", "path", "text"}
            assert {e.tag for e in parse(svg).elements} <= allowed
            assert "nan" not in svg.partition("<path")[2].partition("<text")[0]


def test_limits_are_those_of_this_case() -> None:
    found = {caveat.path: caveat.text for caveat in caveats(calibrated_case())}
    assert "Only 40 prompts" in found["overlap.both"]
    assert "3 of the 40 answers of A" in found["a.truncated"]
    assert "37 %" in found["evidence.1.explained_by_length_and_formatting.share"]
    assert "--limit was 40" in found["plan.deviations.0"]
    assert caveats(insufficient_case()) != caveats(calibrated_case())


def test_who_refused_what_is_listed_where_the_record_agrees() -> None:
    case = sample_case(8)
    refusing = "I'm sorry, but I can't help with that."
    prompts = tuple(
        p.model_copy(update={"a": (p.a[0].model_copy(update={"text": refusing}),)})
        if place == 3
        else p
        for place, p in enumerate(case.prompts)
    )
    labels: dict[str, Any] = {}
    for letter in "ab":
        texts = [getattr(p, letter)[0].text for p in prompts]
        judged = [one.label for one in classify(texts, [p.prompt for p in prompts])]
        labels[f"labels_{letter}"] = {label: judged.count(label) for label in set(judged)}
    labels |= {"phrases_a": [["i can't help with that", 1]], "phrases_b": []}

    def rendered(details: dict[str, Any]) -> str:
        evidence = tuple(
            e.model_copy(update={"details": details}) if e.comparator == "refusal" else e
            for e in case.evidence
        )
        return render_html(case.model_copy(update={"prompts": prompts, "evidence": evidence}))

    page = parse(rendered(labels))
    (table,) = [e for e in page.of("table") if e.attributes.get("class") == "refused"]
    assert "core/formatting-003" in table.text
    assert "can't help with that" in table.text
    assert 'class="refused"' not in rendered(labels | {"labels_a": {"full_refusal": 99}})


def test_a_calibrated_page_of_120_prompts_is_under_a_megabyte() -> None:
    html = render_html(calibrated_case(120, 800))
    assert len(html.encode("utf-8")) < 1_000_000


def test_layers_of_real_weights_are_drawn_and_modules_of_adapters_are_listed() -> None:
    frozen = Path(__file__).parents[2] / "compatibility" / "frozen" / "artefacts" / "cases"
    case = read_case(frozen / "weights.json")
    (index,) = [i for i, e in enumerate(case.evidence) if e.comparator == "weights_units"]
    heats = [e.attributes["data-case"] for e in parse(render_html(case)).of("svg")]
    assert f"evidence.{index}.details.layers" in heats
    units = case.evidence[index]
    assert len(layer_pairs(units)) == len(units.details.layers) > 0
    rows = [{"a": "q_proj", "b": "q_proj", "similarity": 0.5, "p_value": 0.1}]
    details = read_details("weights_units", units.details.written() | {"layers": rows})
    named = units.with_details(details)
    evidence = (*case.evidence[:index], named, *case.evidence[index + 1 :])
    page = parse(render_html(case.model_copy(update={"evidence": evidence})))
    assert "q_proj" in " ".join(e.text for e in page.of("td"))
