"""The viewer as a static site: the same pages as files, which work from a folder too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import combinations, islice
from pathlib import Path
from typing import cast

from forensics.errors import InputFileError, OutputError, UsageError
from forensics.support.files import whole_file
from forensics.view.links import BESIDE, Address, Screen, SiteLinks, in_order
from forensics.view.recognising import FileKind
from forensics.view.screens import Screens
from forensics.view.table_rows import Listing
from forensics.view.viewed_folder import ALL, SITE_MARK, NotRead, Place, ViewedFolder

MOST_PAIRS = 200  # of files that get a page side by side: their number grows as a square
_KIND = "model-forensics site"
_PAGE = re.compile(r"(?:index|beside)\.html|[a-z]+-[0-9a-f]{16}\.html")


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
    listing = Listing.of(folder)
    links = SiteLinks(pairs=_pairs(listing))
    screens = Screens(folder, links)
    try:
        out.mkdir(parents=True, exist_ok=True)
        addresses = list(_addresses(listing, links))
        # Before the first page: an export that is cut off leaves a folder that is its own.
        _mark(out, earlier.union(map(links.of, addresses), [links.home, BESIDE]))
        written = {links.home, BESIDE}
        for address in addresses:
            for part in range(_parts(screens, address)):
                name = links.of(replace(address, part=part))
                _write(out / name, [_page(screens, replace(address, part=part))])
                written.add(name)
        _write(out / links.home, screens.index(listing))
        _write(out / BESIDE, [screens.beside(listing, with_all=True)])
        for gone in earlier - written:
            (out / gone).unlink(missing_ok=True)
        _mark(out, written)
    except OSError as error:
        raise OutputError(f"cannot write {error.filename or out}: {error.strerror}") from error
    return listing.not_read


def _addresses(listing: Listing, links: SiteLinks) -> Iterator[Address]:
    cases = list(listing.places["case"])
    for row in listing.checks:
        cases += [row.place.of_case(number) for number in range(len(row.head.cases))]
    for place in cases:
        yield Address("case", place)
        yield Address("report", place)
        yield Address("answers", place)
    kinds: tuple[Screen, ...] = ("check", "trace", "exposure", "plan", "transcript", "fleet")
    for screen in kinds:
        yield from (Address(screen, place) for place in listing.places[cast("FileKind", screen)])
    yield from (Address("kinship", place) for place in (ALL, *listing.places["cohort"]))
    yield from (Address("pair", *pair) for pair in sorted(links.pairs, key=repr))


def _pairs(listing: Listing) -> frozenset[tuple[Place, Place]]:
    both = combinations(listing.places["transcript"], 2)
    return frozenset(in_order(*pair) for pair in islice(both, MOST_PAIRS))


def _parts(screens: Screens, address: Address) -> int:
    try:
        return screens.parts(address)
    except InputFileError:
        return 1


def _page(screens: Screens, address: Address) -> str:
    try:
        return screens.page(address)
    except InputFileError as error:
        return screens.problem(f"{address.place.relative}: {screens.folder.reason(error)}")


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
