"""The section of the page on shift that says whether a finding on one genre holds on another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from forensics.cohorts.outputs import Outputs
from forensics.evaluation.step_rates import KnownStep
from studies.shift.confirmed import Confirmed, by_genre, by_past, shared_steps

_HEAD = """
## Confirmation: another genre, another past

A house that leads is frozen, then asked for again. One answer a prompt; collections of everyday
instructions are the genres, and the second time all other collections are asked.

| found on | students | their teacher's house leads | and leads again | null steps \
| the same house leads again |
|---|---|---|---|---|---|"""


def section(
    sets: Mapping[str, tuple[Outputs, Sequence[KnownStep]]],
    name: str,
    genres: Mapping[str, str],
) -> Iterator[str]:
    """Yield the lines of the section.

    Args:
        sets: outputs and steps by name.
        name: the set that has students and genres.
        genres: prompt id → genre.
    """
    yield _HEAD
    for genre, twice in by_genre(*sets[name], genres):
        yield _row(genre, twice)
    yield _row("one past, then another one (all prompts)", by_past(*sets[name]))
    yield "\nBetween sets, a step is shared if its model and a past of it have the same weights in"
    yield "both."
    rows = list(shared_steps({key: (out.facts, steps) for key, (out, steps) in sets.items()}))
    counted = [f"{_short(a)} and {_short(b)} {both}" for a, b, both, _ in rows if both]
    yield f"Shared steps: {'; '.join(counted) or 'none'}."
    students = sum(number for *_, number in rows)
    yield f"Students with a documented teacher that two sets share: {students}. So no pair of sets"
    yield "allows to confirm a teacher on another genre." if not students else ""


def _row(name: str, twice: Confirmed) -> str:
    cells = (name, twice.students, twice.found, twice.again, twice.nulls, twice.wrongly)
    return f"| {' | '.join(map(str, cells))} |"


def _short(name: str) -> str:
    return name.removeprefix("modern/")
