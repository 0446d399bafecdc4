"""The exports that the README links to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.report.parsed import parse

FOLDER = Path(__file__).resolve().parents[2] / "reports" / "examples"
PAGES = sorted(FOLDER.glob("*.html"))


def test_there_are_two_exports_and_a_picture_a_readme_can_show() -> None:
    assert len(PAGES) == 2
    assert (FOLDER / "report.png").read_bytes().startswith(b"\x89PNG")
    assert (FOLDER / "report.png").stat().st_size < 200_000


def test_the_page_of_first_screens_shows_every_picture_and_none_is_heavy() -> None:
    docs = FOLDER.parents[1] / "docs"
    pictures = sorted((docs / "pictures").glob("*.png"))
    shown = re.findall(r"\]\((pictures/[^)]+)\)", (docs / "first-screens.md").read_text("utf-8"))
    assert sorted(shown) == [f"pictures/{path.name}" for path in pictures]
    assert len(pictures) >= 4
    for path in pictures:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size <= 150_000, path.name


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_an_export_stands_alone(path: Path) -> None:
    html = path.read_text(encoding="utf-8")
    assert len(html.encode("utf-8")) < 1_000_000
    page = parse(html)
    ids = {e.attributes.get("id") for e in page.of("section")}
    assert {"answer", "falls", "exhibits", "evidence", "prompts", "method", "limits"} <= ids
    assert page.of("h1")[0].text
    for element in page.elements:
        for name in ("src", "href"):
            assert (element.attributes.get(name) or "#").startswith(("#", "data:,"))
