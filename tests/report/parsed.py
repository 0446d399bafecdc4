"""An HTML report taken apart by the standard library's parser."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "link", "br", "img", "input", "hr", "base"}


@dataclass
class Element:
    """An element with its attributes and all the text inside it."""

    tag: str
    attributes: dict[str, str | None]
    text: str = ""
    closed: bool = False


@dataclass
class Page(HTMLParser):
    """Every element of a page, in order; elements that were never closed stay `closed = False`."""

    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs), closed=tag in _VOID)
        self.elements.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs), closed=True))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1].tag == tag, f"</{tag}> closes nothing"
        self.open.pop().closed = True

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data

    def of(self, tag: str) -> list[Element]:
        """Return all elements of one kind."""
        return [element for element in self.elements if element.tag == tag]


def parse(html: str) -> Page:
    """Return the page; raises AssertionError on wrong nesting."""
    page = Page()
    page.feed(html)
    page.close()
    assert not page.open, f"never closed: {[e.tag for e in page.open]}"
    return page
