"""Cohort packs as files: written, read and checked."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case.evidence import ReferenceScores
from forensics.cohorts.cohort import Cohort, CohortPrompt
from forensics.cohorts.fitting import Calibration
from forensics.cohorts.lineage.models import ModelFacts, from_json, to_json
from forensics.cohorts.population import Traits
from forensics.cohorts.validation import Validation
from forensics.errors import ForensicsError, InputFileError
from forensics.evidence.features.sketches import BUCKETS, DIMENSIONS
from forensics.support.files import whole_file

FORMAT = "forensics-cohort"
VERSION = 2
_KEY = "cohort"
_ARRAYS: Mapping[str, tuple[str, tuple[str | int, ...]]] = {
    "sketches": ("U8", ("prompts", "models", DIMENSIONS // 2)),
    "scales": ("F16", ("prompts", "models")),
    "frequency": ("U8", ("prompts", BUCKETS)),
    "texts": ("U16", ("prompts",)),
    "phrases": ("U32", ("phrases",)),
    "phrase_models": ("U8", ("phrases",)),
    "refits": ("F32", ("refitted lines", "refits", 2)),
    "strangers": ("U16", ("strangers", 2)),
    "held_out": ("F16", ("held-out lines", "strangers")),
}
# What packs of one answer a prompt do not have.
_OPTIONAL: Mapping[str, tuple[str, tuple[str | int, ...]]] = {
    "repeats": ("F16", ("prompts", "models")),
}


def write_cohort(path: Path, cohort: Cohort) -> Cohort:
    """Write a pack (the same cohort gives the same bytes) and return it with its `sha256`.

    Raises:
        OutputError: it cannot be written.
    """
    from safetensors.numpy import save

    head = {
        "format": FORMAT,
        "version": VERSION,
        "name": cohort.name,
        "models": to_json(cohort.facts),
        "prompts": [asdict(prompt) for prompt in cohort.prompts],
        "traits": [asdict(traits) for traits in cohort.traits],
        "calibration": cohort.calibration and cohort.calibration.to_json(),
        "error_rates": cohort.error_rates,
        "provenance": cohort.provenance,
        "reference": {name: scores.model_dump() for name, scores in cohort.reference.items()},
        "more_prompts": cohort.more_prompts,
        **({"learned": cohort.learned.to_json()} if cohort.learned else {}),
    }
    names = [*_ARRAYS, *(name for name in _OPTIONAL if _array(cohort, name).size)]
    arrays = {name: np.ascontiguousarray(_array(cohort, name)) for name in names}
    text = json.dumps(head, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    content = save(arrays, metadata={_KEY: text})
    with whole_file(path) as file:
        file.write(content)
    return replace(cohort, sha256=hashlib.sha256(content).hexdigest())


def _array(cohort: Cohort, name: str) -> NDArray[Any]:
    owner = cohort.validation if hasattr(cohort.validation, name) else cohort
    values: NDArray[Any] = getattr(owner, name)
    return values


def read_cohort(path: Path) -> Cohort:
    """Read a pack.

    Raises:
        InputFileError: it is missing, truncated, no cohort, of another version, or its parts
            disagree.
    """
    head, arrays = _load(path, with_arrays=True)
    try:
        cohort = _parse(head, arrays)
    except (KeyError, TypeError, ValueError, AttributeError, ForensicsError) as error:
        raise InputFileError(
            f"{path}: malformed cohort ({_short(error)}); build it again"
        ) from error
    for problem in problems_of(cohort):
        raise InputFileError(f"{path}: malformed cohort ({problem}); build it again")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return replace(cohort, sha256=digest)


def read_head(path: Path) -> Mapping[str, Any]:
    """Read a pack's JSON document only: `name`, `models`, `prompts`, …

    Raises:
        InputFileError: as `read_cohort` for what can be told without the arrays.
    """
    return _load(path, with_arrays=False)[0]


def _load(path: Path, with_arrays: bool) -> tuple[Mapping[str, Any], dict[str, NDArray[Any]]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            head = _head(path, file.metadata() or {})
            _check_shapes(path, head, file)
            there = set(file.keys())
            wanted = [n for n in (*_ARRAYS, *_OPTIONAL) if n in there] if with_arrays else []
            return head, {name: file.get_tensor(name) for name in wanted}
    except SafetensorError as error:
        raise InputFileError(
            f"{path}: not a cohort file, or cut short ({_short(error)}); copy or build it again"
        ) from error
    except OSError as error:
        reason = error.strerror or _short(error)
        raise InputFileError(f"{path}: cannot be read ({reason}); check the path") from error


def _head(path: Path, metadata: Mapping[str, str]) -> Mapping[str, Any]:
    try:
        head = json.loads(metadata[_KEY], parse_constant=_refuse)
        kind, version = head["format"], head["version"]
    except (KeyError, TypeError, ValueError, RecursionError):
        kind, version = None, None
    if kind != FORMAT:
        raise InputFileError(
            f"{path}: a safetensors file, but no cohort; make one with: forensics cohort build"
        )
    if version != VERSION:
        raise InputFileError(
            f"{path}: cohort format {version!r:.20}, but this release reads {VERSION}; build it "
            "again, or use the release that wrote it"
        )
    checked: Mapping[str, Any] = head
    return checked


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _check_shapes(path: Path, head: Mapping[str, Any], file: Any) -> None:
    names = set(file.keys())
    missing = [name for name in _ARRAYS if name not in names]
    if missing:
        raise InputFileError(f"{path}: the array {missing[0]!r} is missing; build it again")
    lists = {name: head.get(name) for name in ("models", "prompts")}
    sizes = {name: len(values) if isinstance(values, list) else 0 for name, values in lists.items()}
    optional = {name: form for name, form in _OPTIONAL.items() if name in names}
    for name, (kind, wanted) in {**_ARRAYS, **optional}.items():
        part = file.get_slice(name)
        shape = tuple(part.get_shape())
        for size, length in zip(wanted, shape, strict=False):
            if isinstance(size, str):
                sizes.setdefault(size, length)  # the first array that has it sets it
        expected = tuple(sizes.get(size, 0) if isinstance(size, str) else size for size in wanted)
        if shape != expected or part.get_dtype() != kind:
            raise InputFileError(
                f"{path}: {name} is {part.get_dtype()} {shape}, not {kind} {expected} as the "
                "models and prompts require; build it again"
            )


def _parse(head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Cohort:
    fitted, learned = head["calibration"], head.get("learned")
    return Cohort(
        name=str(head["name"]),
        facts=_facts(head["models"]),
        prompts=tuple(
            CohortPrompt(str(prompt["id"]), str(prompt["sha256"]), str(prompt["category"]))
            for prompt in head["prompts"]
        ),
        traits=tuple(_traits(traits) for traits in head["traits"]),
        calibration=Calibration.from_json(fitted) if fitted else None,
        error_rates=dict(head["error_rates"]),
        provenance=dict(head["provenance"]),
        sketches=arrays["sketches"],
        scales=arrays["scales"],
        frequency=arrays["frequency"],
        texts=arrays["texts"],
        phrases=arrays["phrases"],
        phrase_models=arrays["phrase_models"],
        validation=Validation(arrays["refits"], arrays["strangers"], arrays["held_out"]),
        reference={
            str(name): ReferenceScores.model_validate(scores)
            for name, scores in head["reference"].items()
        },
        more_prompts=tuple(map(str, head.get("more_prompts", ()))),
        learned=Calibration.from_json(learned) if learned else None,
        repeats=arrays.get("repeats", np.zeros((0, 0), np.float16)),
    )


def _facts(rows: Sequence[Mapping[str, Any]]) -> dict[str, ModelFacts]:
    from pydantic import TypeAdapter

    facts = from_json(rows)
    types = TypeAdapter(ModelFacts)  # a number where a name belongs would fail much later
    return {
        model: types.validate_python(
            {**vars(fact), "teachers": [asdict(teacher) for teacher in fact.teachers]}
        )
        for model, fact in facts.items()
    }


def _traits(traits: Mapping[str, Any]) -> Traits:
    return Traits(
        released=str(traits["released"]),
        length=float(traits["length"]),
        markup=float(traits["markup"]),
        system_prompt=str(traits["system_prompt"]),
        reasoning=bool(traits["reasoning"]),
    )


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:160]


_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])|")


def problems_of(cohort: Cohort) -> list[str]:
    """Return what is wrong with a cohort's values, in words; nothing for a sound one."""
    dates = [traits.released for traits in cohort.traits]
    dates += [str(fact.released) for fact in cohort.facts.values()]
    numbers = [value for traits in cohort.traits for value in (traits.length, traits.markup)]
    hashes = [prompt.sha256 for prompt in cohort.prompts]
    problems = {
        "fewer traits than models": len(cohort.traits) != len(cohort.facts),
        "a release date is not a month": not all(_MONTH.fullmatch(date) for date in dates),
        "a trait is not a finite number": not np.isfinite(numbers).all(),
        "a prompt occurs twice": len(set(hashes)) != len(hashes),
        "a scale is not a finite number ≥ 0": not (
            np.isfinite(cohort.scales).all() and (cohort.scales >= 0).all()
        ),
        "the phrases are not in order": bool((cohort.phrases[1:] < cohort.phrases[:-1]).any()),
        "the calibration has no line in ascending order": not _ascending(cohort.calibration),
        "the lines of students are not in ascending order": not _ascending(cohort.learned),
        "the calibration was checked on other lines": not _validated(cohort),
    }
    return [problem for problem, is_wrong in problems.items() if is_wrong]


def _ascending(calibration: Calibration | None) -> bool:
    if calibration is None:
        return True
    sizes = [size for size, _ in calibration.lines]
    return bool(sizes) and sizes == sorted(set(sizes)) and sizes[0] > 0


def _validated(cohort: Cohort) -> bool:
    checked = cohort.validation
    lines = len(cohort.calibration.lines) if cohort.calibration else 0
    return (
        {len(checked.refits), len(checked.held_out)} <= {0, lines}
        and bool(np.isfinite(checked.refits).all() and np.isfinite(checked.held_out).all())
        and not (checked.strangers >= len(cohort.facts)).any()
    )
