"""Which view of an answer shows kin best? Chosen on sets that are not those of the figures."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.lineage.hypotheses import LabelledPair
from forensics.cohorts.outputs import Outputs
from forensics.evidence.features.matched_prompts import Floats
from studies.shared_manner.tables import SOURCES, read_once

BUCKETS = 8_192
PROMPTS = 40
CHOSEN_ON = SOURCES[1:4]
_WORD = re.compile(r"\w+|[^\w\s]")
_SHAPES = (
    (re.compile(r"[A-Z][a-z]+"), "A"),
    (re.compile(r"[a-z]+"), "a"),
    (re.compile(r"\d+"), "0"),
)
Buckets = NDArray[np.intp]


def _characters(text: str) -> Buckets:
    codes = np.frombuffer(text.encode("utf-8", "replace").ljust(4), np.uint8).astype(np.uint32)
    fours = codes[:-3] | codes[1:-2] << 8 | codes[2:-1] << 16 | codes[3:] << 24
    hashes: Buckets = ((fours * np.uint32(2_654_435_761)) >> np.uint32(19)).astype(np.intp)
    return hashes


def _words(text: str, length: int) -> Buckets:
    words = _WORD.findall(text[:3_000].lower())
    runs = [" ".join(words[i : i + length]) for i in range(max(len(words) - length + 1, 1))]
    return np.array([zlib.crc32(run.encode("utf-8", "replace")) % BUCKETS for run in runs], np.intp)


def _skeleton(text: str) -> Buckets:
    for pattern, shape in _SHAPES:
        text = pattern.sub(shape, text)
    return _characters(text[:1_500])


VIEWS: Mapping[str, Callable[[str], Buckets]] = {
    "four characters, first 1,500": lambda text: _characters(text[:1_500]),
    "four characters, first 6,000": lambda text: _characters(text[:6_000]),
    "four characters, first 200 (opening)": lambda text: _characters(text[:200]),
    "four characters, last 200 (ending)": lambda text: _characters(text[-200:]),
    "words": lambda text: _words(text, 1),
    "pairs of words": lambda text: _words(text, 2),
    "three words": lambda text: _words(text, 3),
    "skeleton (layout, case, punctuation)": _skeleton,
}


@dataclass(frozen=True)
class View:
    """How well a view ranks kin above unrelated pairs: area under the ROC curve, set by set.

    `kin` counts each set's pairs of close kin.
    """

    name: str
    areas: tuple[float, ...]
    kin: tuple[int, ...]


def views(data: Path) -> list[View]:
    """Return every view's areas on the sets of `CHOSEN_ON`: kin are descent and same weights."""
    sets = [_some(*read_once(source, data)[:2]) for source in CHOSEN_ON]
    return [
        View(
            name,
            tuple(_area(outputs, pairs, view) for outputs, pairs in sets),
            tuple(len(_kin(pairs)) for _, pairs in sets),
        )
        for name, view in VIEWS.items()
    ]


def _some(
    outputs: Outputs, pairs: tuple[LabelledPair, ...]
) -> tuple[Outputs, tuple[LabelledPair, ...]]:
    return outputs.on(range(min(PROMPTS, len(outputs.prompts)))), pairs


def _area(outputs: Outputs, pairs: Sequence[LabelledPair], view: Callable[[str], Buckets]) -> float:
    cosines = _centred(outputs, view)
    place = {model: number for number, model in enumerate(outputs.models)}
    kin = _kin(pairs)
    apart = [p for p in pairs if p.hypothesis == "independent"]
    high, low = (np.array([cosines[place[p.a], place[p.b]] for p in some]) for some in (kin, apart))
    return float(np.mean([(low < one).mean() + (low == one).mean() / 2 for one in high]))


def _kin(pairs: Sequence[LabelledPair]) -> list[LabelledPair]:
    return [pair for pair in pairs if pair.hypothesis in ("same_model", "close_descent")]


def _centred(outputs: Outputs, view: Callable[[str], Buckets]) -> Floats:
    """Return centred cosines over their own lengths, shape (models, models)."""
    size = len(outputs.models)
    total = np.zeros((size, size))
    for answers in outputs.texts:
        rows = np.zeros((size, BUCKETS), dtype=np.float32)
        for model, samples in enumerate(answers):
            for text in samples[:1]:
                rows[model] = np.log1p(np.bincount(view(text), minlength=BUCKETS))
        seen = (rows > 0).sum(axis=0)
        rows *= np.log((size + 1) / (seen + 1))
        rows /= np.maximum(np.linalg.norm(rows, axis=1), 1e-9)[:, None]
        cosines = (rows @ rows.T).astype(np.float64)
        others = ~np.eye(size, dtype=bool)
        level = (cosines * others).sum(axis=1) / (size - 1)
        total += cosines - level[:, None] - level[None, :] + level.mean()
    lengths = np.sqrt(np.maximum(np.diag(total), 1e-9))
    return total / lengths[:, None] / lengths[None, :]
