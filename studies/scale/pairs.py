"""All pairs of very many models: seconds of every block, and what more machines would make of it.

Every block is measured, on one processor. How long machines together would take is computed from
these seconds: blocks are handed out in their order, each to whoever is free first, as Ray does.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from forensics.cohorts.all_pairs import PackedRows, added, mean_cosines, normalise
from forensics.cohorts.cohort import Cohort, sketch_answers
from forensics.support.block_mapping import computed

S = TypeVar("S")
B = TypeVar("B")
R = TypeVar("R")


@dataclass
class TimedBlocks:
    """A mapper that computes blocks one after the other and notes what each took (seconds).

    `seconds` has a list for every time the mapper was called.
    """

    seconds: list[list[float]] = field(default_factory=list)

    def __call__(self, work: Callable[[S, B], R], shared: S, blocks: Iterable[B]) -> Iterator[R]:
        """Compute blocks, see `Mapper`."""
        took: list[float] = []
        self.seconds.append(took)
        for block in blocks:
            began = time.process_time()
            result = computed(work, shared, block)
            took.append(time.process_time() - began)
            yield result


@dataclass(frozen=True)
class AllPairs:
    """What all pairs of so many models took on one processor, in seconds.

    `centring`, `tiles` and `nearest` are blocks; `rest` is what the process that asked for them
    does itself. `rows_bytes` is what all blocks need, `result_bytes` what they give back.
    """

    models: int
    prompts: int
    centring: tuple[float, ...]
    tiles: tuple[float, ...]
    nearest: tuple[float, ...]
    rest: float
    rows_bytes: int
    result_bytes: int

    @property
    def blocks(self) -> float:
        """Seconds in blocks."""
        return sum(self.centring) + sum(self.tiles) + sum(self.nearest)


@dataclass(frozen=True)
class AddedModel:
    """What one more model costs, in seconds: its sketches, and its similarity to all others."""

    answers: int
    sketched: float
    compared: float


def all_pairs(population: Cohort) -> AllPairs:
    """Measure all pairs of a cohort's models, normalised.

    Args:
        population: of any size; it is held with a matrix of its models.
    """
    size = len(population.models)
    rows = PackedRows(population.sketches, population.scales)
    mapper = TimedBlocks()
    began = time.process_time()
    means = mean_cosines(rows, np.ones(size, dtype=bool), mapper)
    normalise(means, np.isfinite(means), mapper)
    took = time.process_time() - began
    centring, tiles, nearest = map(tuple, mapper.seconds)
    return AllPairs(
        size,
        len(population.prompts),
        centring,
        tiles,
        nearest,
        took - sum(centring) - sum(tiles) - sum(nearest),
        rows.sketches.nbytes + rows.scales.nbytes,
        4 * size * (size + 1) // 2,
    )


def added_model(population: Cohort, answers: Sequence[str]) -> AddedModel:
    """Measure what one more model costs.

    Args:
        population: to which it is added.
        answers: real answers, as many as there are prompts.
    """
    hashes = [prompt.sha256 for prompt in population.prompts]
    texts = {sha256: [text] for sha256, text in zip(hashes, answers, strict=True)}
    began = time.process_time()
    sketch_answers(texts, hashes, population.frequency, population.texts)
    sketched = time.process_time() - began
    size = len(population.models)
    rows = PackedRows(
        np.concatenate([population.sketches, population.sketches[:, :1]], axis=1),
        np.concatenate([population.scales, population.scales[:, :1]], axis=1),
    )
    nothing = np.zeros((size, size), dtype=np.float32)
    began = time.process_time()
    added(nothing, rows, np.arange(size + 1) < size)
    return AddedModel(len(answers), sketched, time.process_time() - began)


def makespan(blocks: Sequence[float], workers: int) -> float:
    """Return how long workers take for blocks that are handed out in order, in seconds."""
    free = [0.0] * workers
    for seconds in blocks:
        heapq.heapreplace(free, free[0] + seconds)
    return max(free)
