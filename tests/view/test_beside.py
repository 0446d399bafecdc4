"""Two cases side by side: the same table from the server and from the site's script."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from forensics.case.document import case_to_json
from forensics.cli import run
from forensics.view.case_facts import case_facts, side_by_side
from tests.report.answered_case import answered_case
from tests.report.sample_case import HOSTILE, sample_case

TABLE = (
    "[...document.querySelectorAll('table.beside tbody tr')]"
    ".map(r => [r.className, ...[...r.cells].map(c => c.textContent)])"
)
SELECTS = "[...document.querySelectorAll('#choose select')]"


def choose(browser, side, number):
    select = f"{SELECTS}[{side}]"
    browser.evaluate(f"{select}.value = '{number}'; {select}.dispatchEvent(new Event('change'))")
    browser._wait(0.5)


@pytest.fixture(name="three")
def three_fixture(tmp_path):
    folder = tmp_path / "three"
    folder.mkdir()
    answered = answered_case()
    attacked = sample_case(4)
    attacked = attacked.model_copy(
        update={"a": attacked.a.model_copy(update={"name": " ".join(HOSTILE)})}
    )
    for name, case in (("a", answered), ("b", sample_case(3)), ("c", attacked)):
        (folder / f"{name}.json").write_text(case_to_json(case))
    return folder


def test_rows_of_two_cases_are_aligned_and_none_is_lost():
    first, second = case_facts(answered_case()), case_facts(sample_case(3))
    groups = side_by_side(first, second)
    assert [group.name for group in groups] == ["Case", "Answers", "Evidence", "Asking"]
    rows = [(group.name, row) for group in groups for row in group.rows]
    for side, facts in (("first", first), ("second", second)):
        shown = {(group, row.label): getattr(row, side) for group, row in rows}
        assert {(f.group, f.label): f.text for f in facts}.items() <= shown.items()
    assert any(row.second == "–" for _, row in rows)


def test_the_server_and_the_site_show_the_same(three, tmp_path, serve, browser):
    server = serve(three)
    browser.open(f"{server.address}beside?f=a.json&g=c.json")
    assert browser.complaints() == []
    served = browser.evaluate(TABLE)
    assert len(served) > 15
    choose(browser, 1, 1)
    assert urlsplit(browser.evaluate("location.href")).query == "f=a.json&g=b.json"
    other = browser.evaluate(TABLE)
    assert other != served
    assert browser.evaluate(f"{SELECTS}.map(s => s.value)") == ["0", "1"]

    assert run(["view", str(three), "--export", str(tmp_path / "site")]) == 0
    browser.load(tmp_path / "site/beside.html")
    assert browser.evaluate(TABLE) == other
    choose(browser, 1, 2)
    assert browser.evaluate(TABLE) == served
    assert browser.complaints() == []
    assert browser.requests() == []
    assert browser.evaluate("document.querySelectorAll('script, style').length") == 2
    heads = "[...document.querySelectorAll('.beside thead a')]"
    names = browser.evaluate(f"{heads}.map(a => a.textContent)")
    assert "<script>document.title='pwned'</script>" in names[1]
    browser.evaluate(f"{heads}[1].click()")
    browser._wait(1)
    links = "[...document.querySelectorAll('.links a')].at(-1)"
    assert "beside.html#case-" in browser.evaluate(f"{links}.href")
    browser.evaluate(f"{links}.click()")
    browser._wait(1)
    assert browser.evaluate(f"{SELECTS}.map(s => s.value)") == ["2", "1"]


def test_one_case_alone_has_nothing_beside_it(three, serve, browser):
    for name in ("b", "c"):
        (three / f"{name}.json").unlink()
    browser.open(f"{serve(three).address}beside?f=a.json")
    assert "takes two cases" in browser.evaluate("document.querySelector('main').textContent")
