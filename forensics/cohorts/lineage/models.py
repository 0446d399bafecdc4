"""What is known of each model's lineage: the table of models, lineage clusters, exclusions."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from forensics.errors import InputFileError

Disclosure = Literal["listed", "none known", "undisclosed", ""]

_DATE = re.compile(r"(\d{4})-(0[1-9]|1[0-2])(-\d{2})?")
_UNKNOWN = frozenset({"", "?"})


@dataclass(frozen=True)
class Teacher:
    """A model whose outputs another was trained on, and how well that is documented.

    `how` is one word (`sft`, `pref`, `judge`, `distill`, `pretrain`, …), `confidence` one of
    `high`, `medium`, `low`; both are empty where the table gives the name only.
    """

    name: str
    how: str = ""
    confidence: str = ""


@dataclass(frozen=True)
class ModelFacts:
    """One row of a table of models; everything but the name may be empty (= not known).

    `weights_id` is the same for the same weights under other settings, and the model's own name
    where the table is silent. `released` is `YYYY-MM`. `teachers_known` tells an empty list of
    teachers that was looked into (`none known`) from one that was not (``) or is kept secret
    (`undisclosed`).
    """

    model: str
    weights_id: str
    setting: str = ""
    developer: str = ""
    family: str = ""
    base_model: str = ""
    base_family: str = ""
    weights_parent: str = ""
    ancestors: tuple[str, ...] = ()
    teachers: tuple[Teacher, ...] = ()
    teachers_known: Disclosure = ""
    released: str = ""
    system_prompt: str = ""
    temperature: float | None = None
    max_tokens: int | None = None

    def parents(self) -> tuple[str, ...]:
        """Give every name whose weights these derive from, once, the direct parent first."""
        names = (self.weights_parent, *self.ancestors)
        return tuple(dict.fromkeys(name for name in names if name))


def read_models(path: Path) -> dict[str, ModelFacts]:
    """Read a table of models (CSV with a header line) → facts by model name, in file order.

    Only the column `model` is required; the others are the fields of `ModelFacts`, with
    `ancestors` separated by `;` and `teachers` as `name/how/confidence;…`. Other columns are
    ignored.

    Raises `InputFileError`, one line with file and line number, if the file cannot be read, has no
    column `model`, names a model twice or none, holds a malformed date or number, or if a model
    is its own ancestor.
    """
    return facts_of_rows(((f"{path}, line {line}", row) for line, row in _rows(path)), path)


def facts_of_rows(
    rows: Iterable[tuple[str, Mapping[str, str]]], source: Path
) -> dict[str, ModelFacts]:
    """Read rows of a table of models, wherever they stand; see `read_models`.

    Args:
        rows: where each row stands, for messages, and its cells by column.
        source: the file, for messages.

    Raises:
        InputFileError: see `read_models`.
    """
    facts: dict[str, ModelFacts] = {}
    for where, row in rows:
        model = row.get("model", "")
        if not model:
            raise InputFileError(f"{where}: no model name; fill in the column 'model'")
        if model in facts:
            raise InputFileError(f"{where}: {model!r} was listed before; keep one row per model")
        facts[model] = _parse(row, where)
    if not facts:
        raise InputFileError(f"{source}: no model in this table; give one row per model")
    cycle = _cycle(facts)
    if cycle:
        chain = " ← ".join(cycle)
        raise InputFileError(
            f"{source}: cycle of ancestry {chain}; correct weights_parent or ancestors"
        )
    return facts


def clusters(facts: Mapping[str, ModelFacts]) -> dict[str, int]:
    """Number the lineage clusters: model → cluster, 0, 1, … in the order of first appearance.

    Two models are linked if they share a `weights_id`, or if one mentions (as `weights_parent` or
    in `ancestors`) the other or anything that the other mentions too; links are transitive, and
    hold through ancestors that are no row of the table. A mention names a `weights_id`, or else a
    model. Upper and lower case are the same. `family`, `base_model` and teachers do not link.
    """
    known = {f.weights_id.casefold() for f in facts.values()}
    alias = {f.model.casefold(): f.weights_id.casefold() for f in facts.values()}
    root: dict[str, str] = {}

    def find(name: str) -> str:
        while root.setdefault(name, name) != name:
            root[name] = root[root[name]]
            name = root[name]
        return name

    for fact in facts.values():
        identity = fact.weights_id.casefold()
        find(identity)
        for parent in fact.parents():
            name = parent.casefold()
            root[find(name if name in known else alias.get(name, name))] = find(identity)
    numbers: dict[str, int] = {}
    return {
        model: numbers.setdefault(find(fact.weights_id.casefold()), len(numbers))
        for model, fact in facts.items()
    }


def excluded_with(
    facts: Mapping[str, ModelFacts], model: str, cluster_of: Mapping[str, int] | None = None
) -> frozenset[str]:
    """Give everyone who must not be in a cohort that judges `model`, itself included.

    That is its whole cluster and, one hop further, every model of its own `family` (not the
    families of its cluster). `cluster_of` is what `clusters(facts)` gave, to save the work when
    many models are asked about. Raises `KeyError` if `model` is not in `facts`.
    """
    numbers = clusters(facts) if cluster_of is None else cluster_of
    cluster, family = numbers[model], facts[model].family
    return frozenset(
        name
        for name, fact in facts.items()
        if numbers[name] == cluster or (family and fact.family == family)
    )


def to_json(facts: Mapping[str, ModelFacts]) -> list[dict[str, Any]]:
    """Give the facts as plain JSON values, one object per model; empty fields are left out."""
    empty: tuple[Any, ...] = ("", None, ())
    return [{k: v for k, v in asdict(f).items() if v not in empty} for f in facts.values()]


def from_json(rows: Iterable[Mapping[str, Any]]) -> dict[str, ModelFacts]:
    """Read what `to_json` gave. Fields this version does not know are ignored.

    Raises `InputFileError` if a row is not an object with a model name, or names one twice.
    """
    names = {field.name for field in fields(ModelFacts)}
    facts: dict[str, ModelFacts] = {}
    for row in rows:
        try:
            values = {k: v for k, v in row.items() if k in names}
            values["weights_id"] = values.get("weights_id") or values["model"]
            values["ancestors"] = tuple(values.get("ancestors", ()))
            values["teachers"] = tuple(Teacher(**t) for t in values.get("teachers", ()))
            fact = ModelFacts(**values)
        except (AttributeError, KeyError, TypeError) as error:
            raise InputFileError(
                f"model facts: malformed entry ({error!r}); rebuild the pack"
            ) from error
        if fact.model in facts:
            raise InputFileError(f"model facts: {fact.model!r} occurs twice; rebuild the pack")
        facts[fact.model] = fact
    return facts


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if "model" not in (reader.fieldnames or ()):
                raise InputFileError(
                    f"{path}, line 1: no column 'model'; give a CSV with a header line"
                )
            for row in reader:
                yield reader.line_num, {k: (v or "").strip() for k, v in row.items() if k}
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read ({error.strerror}); check the path"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputFileError(f"{path}: not a CSV in UTF-8 ({error}); export it again") from error


def _parse(row: Mapping[str, str], where: str) -> ModelFacts:
    def known(column: str) -> str:
        value = row.get(column, "")
        return "" if value in _UNKNOWN else value

    tokens = _number(row.get("max_tokens", ""), "max_tokens", where)
    return ModelFacts(
        model=row["model"],
        weights_id=known("weights_id") or row["model"],
        setting=known("setting"),
        developer=known("developer"),
        family=known("family"),
        base_model=known("base_model"),
        base_family=known("base_family"),
        weights_parent=known("weights_parent"),
        ancestors=tuple(x for x in _items(row.get("ancestors", "")) if x not in _UNKNOWN),
        teachers=_teachers(row.get("teachers", "")),
        teachers_known=_disclosure(row.get("teachers", "")),
        released=_released(known("released"), where),
        system_prompt=known("system_prompt"),
        temperature=_number(row.get("temperature", ""), "temperature", where),
        max_tokens=None if tokens is None else int(tokens),
    )


def _items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(";") if item.strip())


def _disclosure(text: str) -> Disclosure:
    if not _items(text) or text in _UNKNOWN:
        return ""
    for word in get_args(Disclosure):
        if text.casefold() == word:
            return word  # type: ignore[no-any-return]
    return "listed"


def _teachers(text: str) -> tuple[Teacher, ...]:
    if _disclosure(text) != "listed":
        return ()
    return tuple(_teacher(item) for item in _items(text))


def _teacher(item: str) -> Teacher:
    name, *rest = item.rsplit("/", 2)
    # "org/name" is a name with a slash in it, not a name and how it taught.
    return Teacher(name, *rest) if len(rest) == 2 else Teacher(item)


def _released(value: str, where: str) -> str:
    match = _DATE.fullmatch(value)
    if value and not match:
        raise InputFileError(f"{where}: released {value!r} is not a month; write YYYY-MM")
    return value[:7]


def _number(value: str, column: str, where: str) -> float | None:
    if value in _UNKNOWN:
        return None
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise InputFileError(
            f"{where}: {column} {value!r} is not a number ≥ 0; correct or empty the cell"
        )
    return number


def _cycle(facts: Mapping[str, ModelFacts]) -> tuple[str, ...]:
    """Give the names along one cycle of ancestry, first = last; empty if there is none."""
    parents: dict[str, set[str]] = {}
    for fact in facts.values():
        parents.setdefault(fact.weights_id, set()).update(fact.parents())
    finished: set[str] = set()
    for start, above in parents.items():
        path: list[str] = [start]
        pending = [iter(sorted(above))]
        while pending:
            name = next(pending[-1], None)
            if name is None:
                finished.add(path.pop())
                pending.pop()
            elif name in path:
                return (*path[path.index(name) :], name)
            elif name not in finished:
                path.append(name)
                pending.append(iter(sorted(parents.get(name, ()))))
    return ()
