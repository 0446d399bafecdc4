"""The HTML report in a real browser: nothing hostile runs, nothing is loaded, blocked or cut."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from forensics.case.document import Case
from forensics.report.first_screen import first_screen
from forensics.report.html.html import render_html
from forensics.support.sanitise import visible
from tests.report.html.browser import Browser
from tests.report.html.test_html import everywhere
from tests.report.sample_calibrated import calibrated_case
from tests.report.sample_case import HOSTILE, insufficient_case, sample_case

_PRINTED = 718  # CSS pixels of an A4 page between its margins
# What of the page's boxes hides a part of its content, and who is allowed to.
_CUT_OFF = """
[...document.querySelectorAll("body *")].filter((e) => {
  const style = getComputedStyle(e);
  const hides = (kind) => ["hidden", "auto", "scroll", "clip"].includes(kind);
  const wide = hides(style.overflowX) && e.scrollWidth > e.clientWidth + 1;
  const high = hides(style.overflowY) && e.scrollHeight > e.clientHeight + 1;
  return (wide || high) && e.clientWidth && !e.closest(".hidden, .skip, svg");
}).map((e) => e.tagName + "." + e.className)
"""


@pytest.fixture(name="folder")
def folder_fixture(tmp_path: Path, browser: Browser) -> Iterator[Path]:
    browser.look(1024)
    yield tmp_path
    browser.call("Emulation.setScriptExecutionDisabled", value=False)


def _load(browser: Browser, html: str, folder: Path, at: str = "") -> None:
    page = folder / "report.html"
    page.write_text(html, encoding="utf-8")
    browser.load(page, at)


CASES = {
    "screening": sample_case,
    "calibrated": calibrated_case,
    "insufficient": insufficient_case,
    "hostile": lambda: everywhere(" ".join(HOSTILE)),
}


@pytest.mark.parametrize("name", CASES)
def test_nothing_runs_is_loaded_or_complained_of(browser: Browser, folder: Path, name: str) -> None:
    case: Case = CASES[name]()
    _load(browser, render_html(case), folder)
    assert browser.complaints() == []
    assert browser.requests() == []
    count = "document.querySelectorAll('script, style').length"
    assert browser.evaluate(count) == 2
    # Half of the hostile answers would set the title.
    title = browser.evaluate("document.title")
    assert title.split() == visible(first_screen(case).title).split()
    handlers = "[...document.all].flatMap(e => e.getAttributeNames()).filter(n => /^on/.test(n))"
    assert browser.evaluate(handlers) == []


def test_every_hostile_answer_shows_as_text(browser: Browser, folder: Path) -> None:
    assert len(HOSTILE) >= 20
    _load(browser, render_html(sample_case(len(HOSTILE))), folder)
    texts = browser.evaluate("[...document.querySelectorAll('.text')].map(e => e.textContent)")
    for hostile in HOSTILE:
        assert any(visible(hostile) in text for text in texts), hostile


def test_the_policy_is_enforced(browser: Browser, folder: Path) -> None:
    # The checks above could not fail if violations left no trace: here is one, and it is seen.
    html = render_html(sample_case(8)).replace("</main>", "<script>1</script></main>")
    _load(browser, html, folder)
    assert any("Content Security Policy" in line for line in browser.complaints())
    asking = html.replace("default-src 'none'", "default-src *")
    _load(browser, asking.replace("</main>", "<img src=other.png></main>"), folder)
    assert any("other.png" in url for url in browser.requests())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["calibrated", "insufficient"])
def test_axe_finds_nothing_serious(
    browser: Browser, axe: str, folder: Path, name: str, scheme: str
) -> None:
    case = calibrated_case(8) if name == "calibrated" else insufficient_case()
    browser.look(1024, scheme)
    _load(browser, render_html(case), folder)
    browser.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    browser.evaluate(axe)
    found = browser.evaluate(
        "axe.run().then((r) => r.violations"
        ".filter((v) => ['serious', 'critical'].includes(v.impact))"
        ".map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')))"
    )
    assert found == []


def test_axe_would_find_something(browser: Browser, axe: str, folder: Path) -> None:
    html = render_html(insufficient_case()).replace('<html lang="en">', "<html>")
    _load(browser, html, folder)
    browser.evaluate(axe)
    found = browser.evaluate("axe.run().then((r) => r.violations.map((v) => v.id))")
    assert "html-has-lang" in found


def test_answers_open_by_keyboard(browser: Browser, folder: Path) -> None:
    _load(browser, render_html(sample_case(8)), folder)
    row = "document.querySelector('details.prompt')"
    browser.evaluate(f"{row}.querySelector('summary').focus()")
    for is_open in (True, False):
        browser.press("Enter", 13)
        assert browser.evaluate(f"{row}.open") is is_open


def test_a_cell_of_a_strip_leads_to_the_answers(browser: Browser, folder: Path) -> None:
    _load(browser, render_html(sample_case(8)), folder)
    cell = "document.querySelector('.strip a')"
    folds = f"for (let at = {cell}; at; at = at.parentElement.closest('details')) at.open = true;"
    browser.evaluate(f"{folds} {cell}.focus()")
    browser.press("Enter", 13)
    row = f"document.querySelector({cell}.getAttribute('href')).closest('details')"
    assert browser.evaluate(f"{row}.open") is True
    assert browser.evaluate("document.querySelectorAll('details.prompt[open]').length") == 1


def test_rows_sort_by_any_comparator_and_filter(browser: Browser, folder: Path) -> None:
    case = sample_case(8)
    _load(browser, render_html(case), folder)
    choose = (
        "(select, value) => { select.value = value; select.dispatchEvent(new Event('change')); }"
    )
    browser.evaluate(f"({choose})(document.querySelectorAll('#tools select')[0], '1')")
    rows = "[...document.querySelectorAll('details.prompt')]"
    shown = browser.evaluate(f"{rows}.map(r => r.querySelector('b').textContent)")
    ranked = sorted(case.evidence[1].per_prompt, key=lambda entry: -entry.score)
    assert shown == [entry.prompt_id for entry in ranked]
    browser.evaluate(f"({choose})(document.querySelectorAll('#tools select')[1], 'advice')")
    kinds = browser.evaluate(f"{rows}.filter(r => !r.hidden).map(r => r.dataset.category)")
    assert kinds == ["advice", "advice"]
    browser.evaluate(f"({choose})(document.querySelector('#strip-tools select'), 'suite')")
    order = "[...document.querySelector('.strip').children].map(c => c.getAttribute('href'))"
    assert browser.evaluate(order) == [f"#p{place}" for place in range(8)]


def test_without_script_the_answers_open_all_the_same(browser: Browser, folder: Path) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    _load(browser, render_html(sample_case(8)), folder, at="#p3")
    opened = (
        "[...document.querySelectorAll('details.prompt[open]')].map(d => d.lastElementChild.id)"
    )
    assert browser.evaluate(opened) == ["p3"]
    assert browser.evaluate("document.querySelector('.tools').children.length") == 0


@pytest.mark.parametrize("width", [390, 1024, 1600])
def test_nothing_is_wider_than_the_window(browser: Browser, folder: Path, width: int) -> None:
    browser.look(width)
    _load(browser, render_html(calibrated_case(8)), folder)
    browser.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width


def test_it_prints_without_cutting_anything_off(browser: Browser, folder: Path) -> None:
    browser.look(_PRINTED, media="print")
    _load(browser, render_html(calibrated_case(30, 900)), folder)
    browser.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert browser.evaluate("document.documentElement.scrollWidth") <= _PRINTED
    assert browser.evaluate(_CUT_OFF) == []
    assert browser.pdf().startswith(b"%PDF")
    # On the screen a long answer scrolls in its box: the check above sees such things.
    browser.look(_PRINTED)
    assert any("side" in one for one in browser.evaluate(_CUT_OFF))
