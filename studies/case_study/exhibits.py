"""Short passages of both models: what they share most, and beside it what they do not share.

Only the puzzles are quoted (CC0-1.0), a sentence or two each, as the program chose them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import forensics
from forensics.case.document import Case, CaseResponse
from forensics.case.evidence import Evidence, Exhibit, Rarity
from forensics.report.exhibits import shown_exhibits
from forensics.report.markdown import code, prose
from forensics.support.numbers import number
from forensics.support.sanitise import Span, excerpt
from studies.case_study.measure import Measured
from studies.case_study.pairs import PUZZLES_FILE, Pair
from studies.case_study.tables import share, table

_CHARS = 150
_PAIRS = 2
# Kinds of evidence that have exhibits, in the order in which they are asked for one.
_KINDS = ("phrasing", "openings", "shared_manner")


@dataclass(frozen=True)
class Passage:
    """What two models wrote to one prompt, and how alike the evidence finds it."""

    side: str
    evidence: str
    score: float
    prompt: str
    known: str
    questioned: str
    rarity: Rarity | None


@dataclass(frozen=True)
class Shown:
    """A pair measured on its texts, with its passages; `speaks_for`: those the program shows."""

    measured: Measured
    passages: tuple[Passage, ...]
    speaks_for: int


def shown(pair: Pair, data: Path) -> Shown:
    """Compare a pair on the texts of the puzzles in DATA, and take its passages."""
    file = data / PUZZLES_FILE
    case = forensics.compare(
        f"{file}#{pair.known}",
        f"{file}#{pair.questioned}",
        bases=[f"{file}#{base}" for base in pair.bases],
        only=_KINDS,
    )
    sides = [passage for both in _both_sides(case) for passage in both]
    drawn = [_passage(case, e, x) for e in case.evidence for x in e.exhibits if x.side == "random"]
    return Shown(
        Measured(pair, case), (*sides, *drawn[:1]), len(shown_exhibits(case, _PAIRS).speaks_for)
    )


def _both_sides(case: Case) -> list[tuple[Passage, Passage]]:
    """Return exhibits for kinship, common wording too, each with one of its kind against."""
    kinds = {e.comparator: e for e in case.evidence}
    queues = [_counterparts(case, kinds[name]) for name in _KINDS]
    first = [queue[0] for queue in queues if queue]
    return [*first, *queues[-1][1:]][:_PAIRS]


def _counterparts(case: Case, evidence: Evidence) -> list[tuple[Passage, Passage]]:
    most = [x for x in evidence.exhibits if x.side == "for"]
    least = [x for x in evidence.exhibits if x.side == "against"]
    most.sort(key=lambda exhibit: -exhibit.score)
    least.sort(key=lambda exhibit: exhibit.score)
    return [
        (_passage(case, evidence, a), _passage(case, evidence, b))
        for a, b in zip(most, least, strict=False)
    ]


def _passage(case: Case, evidence: Evidence, exhibit: Exhibit) -> Passage:
    prompt = next(p for p in case.prompts if p.prompt_sha256 == exhibit.prompt_sha256)
    return Passage(
        _SIDES[exhibit.side],
        evidence.title,
        exhibit.score,
        prompt.prompt_id,
        _part(prompt.a, exhibit.sample_a, exhibit.spans_a),
        _part(prompt.b, exhibit.sample_b, exhibit.spans_b),
        exhibit.rarity,
    )


def _part(responses: Sequence[CaseResponse], sample: int, spans: Sequence[Span]) -> str:
    text = next(response.text for response in responses if response.sample == sample)
    return "".join(piece for piece, _ in excerpt(text, spans, _CHARS))


_SIDES = {"for": "**alike**", "against": "**unlike**", "random": "drawn at random"}


def exhibit_section(pairs: Sequence[Shown]) -> str:
    """Return the section of passages."""
    return "\n\n".join([_HEAD, *(_of_pair(pair) for pair in pairs)])


_HEAD = """## Passages, each beside a counter-passage

The program chose them; none was picked by hand. Each passage that speaks for kinship stands
above the one that speaks most against it by the same kind of evidence, and one puzzle is drawn
at random. Passages illustrate the figures and carry no weight of their own. The puzzles' answers
are CC0-1.0; a sentence or two of each is quoted. Puzzles are named by their identifiers."""


def _of_pair(pair: Shown) -> str:
    questioned, known = pair.measured.pair.questioned, pair.measured.pair.known
    head = ("", "by", "score", "puzzle", known, questioned, "models that use the marked wording")
    rows = [
        (
            p.side,
            prose(p.evidence),
            number(p.score, 2),
            code(p.prompt, cell=True),
            _cell(p.known),
            _cell(p.questioned),
            _rare(p.rarity),
        )
        for p in pair.passages
    ]
    note = f"{_bar(pair.speaks_for)} {_exact(pair.measured)}".strip()
    return "\n\n".join([f"### {questioned} beside {known}", note, table(head, rows)])


def _bar(speaks_for: int) -> str:
    """Say how many passages a report would show for kinship; those below its bar stand here too."""
    counted_ = {0: "no passage", 1: "1 passage"}.get(speaks_for, f"{speaks_for} passages")
    return (
        f"A report of this pair shows {counted_} for kinship (the bar: 30 characters in common, "
        "wording that at most a fifth of the models use)."
    )


def _exact(row: Measured) -> str:
    if row.manner is None:
        return ""
    return (
        "Measured on the texts themselves instead of the shipped cohort's numbers, the two share "
        f'{share(row)} of their manner. The answer to "Learned from the other?" is then: '
        f"{prose(row.answers[2].label)}."
    )


def _cell(text: str) -> str:
    return code(text, 2 * _CHARS, cell=True)


def _rare(rarity: Rarity | None) -> str:
    if rarity is None:
        return "–"
    if rarity.models is None:
        return f"models of fewer than {rarity.least_clusters} lineages"
    return f"{rarity.models} of {rarity.of}"
