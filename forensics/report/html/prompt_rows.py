"""Prompts in the HTML report: a strip of scores per comparator, and the answers as rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from forensics.case.document import Case
from forensics.case.evidence import Evidence
from forensics.report.html.markup import html_bytes

MAX_VALUE_CHARS = 2000  # of anything but answers
_CUTS = (1.0, 0.5, 0.25, 0.125)
_LEVELS = 5
_LONGEST_NUMBER = 18
_ROWS_SHARE = 0.6  # of the budget; the rest is for answers
_ROW_BYTES = 1250
_MOST_CELLS = 1600  # of all strips; a cell takes about 110 bytes


@dataclass(frozen=True)
class Cell:
    """One comparator's score on one prompt; `level` 0 (least alike) to 4 within the comparator.

    `row` is the prompt's place in the case, None where its answers are not there.
    """

    prompt_id: str
    path: str
    score: float
    level: int
    row: int | None


@dataclass(frozen=True)
class Strip:
    """The cells of one comparator, the most alike first; `left_out` from the middle."""

    cells: tuple[Cell, ...]
    left_out: int


@dataclass(frozen=True)
class PromptRow:
    """One prompt, where it lies in the case, and whether its answers fit the page."""

    index: int
    with_answers: bool


def scored(case: Case) -> list[tuple[int, Evidence]]:
    """Return the evidence that has per-prompt scores, with its index."""
    return [(i, e) for i, e in enumerate(case.evidence) if e.status == "ok" and e.per_prompt]


def strip(case: Case, index: int, rows: int) -> Strip:
    """Return the strip of one comparator.

    Args:
        case: the case.
        index: which evidence.
        rows: how many prompts have a row to open.
    """
    evidence = case.evidence[index]
    places = {prompt.prompt_sha256: place for place, prompt in enumerate(case.prompts[:rows])}
    scores = [entry.score for entry in evidence.per_prompt]
    low, step = min(scores, default=0.0), (max(scores, default=0.0) - min(scores, default=0.0))
    cells = [
        Cell(
            prompt_id=entry.prompt_id,
            path=f"evidence.{index}.per_prompt.{position}.score",
            score=entry.score,
            level=min(int(_LEVELS * (entry.score - low) / step), _LEVELS - 1) if step else 2,
            row=places.get(entry.prompt_sha256),
        )
        for position, entry in enumerate(evidence.per_prompt)
    ]
    cells.sort(key=lambda cell: -cell.score)
    most = _MOST_CELLS // max(len(scored(case)), 1)
    if len(cells) <= most:
        return Strip(tuple(cells), 0)
    half = max(most // 2, 1)
    return Strip((*cells[:half], *cells[-half:]), len(cells) - 2 * half)


def prompt_rows(case: Case, longest: int, budget: int) -> tuple[tuple[PromptRow, ...], int, int]:
    """Return the rows that fit `budget` bytes.

    First answers are cut shorter, then left out from the end, then whole rows are.

    Returns:
        The rows; to how many characters answers are cut; how many prompts have no row.
    """
    count, used = 0, 0
    for prompt in case.prompts:
        row = _ROW_BYTES + html_bytes(prompt.prompt[:MAX_VALUE_CHARS])
        if used + row > budget * _ROWS_SHARE:
            break
        count, used = count + 1, used + row
    texts = [text for p in case.prompts[:count] for text in (_first(p.a), _first(p.b))]
    cut, fitting = fitting_cut(texts, longest, budget - used)
    rows = (PromptRow(index, 2 * index + 1 < fitting) for index in range(count))
    named = sorted(rows, key=lambda row: natural(case.prompts[row.index].prompt_id))
    return tuple(named), cut, len(case.prompts) - count


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts names as people do: `q2` before `q10`."""
    parts = (part for part in re.split(r"([0-9]+)", name) if part)
    # Longer digit strings than Python converts are names, not numbers.
    return tuple(
        (0, int(part), "") if part.isdecimal() and len(part) <= _LONGEST_NUMBER else (1, 0, part)
        for part in parts
    )


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


def _first(responses: Sequence[object]) -> str:
    text = getattr(responses[0], "text", "") if responses else ""
    return str(text)
