from __future__ import annotations

import base64
import hashlib
import itertools
import re

import pytest

from forensics.case.document import Case
from forensics.case.evidence import Evidence
from forensics.report import view
from forensics.report.charts.charts import chart_words, score_chart
from forensics.report.html.html import render_html
from forensics.report.html.markup import html_bytes
from forensics.report.html.page import MAX_ANSWER_CHARS
from forensics.report.html.prompt_rows import MAX_VALUE_CHARS, fitting_cut, prompt_rows
from forensics.support.numbers import number
from forensics.support.sanitise import visible
from tests.report.parsed import Page, parse
from tests.report.sample_case import HOSTILE, insufficient_case, sample_case

MEGABYTE = 1_000_000
_COMB = re.compile(r'd="M([^"hA]*L[^"hA]*)"')
_URL = {"href", "src", "action", "formaction", "srcdoc", "data", "poster", "background", "srcset"}


@pytest.fixture(name="html", scope="module")
def html_fixture() -> str:
    return render_html(sample_case())


@pytest.fixture(name="page", scope="module")
def page_fixture(html: str) -> Page:
    return parse(html)


def test_the_same_case_gives_the_same_bytes(html: str) -> None:
    assert render_html(sample_case()) == html


def test_every_place_named_in_the_page_is_in_the_case(page: Page) -> None:
    case = sample_case()
    paths = [path for e in page.elements if (path := e.attributes.get("data-case")) is not None]
    assert len(paths) > 500
    for path in paths:
        view.lookup(case, path)


def test_every_element_shows_the_value_it_names(page: Page) -> None:
    case = sample_case()
    checked = 0
    for element in page.elements:
        path = element.attributes.get("data-case")
        if not path or "class" in element.attributes or element.tag in ("svg", "title"):
            continue
        value = view.lookup(case, path)
        if not isinstance(value, str | float) or path.endswith(("status", "method", "weight")):
            continue
        shown = visible(view.display(value))[:MAX_VALUE_CHARS]
        if path.endswith("interval.level"):
            shown = "95 %"
        elif ".explained_by_length_and_formatting." in path:
            shown = f"{value * 100:.0f}" + ("" if path.endswith("low") else " %")
        assert element.text == shown, path
        checked += 1
    assert checked > 200


def test_scores_in_the_strip_are_those_of_the_case(page: Page) -> None:
    case = sample_case()
    cells = [e for e in page.elements if ".per_prompt." in (e.attributes.get("data-case") or "")]
    assert len(cells) == 6 * 40
    for cell in cells:
        path = cell.attributes["data-case"] or ""
        entry = view.lookup(case, path.removesuffix(".score"))
        assert cell.text == number(entry.score, 2)
        row = int((cell.attributes["href"] or "").removeprefix("#p"))
        assert case.prompts[row].prompt_sha256 == entry.prompt_sha256


def test_answers_are_whole_and_in_place(page: Page) -> None:
    case = sample_case()
    texts = [e for e in page.elements if e.attributes.get("class") == "text"]
    assert len(texts) >= 80
    for element in texts:
        answer = view.lookup(case, element.attributes["data-case"] or "")
        assert element.text == visible(answer)


def test_only_our_own_style_and_script_and_no_handlers(page: Page) -> None:
    assert len(page.of("script")) == len(page.of("style")) == len(page.of("base")) + 1 == 1
    allowed = {"meta", "link", "section", "details", "summary", "mark", "svg", "path", "line"}
    forbidden = {"iframe", "object", "embed", "img", "form", "input", "textarea", "plaintext"}
    assert allowed <= {e.tag for e in page.elements}
    assert not forbidden & {e.tag for e in page.elements}
    for element in page.elements:
        for name, value in element.attributes.items():
            assert not name.startswith("on"), f"handler {name} on {element.tag}"
            assert name != "style"
            if name in _URL:
                assert re.fullmatch(r"#[\w-]+|data:,", value or ""), f"{name}={value}"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_text(page: Page, text: str) -> None:
    assert any(visible(text) in e.text for e in page.elements if e.tag == "div")


