"""What evidence counted of A and of B: who refuses what, who claims to come from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forensics.case.details.kinds import AnyDetails
from forensics.case.details.text import IdentityDetails, RefusalDetails


@dataclass(frozen=True)
class LabelCounts:
    """Counts by label, of A and of B, and where they lie; blank where they were not recorded."""

    heading: str
    rows: tuple[tuple[str, int, int], ...]
    a_path: str
    b_path: str


def tallies(details: AnyDetails, path: str) -> tuple[LabelCounts, ...]:
    """Return the counts that evidence on refusals or on claimed identity holds, if any.

    Args:
        details: those of the evidence.
        path: where they lie in the case.
    """
    if isinstance(details, IdentityDetails):
        tables = [_tally("Claims to come from", details.claims_a, details.claims_b, path, "claims")]
    elif isinstance(details, RefusalDetails):
        tables = _refusals(details, path)
    else:
        return ()
    return tuple(table for table in tables if table.rows)


def _refusals(details: RefusalDetails, path: str) -> list[LabelCounts]:
    return [
        _tally("Judged", details.labels_a, details.labels_b, path, "labels"),
        _tally(
            "Evaded, by category",
            details.evaded_by_category_a,
            details.evaded_by_category_b,
            path,
            "evaded_by_category",
        ),
        _tally(
            "Refused, by category",
            details.refused_by_category_a,
            details.refused_by_category_b,
            path,
            "refused_by_category",
        ),
        _tally(
            "Evaded, by language",
            details.evaded_by_language_a,
            details.evaded_by_language_b,
            path,
            "evaded_by_language",
        ),
        _tally(
            "Refused, by language",
            details.refused_by_language_a,
            details.refused_by_language_b,
            path,
            "refused_by_language",
        ),
    ]


def _tally(
    heading: str, a: Mapping[str, int], b: Mapping[str, int], path: str, name: str
) -> LabelCounts:
    rows = tuple((label, a.get(label, 0), b.get(label, 0)) for label in sorted({*a, *b}))
    return LabelCounts(heading, rows, f"{path}.{name}_a", f"{path}.{name}_b")
