"""The columns of the tables that a cohort is built from, and an example of each table."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from types import MappingProxyType
from typing import Literal, get_args

from forensics.cohorts.lineage.hypotheses import CONFIDENCES, RELATIONS
from forensics.cohorts.lineage.models import ModelFacts, Teacher

TableName = Literal["models", "pairs", "outputs"]
TABLES: tuple[TableName, ...] = get_args(TableName)


@dataclass(frozen=True)
class TableColumn:
    """A column: its name, whether each row must fill it in, and what stands there."""

    name: str
    is_needed: bool
    what: str


_MODELS = (
    TableColumn("model", True, "name of the model, as in the outputs; each once"),
    TableColumn(
        "weights_id",
        False,
        "the same for the same weights under another setting or at another host; empty: the "
        "model's name",
    ),
    TableColumn("setting", False, "what differs between rows of one weights_id: thinking, host"),
    TableColumn("developer", False, "who made it; a guess ends in ?"),
    TableColumn("family", False, "its line of models; models of one line never judge one another"),
    TableColumn("base_model", False, "the pretrained model below it"),
    TableColumn("base_family", False, "the line of the base, all sizes"),
    TableColumn("weights_parent", False, "the model it was tuned, merged or quantised from"),
    TableColumn("ancestors", False, "all models its weights derive from, separated by ;"),
    TableColumn(
        "teachers",
        False,
        "models whose outputs it learned from, NAME or NAME/HOW/CONFIDENCE separated by ; (HOW: "
        "sft, pref, distill, judge, pretrain), or: none known, undisclosed",
    ),
    TableColumn("released", False, "month of release, YYYY-MM"),
    TableColumn("system_prompt", False, "kind of system prompt it was asked with"),
    TableColumn("temperature", False, "sampling temperature"),
    TableColumn("max_tokens", False, "cap on the tokens of an answer"),
)
_PAIRS = (
    TableColumn("model_a", True, "a model of the table of models"),
    TableColumn("model_b", True, "another one"),
    TableColumn("relation", True, f"one of: {', '.join(RELATIONS)}"),
    TableColumn(
        "confidence",
        False,
        f"how well that is documented: {', '.join(CONFIDENCES)}; empty: high. Pairs labelled "
        "unrelated count at the best confidence that one of them has",
    ),
    TableColumn("same_base", False, "0 or 1; so are same_base_family, same_developer, same_family"),
    TableColumn("shared_teachers", False, "separated by ;"),
)
_OUTPUTS = (
    TableColumn("model", True, "a model of the table of models"),
    TableColumn("prompt_id", True, "names the prompt"),
    TableColumn("prompt", True, "its text; the same text is the same prompt"),
    TableColumn("output", True, "the answer"),
    TableColumn("sample_id", False, "tells several answers of a model to one prompt apart"),
)
COLUMNS: Mapping[TableName, tuple[TableColumn, ...]] = MappingProxyType(
    {"models": _MODELS, "pairs": _PAIRS, "outputs": _OUTPUTS}
)

# One line a model, in the order of `_MODEL_CELLS`.
_EXAMPLE_MODELS = tuple(
    tuple(line.split(","))
    for line in (
        "acorn-8b,acorn-8b,,Acorn,acorn,acorn-8b-base,,undisclosed,2025-03",
        "acorn-8b-thinking,acorn-8b,thinking,Acorn,acorn,acorn-8b-base,,undisclosed,2025-03",
        "oak-tune,oak-tune,,Forest,oak,acorn-8b-base,acorn-8b,fir-large/sft/high,2025-06",
        "fir-large,fir-large,,Fir,fir,,,none known,2025-01",
    )
)
_MODEL_CELLS = (
    *("model", "weights_id", "setting", "developer", "family", "base_model", "weights_parent"),
    *("teachers", "released"),
)
_EXAMPLE_PAIRS = (
    ("acorn-8b", "acorn-8b-thinking", "same_model_other_setting", "high"),
    ("acorn-8b", "oak-tune", "finetune_parent", "high"),
    ("oak-tune", "fir-large", "distilled_teacher", "high"),
    ("acorn-8b", "fir-large", "unrelated", "medium"),
)
_QUESTIONS = (
    "a lighthouse",
    "rain",
    "a chess club",
    "bread",
    "a slow train",
    "snow",
    "tea",
    "moss",
)


def example(table: TableName) -> str:
    """Return a small CSV of a table; the three go together, and a cohort can be built of them."""
    match table:
        case "models":
            return _csv(_MODEL_CELLS, _EXAMPLE_MODELS)
        case "pairs":
            return _csv(("model_a", "model_b", "relation", "confidence"), _EXAMPLE_PAIRS)
        case "outputs":
            return _csv(("model", "prompt_id", "prompt", "output"), _example_outputs())


def models_table(facts: Mapping[str, ModelFacts]) -> str:
    """Return facts as a CSV that `cohort build --models` reads."""
    names = [column.name for column in _MODELS]
    return _csv(names, (tuple(_cell(fact, name) for name in names) for fact in facts.values()))


def _cell(fact: ModelFacts, name: str) -> str:
    if name == "ancestors":
        return ";".join(fact.ancestors)
    if name == "teachers":
        listed = ";".join(_teacher(teacher) for teacher in fact.teachers)
        return listed or ("" if fact.teachers_known == "listed" else fact.teachers_known)
    value = getattr(fact, name)
    return "" if value is None else str(value)


def _teacher(teacher: Teacher) -> str:
    if not (teacher.how or teacher.confidence):
        return teacher.name
    return f"{teacher.name}/{teacher.how}/{teacher.confidence}"


def _example_outputs() -> Iterable[tuple[str, ...]]:
    for number, thing in enumerate(_QUESTIONS, 1):
        for name, *_ in _EXAMPLE_MODELS:
            yield name, f"q{number}", f"Write a line about {thing}.", f"{name} on {thing}: …"


def _csv(columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
