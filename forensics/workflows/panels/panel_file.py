"""TOML file → panel: read, validated, and with the facts as a table of models has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from forensics.cohorts.lineage.models import ModelFacts, facts_of_rows
from forensics.errors import InputFileError, UsageError
from forensics.policy.reading import explain, key_lines, line_of
from forensics.subjects.endpoints import read_endpoints
from forensics.support.files import write_text
from forensics.support.resources import data_folder
from forensics.support.settings_file import parse_settings, settings_text
from forensics.workflows.panels.panel_format import (
    PanelModel,
    PanelTable,
    panel_schema,
    read_price,
)
from forensics.workflows.settings import Price

EXAMPLE = "example"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,40}")


@dataclass(frozen=True)
class CohortPanel:
    """A panel and the file it was read from."""

    table: PanelTable
    path: Path
    facts: dict[str, ModelFacts]

    @property
    def named(self) -> tuple[PanelModel, ...]:
        """The models of which the file says who is to be asked."""
        return tuple(entry for entry in self.table.models if entry.subject)

    @property
    def unnamed(self) -> tuple[str, ...]:
        """The models whose subject is still to be filled in."""
        return tuple(entry.model for entry in self.table.models if not entry.subject)

    @cached_property
    def unverified(self) -> frozenset[str]:
        """The models whose facts nobody checked."""
        return frozenset(entry.model for entry in self.table.models if not entry.verified)

    def price_of(self, model: PanelModel, usual: Price | None = None) -> Price | None:
        """Return what a model's endpoint charges: its own price, `usual`, or the panel's."""
        if model.price:
            return read_price(model.price)
        return usual or (read_price(self.table.price) if self.table.price else None)


def read_panel(path: Path) -> CohortPanel:
    """Read and validate a panel.

    Raises:
        InputFileError: it cannot be read or says something impossible; the message has the line.
    """
    text = settings_text(path, "panel", f"write one with: forensics cohort panel new {path}")
    lines = key_lines(text)
    try:
        table = PanelTable.model_validate(parse_settings(text, path))
    except ValidationError as error:
        raise InputFileError(explain(path, lines, error, panel_schema(), "the panel")) from None
    read_endpoints(path)
    rows = (
        (f"{path}, line {line_of(lines, ('models', number))}", _row(entry))
        for number, entry in enumerate(table.models)
    )
    return CohortPanel(table, path, facts_of_rows(rows, path))


def _row(entry: PanelModel) -> dict[str, str]:
    """Return an entry's facts as a line of a table of models has them."""
    names = ("weights_id", "setting", "developer", "family", "base_model", "base_family")
    row = {name: getattr(entry, name) or "" for name in (*names, "weights_parent", "released")}
    return row | {
        "model": entry.model,
        "ancestors": ";".join(entry.ancestors),
        "teachers": ";".join(entry.teachers),
    }


def shipped_panels() -> dict[str, Path]:
    """Return the panels that come with the package: name → file."""
    folder = data_folder("probes") / "panels"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def new_panel(path: Path, like: str = EXAMPLE) -> None:
    """Write a copy of a shipped panel, to be filled in.

    Args:
        path: where; a file that is there stays.
        like: the shipped panel.

    Raises:
        UsageError: there is no such panel, or the file is there already.
        OutputError: it cannot be written.
    """
    known = shipped_panels()
    if not _NAME.fullmatch(like) or like not in known:
        raise UsageError(f"no panel {like!r} is shipped; there are: {', '.join(known)}")
    if path.exists():
        raise UsageError(f"{path} is there already; choose another file")
    write_text(path, known[like].read_text(encoding="utf-8"))