def test_hostile_text_in_every_field_stays_text() -> None:
    for text in HOSTILE:
        page = parse(render_html(everywhere(text)))
        assert len(page.of("script")) == len(page.of("style")) == 1
        assert visible(text).strip() in page.of("h1")[0].text
        handlers = [n for e in page.elements for n in e.attributes if n.startswith("on")]
        assert not handlers


def test_the_page_can_be_encoded_and_hides_nothing(html: str) -> None:
    html.encode("utf-8")
    assert html == visible(html)
    assert 'class="esc">\\ud800<' in html
    assert 'class="esc">\\u202e<' in html


def test_the_policy_names_the_hashes_of_what_is_inline(html: str, page: Page) -> None:
    metas = [m for m in page.of("meta") if m.attributes.get("http-equiv")]
    policy = metas[0].attributes["content"] or ""
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        content = re.search(rf"<{tag}>(.*?)</{tag}>", html, re.S)
        assert content
        digest = base64.b64encode(hashlib.sha256(content.group(1).encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert html.index("Content-Security-Policy") < html.index("<style>")


def test_headings_are_in_order_and_ids_unique(page: Page) -> None:
    levels = [int(e.tag[1]) for e in page.elements if re.fullmatch("h[1-6]", e.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= before + 1 for before, later in itertools.pairwise(levels))
    ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    linked = {(e.attributes.get("href") or "")[1:] for e in page.of("a")}
    assert linked <= set(ids)


def test_sections_are_in_the_agreed_order(page: Page) -> None:
    order = [e.attributes["id"] for e in page.of("section") if "id" in e.attributes]
    assert order == [
        *("answer", "why", "falls", "exhibits", "evidence", "prompts", "refusals", "method"),
        *("limits", "glossary"),
    ]


def test_charts_have_text_alternatives(page: Page) -> None:
    charts = page.of("svg")
    assert len(charts) == 6
    texts = {e.attributes.get("id"): e.text for e in page.of("title") + page.of("desc")}
    for chart in charts:
        assert chart.attributes["role"] == "img"
        title, description = (chart.attributes["aria-labelledby"] or "").split()
        assert texts[title]
        path = chart.attributes["data-case"] or ""
        assert number(view.lookup(sample_case(), f"{path}.score")) in (texts[description] or "")


def test_single_prompts_are_one_comb_whose_teeth_do_not_cross() -> None:
    (comb,) = _COMB.findall(str(score_chart(sample_case().evidence[0], "x")))
    points = [tuple(map(float, point.split(","))) for point in comb.split("L")]
    assert len(points) == 3 * 40
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert {y for _, y in points[1::3]} == {44.0}
    assert {y for _, y in points[::3] + points[2::3]} == {62.0}


def test_prompts_on_another_scale_than_the_score_are_not_drawn_beside_it() -> None:
    entry = sample_case().evidence[0]
    beyond = entry.model_copy(update={"score": 7.0})
    assert "40 prompts from" in chart_words(entry)
    assert "prompts" not in chart_words(beyond)
    assert _COMB.findall(str(score_chart(entry, "x")))
    assert not _COMB.findall(str(score_chart(beyond, "x")))


def test_shared_spans_are_marked(page: Page) -> None:
    marks = {e.text for e in page.of("mark")} - {"marked"}
    assert marks == {"It is important to remember that every situation is different"}


def test_as_many_for_as_against_and_random_ones_apart(page: Page) -> None:
    kinds = [(e.attributes["class"] or "").split()[-1] for e in page.of("article")]
    assert kinds == ["for"] * 5 + ["against"] * 5 + ["random"] * 3


def test_long_answers_are_cut_with_a_notice() -> None:
    case = sample_case(8, 3000)
    long = case.prompts[0].model_copy(
        update={"a": (case.prompts[0].a[0].model_copy(update={"text": "long " * 2000}),)}
    )
    html = render_html(case.model_copy(update={"prompts": (long, *case.prompts[1:])}))
    assert f"Cut here: {MAX_ANSWER_CHARS:,} of 10,000 characters are shown" in html


@pytest.mark.parametrize("words", [60, 800, 3000])
def test_a_page_of_120_prompts_is_under_a_megabyte(words: int) -> None:
    html = render_html(sample_case(120, words))
    assert len(html.encode("utf-8")) < MEGABYTE
    assert parse(html).of("details")


def test_a_page_of_hostile_giants_is_under_a_megabyte_and_says_what_is_missing() -> None:
    case = sample_case(120, 20)
    giant = case.prompts[0].a[0].model_copy(update={"text": "\U000e0001'\x00" * 50_000})
    prompts = tuple(p.model_copy(update={"a": (giant,), "b": (giant,)}) for p in case.prompts)
    html = render_html(case.model_copy(update={"prompts": prompts}))
    assert len(html.encode("utf-8")) < MEGABYTE
    assert "do not fit this page; the JSON has all of them" in html
    assert "Cut here" in html


def test_a_thousand_prompts_are_counted_even_where_they_do_not_fit() -> None:
    case = sample_case(1000, 20)
    html = render_html(case)
    assert len(html.encode("utf-8")) < MEGABYTE
    shown = sum(e.attributes.get("class") == "prompt" for e in parse(html).of("details"))
    assert f"{1000 - shown} more prompts do not fit this page" in html
    rows, _, left_out = prompt_rows(case, MAX_ANSWER_CHARS, 560_000)
    assert len(rows) + left_out == 1000


def test_answers_are_cut_before_they_are_left_out() -> None:
    texts = ["x" * 1000] * 10
    assert fitting_cut(texts, 1000, 10_000) == (1000, 10)
    assert fitting_cut(texts, 1000, 9_999) == (500, 10)
    assert fitting_cut(texts, 1000, 500) == (125, 4)
    assert fitting_cut([], 1000, 0) == (1000, 0)
    assert html_bytes("<é\x00") == len('&lt;é<span class="esc">\\x00</span>'.encode())


def test_a_case_without_results_looks_finished() -> None:
    html = render_html(insufficient_case())
    page = parse(html)
    status = next(e for e in page.elements if e.attributes.get("class") == "status")
    assert status.text == "Insufficient data"
    assert "No kind of evidence could be measured on this pair" in html
    assert "No prompt was answered by both models." in html
    assert not page.of("svg")


def test_reasons_stand_where_there_is_no_score(page: Page) -> None:
    whole = " ".join(e.text for e in page.of("details"))
    assert "insufficient data" in whole
    assert "5 answers are long enough, 8 are needed" in whole
    assert "neither subject gave token probabilities" in whole


def everywhere(text: str) -> Case:
    case = sample_case(8)
    prompts = tuple(
        p.model_copy(update={"prompt": text, "prompt_id": text, "category": text, "language": text})
        for p in case.prompts
    )
    evidence = tuple(_hostile_evidence(entry, text) for entry in case.evidence)
    subject = {"name": text, "spec": text, "kind": text, "warnings": (text,)}
    manifest = ({"identity": {text: text}, "notes": [text, {"x": text}]},)
    verdict = case.verdict.model_copy(
        update={
            "headline": text,
            "reading": text,
            "limits": (text,),
            "reasons": (text,),
            "findings_for": (case.verdict.findings_for[0].model_copy(update={"text": text}),),
        }
    )
    changes = {
        "a": case.a.model_copy(update={**subject, "manifests": manifest}),
        "b": case.b.model_copy(update=subject),
        "prompts": prompts,
        "evidence": evidence,
        "verdict": verdict,
        "command": text,
        "comparability": (text,),
        "suite": {"name": text, "x": [{"y": text, "z": 1}]},
    }
    return case.model_copy(update=changes)


def _hostile_evidence(entry: Evidence, text: str) -> Evidence:
    changes: dict[str, object] = {"title": text, "scale": text, "reason": text, "caveats": (text,)}
    # One chart a page is enough: drawing takes most of the time, and charts hold numbers only.
    changes["score"] = entry.score if entry.comparator == "phrasing" else None
    return entry.model_copy(update={**changes, "details": {text: text, "records": [{"k": text}]}})
