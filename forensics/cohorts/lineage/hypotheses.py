"""What may be claimed of a pair of models, and which documented relation stands for which claim."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TextIO, get_args

from forensics.errors import InputFileError

Hypothesis = Literal[
    "same_model", "close_descent", "common_teacher", "same_base", "same_developer", "independent"
]
Relation = Literal[
    "same_model_other_setting",
    "finetune_parent",
    "siblings_same_instruct_parent",
    "distilled_teacher",
    "same_teacher",
    "same_base_different_tuning",
    "same_base_family_other_size",
    "same_family_developer",
    "composite_component",
    "unrelated",
    "unknown",
]
Confidence = Literal["high", "medium", "low"]

HYPOTHESES: tuple[Hypothesis, ...] = get_args(Hypothesis)
KIN_HYPOTHESES: tuple[Hypothesis, ...] = HYPOTHESES[:-1]
RELATIONS: tuple[Relation, ...] = get_args(Relation)
CONFIDENCES: tuple[Confidence, ...] = get_args(Confidence)
_MOST_BYTES = 1 << 24  # of a table of pairs, unpacked

SENTENCES: Mapping[Hypothesis, str] = MappingProxyType(
    {
        "same_model": "both are the same weights, under another setting or at another host",
        "close_descent": "one derives from the other's weights, or both from one instruct model's "
        "(fine-tune, merge, quantisation)",
        "common_teacher": "one learned from the other's outputs, or both from one model's",
        "same_base": "both were tuned, differently, from the same pretrained base",
        "same_developer": "both come from one developer and are otherwise unrelated",
        "independent": "no lineage connects the two",
    }
)

PREDICATES: Mapping[str, str] = MappingProxyType(  # the same in a few words, after "the two are"
    {
        "same_model": "one model",
        "close_descent": "of close descent",
        "common_teacher": "taught by one teacher, or one by the other",
        "same_base": "tuned from one pretrained base",
        "same_developer": "from one developer",
        "independent": "independent",
    }
)

HYPOTHESIS_OF: Mapping[Relation, Hypothesis | None] = MappingProxyType(
    {
        # The weights are one file; a setting, a host or best-of-n does not make a new model.
        "same_model_other_setting": "same_model",
        # Weights derive from the other's weights.
        "finetune_parent": "close_descent",
        # Both derive from one instruct model, whose manner both still have.
        "siblings_same_instruct_parent": "close_descent",
        # Trained on the other's outputs: text cannot tell how these were come by, so direct
        # distillation, public data sets and two students of one teacher are one proposition.
        "distilled_teacher": "common_teacher",
        "same_teacher": "common_teacher",
        # One pretrained base, tuned by different people on different data.
        "same_base_different_tuning": "same_base",
        # LLaMA-7B and LLaMA-13B are different weights which a third party trained on similar data;
        # the two tuners have nothing in common. Neither kin nor strangers, so not counted, except
        # where the tuners are one developer (see `hypothesis_of`).
        "same_base_family_other_size": None,
        # One developer's models share data, recipes and taste.
        "same_family_developer": "same_developer",
        # A system that asks several models is kin to each of them in part only.
        "composite_component": None,
        # No documented link; strangers only where that absence is itself well documented (see
        # `hypothesis_of`), since undisclosed training data may connect them.
        "unrelated": "independent",
        # Not a class: nobody knows.
        "unknown": None,
    }
)


@dataclass(frozen=True)
class LabelledPair:
    """Two models (a before b, in the file's spelling), their documented relation and its claim.

    `flags` are the table's yes/no columns (`same_base`, `same_developer`, …; those it has).
    `hypothesis` is None where the pair stands for none of them and is left out of all counts.
    """

    a: str
    b: str
    relation: Relation
    confidence: Confidence
    hypothesis: Hypothesis | None
    flags: Mapping[str, bool] = field(default_factory=dict, hash=False)
    shared_teachers: tuple[str, ...] = ()


def hypothesis_of(
    relation: Relation,
    confidence: Confidence = "high",
    flags: Mapping[str, bool] = MappingProxyType({}),
    *,
    independent: Confidence = "high",
) -> Hypothesis | None:
    """Map a documented relation to the hypothesis for which it is an example, or to None.

    `HYPOTHESIS_OF` gives the reasons. Two relations need more than their name: `unrelated` counts
    as `independent` only at confidence `independent` or better; models of one base family in
    different sizes count as `same_developer` where the flag `same_developer` is set.
    """
    if relation == "unrelated":
        sure = CONFIDENCES.index(confidence) <= CONFIDENCES.index(independent)
        return "independent" if sure else None
    if relation == "same_base_family_other_size" and flags.get("same_developer"):
        return "same_developer"
    return HYPOTHESIS_OF[relation]


def read_pairs(
    path: Path, models: Collection[str], *, independent: Confidence | Literal["best"] = "high"
) -> tuple[LabelledPair, ...]:
    """Read a table of labelled pairs (CSV, or CSV compressed with gzip) in file order.

    Columns: `model_a`, `model_b`, `relation`; optional `confidence` (absent or empty: high), the
    flags `same_*` (0 or 1) and `shared_teachers` (separated by `;`). Others are ignored, and so is
    a repetition of the same statement.

    Args:
        path: the file; `.gz` is recognised by content.
        models: every model that a pair may name.
        independent: the confidence from which `unrelated` counts as `independent`; "best" takes
            the highest that any `unrelated` pair of the file has (a table of recent models, whose
            data nobody discloses, has no `high`). The caller must say which was used.

    Raises `InputFileError`, one line, if the file cannot be read, lacks a column, names a model
    not in `models` or pairs one with itself, holds a word that is no relation or confidence, or
    states two different relations of one unordered pair.
    """
    seen: dict[frozenset[str], tuple[int, LabelledPair]] = {}
    for line, row in _rows(path):
        pair = _parse(row, f"{path}, line {line}", models)
        key = frozenset((pair.a, pair.b))
        first_line, first = seen.setdefault(key, (line, pair))
        if first.relation != pair.relation:
            raise InputFileError(
                f"{path}, line {line}: {pair.a!r} and {pair.b!r} are {pair.relation} here but "
                f"{first.relation} on line {first_line}; keep one of the two"
            )
    pairs = [pair for _, pair in seen.values()]
    level = best_confidence(pairs) if independent == "best" else independent
    return tuple(at_confidence(pairs, level))


def at_confidence(pairs: Iterable[LabelledPair], independent: Confidence) -> list[LabelledPair]:
    """Label pairs again: `unrelated` is `independent` from this confidence on."""
    return [_labelled(pair, independent) for pair in pairs]


def best_confidence(pairs: Collection[LabelledPair]) -> Confidence:
    """Give the highest confidence that any `unrelated` pair has; `high` if there is none."""
    levels = {pair.confidence for pair in pairs if pair.relation == "unrelated"}
    return next((level for level in CONFIDENCES if level in levels), "high")


def _labelled(pair: LabelledPair, independent: Confidence) -> LabelledPair:
    claim = hypothesis_of(pair.relation, pair.confidence, pair.flags, independent=independent)
    return LabelledPair(
        pair.a, pair.b, pair.relation, pair.confidence, claim, pair.flags, pair.shared_teachers
    )


def _open(path: Path) -> TextIO:
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    if compressed:
        # Unpacked in bounds: a few kilobytes can unpack to any number of bytes.
        with gzip.open(path, "rb") as packed:
            content = packed.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise InputFileError(
                f"{path} unpacks to more than {_MOST_BYTES >> 20} MiB; is it a table of pairs?"
            )
        return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with _open(path) as file:
            reader = csv.DictReader(file)
            missing = {"model_a", "model_b", "relation"} - set(reader.fieldnames or ())
            if missing:
                raise InputFileError(
                    f"{path}, line 1: no column {', '.join(sorted(missing))}; give a CSV with "
                    "model_a, model_b, relation"
                )
            for row in reader:
                yield reader.line_num, {k: (v or "").strip() for k, v in row.items() if k}
    except (UnicodeDecodeError, csv.Error, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputFileError(f"{path}: not a CSV in UTF-8 ({error}); export it again") from error
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read ({error.strerror}); check the path"
        ) from error


def _parse(row: Mapping[str, str], where: str, models: Collection[str]) -> LabelledPair:
    a, b = row["model_a"], row["model_b"]
    for name in (a, b):
        if name not in models:
            raise InputFileError(
                f"{where}: {name!r} is not in the table of models; add its row or drop the pair"
            )
    if a == b:
        raise InputFileError(f"{where}: {a!r} is paired with itself; drop the line")
    relation, confidence = row["relation"], row.get("confidence") or "high"
    if relation not in RELATIONS:
        raise InputFileError(
            f"{where}: unknown relation {relation!r}; use one of {', '.join(RELATIONS)}"
        )
    if confidence not in CONFIDENCES:
        raise InputFileError(
            f"{where}: unknown confidence {confidence!r}; use {', '.join(CONFIDENCES)}"
        )
    flags = {k: _flag(v, k, where) for k, v in row.items() if k.startswith("same_")}
    teachers = tuple(t for t in row.get("shared_teachers", "").split(";") if t)
    return LabelledPair(a, b, relation, confidence, None, flags, teachers)


def _flag(value: str, column: str, where: str) -> bool:
    if value.casefold() in {"", "0", "0.0", "false", "no"}:
        return False
    if value.casefold() in {"1", "1.0", "true", "yes"}:
        return True
    raise InputFileError(f"{where}: {column} {value!r} is not a flag; write 0 or 1")
