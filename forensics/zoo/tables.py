"""What is known of a zoo's models, as the tables that `forensics evaluate` reads."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from forensics.cohorts.lineage.hypotheses import Relation
from forensics.support.files import write_text

_RELEASED = "2025-01"  # all of one month: a zoo has no eras
_MODEL_COLUMNS = (
    "model weights_id setting developer family base_model base_family weights_parent ancestors "
    "teachers model_license notes released system_prompt temperature max_tokens"
).split()
_PAIR_COLUMNS = (
    "dataset model_a model_b relation confidence reason weights_a weights_b same_base "
    "same_base_family same_developer same_family shared_teachers"
).split()


@dataclass(frozen=True)
class Animal:
    """One model of the zoo: where it is, how it was made, and of which others.

    `parents` are the models whose weights it was made from, `teachers` those whose text it was
    trained on, with the share of its training tokens that is theirs (0 to 1).
    """

    name: str
    folder: Path
    how: str
    parents: tuple[str, ...] = ()
    teachers: tuple[tuple[str, float], ...] = ()


def ancestors(name: str, animals: Sequence[Animal]) -> frozenset[str]:
    """Return all models whose weights a model derives from."""
    parents = next(animal.parents for animal in animals if animal.name == name)
    return frozenset(parents).union(*(ancestors(parent, animals) for parent in parents))


def relation(a: Animal, b: Animal, animals: Sequence[Animal]) -> tuple[Relation, str]:
    """Return how two models of a zoo are related, and why."""
    first, second = ancestors(a.name, animals), ancestors(b.name, animals)
    if a.name in second or b.name in first:
        return "finetune_parent", "one was made from the other's weights"
    if first & second:
        return "siblings_same_instruct_parent", f"both were made from {min(first & second)}"
    taught = {name for name, share in a.teachers if share > 0}
    taught_b = {name for name, share in b.teachers if share > 0}
    if b.name in taught or a.name in taught_b:
        return "distilled_teacher", "one was trained on the other's text"
    if taught & taught_b:
        return "same_teacher", f"both were trained on the text of {min(taught & taught_b)}"
    kin = (first | {a.name}, second | {b.name})
    if taught & kin[1] or taught_b & kin[0]:
        return "unknown", "one was trained on the text of the other's relative"
    return "unrelated", "made from different random weights"


def write_tables(folder: Path, animals: Sequence[Animal]) -> None:
    """Write `models.csv` and `pairs.csv`.

    Raises:
        OutputError: a file cannot be written.
    """
    models = [_model_row(animal, animals) for animal in animals]
    pairs = [_pair_row(a, b, animals) for a, b in itertools.combinations(animals, 2)]
    write_text(folder / "models.csv", _csv(_MODEL_COLUMNS, models))
    write_text(folder / "pairs.csv", _csv(_PAIR_COLUMNS, pairs))


def _model_row(animal: Animal, animals: Sequence[Animal]) -> dict[str, str]:
    roots = sorted(x for x in ancestors(animal.name, animals) if not _find(x, animals).parents)
    base = roots[0] if roots else animal.name
    teachers = ";".join(f"{name}/sft/high" for name, share in animal.teachers if share > 0)
    return {
        "model": animal.name,
        "weights_id": animal.name,
        "developer": base,
        "family": base,
        "base_model": base,
        "base_family": base,
        "weights_parent": animal.parents[0] if animal.parents else "",
        "ancestors": ";".join(sorted(ancestors(animal.name, animals))),
        "teachers": teachers or "none known",
        "notes": animal.how,
        "released": _RELEASED,
    }


def _find(name: str, animals: Sequence[Animal]) -> Animal:
    return next(animal for animal in animals if animal.name == name)


def _pair_row(a: Animal, b: Animal, animals: Sequence[Animal]) -> dict[str, str]:
    relationship, why = relation(a, b, animals)
    kin = relationship in ("finetune_parent", "siblings_same_instruct_parent")
    return {
        "dataset": "zoo",
        "model_a": a.name,
        "model_b": b.name,
        "relation": relationship,
        "confidence": "high",
        "reason": why,
        "weights_a": a.name,
        "weights_b": b.name,
        **dict.fromkeys(_PAIR_COLUMNS[8:12], str(int(kin))),
    }


def _csv(columns: Iterable[str], rows: Iterable[dict[str, str]]) -> str:
    text = StringIO()
    writer = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
