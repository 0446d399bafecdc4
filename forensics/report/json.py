"""The JSON report: the case itself."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.case.document import Case, case_to_json


@dataclass(frozen=True)
class JsonReport:
    """The case as JSON, which `forensics report` reads again."""

    name: str = "json"

    def render(self, case: Case) -> str:
        """Return the case as JSON text."""
        return case_to_json(case)
