"""Cohort packs: many models' answers as numbers in one memory-mapped file, without any text.

A pack is a safetensors file. Its arrays are the models' sketches and what is needed to sketch
another model's answers alike; its metadata hold one JSON document with the models' facts, the
prompts' hashes, the fitted calibration, its error rates and where all of it comes from.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case.evidence import ReferenceScores
from forensics.cohorts.fitting import Calibration
from forensics.cohorts.likeness import Flags, Likenesses, mean_rows, of_rows
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.pack_checks import problems_of
from forensics.cohorts.population import Population, Traits
from forensics.cohorts.sketches import (
    BUCKETS,
    DIMENSIONS,
    Floats32,
    count_sequences,
    fold,
    quantise,
    restore,
    weigh,
)
from forensics.cohorts.validation import Validation
from forensics.errors import ForensicsError, InputFileError, UsageError
from forensics.lineage import ModelFacts, from_json, to_json
from forensics.support.files import whole_file
from forensics.transcripts.words import ngram_hashes

FORMAT = "forensics-cohort"
VERSION = 2
PHRASE_WORDS = 5
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


@dataclass(frozen=True)
class CohortPrompt:
    """A prompt the cohort answered, known by hash."""

    id: str
    sha256: str
    category: str = "uncategorised"


@dataclass(frozen=True, eq=False)
class Cohort:
    """Many models of known lineage, and what calibrates a likeness against them.

    `sketches`, shape (prompts, models, 128), holds 256 numbers of 4 bits a model and prompt, and
    `scales` (prompts, models) their unit, 0 where there is no answer. `frequency` (prompts, 8192)
    counts in how many of a prompt's `texts` (prompts,) each hashed sequence stands. `phrases`
    lists, in ascending order, hashes of word 5-grams that several lineage clusters use, and
    `phrase_models` by how many models (255: that many or more), in their answers to `prompts` and
    to those whose hashes are `more_prompts`. `reference` has, by comparator, what pairs of these
    models score.
    """

    name: str
    facts: Mapping[str, ModelFacts]
    prompts: tuple[CohortPrompt, ...]
    traits: tuple[Traits, ...]
    calibration: Calibration | None
    error_rates: Mapping[str, Any]
    provenance: Mapping[str, Any]
    sketches: NDArray[np.uint8]
    scales: NDArray[np.float16]
    frequency: NDArray[np.uint8]
    texts: NDArray[np.uint16]
    phrases: NDArray[np.uint32]
    phrase_models: NDArray[np.uint8]
    validation: Validation = field(default_factory=Validation.none)
    reference: Mapping[str, ReferenceScores] = field(default_factory=dict)
    more_prompts: tuple[str, ...] = ()
    sha256: str = ""

    @property
    def models(self) -> tuple[str, ...]:
        """The models, in row order."""
        return tuple(self.facts)

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {model: place for place, model in enumerate(self.facts)}

    def place(self, model: str) -> int:
        """Return a model's row.

        Raises:
            UsageError: the cohort has no such model; the message names those spelt like it.
        """
        if model in self._places:
            return self._places[model]
        close = difflib.get_close_matches(model, self.models, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(close)}?" if close else "see: forensics cohort info"
        raise UsageError(f"cohort {self.name!r} has no model {model!r}; {hint}")

    def row(self, number: int) -> Floats32:
        """Return one model's unit rows, shape (prompts, 256), zero where there is no answer."""
        return restore(self.sketches[:, number], self.scales[:, number])

    def rows(self, prompts: Sequence[int] | None = None) -> Floats32:
        """Return unit rows, shape (prompts, models, 256), zero where there is no answer."""
        if prompts is None:
            return restore(self.sketches, self.scales)
        picked = np.asarray(prompts, dtype=np.intp)
        return restore(self.sketches[picked], self.scales[picked])

    def sketch(self, answers: Mapping[str, Sequence[str]]) -> Floats32:
        """Sketch another model's answers as the cohort's own were.

        Args:
            answers: prompt sha256 → samples; blank ones and prompts unknown here do not count.

        Returns:
            unit rows, shape (prompts, 256), zero where there is no answer.
        """
        found = np.zeros((len(self.prompts), DIMENSIONS), dtype=np.float32)
        for number, prompt in enumerate(self.prompts):
            texts = [text for text in answers.get(prompt.sha256, ()) if text.strip()]
            if texts:
                found[number] = self._sketch(number, texts)
        return found

    def _sketch(self, prompt: int, texts: Sequence[str]) -> Floats32:
        frequency = self.frequency[prompt].astype(np.int64)
        rows = weigh(count_sequences(texts), frequency, int(self.texts[prompt]))
        folded = fold(mean_rows(rows, np.zeros(len(rows), dtype=np.intp), 1))
        unit: Floats32 = restore(*quantise(folded))[0]
        return unit

    def likenesses(
        self,
        subjects: Sequence[tuple[str, Floats32]] = (),
        prompts: Sequence[int] | None = None,
    ) -> Likenesses:
        """Return how alike all models are, the subjects behind the cohort's own.

        Args:
            subjects: names and what `sketch` gave for their answers.
            prompts: numbers of the prompts to use; None takes all.
        """
        picked = range(len(self.prompts)) if prompts is None else prompts
        rows = self.rows(prompts)
        if subjects:
            added = np.stack([row[np.asarray(picked, np.intp)] for _, row in subjects], axis=1)
            rows = np.concatenate([rows, added], axis=1)
        names = (*self.models, *(name for name, _ in subjects))
        return of_rows(names, [self.prompts[i].sha256 for i in picked], rows)

    def excluded(self) -> Flags:
        """Flag, row by row, whom no reference for a model may include: shape (models, models)."""
        return self._excluded.copy()

    @cached_property
    def _excluded(self) -> Flags:
        return Outputs(self.facts, (), ()).excluded()

    def population(self) -> Population:
        """Return the models' traits."""
        return Population(self.traits)

    def rarity(self, forms: Sequence[str]) -> int | None:
        """Return how many models use a run of words (the rarest five of them in a row).

        Args:
            forms: as `forensics.transcripts.words.words` gives them; five or more.

        None where the run is shorter, or in fewer lineage clusters than the table counts from
        (`provenance["phrases"]["least_clusters"]`, 3 or more).
        """
        wanted = phrase_hashes(forms)
        if not len(wanted) or not len(self.phrases):
            return None
        places = np.minimum(np.searchsorted(self.phrases, wanted), len(self.phrases) - 1)
        if (self.phrases[places] != wanted).any():
            return None
        return int(self.phrase_models[places].min())


