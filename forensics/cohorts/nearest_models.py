"""The models most like a subject among very many, without comparing it with each.

Similarity is that of `all_pairs`: the mean cosine over prompts after subtracting what all of the
cohort's models say. A model's centred rows, laid end to end, are folded into 512 numbers by a count
sketch (Charikar, Chen & Farach-Colton 2002, section 3), whose dot products are those of the rows
up to an error of about 1 / sqrt(512). faiss looks through these, a byte each; what it finds most
similar is then compared exactly, from the cohort's own sketches. How often that finds the nearest,
and how fast, is measured in reports/SCALE.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.all_pairs import PackedRows, centred_rows, reference_means
from forensics.cohorts.cohort import Cohort, place_of
from forensics.cohorts.similarity import MIN_PROMPTS, Flags
from forensics.errors import MissingDependencyError
from forensics.evidence.features.sketches import DIMENSIONS, Floats32, restore
from forensics.support.blas_threads import one_blas_thread
from forensics.support.block_mapping import Mapper, in_a_loop

FOLDED = 512
SHORTLIST = 400  # compared exactly
_MODELS = 512  # in a block
_TINY = 1e-6


@dataclass(frozen=True, eq=False)
class ModelIndex:
    """A cohort laid out for search.

    `sketches` (models, prompts, 128) and `scales` (models, prompts) are the cohort's, model by
    model; they may lie in a file. `means` (prompts, 256) is what is subtracted. `folded` (models,
    512) are the count sketches, made with `places` and `signs` (prompts, 256). `frequency` and
    `texts` are the cohort's: a subject's answers are sketched with them.
    """

    cohort: str
    cohort_sha256: str
    models: tuple[str, ...]
    prompts: tuple[str, ...]
    sketches: NDArray[np.uint8]
    scales: NDArray[np.float16]
    means: Floats32
    folded: NDArray[np.float16]
    places: NDArray[np.uint16]
    signs: NDArray[np.int8]
    frequency: NDArray[np.uint8]
    texts: NDArray[np.uint16]

    def row(self, model: str) -> Floats32:
        """Return one model's unit rows, shape (prompts, 256), zero where there is no answer.

        Raises:
            UsageError: the index has no such model; the message names those spelt like it.
        """
        number = place_of(model, self.models, f"the index of {self.cohort!r}")
        return restore(self.sketches[number], self.scales[number])


@dataclass(frozen=True)
class NearModel:
    """A model, its similarity to the subject (a mean cosine), and on how many prompts."""

    model: str
    similarity: float
    prompts: int


@dataclass(frozen=True, eq=False)
class _Folding:
    """What a block of models is folded with."""

    rows: PackedRows
    means: Floats32
    places: NDArray[np.uint16]
    signs: NDArray[np.int8]


@one_blas_thread()
def index_of(cohort: Cohort, mapper: Mapper = in_a_loop) -> ModelIndex:
    """Lay a cohort out for search; the same cohort gives the same index.

    Args:
        cohort: of any size; the work is linear in its models.
        mapper: has blocks of models folded.
    """
    rows = PackedRows(cohort.sketches, cohort.scales)
    size = len(cohort.models)
    means = reference_means(rows, np.ones(size, dtype=bool), mapper)
    places, signs = _folding(len(cohort.prompts))
    task = _Folding(rows, means, places, signs)
    parts = [slice(at, min(at + _MODELS, size)) for at in range(0, size, _MODELS)]
    return ModelIndex(
        cohort.name,
        cohort.sha256,
        cohort.models,
        tuple(prompt.sha256 for prompt in cohort.prompts),
        np.ascontiguousarray(cohort.sketches.transpose(1, 0, 2)),
        np.ascontiguousarray(cohort.scales.T),
        means,
        np.concatenate(list(mapper(_folded, task, parts))),
        places,
        signs,
        cohort.frequency,
        cohort.texts,
    )


def _folding(prompts: int) -> tuple[NDArray[np.uint16], NDArray[np.int8]]:
    """Draw where each of a prompt's numbers goes, and with which sign; no two go to one place."""
    random = np.random.default_rng(0)
    places = [random.permutation(FOLDED)[:DIMENSIONS] for _ in range(prompts)]
    signs = random.integers(0, 2, (prompts, DIMENSIONS)) * 2 - 1
    return np.array(places, dtype=np.uint16), signs.astype(np.int8)


