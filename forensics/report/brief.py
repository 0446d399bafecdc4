"""The answer alone, as one page that prints on one sheet."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.case.document import Case
from forensics.report.html.html import render_brief


@dataclass(frozen=True)
class BriefReport:
    """The first screen of the HTML report with its scope and limits."""

    name: str = "brief"

    def render(self, case: Case) -> str:
        """Return the page."""
        return render_brief(case)
