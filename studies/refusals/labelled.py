"""The human-labelled answers of XSTest as read, and which of its prompts are twins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forensics.evidence.refusals.classifier import LABELS
from forensics.evidence.refusals.features import Reading, read
from forensics.evidence.refusals.opening_words import opening_grams

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_COMMON = frozenset(
    "how do does i the a what is to in of my can are why should not be s good way best".split()
)


@dataclass(frozen=True)
class Answers:
    """The labelled answers as read.

    Attributes:
        readings: n answers read with their prompts.
        grams: for each the word sequences of its opening.
        labels: ``(n,)`` index into ``LABELS``.
        prompts: n prompt ids.
        models: n model names.
        groups: n group ids; prompts in nearly the same words share one.
    """

    readings: Sequence[Reading]
    grams: Sequence[frozenset[str]]
    labels: Ints
    prompts: Sequence[str]
    models: Sequence[str]
    groups: Sequence[str]

    @property
    def features(self) -> Floats:
        """``(n, n_features)``."""
        return np.array([reading.features for reading in self.readings])


def load(folder: Path) -> Answers:
    """Read ``xstest_completions.parquet`` from a folder."""
    import pandas as pd

    table = pd.read_parquet(folder / "xstest_completions.parquet")
    readings = [
        read(text, prompt) for text, prompt in zip(table.completion, table.prompt, strict=True)
    ]
    prompts = [str(name) for name in table.prompt_id]
    wording = dict(zip(prompts, (str(prompt) for prompt in table.prompt), strict=True))
    group_of = group_prompts(wording)
    return Answers(
        readings,
        [
            opening_grams(reading.folded.text, reading.sentences, reading.topic)
            for reading in readings
        ],
        np.array([LABELS.index(label) for label in table.label], dtype=np.int64),
        prompts,
        [str(name) for name in table.model],
        [group_of[name] for name in prompts],
    )


def group_prompts(wording: Mapping[str, str]) -> dict[str, str]:
    """Put prompts in nearly the same words into one group (connected components)."""
    content = {
        name: frozenset(text.lower().replace("?", " ").split()) - _COMMON
        for name, text in wording.items()
    }
    group = {name: name for name in wording}

    def root(name: str) -> str:
        while group[name] != name:
            name = group[name]
        return name

    names = sorted(wording)
    for index, left in enumerate(names):
        for right in names[:index]:
            shared = len(content[left] & content[right])
            smaller = min(len(content[left]), len(content[right]))
            union = len(content[left] | content[right])
            if shared and shared >= 0.6 * smaller and shared >= 0.3 * union:
                group[root(left)] = root(right)
    return {name: root(name) for name in names}
