"""Tables of steps: models beside their own past, from the columns of the tables of models.

`python -m studies.shift.steps DATA` writes `studies/shift/tables/SET.csv`. Kinds: *student* (a
teacher of another house is documented, medium confidence or better), *release* (a later release of
a house that is documented to have had no such teacher), *tuned* (tuned from another model, no such
teacher), *setting* (the same weights, set otherwise: a pseudo-step). A past is, in this order, the
model that the weights were tuned from, the house's previous release, models tuned by others from
the same base, and from the same family of bases; it had itself no teacher of the student's.
"""

from __future__ import annotations

import csv
import itertools
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.cohorts.lineage.models import ModelFacts, read_models

SETS = (
    "alpaca_eval",
    "modern/misguided_attention",
    "modern/longform",
    "modern/slop_score",
    "modern/farel",
)
TABLES = Path(__file__).parent / "tables"
_HOUSES = {
    "gpt": "OpenAI", "chatgpt": "OpenAI", "text": "OpenAI", "o": "OpenAI", "claude": "Anthropic",
    "deepseek": "DeepSeek", "qwen": "Alibaba", "qwq": "Alibaba",
}  # fmt: skip


@dataclass(frozen=True)
class StepRow:
    """A row of a table of steps."""

    model: str
    bases: tuple[str, ...]
    teacher: str
    kind: str
    source: str


def steps_of(facts: Mapping[str, ModelFacts]) -> list[StepRow]:
    """Return the steps that a table of models documents."""
    rows = []
    for fact in facts.values():
        rows += [row for row in (_taught(fact, facts), _setting(fact, facts)) if row is not None]
    return rows


def table_of(name: str) -> Path:
    """Return the table of a set, by its prefix."""
    return TABLES / f"{name.replace('/', '-')}.csv"


def house(teacher: str) -> str:
    """Return the developer of a teacher as the tables name it, empty where it is not clear."""
    head = re.match(r"[a-z]+", teacher.casefold())
    return _HOUSES.get(head.group(), "") if head else ""


def _houses(fact: ModelFacts) -> list[str]:
    named = [house(t.name) for t in fact.teachers if t.confidence in ("high", "medium")]
    return [name for name in dict.fromkeys(named) if name and name != fact.developer]


def _taught(fact: ModelFacts, facts: Mapping[str, ModelFacts]) -> StepRow | None:
    houses = _houses(fact)
    if not houses and (fact.teachers or fact.teachers_known != "none known"):
        return None  # nobody knows whether it had a teacher
    how, bases = _past(fact, facts, houses)
    if not bases:
        return None
    if houses:
        named = ", ".join(f"{t.name} ({t.confidence})" for t in fact.teachers)
        return StepRow(fact.model, bases, houses[0], "student", f"teachers: {named}; past by {how}")
    kind = "tuned" if how != "previous release" else "release"
    return StepRow(fact.model, bases, "none", kind, f"teachers: none known; past by {how}")


def _setting(fact: ModelFacts, facts: Mapping[str, ModelFacts]) -> StepRow | None:
    others = tuple(
        other.model
        for other in facts.values()
        if other.model != fact.model and other.weights_id.casefold() == fact.weights_id.casefold()
    )
    if not others:
        return None
    setting = fact.setting or "none named"
    return StepRow(fact.model, others, "none", "setting", f"same weights_id; setting: {setting}")


def _past(
    fact: ModelFacts, facts: Mapping[str, ModelFacts], houses: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    others = [
        other
        for other in facts.values()
        if other.weights_id.casefold() != fact.weights_id.casefold()
        and not set(houses) & set(_houses(other))
    ]
    # On another's base a house's earlier model is no past: its weights were others from the start.
    houses_on = {
        family: {f.developer for f in facts.values() if f.base_family == family}
        for family in {f.base_family for f in facts.values()}
    }
    shared = {family for family, on in houses_on.items() if len(on) > 1}
    parent = fact.weights_parent.casefold()
    tuned_from = [
        o for o in others if parent and parent in (o.model.casefold(), o.weights_id.casefold())
    ]
    earlier = [
        o
        for o in others
        if o.developer == fact.developer != ""
        and o.family == fact.family != ""
        and "" != o.released < fact.released
        and (o.base_family == fact.base_family or not {o.base_family, fact.base_family} & shared)
    ]
    last = max((o.released for o in earlier), default="")
    untaught = [
        o for o in others if o.teachers_known == "none known" and o.developer != fact.developer
    ]
    known_base = fact.base_model not in ("", "?")
    known_family = fact.base_family not in ("", "?")
    pasts = {
        "weights_parent": tuned_from,
        "previous release": [o for o in earlier if o.released == last],
        "base_model": [o for o in untaught if known_base and o.base_model == fact.base_model],
        "base_family": [o for o in untaught if known_family and o.base_family == fact.base_family],
    }
    for how, models in pasts.items():
        if models:
            return how, tuple(o.model for o in models)
    return "", ()


def write_tables(data: Path) -> None:
    """Write a table of each set whose table of models is in `data`."""
    TABLES.mkdir(exist_ok=True)
    for name in SETS:
        rows = steps_of(read_models(data / f"{name}_models.csv"))
        with table_of(name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("model", "base", "teacher_developer", "kind", "source"))
            for row in rows:
                writer.writerow((row.model, ";".join(row.bases), row.teacher, row.kind, row.source))


if __name__ == "__main__":
    write_tables(Path(*itertools.islice(sys.argv, 1, 2)))
