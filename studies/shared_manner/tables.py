"""Tables of outputs as references of shared manner, with unfolded rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.lineage.hypotheses import LabelledPair, best_confidence, read_pairs
from forensics.cohorts.lineage.models import ModelFacts, clusters, read_models
from forensics.cohorts.outputs import Outputs, read_outputs
from forensics.evidence.features.matched_prompts import Floats
from forensics.evidence.features.sketches import (
    BUCKETS,
    Counts,
    count_sequences,
    document_frequency,
    weigh,
)
from forensics.evidence.text.shared_manner.centring import MannerReference
from forensics.evidence.text.shared_manner.repeated import MeanRows, SequenceRarity

_MOST = 120  # prompts of a set: enough, and quick


@dataclass(frozen=True)
class Source:
    """One set of answers: its tables' prefix, what it asks, and copies to be left out."""

    prefix: str
    genre: str
    left_out: tuple[str, ...] = ()


PUZZLES = Source("modern/misguided_attention", "altered puzzles")
SOURCES = (
    PUZZLES,
    Source(
        "modern/longform", "long stories", ("THUDM__GLM-4-32B-0414", "openrouter__quasar-alpha")
    ),
    Source("modern/slop_score", "short stories"),
    Source("modern/farel", "family quizzes"),
    Source("alpaca_eval", "everyday instructions", ("aligner-2b_",)),
)


@dataclass(frozen=True, eq=False)
class Answers:
    """A set of answers, its labels, and its models as a reference.

    `plain` are the rows without weights, by model, for the test without a cohort.
    """

    source: Source
    facts: Mapping[str, ModelFacts]
    pairs: tuple[LabelledPair, ...]
    confidence: str
    reference: MannerReference
    plain: Mapping[str, MeanRows]


def read_once(source: Source, data: Path) -> tuple[Outputs, tuple[LabelledPair, ...], str]:
    """Read a set of one answer a prompt: answers, labels, and how sure unrelated pairs are."""
    facts = read_models(data / f"{source.prefix}_models.csv")
    pairs = read_pairs(data / f"{source.prefix}_pairs.csv.gz", facts, independent="best")
    outputs = read_outputs([data / f"{source.prefix}_outputs.parquet"], facts)
    outputs = _cut(_without(outputs, source.left_out), 1)
    names = set(outputs.models)
    return outputs, tuple(p for p in pairs if {p.a, p.b} <= names), best_confidence(pairs)


def read(source: Source, data: Path, samples: int = 3) -> Answers:
    """Read a set of answers.

    Args:
        source: which.
        data: the folder of the tables.
        samples: answers of one model to a prompt; more do not count.
    """
    facts = read_models(data / f"{source.prefix}_models.csv")
    pairs = read_pairs(data / f"{source.prefix}_pairs.csv.gz", facts, independent="best")
    outputs = read_outputs([data / f"{source.prefix}_outputs.parquet"], facts)
    outputs = _cut(_without(outputs, source.left_out), samples)
    names = set(outputs.models)
    return Answers(
        source,
        outputs.facts,
        tuple(pair for pair in pairs if {pair.a, pair.b} <= names),
        best_confidence(pairs),
        reference_of(outputs, source.genre, pairs),
        plain_rows(outputs),
    )


def _without(outputs: Outputs, left_out: Sequence[str]) -> Outputs:
    kept = [i for i, m in enumerate(outputs.models) if not m.startswith(tuple(left_out) or ("\0",))]
    names = [outputs.models[i] for i in kept]
    return replace(
        outputs,
        facts={name: outputs.facts[name] for name in names},
        texts=tuple(tuple(row[i] for i in kept) for row in outputs.texts),
    )


def _cut(outputs: Outputs, samples: int) -> Outputs:
    prompts = np.arange(len(outputs.prompts))
    if len(prompts) > _MOST:
        prompts = np.sort(np.random.default_rng(0).permutation(prompts)[:_MOST])
    some = outputs.on(prompts)
    texts = tuple(tuple(answers[:samples] for answers in row) for row in some.texts)
    return replace(some, texts=texts)


