"""Links between pages as they stand in the repository → links between pages of the site."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping

# [text](target#anchor "title"), also of pictures; targets with a scheme are left alone.
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?![a-z]+:|#)([^)\s#]+)((?:#[^)\s]*)?)\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def site_links(
    markdown: str,
    page: str,
    source: str,
    places: Mapping[str, str],
    is_there: Callable[[str], bool],
) -> str:
    """Return a page with every link into the repository leading to the site.

    Args:
        markdown: the page; code blocks stay as they are.
        page: its place on the site, such as `how-to/import.md`.
        source: its place in the repository, such as `docs/how-to/import.md`.
        places: place in the repository → place on the site, of all that the site holds.
        is_there: tells whether the repository has a file or folder. Of a link to one that the site
            does not hold only the text is left; a link to nothing stays, for MkDocs to complain of.
    """

    def changed(link: re.Match[str]) -> str:
        mark, text, target, anchor = link.groups()
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if path not in places:
            return text if is_there(path) else link.group()
        here = posixpath.dirname(page)
        return f"{mark}[{text}]({posixpath.relpath(places[path], here or '.')}{anchor})"

    parts = []
    end = 0
    for fence in _FENCE.finditer(markdown):
        parts += [_LINK.sub(changed, markdown[end : fence.start()]), fence.group()]
        end = fence.end()
    return "".join([*parts, _LINK.sub(changed, markdown[end:])])
