"""The picture of the first screen: this pair between unrelated models and relatives."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from forensics.case.details.shared_manner import MannerDetails
from forensics.case.document import Case
from forensics.case.evidence import Evidence, ReferenceScores
from forensics.report import view
from forensics.report.charts.charts import score_chart
from forensics.report.charts.manner_chart import manner_chart, manner_words
from forensics.support.numbers import counted

_JUDGED = "likeness"  # what a cohort says of all answers together, drawn before single kinds


@dataclass(frozen=True)
class Picture:
    """A chart with the sentence that says what it shows."""

    drawn: Markup
    caption: str


def picture(case: Case) -> Picture | None:
    """Return the chart that says most of a pair; None where nothing can be drawn.

    Shared manner comes first, since its scale has fixed ends; without it the pair's score stands
    among those of pairs whose relation is known.
    """
    for index, entry in enumerate(case.evidence):
        details = entry.details
        if (
            entry.status == "ok"
            and isinstance(details, MannerDetails)
            and details.centring == "cohort"
        ):
            drawn = manner_chart(details, f"evidence.{index}.details")
            return Picture(drawn, manner_words(details))
    return _among_pairs(case)


def _among_pairs(case: Case) -> Picture | None:
    drawable = [
        (index, entry)
        for index, entry in enumerate(case.evidence)
        if entry.status == "ok" and view.has_reference(entry)
    ]
    if not drawable:
        return None
    index, entry = next((x for x in drawable if x[1].comparator == _JUDGED), drawable[0])
    return Picture(
        score_chart(entry, f"evidence.{index}", "standing"), _caption(entry, entry.reference)
    )


def _caption(entry: Evidence, reference: ReferenceScores | None) -> str:
    if reference is None:
        return ""
    by = "" if entry.comparator == _JUDGED else f", by {entry.title[:1].lower()}{entry.title[1:]}"
    unrelated, related = sum(reference.unrelated), sum(reference.related)
    return (
        f"This pair (the line) among {counted(unrelated, 'unrelated pair')} (grey) and "
        f"{counted(related, 'pair')} of close relatives (green){by}; further right is more alike."
    )
