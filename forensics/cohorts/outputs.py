"""Labelled outputs: answers of many models to the same prompts, with what is known of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.fitting import Labelled
from forensics.cohorts.lineage.hypotheses import LabelledPair
from forensics.cohorts.lineage.models import ModelFacts, clusters, excluded_with
from forensics.cohorts.population import Population, traits_of
from forensics.cohorts.similarity import Flags, Similarities, of_texts
from forensics.errors import InputFileError
from forensics.examination.examined import Examined
from forensics.subjects.subject import Subject
from forensics.suites.suite import Prompt
from forensics.support.block_mapping import Mapper, in_a_loop
from forensics.transcripts.importers.importer import Imported
from forensics.transcripts.transcript import Response, Transcript, read_transcript

_MIN_SHARE = 0.5  # prompts that fewer models than this answered are left out
MIN_MODELS = 3


@dataclass(frozen=True)
class Outputs:
    """Models, prompts and `texts[prompt][model]`, each the model's samples (blank ones dropped).

    `reasons` names the models that show their reasoning.
    """

    facts: Mapping[str, ModelFacts]
    prompts: tuple[Prompt, ...]
    texts: tuple[tuple[tuple[str, ...], ...], ...]
    reasons: frozenset[str] = frozenset()

    @property
    def models(self) -> tuple[str, ...]:
        """The models, in the order of `texts`."""
        return tuple(self.facts)

    def on(self, rows: Sequence[int] | NDArray[np.intp]) -> Outputs:
        """Return the same on some of the prompts."""
        return Outputs(
            self.facts,
            tuple(self.prompts[i] for i in rows),
            tuple(self.texts[i] for i in rows),
            self.reasons,
        )

    def similarities(self, mapper: Mapper = in_a_loop) -> Similarities:
        """Return how alike every two models' answers are, prompt by prompt."""
        prompts = [prompt.sha256 for prompt in self.prompts]
        return of_texts(self.models, prompts, self.texts, mapper)

    def examined(self, model: int) -> Examined:
        """Return one model, by number, as a subject with its answers."""
        name = self.models[model]
        answers = (
            Response(prompt=prompt, text=text, sample=sample)
            for prompt, row in zip(self.prompts, self.texts, strict=True)
            for sample, text in enumerate(row[model])
        )
        return Examined(Subject(f"cohort:{name}", "cohort", name), Transcript(name, tuple(answers)))

    def excluded(self) -> Flags:
        """Flag, row by row, whom no reference for a model may include: shape (models, models)."""
        numbers = clusters(self.facts)
        place = {model: i for i, model in enumerate(self.models)}
        flags = np.zeros((len(place), len(place)), dtype=bool)
        for model, row in place.items():
            flags[row, [place[other] for other in excluded_with(self.facts, model, numbers)]] = True
        return flags

    def population(self) -> Population:
        """Return the models' traits."""
        answers: dict[str, list[str]] = {model: [] for model in self.models}
        for row in self.texts:
            for model, samples in zip(self.models, row, strict=True):
                answers[model] += samples
        return Population(
            tuple(
                traits_of(self.facts[model], answers[model], model in self.reasons)
                for model in self.models
            )
        )

    def labelled(self, pairs: Iterable[LabelledPair]) -> Labelled:
        """Return the pairs that have a hypothesis, by model number."""
        numbers = clusters(self.facts)
        place = {model: i for i, model in enumerate(self.models)}
        known = [p for p in pairs if p.hypothesis and p.a in place and p.b in place]
        return Labelled(
            np.array([(place[p.a], place[p.b]) for p in known], dtype=np.intp).reshape(-1, 2),
            tuple(p.hypothesis for p in known if p.hypothesis),
            np.array([(numbers[p.a], numbers[p.b]) for p in known], dtype=np.intp).reshape(-1, 2),
        )


def read_outputs(paths: Sequence[Path], facts: Mapping[str, ModelFacts]) -> Outputs:
    """Read tables of outputs, or transcripts.

    Args:
        paths: tables (parquet, CSV, JSONL) or transcripts.
        facts: the models; those without answers are left out.

    Raises:
        InputFileError: a file is not to be read, a model with answers is not in `facts`, or fewer
            than `MIN_MODELS` models are left.
    """
    answers: dict[str, tuple[Response, ...]] = {}
    for path in paths:
        for model, responses in answers_in(path):
            if model not in facts:
                raise InputFileError(
                    f"{path}: the table of models has no row for {model!r}; add one (only the "
                    "column `model` must be filled)"
                )
            answers[model] = (*answers.get(model, ()), *responses)
    if len(answers) < MIN_MODELS:
        raise InputFileError(
            f"{len(answers)} models have answers here; at least {MIN_MODELS} are needed"
        )
    return arrange({model: facts[model] for model in facts if model in answers}, answers)


def answers_in(path: Path) -> Iterable[tuple[str, tuple[Response, ...]]]:
    """Give every model of a table, or the one of a transcript (named by the file), with answers.

    Raises:
        InputFileError: the file is not to be read.
    """
    from forensics.transcripts.importers.table import Table

    table = Table()
    if table.detect(path):
        return [_whole(responses) for responses in table.read(path)]
    return [(path.stem, read_transcript(path).responses)]


def _whole(imported: Imported) -> tuple[str, tuple[Response, ...]]:
    """Refuse a table with a bad row: figures about models are not made from a part of one."""
    if imported.skipped.records:
        raise InputFileError(imported.skipped.reasons[0])
    return imported.model, imported.responses


def arrange(facts: Mapping[str, ModelFacts], answers: Mapping[str, Sequence[Response]]) -> Outputs:
    """Put answers in order of prompts and models; prompts that few models answered are left out."""
    models = tuple(facts)
    table: dict[str, list[list[str]]] = {}
    prompts: dict[str, Prompt] = {}
    reasons = set()
    for number, model in enumerate(models):
        for response in answers[model]:
            if response.reasoning:
                reasons.add(model)
            if response.status not in ("ok", "truncated") or not response.text.strip():
                continue
            key = response.prompt.sha256
            prompts.setdefault(key, response.prompt)
            row = table.setdefault(key, [[] for _ in models])
            row[number].append(response.text)
    least = max(2, _MIN_SHARE * len(models))
    kept_prompts = sorted(key for key, row in table.items() if sum(map(bool, row)) >= least)
    return Outputs(
        facts,
        tuple(prompts[key] for key in kept_prompts),
        tuple(tuple(tuple(samples) for samples in table[key]) for key in kept_prompts),
        frozenset(reasons),
    )
