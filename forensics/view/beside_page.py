"""Two cases side by side: which may be chosen, and what is shown of the two that are."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from forensics.case.document import Case
from forensics.errors import InputFileError
from forensics.support.sanitise import one_line
from forensics.view.case_facts import Fact, FactGroup, case_facts, side_by_side
from forensics.view.links import Links
from forensics.view.table_rows import Listing, PairRow
from forensics.view.viewed_folder import Place

MOST_CASES = 2000  # of a page that holds the facts of all
_LONGEST_NAME = 60


@dataclass(frozen=True)
class ChosenCase:
    """One of the two cases that are shown; `number` is its place among the choices."""

    number: int
    title: str
    link: str


@dataclass(frozen=True)
class BesidePage:
    """What the page shows, and as JSON what may be chosen instead."""

    chosen: tuple[ChosenCase, ...]
    groups: tuple[FactGroup, ...]
    choices: str
    left_out: int


def beside_page(
    listing: Listing,
    links: Links,
    read: Callable[[Place], Case],
    chosen: tuple[Place | None, Place | None],
    with_all: bool,
) -> BesidePage:
    """Return the page.

    Args:
        listing: of the folder.
        links: to the cases.
        read: gives the case at a place.
        chosen: which cases; None for any.
        with_all: whether the page holds the facts of all cases, to be chosen without a server.

    Raises:
        InputFileError: a chosen case is not there, or cannot be read.
    """
    rows = list(listing.pairs())
    offered = rows[:MOST_CASES] if with_all else rows
    if len(offered) < 2:
        return BesidePage((), (), "[]", 0)
    first = _at(offered, chosen[0], 0)
    second = _at(offered, chosen[1], 0 if first else 1)
    facts = {number: case_facts(read(offered[number].place)) for number in (first, second)}
    if with_all:
        facts |= {number: _facts(row, read) for number, row in enumerate(offered)}
    return BesidePage(
        tuple(
            ChosenCase(
                number,
                _title(offered[number]),
                links.to("case", offered[number].place),
            )
            for number in (first, second)
        ),
        side_by_side(facts[first], facts[second]),
        json.dumps([_choice(row, links, facts.get(n)) for n, row in enumerate(offered)]),
        len(rows) - len(offered),
    )


def _at(rows: Sequence[PairRow], place: Place | None, otherwise: int) -> int:
    if place is None:
        return otherwise
    number = next((number for number, row in enumerate(rows) if row.place == place), None)
    if number is None:
        raise InputFileError("there is no such case")
    return number


def _title(row: PairRow) -> str:
    names = (one_line(name, _LONGEST_NAME) for name in (row.known, row.questioned))
    return f"{' · '.join(names)} ({one_line(row.created_at[:10], 20)})"


def _choice(row: PairRow, links: Links, facts: Sequence[Fact] | None) -> dict[str, object]:
    number = "" if row.place.number is None else str(row.place.number)
    return {
        "title": _title(row),
        "link": links.to("case", row.place),
        "file": row.place.quoted,
        "number": number,
        "facts": facts and [[fact.group, fact.label, fact.text] for fact in facts],
    }


def _facts(row: PairRow, read: Callable[[Place], Case]) -> tuple[Fact, ...]:
    try:
        return case_facts(read(row.place))
    except InputFileError as error:
        return (Fact("Case", "Not shown", one_line(str(error), 200)),)
