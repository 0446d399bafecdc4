"""All models that occur: which pairs were compared, and how alike every two of them answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from forensics.errors import InputFileError
from forensics.support.numbers import percent
from forensics.support.sanitise import one_line
from forensics.view.table_rows import AnswerCell, PairRow
from forensics.view.viewed_folder import Place

if TYPE_CHECKING:
    from forensics.cohorts.similarity import Flags, Similarities
    from forensics.cohorts.tree import RelativesMap

MOST_MODELS = 250  # in a picture
_MOST_NAMES = 40  # on a side of the table of compared pairs
_RESAMPLES = 100
_FEWER_FROM = 60  # models, from which on the prompts are resampled less often
_FEWER = 20
_CLOSEST = 30
_LONGEST_NAME = 60
_CLOSE_RELATIVES = 1  # place among the answers of a row


@dataclass(frozen=True)
class ComparedCell:
    """The latest case of a pair, and how many there are."""

    place: Place
    answer: AnswerCell
    cases: int


@dataclass(frozen=True)
class ComparedTable:
    """Known models down, questioned ones across; None where a pair was not compared."""

    known: tuple[str, ...]
    questioned: tuple[str, ...]
    cells: tuple[tuple[ComparedCell | None, ...], ...]
    left_out: int


@dataclass(frozen=True)
class ClosePair:
    """Two models that are much alike; `group` is the size of the smallest group with both."""

    names: tuple[str, str]
    score: str
    group: int
    support: str


@dataclass(frozen=True)
class Kinship:
    """All pairs of some models: picture, tree in Newick format, the most alike pairs."""

    picture: Markup
    newick: str
    closest: tuple[ClosePair, ...]
    models: int
    prompts: int
    scale: str
    resamples: int


def compared(rows: Iterable[PairRow]) -> ComparedTable:
    """Return which pairs were compared, those of the models that occur most."""
    latest: dict[tuple[str, str], PairRow] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        names = (row.known, row.questioned)
        counts[names] += 1
        if names not in latest or latest[names].created_at <= row.created_at:
            latest[names] = row
    known = _most(name for name, _ in latest)
    questioned = _most(name for _, name in latest)

    def cell(names: tuple[str, str]) -> ComparedCell | None:
        row = latest.get(names)
        if row is None:
            return None
        no_answer = AnswerCell(row.headline or "masked", "open")
        answer = row.answers[_CLOSE_RELATIVES] if row.answers else no_answer
        return ComparedCell(row.place, answer, counts[names])

    shown = tuple(tuple(cell((a, b)) for b in questioned) for a in known)
    count = sum(entry is not None for line in shown for entry in line)
    return ComparedTable(known, questioned, shown, len(latest) - count)


def _most(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(name for name, _ in Counter(names).most_common(_MOST_NAMES)))


def of_cohort(path: Path) -> Kinship:
    """Compare every two models of a cohort.

    Raises:
        InputFileError: it is not a cohort, or has too few or too many models.
    """
    from forensics.cohorts.pack_files import read_cohort, read_head

    _check(len(read_head(path)["models"]))
    cohort = read_cohort(path)
    return _kinship(_related(cohort.similarities(), cohort.excluded()))


def of_transcripts(paths: Sequence[Path]) -> Kinship:
    """Compare every two of some transcripts; all count as unrelated to each other.

    Raises:
        InputFileError: one is damaged, they are too few or too many, or share too few prompts.
    """
    from forensics.cohorts.lineage.models import ModelFacts
    from forensics.cohorts.newick import distinct
    from forensics.cohorts.outputs import arrange
    from forensics.transcripts.transcript import read_transcript

    _check(len(paths))
    transcripts = [read_transcript(path) for path in paths]
    names = distinct([transcript.name for transcript in transcripts], _LONGEST_NAME)
    facts = {name: ModelFacts(name, name) for name in names}
    outputs = arrange(facts, {n: t.responses for n, t in zip(names, transcripts, strict=True)})
    return _kinship(_related(outputs.similarities(), outputs.excluded()))


def _check(models: int) -> None:
    from forensics.cohorts.tree import MIN_MODELS

    if models < MIN_MODELS:
        raise InputFileError(f"a tree takes {MIN_MODELS} models or more; these are {models}")
    if models > MOST_MODELS:
        raise InputFileError(
            f"{models} models do not fit a picture of {MOST_MODELS}; forensics map draws them"
        )


def _related(similarities: Similarities, excluded: Flags) -> RelativesMap:
    from forensics.cohorts.tree import relate

    return relate(similarities, excluded, _resamples(len(similarities.models)))


def _resamples(models: int) -> int:
    return _FEWER if models > _FEWER_FROM else _RESAMPLES


def _kinship(related: RelativesMap) -> Kinship:
    from forensics.cohorts.newick import newick
    from forensics.report.charts.kinship_chart import kinship_chart

    return Kinship(
        picture=kinship_chart(related),
        newick=newick(related),
        closest=tuple(_pair(related, a, b, score) for a, b, score in related.closest(_CLOSEST)),
        models=len(related.models),
        prompts=related.prompts,
        scale=related.scale,
        resamples=_resamples(len(related.models)),
    )


def _pair(related: RelativesMap, a: int, b: int, score: float) -> ClosePair:
    size, support = related.together(a, b)
    names = (one_line(related.models[a], _LONGEST_NAME), one_line(related.models[b], _LONGEST_NAME))
    return ClosePair(names, f"{score:.2f}", size, "–" if support is None else percent(support))