def reference_of(outputs: Outputs, genre: str, pairs: Sequence[LabelledPair]) -> MannerReference:
    """Return the models as a reference whose rows are not folded.

    Args:
        outputs: their answers.
        genre: of all prompts.
        pairs: the labels; unrelated are those that stand for independence.
    """
    size = len(outputs.models)
    rows = np.zeros((len(outputs.prompts), size, BUCKETS), dtype=np.float32)
    repeats = np.full((len(outputs.prompts), size), np.nan)
    frequency = np.zeros((len(outputs.prompts), BUCKETS), dtype=np.uint8)
    for prompt, answers in enumerate(outputs.texts):
        counts = count_sequences([text for samples in answers for text in samples])
        rows[prompt], repeats[prompt] = _means(counts, [len(samples) for samples in answers])
    place = {model: number for number, model in enumerate(outputs.models)}
    numbers = clusters(outputs.facts)
    known = [p for p in pairs if p.a in place and p.b in place]
    unrelated = [(p.a, p.b) for p in known if p.hypothesis == "independent"]
    relatives = [(p.a, p.b) for p in known if near(p, outputs.facts)]
    return MannerReference(
        name=genre,
        sha256="",
        models=outputs.models,
        prompts=tuple(prompt.sha256 for prompt in outputs.prompts),
        categories=(genre,) * len(outputs.prompts),
        weights=SequenceRarity(frequency, np.zeros(len(outputs.prompts), dtype=np.uint16)),
        rows=rows,
        repeats=repeats,
        clusters=np.array([numbers[model] for model in outputs.models], dtype=np.intp),
        unrelated=_flags(unrelated, place),
        relatives=_flags(relatives, place),
    )


def centred_once(outputs: Outputs) -> Floats:
    """Return centred mean cosines of models that were asked once, shape (models, models).

    Centred as shared manner is: minus both models' mean level with other lineage clusters, plus
    the prompt's.
    """
    numbers = clusters(outputs.facts)
    of_model = np.array([numbers[model] for model in outputs.models])
    other = of_model[:, None] != of_model[None, :]
    total = np.zeros(other.shape)
    count = np.zeros(other.shape)
    for answers in outputs.texts:
        counts = count_sequences([text for samples in answers for text in samples])
        rows, _ = _means(counts, [len(samples) for samples in answers])
        answered = np.array([bool(samples) for samples in answers])
        both = answered[:, None] & answered[None, :]
        cosines = (rows @ rows.T).astype(np.float64)
        used = both & other
        levels = (cosines * used).sum(axis=1) / np.maximum(used.sum(axis=1), 1)
        mean = (cosines * used).sum() / max(used.sum(), 1)
        total += np.where(both, cosines - levels[:, None] - levels[None, :] + mean, 0)
        count += both
    return total / np.maximum(count, 1)


def near(pair: LabelledPair, facts: Mapping[str, ModelFacts]) -> bool:
    """Tell whether two models are near relatives of other weights, as in `cohorts.manner`."""
    first, second = facts[pair.a], facts[pair.b]
    if first.weights_id.casefold() == second.weights_id.casefold():
        return False
    family = bool(first.family) and first.family == second.family
    return (family and first.developer == second.developer) or pair.hypothesis == "close_descent"


def _means(counts: Counts, sizes: Sequence[int]) -> tuple[NDArray[np.float32], Floats]:
    rows = weigh(counts, document_frequency(counts), len(counts))
    owner = np.repeat(np.arange(len(sizes)), sizes)
    squares = np.zeros(len(sizes))
    lengths = np.add.reduceat(
        np.append(rows.values * rows.values, 0), np.minimum(rows.bounds[:-1], len(rows.values))
    )
    np.add.at(squares, owner, np.where(np.diff(rows.bounds) > 0, lengths, 0))
    sums = rows.summed(owner, len(sizes))
    n = np.array(sizes, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        within = (np.einsum("md,md->m", sums, sums) - squares) / (n * (n - 1))
    means = (sums / np.maximum(n, 1)[:, None]).astype(np.float32)
    return means, np.where(n > 1, within, np.nan)


def _flags(pairs: Sequence[tuple[str, str]], place: Mapping[str, int]) -> NDArray[np.bool_]:
    flags = np.zeros((len(place), len(place)), dtype=np.bool_)
    for a, b in pairs:
        flags[place[a], place[b]] = flags[place[b], place[a]] = True
    return flags


def plain_rows(outputs: Outputs) -> dict[str, MeanRows]:
    """Return every model's rows without weights; NaN within where it gave fewer than two."""
    found = {}
    for number, model in enumerate(outputs.models):
        rows = [_plain(row[number]) for row in outputs.texts]
        found[model] = MeanRows(
            np.stack([mean for mean, _ in rows]), np.array([within for _, within in rows])
        )
    return found


def _plain(samples: Sequence[str]) -> tuple[NDArray[np.float32], float]:
    if len(samples) < 2:
        return np.zeros(BUCKETS, dtype=np.float32), np.nan
    rows = weigh(count_sequences(samples), np.zeros(BUCKETS, dtype=np.int64), 1)
    total = rows.summed(np.zeros(len(rows), dtype=np.intp), 1)[0]
    pairs = float(total @ total) - float(rows.values @ rows.values)
    return total / np.float32(len(rows)), pairs / (len(rows) * (len(rows) - 1))


def on_both(a: MeanRows, b: MeanRows) -> tuple[MeanRows, MeanRows]:
    """Return two models' rows on the prompts that both answered twice."""
    both = np.isfinite(a.within) & np.isfinite(b.within)
    return MeanRows(a.means[both], a.within[both]), MeanRows(b.means[both], b.within[both])
