"""The sets of prompts that the transferred lines are fitted to, and their pairs' scores."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.fitting import CLOSE_KIN, TAUGHT, Labelled
from forensics.cohorts.lineage.hypotheses import LabelledPair
from forensics.cohorts.lineage.models import ModelFacts, clusters
from forensics.cohorts.outputs import Outputs, arrange
from forensics.cohorts.similarity import Flags, Floats
from forensics.cohorts.transferred import FEATURES, numbers
from forensics.evaluation.cohort_build import near_copies
from forensics.evaluation.reference_scores import (
    comparator_scores,
    spread,
)
from forensics.evidence import load_comparators
from forensics.suites.suite import Message, Prompt
from forensics.transcripts.transcript import Response
from studies.cohorts.build_shipped import RECIPES, tables

SIZES = (16, 32, 64, 128)
UNRELATED = 900  # of a set; going round the pairs of clusters
TAUGHT_PAIRS = 400  # of a set, likewise
# The models of XSTest (Röttger et al. 2024, section 4): two of them under two system prompts.
_XSTEST = {
    "gpt4": "gpt-4",
    "llama2new": "llama-2-70b-chat",
    "llama2orig": "llama-2-70b-chat",
    "mistralguard": "mistral-7b-instruct-v0.1",
    "mistralinstruct": "mistral-7b-instruct-v0.1",
}
_HOST = re.compile(r"^.*__|[^a-z0-9.]+")


@dataclass(frozen=True)
class SetScores:
    """Pairs of one set: close kin and unrelated ones, arrays by pair.

    `names` are the models'; `clusters`, shape (pairs, 2), hold over all sets; `other` flags pairs
    asked under two different system prompts, `shared` those under one. `scores` has, by number of
    prompts, the scores of `FEATURES`, shape (pairs, 3), and `lengths` either side's median answer.
    """

    name: str
    names: tuple[tuple[str, str], ...]
    kin: Flags
    clusters: NDArray[np.intp]
    other: Flags
    shared: Flags
    scores: Mapping[int, Floats]
    lengths: Mapping[int, Floats]
    released: tuple[str, ...]

    def numbers(self, size: int, longest: float) -> Floats:
        """Return what the lines are over, lengths cut to `longest`; the nearest size there is."""
        at = max((s for s in self.scores if s <= size), default=min(self.scores))
        return numbers(self.scores[at], np.minimum(self.lengths[at], longest))


def scored_sets(data: Path, cache: Path | None = None) -> tuple[SetScores, ...]:
    """Score the pairs of every set on a folder of tables.

    Args:
        data: the folder.
        cache: where scores are kept between runs; None keeps none.
    """
    sets = _read_sets(data)
    joint = _joint_clusters({name: outputs.facts for name, (outputs, _) in sets.items()})
    return tuple(
        _scored(name, outputs, pairs, joint, cache) for name, (outputs, pairs) in sets.items()
    )


def taught_sets(data: Path, cache: Path | None = None) -> tuple[SetScores, ...]:
    """Score pairs of which one learned from the other, or both from one model, as `scored_sets`.

    Sets without such pairs have none; `kin` flags none.
    """
    sets = _read_sets(data)
    joint = _joint_clusters({name: outputs.facts for name, (outputs, _) in sets.items()})
    return tuple(
        _scored(name, outputs, pairs, joint, cache, taught=True)
        for name, (outputs, pairs) in sets.items()
    )


def _read_sets(data: Path) -> dict[str, tuple[Outputs, Sequence[LabelledPair]]]:
    sets: dict[str, tuple[Outputs, Sequence[LabelledPair]]] = {}
    for recipe in RECIPES:
        outputs, pairs = tables(recipe, data)
        copies = near_copies(outputs)
        sets[recipe.suite] = outputs, [p for p in pairs if not {p.a, p.b} & copies]
    sets["XSTest"] = _xstest(data)
    return sets


def _joint_clusters(sets: Mapping[str, Mapping[str, ModelFacts]]) -> dict[tuple[str, str], int]:
    """Number lineage clusters over all sets: (set, model) → cluster.

    The same weights are spelt in several ways; letters, digits and points decide.
    """
    union: dict[str, ModelFacts] = {}
    for name, facts in sets.items():
        for model, fact in facts.items():
            union[f"{name}\n{model}"] = replace(
                fact,
                model=f"{name}\n{model}",
                weights_id=_plain(fact.weights_id),
                weights_parent=_plain(fact.weights_parent),
                ancestors=tuple(_plain(one) for one in fact.ancestors),
            )
    found = clusters(union)
    return {(key.split("\n")[0], key.split("\n")[1]): number for key, number in found.items()}


def _plain(name: str) -> str:
    return _HOST.sub("", name.casefold())


def _scored(
    name: str,
    outputs: Outputs,
    pairs: Sequence[LabelledPair],
    joint: Mapping[tuple[str, str], int],
    cache: Path | None,
    taught: bool = False,
) -> SetScores:
    once = replace(
        outputs,
        texts=tuple(tuple(samples[:1] for samples in row) for row in outputs.texts),
    )
    every = once.labelled(pairs)
    kin = every.are(*CLOSE_KIN)
    if taught:
        labelled = every.where(spread(every, every.are(TAUGHT), TAUGHT_PAIRS))
    else:
        labelled = every.where(kin | spread(every, every.are("independent"), UNRELATED))
    models = outputs.models
    names = tuple((models[a], models[b]) for a, b in labelled.pairs)
    facts = [outputs.facts[model] for model in models]
    policy = ["" if f.system_prompt in ("", "none") else f.system_prompt for f in facts]
    asked = [(policy[a], policy[b]) for a, b in labelled.pairs]
    scores, lengths = _measured(f"taught-{name}" if taught else name, once, labelled, cache)
    return SetScores(
        name,
        names,
        labelled.are(*CLOSE_KIN),
        np.array([(joint[name, a], joint[name, b]) for a, b in names], np.intp).reshape(-1, 2),
        np.array([one != other for one, other in asked], dtype=bool),
        np.array([one == other != "" for one, other in asked], dtype=bool),
        scores,
        lengths,
        tuple(fact.released for fact in facts),
    )


def _measured(
    name: str, outputs: Outputs, labelled: Labelled, cache: Path | None
) -> tuple[dict[int, Floats], dict[int, Floats]]:
    """Score pairs on the first answer to each prompt, at the numbers of `SIZES` there are."""
    comparators = load_comparators(only=FEATURES)
    order = np.random.default_rng(0).permutation(len(outputs.prompts))
    scores: dict[int, Floats] = {}
    lengths: dict[int, Floats] = {}
    for size in sorted({min(size, len(order)) for size in SIZES}):
        file = cache / f"{name}-{size}.npz" if cache else None
        if file is not None and file.exists():
            with np.load(file) as kept:
                scores[size], lengths[size] = kept["scores"], kept["lengths"]
            continue
        used = outputs.on(np.sort(order[:size]))
        found = comparator_scores(comparators, used, labelled.pairs)
        scores[size] = np.column_stack([found[feature] for feature in FEATURES])
        lengths[size] = median_lengths(used)[labelled.pairs]
        if file is not None:
            np.savez(file, scores=scores[size], lengths=lengths[size])
    return scores, lengths


def median_lengths(outputs: Outputs) -> Floats:
    """Return every model's median answer in characters, shape (models,); 0 without an answer."""
    found = []
    for model in range(len(outputs.models)):
        sizes = [len(text) for row in outputs.texts for text in row[model]]
        found.append(float(np.median(sizes)) if sizes else 0.0)
    return np.array(found)


def _xstest(data: Path) -> tuple[Outputs, Sequence[LabelledPair]]:
    import pandas as pd

    table = pd.read_parquet(data / "xstest_completions.parquet")
    answers: dict[str, list[Response]] = {name: [] for name in _XSTEST}
    for row in table.itertuples():
        prompt = Prompt(str(row.prompt_id), (Message("user", str(row.prompt)),))
        answers[str(row.model)].append(Response(prompt=prompt, text=str(row.completion)))
    facts = {name: ModelFacts(name, weights) for name, weights in _XSTEST.items()}
    names = list(_XSTEST)
    pairs = [
        LabelledPair(a, b, "same_model_other_setting", "high", "same_model")
        if _XSTEST[a] == _XSTEST[b]
        else LabelledPair(a, b, "unrelated", "high", "independent")
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    ]
    return arrange(facts, answers), pairs
