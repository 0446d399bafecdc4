"""The viewer in a real browser: nothing hostile runs, everything is found and reached."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from forensics.case.document import case_to_json
from forensics.cli import run
from forensics.support.sanitise import one_line, visible
from tests.report.answered_case import answered_case
from tests.report.sample_case import HOSTILE
from tests.view.hostile import hostile_folder

AXE = (
    "axe.run().then((r) => r.violations"
    ".map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')))"
)
HANDLERS = "[...document.all].flatMap(e => e.getAttributeNames()).filter(n => /^on/.test(n))"
LINKS = "[...document.querySelectorAll('main a[href]')].map(a => a.href)"
ROWS = "[...document.querySelectorAll('.pairs tbody tr')].filter(r => !r.hidden)"


def is_harmless(browser, address):
    """Open a page and check that it only shows; return the addresses it leads to."""
    browser.open(address)
    assert browser.complaints() == []
    assert browser.requests() == []
    assert browser.evaluate("document.querySelectorAll('script, style').length") == 2
    assert browser.evaluate(HANDLERS) == []
    assert browser.evaluate("document.title") != "pwned"
    assert browser.evaluate("document.querySelectorAll('main').length") == 1
    return browser.evaluate(LINKS)


@pytest.fixture(name="hostile", scope="module")
def hostile_fixture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("</script><img src=x onerror=1>".replace("/", ""))
    return folder, hostile_folder(folder)


def test_nothing_hostile_runs_and_nothing_is_lost(hostile, serve, browser):
    folder, cases = hostile
    server = serve(folder)
    links = set(is_harmless(browser, server.address))
    pages = {link for link in links if "?" in link}
    assert {urlsplit(link).netloc for link in links} == {f"127.0.0.1:{server.port}"}
    assert len([link for link in pages if "/case?" in link]) == cases
    text = browser.evaluate("document.body.textContent.replace(/\\s+/g, ' ')")
    for attack in HOSTILE:
        assert one_line(attack, 60).rstrip("…")[:50].strip() in text, attack
    assert "damaged.json" in text
    answers = server.address + "answers?f=whole.json"
    is_harmless(browser, answers)
    texts = browser.evaluate("[...document.querySelectorAll('.text')].map(e => e.textContent)")
    for attack in HOSTILE:
        assert any(visible(attack) in text for text in texts), attack
    some = [link for link in pages if "case?" in link][::6] + [p for p in pages if "case?" not in p]
    for link in some:
        is_harmless(browser, link)


def test_the_site_is_as_harmless_without_a_server(tmp_path, browser):
    folder = tmp_path / "folder"
    folder.mkdir()
    hostile_folder(folder, HOSTILE[:3])
    assert run(["view", str(folder), "--export", str(tmp_path / "site")]) == 0
    links = is_harmless(browser, (tmp_path / "site/index.html").as_uri())
    pages = {link.partition("#")[0] for link in links}
    assert len(pages) >= 5
    for link in sorted(pages):
        assert link.startswith("file:")
        is_harmless(browser, link)


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1280)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    results, serve, browser, axe, scheme, width
):
    browser.look(width, scheme)
    links = is_harmless(browser, serve(results).address)
    one_of_each = {urlsplit(link).path: link for link in links}
    for name in ("case", "transcript"):
        browser.open(next(link for link in links if f"/{name}?" in link))
        one_of_each |= {urlsplit(link).path: link for link in browser.evaluate(LINKS)}
    del one_of_each[next(path for path in one_of_each if path.endswith("/report"))]
    assert len(one_of_each) >= 9
    for link in one_of_each.values():
        browser.open(link)
        browser.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        browser.evaluate(axe)
        assert browser.evaluate(AXE) == [], link


@pytest.fixture(name="table")
def table_fixture(tmp_path, serve, browser):
    """Give a browser at a table of twelve pairs, model 0 to model 11."""
    browser.look(1280)
    case = answered_case()
    for number in range(12):
        subject = case.a.model_copy(update={"name": f"model {number}"})
        sides = case.model_copy(update={"a": subject, "created_at": f"2026-01-{30 - number}"})
        (tmp_path / f"{number}.json").write_text(case_to_json(sides))
    browser.open(serve(tmp_path).address)
    return browser


def test_it_sorts_by_any_column(table):
    def order():
        names = table.evaluate(f"{ROWS}.map(r => r.querySelector('bdi').textContent)")
        return [int(name.removeprefix("model ")) for name in names]

    heads = "[...document.querySelectorAll('.pairs thead button')]"
    titles = table.evaluate(f"{heads}.map(b => b.textContent)")
    assert len(titles) == 8
    assert order() != list(range(12))  # by file: 0, 1, 10, 11, 2 …
    table.evaluate(f"{heads}[0].click()")
    assert order() == list(range(12))
    assert table.evaluate(f"{heads}[0].closest('th').ariaSort") == "ascending"
    table.evaluate(f"{heads}[0].click()")
    assert order() == list(reversed(range(12)))
    table.evaluate(f"{heads}[{titles.index('Date')}].click()")
    assert order() == list(reversed(range(12)))
    assert table.evaluate("document.querySelectorAll('[aria-sort]').length") == 1


def test_it_is_searched_and_walked_by_keyboard(table):
    table.press("/", 191)
    assert table.evaluate("document.activeElement.type") == "search"
    table.call("Input.insertText", text="MODEL 2026-01-2")
    assert table.evaluate(f"{ROWS}.length") == 10
    assert table.evaluate("document.querySelector('[role=status]').textContent") == "10 of 12 rows"
    table.evaluate(f"{ROWS}[0].querySelector('a').focus()")
    focused = "document.activeElement.querySelector('bdi').textContent"
    walked = []
    for key, code in (("ArrowUp", 38), ("ArrowDown", 40), ("ArrowDown", 40), ("ArrowUp", 38)):
        table.press(key, code)
        walked.append(table.evaluate(focused))
    assert walked == ["model 1", "model 10", "model 2", "model 10"]
    table.press("Enter", 13)
    table._wait(1)
    assert "model 10" in table.evaluate("document.querySelector('h1').textContent")


def test_without_script_it_is_a_table_all_the_same(results, serve, browser):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(serve(results).address)
        assert browser.evaluate(f"{ROWS}.length") == 5
        assert browser.evaluate("document.querySelectorAll('button, input').length") == 0
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_prompts_are_sorted_and_walked_by_keyboard(results, serve, browser):
    browser.look(1280)
    browser.open(serve(results).address + "pair?f=transcripts/heron-7b.jsonl"
                 "&g=transcripts/heron-7b-tuned.jsonl")  # fmt: skip
    assert browser.evaluate("document.querySelectorAll('mark').length") > 10
    select = "document.querySelector('#find select')"
    browser.evaluate(f"{select}.value = 'shared'; {select}.dispatchEvent(new Event('change'))")
    shared = browser.evaluate(
        "[...document.querySelectorAll('.prompt')].map(p => Number(p.dataset.shared))"
    )
    assert shared == sorted(shared, reverse=True)
    assert shared[0] > shared[-1]
    browser.evaluate("document.querySelector('.prompt summary').focus()")
    browser.press("ArrowDown", 40)
    browser.press("Enter", 13)
    opened = "[...document.querySelectorAll('.prompt')].map(p => p.open)"
    assert browser.evaluate(opened)[:3] == [False, True, False]
