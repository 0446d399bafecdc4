"""Writes the case study: `python -m studies.case_study.page DATA --date DATE`.

The figures come from the shipped cohorts; DATA holds `modern/misguided_attention_outputs.parquet`,
from which short passages are quoted. Beside the page it writes the program's own report of the
central pair, which holds no answers.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.cohorts.cohort import Cohort
from forensics.cohorts.finding import find_cohort
from forensics.report.formats import rendered, report_format
from forensics.support.files import write_text
from forensics.support.resources import data_folder
from studies.case_study import sections
from studies.case_study.claims import read_claims
from studies.case_study.exhibits import exhibit_section, shown
from studies.case_study.measure import Measured, measured, towards_all
from studies.case_study.pairs import (
    CENTRAL,
    DOCUMENTED,
    ELSEWHERE,
    NULL_MODEL,
    NULL_PAST,
    PUZZLES,
    R1,
    V3,
    Pair,
)
from studies.case_study.similarity_section import similarity_section
from studies.case_study.standing import Scale, place_of, released_by
from studies.case_study.tables import table

NAME = "deepseek-2025"
_TEXTS = Path(__file__).parent / "texts"
_QUOTED = (*CENTRAL, DOCUMENTED[1])


@dataclass(frozen=True)
class Study:
    """All pairs that the page names, measured."""

    central: Sequence[Measured]
    elsewhere: Sequence[Measured]
    documented: Sequence[Measured]
    candidates: Sequence[Measured]
    releases: Measured
    nulls: Sequence[Measured]


def study(cohort: Cohort) -> Study:
    """Run the program on every pair; `cohort` is that of the puzzles."""
    return Study(
        [measured(pair) for pair in CENTRAL],
        [measured(pair) for pair in ELSEWHERE],
        [measured(pair) for pair in DOCUMENTED],
        towards_all(R1, V3, cohort),
        measured(Pair(NULL_MODEL, NULL_PAST)),
        towards_all(NULL_MODEL, NULL_PAST, cohort),
    )


def page(made: Study, cohort: Cohort, data: Path, date: str) -> str:
    """Return the page."""
    rows = [*made.central, *made.elsewhere, *made.documented]
    scale = Scale.of(cohort)
    quoted = [shown(pair, data) for pair in _QUOTED]
    exact = next(entry.measured for entry in quoted if entry.measured.pair == CENTRAL[-1])
    nearest = place_of(scale, V3, CENTRAL[-1].known)
    openai = released_by(scale, "OpenAI")
    parts = [
        _text("head", date=date),
        sections.short_section(
            made.central,
            made.elsewhere,
            made.candidates,
            made.documented,
            exact,
            nearest,
            openai,
        ),
        sections.claims_section(read_claims(), rows),
        _sets(),
        sections.central_section(made.central),
        sections.candidates_section(made.candidates),
        sections.documented_section(made.documented),
        sections.null_section(made.releases, made.nulls),
        sections.elsewhere_section(made.elsewhere),
        similarity_section(scale),
        exhibit_section(quoted),
        _text("tail", v3=V3, r1=R1, report=NAME),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _text(name: str, **values: str) -> str:
    return (_TEXTS / f"{name}.txt").read_text(encoding="utf-8").format(**values)


def _sets() -> str:
    return "\n\n".join(["## The answers", table(_SETS_HEAD, _set_rows()), _text("sets")])


_SETS_HEAD = ("set", "source and licence", "models", "DeepSeek's", "OpenAI's (released)")


def _set_rows() -> Iterator[tuple[str, ...]]:
    for name in (PUZZLES, "farel", "longform", "slop-score"):
        cohort = find_cohort(name)
        house: dict[str, list[str]] = {"DeepSeek": [], "OpenAI": []}
        for fact in cohort.facts.values():
            if fact.developer in house:
                house[fact.developer].append(f"{fact.model} ({fact.released})")
        yield (
            f"`{name}`",
            f"{cohort.provenance['source']}; {cohort.provenance['licence'].split(';')[0]}",
            str(len(cohort.models)),
            ", ".join(house["DeepSeek"]),
            ", ".join(house["OpenAI"]),
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page and the report of the central pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--date", required=True)
    parsed = parser.parse_args(arguments)
    cohort = find_cohort(PUZZLES)
    made = study(cohort)
    folder = data_folder("reports") / "cases"
    folder.mkdir(exist_ok=True)
    write_text(folder / f"{NAME}.md", page(made, cohort, parsed.data, parsed.date))
    write_text(folder / f"{NAME}.html", rendered(report_format("html"), made.central[0].case))


if __name__ == "__main__":
    main()
