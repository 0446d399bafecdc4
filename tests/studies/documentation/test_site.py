"""The site as a reader has it: questions are near, links lead somewhere, nothing is fetched."""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.report.html.browser import Browser
from tests.studies.documentation.built_site import build, read, target

CLICKS = 2
# Of each question a pattern that only its answer matches.
QUESTIONS = {
    "can I compare two JSONL files?": r"forensics compare known\.jsonl questioned\.jsonl",
    "what does it cost?": r"Comparing files costs nothing.*192 calls per model",
    "what does moderately supported mean?": r"between 10 and 100 times as probable",
    "how do I add an importer?": r"forensics\.importers.*def detect.*def read",
    "why does it say cannot be told?": r"Because nothing that was measured decides the question",
}


@pytest.fixture(name="site", scope="module")
def site_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documentation").resolve() / "site"
    done = build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stdout, done.stderr) == ("", "")
    return folder


def _within(site: Path, clicks: int) -> set[Path]:
    """Return the pages that links in articles reach from the first page."""
    reached = newest = {site / "index.html"}
    for _ in range(clicks):
        ends = {
            end[0]
            for page in newest
            for link in read(page).links
            if (end := target(page, link)) is not None and end[0].suffix == ".html"
        }
        newest = {end for end in ends - reached if "examples" not in end.parts}
        reached = reached | newest
    return reached


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_answered_within_two_clicks(site: Path, question: str) -> None:
    texts = {page: " ".join(read(page).text.split()) for page in _within(site, CLICKS)}
    answering = [page for page, text in texts.items() if re.search(QUESTIONS[question], text)]
    assert answering, f"{question} is not answered on {sorted(page.name for page in texts)}"


def test_every_link_leads_to_a_page_and_a_place_in_it(site: Path) -> None:
    pages = {page: read(page) for page in site.rglob("*.html") if "examples" not in page.parts}
    dead = []
    for page, parsed in pages.items():
        for link in parsed.links:
            end = target(page, link)
            if end is None:
                continue
            path, anchor = end
            if not path.is_file() or (path in pages and anchor and anchor not in pages[path].ids):
                dead.append(f"{page.relative_to(site)}: {link}")
    assert len(pages) > 40
    assert dead == []


def test_no_page_names_anything_elsewhere_to_load(site: Path) -> None:
    outside = [
        f"{page.relative_to(site)}: {address}"
        for page in site.rglob("*.html")
        for address in read(page).loads
        if re.match(r"([a-z]+:)?//", address)
    ]
    assert outside == []
    sheets = "".join(sheet.read_text(encoding="utf-8") for sheet in site.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)]*", sheets) == []


@pytest.fixture(name="address", scope="module")
def address_fixture(site: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("page", ["index.html", "reference/verbs.html", "tutorials/two-files.html"])
def test_a_browser_asks_nobody_else_and_nothing_is_wider_than_the_window(
    browser: Browser, address: str, page: str, width: int
) -> None:
    browser.look(width, "dark")
    browser.open(address + page)
    asked = browser.requests()
    assert asked
    assert [url for url in asked if not url.startswith((address, "blob:"))] == []
    assert browser.complaints() == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= width


def test_the_search_of_the_site_finds_an_option(browser: Browser, address: str) -> None:
    browser.look(1280)
    browser.open(address + "index.html?q=max-output-tokens")
    found = browser.evaluate(
        """new Promise((resolve) => {
          const look = () => {
            const links = document.querySelectorAll(".md-search-result__link");
            if (links.length) resolve([...links].map((link) => link.href));
            else setTimeout(look, 50);
          };
          look();
        })"""
    )
    assert any("reference/verbs.html" in url for url in found)
    assert [url for url in browser.requests() if not url.startswith((address, "blob:"))] == []
