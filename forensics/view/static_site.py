"""The viewer as a static site: the same pages as files, which work from a folder too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from forensics.errors import InputFileError, OutputError, UsageError
from forensics.support.files import whole_file
from forensics.view.links import Screen, SiteLinks
from forensics.view.screens import Screens
from forensics.view.table_rows import Listing
from forensics.view.viewed_folder import SITE_MARK, NotRead, Place, ViewedFolder

_KIND = "model-forensics site"
_PAGE = re.compile(r"index\.html|[a-z]+-[0-9a-f]{16}\.html")


def export(folder: ViewedFolder, out: Path) -> list[NotRead]:
    """Write the site of a folder.

    A folder that an earlier export wrote is brought up to date: pages of cases that are gone go
    too, files that others put there stay. Every page is written whole or not at all.

    Returns:
        What could not be shown.

    Raises:
        UsageError: `out` holds files, and is not a site of this program.
        OutputError: it cannot be written.
    """
    earlier = _earlier(out)
    links = SiteLinks()
    screens = Screens(folder, links)
    listing = Listing.of(folder)
    try:
        out.mkdir(parents=True, exist_ok=True)
        pages = {links.to(screen, place): (screen, place) for screen, place in _pages(listing)}
        # Before the first page: an export that is cut off leaves a folder that is its own.
        _mark(out, {*earlier, *pages, links.home})
        for name, (screen, place) in pages.items():
            _write(out / name, [_page(screens, screen, place)])
        _write(out / links.home, screens.index(listing))
        for gone in earlier - {*pages, links.home}:
            (out / gone).unlink(missing_ok=True)
        _mark(out, {*pages, links.home})
    except OSError as error:
        raise OutputError(f"cannot write {error.filename or out}: {error.strerror}") from error
    return listing.not_read


def _pages(listing: Listing) -> Iterator[tuple[Screen, Place]]:
    for place in listing.places["case"]:
        yield "case", place
        yield "report", place
    for row in listing.checks:
        yield "check", row.place
        for number in range(len(row.head.cases)):
            yield "case", row.place.of_case(number)
            yield "report", row.place.of_case(number)
    for place in listing.places["trace"]:
        yield "trace", place
    for place in listing.places["plan"]:
        yield "plan", place


def _page(screens: Screens, screen: Screen, place: Place) -> str:
    try:
        return screens.page(screen, place)
    except InputFileError as error:
        return screens.problem(f"{place.relative}: {screens.folder.reason(error)}")


def _write(path: Path, parts: Iterable[str]) -> None:
    with whole_file(path) as file:
        for part in parts:
            file.write(part.encode("utf-8", "backslashreplace"))


def _mark(out: Path, names: set[str]) -> None:
    content = json.dumps({"kind": _KIND, "pages": sorted(names)}, indent=1)
    with whole_file(out / SITE_MARK) as file:
        file.write(f"{content}\n".encode("ascii"))


def _earlier(out: Path) -> set[str]:
    """Return the pages of an earlier export to this folder; none where it is new or empty."""
    try:
        if not out.exists() or (out.is_dir() and not any(out.iterdir())):
            return set()
        content = json.loads((out / SITE_MARK).read_bytes())
        if content["kind"] == _KIND:
            # The mark could have been edited to name what is not a page of ours.
            return set(filter(_PAGE.fullmatch, content["pages"]))
    except OSError:
        pass
    except (ValueError, KeyError, TypeError):
        pass
    raise UsageError(
        f"{out} holds something that is not a site of this program; give a folder that is new, "
        "empty or an earlier export"
    )
