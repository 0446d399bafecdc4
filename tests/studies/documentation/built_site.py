"""The documentation site, built once, and its pages taken apart."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

ROOT = Path(__file__).resolve().parents[3]
_LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the site into `folder`, strictly."""
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict"]
    return subprocess.run(
        [*command, "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass
class SitePage(HTMLParser):
    """What stands in the article of a page, and what the whole page loads.

    `links` are the article's own, without the menus around it; `ids` are places to link to.
    """

    text: str = ""
    links: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    loads: list[str] = field(default_factory=list)
    _in_article: bool = False

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.ids |= {attributes["id"]} if "id" in attributes else set()
        if tag in _LOADING and _LOADING[tag] in attributes:
            self.loads.append(attributes[_LOADING[tag]])
        if tag == "article":
            self._in_article = True
        if tag == "a" and self._in_article and "href" in attributes:
            self.links.append(attributes["href"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self._in_article = False

    def handle_data(self, data: str) -> None:
        if self._in_article:
            self.text += data


def read(path: Path) -> SitePage:
    page = SitePage()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    return page


def target(page: Path, link: str) -> tuple[Path, str] | None:
    """Return the file and the place in it that a link leads to; None outside the site."""
    address, anchor = urldefrag(link)
    if ":" in address:
        return None
    return ((page.parent / unquote(address)).resolve() if address else page), unquote(anchor)
