"""Where a page of the viewer is: asked of the server, or a file of a static site."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import Literal, Protocol

from forensics.view.viewed_folder import Place

Screen = Literal[
    "case",
    "report",
    "answers",
    "check",
    "trace",
    "exposure",
    "plan",
    "transcript",
    "pair",
    "beside",
    "kinship",
    "fleet",
]

BESIDE = "beside.html"  # of a static site


@dataclass(frozen=True)
class Address:
    """A page: what it shows of which file, beside which `other`; `part` counts long ones from 0."""

    screen: Screen
    place: Place
    other: Place | None = None
    part: int = 0


class Links(Protocol):
    """Gives what leads to a page from any other page of the viewer."""

    @property
    def home(self) -> str:
        """The page with the table."""
        ...

    def to(self, screen: Screen, place: Place, other: Place | None = None, part: int = 0) -> str:
        """Return what leads to a page."""
        ...

    def has_pair(self, place: Place, other: Place) -> bool:
        """Tell whether two files have a page on which they stand side by side."""
        ...


@dataclass(frozen=True)
class ServerLinks:
    """Addresses that name the files."""

    home: str = "./"

    def to(self, screen: Screen, place: Place, other: Place | None = None, part: int = 0) -> str:
        """Return the address."""
        named = [("f", "n", place)] + ([("g", "m", other)] if other else [])
        fields = [f"{name}={of.quoted}" for name, _, of in named]
        fields += [f"{name}={of.number}" for _, name, of in named if of.number is not None]
        fields += [f"p={part}"] if part else []
        return f"{screen}?{'&'.join(fields)}"

    def has_pair(self, place: Place, other: Place) -> bool:
        """Return True: a page is made when it is asked for."""
        return True


@dataclass(frozen=True)
class SiteLinks:
    """Names of files in one folder, made of the shown files' paths: the same each time.

    `pairs` are the files that have a page side by side, each pair in the order of `in_order`.
    """

    home: str = "index.html"
    pairs: frozenset[tuple[Place, Place]] = frozenset()

    def to(self, screen: Screen, place: Place, other: Place | None = None, part: int = 0) -> str:
        """Return the name of the page's file."""
        if screen == "beside":  # one page of all cases, which its script fills
            return f"{BESIDE}#{self.to('case', place)}"
        places = in_order(place, other) if other else (place,)
        named = b"\0".join(os.fsencode(f"{of.relative}\0{of.number}") for of in places)
        digest = hashlib.sha256(named + f"\0{part}".encode("ascii")).hexdigest()
        return f"{screen}-{digest[:16]}.html"

    def of(self, address: Address) -> str:
        """Return the name of the file of an address."""
        return self.to(address.screen, address.place, address.other, address.part)

    def has_pair(self, place: Place, other: Place) -> bool:
        """Tell whether the site has a page of both."""
        return in_order(place, other) in self.pairs


def in_order(place: Place, other: Place) -> tuple[Place, Place]:
    """Return two places in the order in which a site names them, whichever comes first."""
    a, b = sorted((place, other), key=lambda of: (os.fsencode(of.relative), of.number or 0))
    return a, b
