"""The strip of prompts in the HTML report: every comparator's score on every prompt, as it fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forensics.case import Case
from forensics.evidence import Evidence
from forensics.report.markup import html_bytes

MAX_VALUE_CHARS = 2000  # of anything but answers
_CUTS = (1.0, 0.5, 0.25, 0.125)
_LEVELS = 5
_ROWS_SHARE = 0.6  # of the budget; the rest is for answers
_CELL_BYTES = 120
_ROW_BYTES = 1400


@dataclass(frozen=True)
class PromptCell:
    """One comparator's score on one prompt; `level` 0 (least alike) to 4 within the comparator."""

    title: str
    path: str | None
    score: float | None
    level: int | None


@dataclass(frozen=True)
class PromptRow:
    """One prompt, where it lies in the case, its cells, and whether its answers fit the page."""

    index: int
    cells: tuple[PromptCell, ...]
    with_answers: bool


def scored(case: Case) -> list[tuple[int, Evidence]]:
    """Return the evidence that has per-prompt scores, with its index."""
    return [(i, e) for i, e in enumerate(case.evidence) if e.status == "ok" and e.per_prompt]


def prompt_rows(case: Case, longest: int, budget: int) -> tuple[tuple[PromptRow, ...], int, int]:
    """Return the rows that fit `budget` bytes.

    First answers are cut shorter, then left out from the end, then whole rows are.

    Returns:
        The rows; to how many characters answers are cut; how many prompts have no row.
    """
    columns = [_cells(index, evidence) for index, evidence in scored(case)]
    count, used = 0, 0
    for prompt in case.prompts:
        asked = html_bytes(prompt.prompt[:MAX_VALUE_CHARS])
        row = _ROW_BYTES + _CELL_BYTES * len(columns) + asked
        if used + row > budget * _ROWS_SHARE:
            break
        count, used = count + 1, used + row
    texts = [text for p in case.prompts[:count] for text in (_first(p.a), _first(p.b))]
    cut, fitting = fitting_cut(texts, longest, budget - used)
    rows = []
    for index, prompt in enumerate(case.prompts[:count]):
        cells = tuple(column.get(prompt.prompt_sha256, _EMPTY) for column in columns)
        rows.append(PromptRow(index, cells, with_answers=2 * index + 1 < fitting))
    return tuple(rows), cut, len(case.prompts) - count


def fitting_cut(texts: Sequence[str], longest: int, budget: int) -> tuple[int, int]:
    """Return the longest cut at which `texts` fit `budget` bytes of HTML, and how many fit it."""
    fitting = 0
    cut = longest
    for share in _CUTS:
        cut = int(longest * share)
        used = 0
        for fitting, text in enumerate(texts):  # noqa: B007
            used += html_bytes(text[:cut])
            if used > budget:
                break
        else:
            return cut, len(texts)
    return cut, fitting


_EMPTY = PromptCell("", None, None, None)


def _first(responses: Sequence[object]) -> str:
    text = getattr(responses[0], "text", "") if responses else ""
    return str(text)


def _cells(index: int, evidence: Evidence) -> dict[str, PromptCell]:
    scores = [entry.score for entry in evidence.per_prompt]
    low, high = min(scores), max(scores)
    step = (high - low) / _LEVELS
    return {
        entry.prompt_sha256: PromptCell(
            title=evidence.title,
            path=f"evidence.{index}.per_prompt.{position}.score",
            score=entry.score,
            level=min(int((entry.score - low) / step), _LEVELS - 1) if step else None,
        )
        for position, entry in enumerate(evidence.per_prompt)
    }
