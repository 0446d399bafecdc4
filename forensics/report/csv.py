"""The CSV report: every comparator's score on every prompt, for spreadsheets and notebooks."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from forensics.case.answer_labels import label
from forensics.case.document import Case
from forensics.support.sanitise import cell, one_line

_PLACE = {"matched": "above_unrelated", "other": "above_unrelated_elsewhere"}
_HEAD = ("prompt_sha256", "prompt_id", "category", "language")


@dataclass(frozen=True)
class CsvReport:
    """One row a prompt, one column a comparator."""

    name: str = "csv"

    def render(self, case: Case) -> str:
        """Return the table as CSV (RFC 4180, line feeds).

        Scores are written with all their digits, each comparator on its own scale; a cell is empty
        where a comparator has no score on a prompt. Text that a spreadsheet would take for a
        formula has an apostrophe before it. The last columns are of the whole case and the same in
        every row: its answers, and by comparator the share of unrelated pairs that the pair's score
        lies above (`above_unrelated`; `above_unrelated_elsewhere`: pairs on other prompts).
        """
        measured = [e for e in case.evidence if e.per_prompt]
        columns = [{row.prompt_sha256: row.score for row in e.per_prompt} for e in measured]
        out = io.StringIO()
        table = csv.writer(out, lineterminator="\n")
        answers = case.verdict.answers
        names = [*(e.comparator for e in measured), *(f"answer.{a.question}" for a in answers)]
        placed = [(e.comparator, e.neighbourhood) for e in case.evidence if e.neighbourhood]
        names += [f"{_PLACE[near.prompts]}.{name}" for name, near in placed]
        table.writerow([*_HEAD, *map(_text, names)])
        said = [_text(label(a.answer, a.strength)) for a in answers]
        said += [repr(near.above) for _, near in placed]
        for digest, labels in _prompts(case).items():
            scores = (column.get(digest) for column in columns)
            row = ("" if score is None else repr(score) for score in scores)
            table.writerow([_text(digest), *map(_text, labels), *row, *said])
        return out.getvalue()


def _prompts(case: Case) -> dict[str, tuple[str, str, str]]:
    """Return prompt hash → id, category, language, in the case's order.

    A cohort's models have scores on prompts whose answers are not in the case.
    """
    by_hash = {p.prompt_sha256: (p.prompt_id, p.category, p.language) for p in case.prompts}
    for evidence in case.evidence:
        for row in evidence.per_prompt:
            by_hash.setdefault(row.prompt_sha256, (row.prompt_id, "", ""))
    return by_hash


def _text(text: str) -> str:
    return cell(one_line(text, 500))