def phrase_hashes(forms: Sequence[str]) -> NDArray[np.uint32]:
    """Return one 32-bit hash per word 5-gram, in order."""
    return (ngram_hashes(forms, PHRASE_WORDS) >> np.uint64(32)).astype(np.uint32)


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
        "reference": {name: one.model_dump() for name, one in cohort.reference.items()},
        "more_prompts": cohort.more_prompts,
    }
    arrays = {name: np.ascontiguousarray(_array(cohort, name)) for name in _ARRAYS}
    text = json.dumps(head, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    content = save(arrays, metadata={_KEY: text})
    with whole_file(path) as file:
        file.write(content)
    return replace(cohort, sha256=hashlib.sha256(content).hexdigest())


def _array(cohort: Cohort, name: str) -> NDArray[Any]:
    owner = cohort.validation if hasattr(cohort.validation, name) else cohort
    found: NDArray[Any] = getattr(owner, name)
    return found


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
            wanted = _ARRAYS if with_arrays else ()
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
    found: Mapping[str, Any] = head
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _check_shapes(path: Path, head: Mapping[str, Any], file: Any) -> None:
    names = set(file.keys())
    missing = [name for name in _ARRAYS if name not in names]
    if missing:
        raise InputFileError(f"{path}: the array {missing[0]!r} is missing; build it again")
    lists = {name: head.get(name) for name in ("models", "prompts")}
    sizes = {name: len(one) if isinstance(one, list) else 0 for name, one in lists.items()}
    for name, (kind, wanted) in _ARRAYS.items():
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
    fitted = head["calibration"]
    return Cohort(
        name=str(head["name"]),
        facts=_facts(head["models"]),
        prompts=tuple(
            CohortPrompt(str(one["id"]), str(one["sha256"]), str(one["category"]))
            for one in head["prompts"]
        ),
        traits=tuple(_traits(one) for one in head["traits"]),
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
            str(name): ReferenceScores.model_validate(one)
            for name, one in head["reference"].items()
        },
        more_prompts=tuple(map(str, head.get("more_prompts", ()))),
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


def _traits(one: Mapping[str, Any]) -> Traits:
    return Traits(
        released=str(one["released"]),
        length=float(one["length"]),
        markup=float(one["markup"]),
        system_prompt=str(one["system_prompt"]),
        reasoning=bool(one["reasoning"]),
    )


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
