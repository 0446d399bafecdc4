"""Where a page of the viewer is: asked of the server, or a file of a static site."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import Literal, Protocol

from forensics.view.viewed_folder import Place

Screen = Literal["case", "report", "check", "trace", "plan"]


class Links(Protocol):
    """Gives the address of a page, seen from any other page of the viewer."""

    @property
    def home(self) -> str:
        """The page with the table."""
        ...

    def to(self, screen: Screen, place: Place) -> str:
        """Return the address of what a file holds."""
        ...


@dataclass(frozen=True)
class ServerLinks:
    """Addresses that name the file."""

    home: str = "./"

    def to(self, screen: Screen, place: Place) -> str:
        """Return the address."""
        number = "" if place.number is None else f"&n={place.number}"
        return f"{screen}?f={place.quoted}{number}"


@dataclass(frozen=True)
class SiteLinks:
    """Names of files in one folder, made of the file's path: the same each time."""

    home: str = "index.html"

    def to(self, screen: Screen, place: Place) -> str:
        """Return the name of the page's file."""
        named = os.fsencode(place.relative) + f"\0{place.number}".encode("ascii")
        return f"{screen}-{hashlib.sha256(named).hexdigest()[:16]}.html"
