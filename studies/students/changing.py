"""Towards whose manner did a student change, against its own past: by its answers alone.

The student and the untuned model answered three times, a candidate once: it has no floor. So a
change is measured in units of the student's own manner and compared among candidates only.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forensics.evidence.features.matched_prompts import Floats
from forensics.evidence.features.sketches import Floats32
from forensics.evidence.shift.deviation import towards
from forensics.evidence.shift.margins import Lead, leads
from studies.shift.readings import read_all
from studies.students import store
from studies.students.material import Material
from studies.students.plan import Student

CHARS = 900  # the middle student answer ends here: it is asked for 200 tokens
_LEAST_FLOOR = 1e-3  # self-similarity at or below it is none

Reading = Callable[[Sequence[Sequence[str]]], Iterable[Floats32]]
Texts = Mapping[str, Sequence[str]]  # prompt id → one model's answers


@dataclass(frozen=True, eq=False)
class StudentChange:
    """A student's change towards each candidate: `changes` has shape (prompts, candidates).

    `floor` is how alike its own answers to a prompt are, beyond what the candidates' are.
    """

    student: Student
    candidates: tuple[str, ...]
    changes: Floats
    floor: float

    def less(self, usual: Floats) -> StudentChange:
        """Take off what students without a teacher change, shape (candidates,)."""
        return StudentChange(self.student, self.candidates, self.changes - usual, self.floor)

    def leads(self, developers: Mapping[str, str]) -> tuple[Lead, ...]:
        """Return every developer's lead over the best of the others, the first one first."""
        return leads(self.changes, [developers[name] for name in self.candidates])

    @property
    def order(self) -> list[str]:
        """The candidates, the one of the largest change first."""
        means = self.changes.mean(axis=0)
        return [self.candidates[place] for place in np.argsort(-means, kind="stable")]


def by_sequences(texts: Sequence[Sequence[str]]) -> Iterator[Floats32]:
    """Yield each prompt's rows of character sequences: what shared manner reads."""
    return read_all("character sequences", texts)


def read_texts(name: str, folder: Path = store.ANSWERS) -> Texts:
    """Return a student's answers by prompt."""
    texts: dict[str, list[str]] = {}
    for answer in store.read_answers(name, folder):
        texts.setdefault(answer.prompt_id, []).append(answer.text)
    return texts


def change_of(
    student: Student, texts: Texts, past: Texts, material: Material, read: Reading = by_sequences
) -> StudentChange:
    """Return a student's change.

    Args:
        student: whose answers these are.
        texts: its answers.
        past: the untuned model's.
        material: the candidates' answers; all of them are cut to `CHARS`.
        read: turns texts, prompt by prompt, into unit rows.
    """
    names = tuple(sorted(material.answers))
    prompts = [prompt for prompt in material.held_out if texts.get(prompt) and past.get(prompt)]
    groups = [
        [*([material.answers[name][prompt]] for name in names), past[prompt], texts[prompt]]
        for prompt in prompts
    ]
    cut = [[text[:CHARS] for group in row for text in group] for row in groups]
    rows, floors = [], []
    for read_rows, row in zip(read(cut), groups, strict=True):
        means, within = _means(read_rows, [len(group) for group in row], len(names))
        rows.append(means)
        floors.append(within)
    scale = np.sqrt(np.maximum(np.mean(floors, axis=0), _LEAST_FLOOR))
    stacked = np.stack(rows)
    stacked[:, len(names) :] /= scale[None, :, None]
    cosines = np.matmul(stacked, stacked.transpose(0, 2, 1))
    answered = np.ones(cosines.shape[:2], dtype=np.bool_)
    base, model = len(names), len(names) + 1
    changes = towards(cosines, answered, model, [base], np.arange(len(names)))
    return StudentChange(student, names, changes, float(np.mean(floors, axis=0)[1]))


def _means(rows: Floats32, sizes: Sequence[int], candidates: int) -> tuple[Floats32, Floats]:
    """Return each group's mean row, and the floors of the past and of the student, shape (2,)."""
    bounds = np.cumsum([0, *sizes])
    means = np.stack([rows[a:b].mean(axis=0) for a, b in itertools.pairwise(bounds)])
    centre = means[:candidates].mean(axis=0)
    floors = []
    for first, last in itertools.pairwise(bounds[candidates:]):
        some = (rows[first:last] - centre).astype(np.float64)
        total, count = some.sum(axis=0), last - first
        pairs = float(total @ total) - float(np.einsum("ij,ij->", some, some))
        floors.append(pairs / (count * (count - 1)))
    return means, np.array(floors)


def usual_change(nulls: Sequence[StudentChange]) -> Floats:
    """Return what students without a teacher change on average, shape (candidates,)."""
    usual: Floats = np.mean([null.changes.mean(axis=0) for null in nulls], axis=0)
    return usual
