"""Exposure tests in the viewer: a row, and a page with everything that was measured."""

from __future__ import annotations

import json

import pytest

from forensics.cli import run
from forensics.report.exposure import exposure_formats
from forensics.view.recognising import recognised
from forensics.view.table_rows import Listing
from forensics.view.viewed_folder import ViewedFolder
from tests.report.sample_case import HOSTILE
from tests.view.exposures import exposure_result
from tests.view.test_browser import is_harmless

as_json = exposure_formats()["json"]


@pytest.fixture(name="folder")
def folder_fixture(tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "found").write_text(as_json(exposure_result()))
    nothing = exposure_result("m-2", finding="refused", p_value=None)
    (folder / "refused.json").write_text(as_json(nothing))
    return folder


def test_it_is_known_by_its_content_in_any_layout(folder):
    (folder / "one-line").write_text(json.dumps(json.loads((folder / "found").read_text())))
    (folder / "other.json").write_text('{"kind": "exposure"}')
    kinds = {path.name: recognised(path) for path in folder.iterdir()}
    assert kinds == {
        "found": "exposure",
        "refused.json": "exposure",
        "one-line": "exposure",
        "other.json": "other",
    }


def test_every_test_is_a_row_with_what_it_found(folder):
    rows = {row.subject: row for row in Listing.of(ViewedFolder.of(folder)).exposures()}
    assert rows["hf:org/questioned"].found == "Learned from served answers"
    assert (rows["hf:org/questioned"].tone, rows["m-2"].tone) == ("yes", "open")
    assert rows["m-2"].p_value is None
    assert rows["m-2"].pairs == 205


def test_a_damaged_one_is_listed_as_not_shown(folder):
    text = (folder / "found").read_text()
    (folder / "found").write_text(text.replace('"depended"', '"danced"'))
    listing = Listing.of(ViewedFolder.of(folder))
    assert [row.subject for row in listing.exposures()] == ["m-2"]
    assert [entry.relative for entry in listing.not_read] == ["found"]
    assert "finding" in listing.not_read[0].reason


def test_its_page_answers_first_and_runs_nothing(folder, serve, browser):
    (folder / "hostile.json").write_text(as_json(exposure_result(" ".join(HOSTILE))))
    links = is_harmless(browser, serve(folder).address)
    pages = [link for link in links if "exposure?" in link]
    assert len(pages) == 3
    for page in pages:
        is_harmless(browser, page)
    browser.open(next(page for page in pages if page.endswith("found")))
    text = browser.evaluate("document.querySelector('main').innerText")
    assert text.strip().splitlines()[0] == "Learned from served answers"
    for words in ("205 used of 210", "longer: hf:org/questioned", "10 % in 80 of 100", "a" * 64):
        assert words in text


def test_the_site_has_it_too(folder, tmp_path, browser):
    assert run(["view", str(folder), "--export", str(tmp_path / "site")]) == 0
    links = is_harmless(browser, (tmp_path / "site/index.html").as_uri())
    pages = [link for link in links if "exposure-" in link]
    assert len(pages) == 2
    for page in pages:
        is_harmless(browser, page)