def _folded(task: _Folding, models: slice) -> NDArray[np.float16]:
    """Fold a block of models."""
    sketches, scales = task.rows.sketches, task.rows.scales
    centred = (
        centred_rows(restore(sketches[prompt, models], scales[prompt, models]), mean)
        for prompt, mean in enumerate(task.means)
    )
    return _fold(centred, models.stop - models.start, task.places, task.signs)


def _fold(
    rows: Iterator[Floats32],
    models: int,
    places: NDArray[np.uint16],
    signs: NDArray[np.int8],
) -> NDArray[np.float16]:
    """Fold centred rows, (models, 256) for every prompt, into (models, 512)."""
    folded = np.zeros((models, FOLDED), dtype=np.float32)
    answered = np.zeros(models, dtype=np.float32)
    for unit, place, sign in zip(rows, places, signs, strict=True):
        folded[:, place] += unit * sign
        answered += np.any(unit != 0, axis=1)
    # Of a model that left prompts out, the mean is taken over those it answered.
    folded *= (np.sqrt(len(places)) / np.maximum(answered, 1))[:, None]
    half: NDArray[np.float16] = folded.astype(np.float16)
    return half


class IndexSearch:
    """A search through an index, made once for many subjects."""

    def __init__(self, index: ModelIndex) -> None:
        """Prepare the search.

        Raises:
            MissingDependencyError: faiss is not installed.
        """
        self._index = index
        self._quick = _faiss_index(index.folded)
        self._lengths = np.einsum("pd,pd->p", index.means, index.means)

    @one_blas_thread()
    def nearest(
        self, rows: Floats32, count: int = 20, shortlist: int = SHORTLIST, without: str = ""
    ) -> list[NearModel]:
        """Return the most similar models, the most similar first.

        Args:
            rows: the subject's unit rows, shape (prompts, 256), zero where there is no answer.
            count: how many to return; fewer where fewer share enough prompts.
            shortlist: how many of the quick search's results are compared exactly.
            without: a model that is left out: the subject itself.
        """
        sides = zip(rows, self._index.means, strict=True)
        subject = np.concatenate([centred_rows(row[None], mean) for row, mean in sides])
        each = (unit[None] for unit in subject)
        folded = _fold(each, 1, self._index.places, self._index.signs).astype(np.float32)
        _, places = self._quick.search(folded, min(max(shortlist, count + 1), self._quick.ntotal))
        chosen = np.sort(places[0][places[0] >= 0])
        similarity, prompts = self._exact(subject, chosen)
        order = np.argsort(-np.nan_to_num(similarity, nan=-np.inf), kind="stable")
        near = [
            NearModel(self._index.models[chosen[i]], float(similarity[i]), int(prompts[i]))
            for i in order
            if np.isfinite(similarity[i])
        ]
        return [model for model in near if model.model != without][:count]

    def _exact(
        self, subject: Floats32, chosen: NDArray[np.intp]
    ) -> tuple[Floats32, NDArray[np.int64]]:
        """Return mean cosines with a centred subject, NaN for too few prompts, and how many."""
        index = self._index
        scales = index.scales[chosen]
        rows = restore(index.sketches[chosen], scales)
        lengths = np.sqrt(
            np.maximum(1 - 2 * np.einsum("npd,pd->np", rows, index.means) + self._lengths, _TINY)
        )
        dots = np.einsum("npd,pd->np", rows, subject)
        dots -= np.einsum("pd,pd->p", subject, index.means)
        both: Flags = (scales > 0) & np.any(subject != 0, axis=1)
        prompts = both.sum(axis=1)
        means: Floats32 = (dots / lengths * both).sum(axis=1) / np.maximum(prompts, 1)
        means[prompts < MIN_PROMPTS] = np.nan
        return means, prompts


def _faiss_index(folded: NDArray[np.float16]) -> Any:  # faiss has no types to name
    try:
        import faiss
    except ImportError as error:
        raise MissingDependencyError(
            "an index needs faiss, which is not installed; pip install 'model-forensics[index]'"
        ) from error
    index = faiss.IndexScalarQuantizer(
        FOLDED, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    vectors = folded.astype(np.float32)
    index.train(vectors)
    index.add(vectors)
    return index
