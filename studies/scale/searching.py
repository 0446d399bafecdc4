"""The index of very many models: how fast it searches, and how many of the nearest it finds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from forensics.cohorts.all_pairs import PackedRows, added
from forensics.cohorts.cohort import Cohort
from forensics.cohorts.index_files import read_index, write_index
from forensics.cohorts.nearest_models import IndexSearch, ModelIndex, index_of
from forensics.evidence.features.sketches import Floats32
from studies.scale.synthetic import drawn

NEAREST = 20
_SEED = 1


@dataclass(frozen=True)
class Searched:
    """What an index of so many models took: seconds to make, bytes, and searches in seconds."""

    models: int
    made: float
    size: int
    loaded: float
    searches: tuple[float, ...]


@dataclass(frozen=True)
class Recall:
    """Of the nearest models by exact ranking, the share found by the index, a number a query."""

    models: int
    shares: tuple[float, ...]


def searched(cohort: Cohort, models: int, prompts: int, queries: int) -> Searched:
    """Index synthetic models in a file and search it.

    Args:
        cohort: from which they are drawn.
        models: how many.
        prompts: on how many prompts.
        queries: how many of them are searched for.
    """
    population = drawn(cohort, models, prompts)
    began = time.perf_counter()
    index = index_of(population)
    made = time.perf_counter() - began
    del population
    with TemporaryDirectory() as folder:
        path = Path(folder) / "models.index"
        write_index(path, index)
        del index
        began = time.perf_counter()
        read = read_index(path)
        search = IndexSearch(read)
        loaded = time.perf_counter() - began
        names = _queries(read, queries)
        return Searched(
            models,
            made,
            path.stat().st_size,
            loaded,
            tuple(_timed(search, read, name) for name in names),
        )


def _queries(index: ModelIndex, count: int) -> list[str]:
    places = np.random.default_rng(_SEED).choice(len(index.models), count, replace=False)
    return [index.models[place] for place in places]


def _timed(search: IndexSearch, index: ModelIndex, name: str) -> float:
    rows = index.row(name)
    began = time.perf_counter()
    search.nearest(rows, NEAREST, without=name)
    return time.perf_counter() - began


def recall(cohort: Cohort, models: int, prompts: int, queries: int) -> Recall:
    """Hold the index against an exact ranking of every model.

    Args:
        cohort: from which models are drawn.
        models: how many.
        prompts: on how many prompts.
        queries: how many of them are searched for.
    """
    population = drawn(cohort, models, prompts)
    index = index_of(population)
    search = IndexSearch(index)
    names = _queries(index, queries)
    exact = _exact(population, [index.models.index(name) for name in names])
    shares = []
    for name, similarity in zip(names, exact, strict=True):
        best = {index.models[place] for place in np.argsort(-similarity)[:NEAREST]}
        near = {model.model for model in search.nearest(index.row(name), NEAREST, without=name)}
        shares.append(len(best & near) / NEAREST)
    return Recall(models, tuple(shares))


def _exact(population: Cohort, queries: list[int]) -> Floats32:
    """Return queries' mean cosines with every model, -inf with themselves."""
    rows = PackedRows(
        np.concatenate([population.sketches, population.sketches[:, queries]], axis=1),
        np.concatenate([population.scales, population.scales[:, queries]], axis=1),
    )
    size = len(population.models)
    reference = np.arange(size + len(queries)) < size
    nothing = np.zeros((size, size), dtype=np.float32)
    cosines = added(nothing, rows, reference)[size:, :size]
    cosines[np.arange(len(queries)), queries] = -np.inf
    known: Floats32 = np.nan_to_num(cosines, nan=-np.inf)
    return known
