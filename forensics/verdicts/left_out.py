"""Evidence of texts that this installation cannot measure: the case says so, or there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forensics.case.document import Case
from forensics.case.evidence import Evidence
from forensics.errors import MissingDependencyError
from forensics.evidence.comparator import Comparator


def left_out(evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """Return a sentence for each kind of evidence of texts that could not be measured.

    Texts are always there: what is not measured of them lacks a library or a model.
    """
    return tuple(
        f"{e.title} was left out of this comparison: {e.reason}."
        for e in evidence
        if e.tier == "text" and e.status == "not_measured"
    )


def check_any_measured(
    comparators: Sequence[Comparator[Any]], evidence: Sequence[Evidence]
) -> None:
    """Refuse a comparison of which this installation can measure nothing.

    Args:
        comparators: all that were asked for.
        evidence: what each found, in their order.

    Raises:
        MissingDependencyError: each needs answers alone, and each lacks a library or a model.
    """
    of_texts = all(c.needs == {"answers"} and c.tier == "text" for c in comparators)
    if not of_texts or any(e.status != "not_measured" for e in evidence):
        return
    raise MissingDependencyError(f"{evidence[0].title} cannot be measured: {evidence[0].reason}")


def notes(cases: Sequence[Case]) -> tuple[str, ...]:
    """Return what was left out of several cases, each sentence once."""
    return tuple(dict.fromkeys(line for case in cases for line in left_out(case.evidence)))
