"""Claims that one model taught another: which are documented, which are known to be wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from forensics.cohorts.lineage.hypotheses import LabelledPair
from forensics.cohorts.lineage.models import clusters
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.population import MONTHS, month
from forensics.cohorts.similarity import Flags, Floats

RIGHT = "documented"
WRONG = ("wrong teacher", "released after the student", "no student")
Integers = NDArray[np.intp]


@dataclass(frozen=True)
class Claims:
    """Claims that one model taught another, each documented or known to be wrong.

    `student` and `teacher` are model numbers, shape (claims,); `kinds` says what a claim is.
    `rivals` flags, shape (claims, models), the models of the teacher's time that did not teach the
    student; `group` numbers the students' clusters joined with their families.
    """

    student: Integers
    teacher: Integers
    kinds: tuple[str, ...]
    rivals: Flags
    group: Integers
    documented: Flags

    def are(self, *kinds: str) -> Flags:
        """Flag the claims of some kinds."""
        return np.array([kind in kinds for kind in self.kinds], dtype=bool)


def claims(outputs: Outputs, pairs: Sequence[LabelledPair]) -> Claims:
    """List every claim that can be judged.

    Documented with high confidence are the right ones; those documented less surely are neither
    right nor wrong. Wrong are: another's teacher, a teacher released after the student, and any
    teacher of a model documented to have had none.
    """
    facts = list(outputs.facts.values())
    documented, sure = _documented(outputs, pairs)
    excluded = outputs.excluded() | outputs.excluded().T
    months = np.array([month(fact.released) or 0 for fact in facts])
    numbers = clusters(outputs.facts)
    cluster = np.array([numbers[model] for model in outputs.models])
    found: list[tuple[int, int, str]] = []
    for student in range(len(facts)):
        for teacher in np.flatnonzero(documented.any(axis=0)).tolist():
            if excluded[student, teacher]:
                continue
            if documented[student].any():
                late = months[teacher] > months[student]
                right = RIGHT if sure[student, teacher] else ""
                known = right if documented[student, teacher] else WRONG[0]
                kind = WRONG[1] if late else known
            else:
                other_developer = facts[student].developer != facts[teacher].developer
                untaught = facts[student].teachers_known == "none known"
                kind = WRONG[2] if other_developer and untaught else ""
            if kind:
                found.append((student, teacher, kind))
    learning = np.array([one[0] for one in found], dtype=np.intp)
    teaching = np.array([one[1] for one in found], dtype=np.intp)
    era = np.abs(months[None] - months[teaching][:, None]) <= MONTHS
    akin = cluster[None] == cluster[teaching][:, None]
    rivals = era & ~akin & ~excluded[learning] & ~documented[learning]
    kinds = tuple(one[2] for one in found)
    return Claims(learning, teaching, kinds, rivals, _groups(outputs), documented)


def _documented(outputs: Outputs, pairs: Sequence[LabelledPair]) -> tuple[Flags, Flags]:
    """Flag by student and teacher who is documented to have taught whom: at all, and surely."""
    place = {model: i for i, model in enumerate(outputs.models)}
    taught = np.zeros((2, len(place), len(place)), dtype=bool)
    for pair in pairs:
        if pair.relation != "distilled_teacher" or not {pair.a, pair.b} <= place.keys():
            continue
        # The table of pairs does not say which side learned; the table of models does.
        learned = [bool(outputs.facts[one].teachers) for one in (pair.a, pair.b)]
        if learned[0] == learned[1]:
            continue
        student, teacher = (pair.a, pair.b) if learned[0] else (pair.b, pair.a)
        taught[0, place[student], place[teacher]] = True
        taught[1, place[student], place[teacher]] = pair.confidence == "high"
    return taught[0], taught[1]


def _groups(outputs: Outputs) -> Integers:
    """Join clusters that share a family: one people's models, tuned alike."""
    numbers = clusters(outputs.facts)
    families: dict[str, int] = {}
    links = []
    for model, fact in outputs.facts.items():
        if fact.family:
            links.append((families.setdefault(fact.family, numbers[model]), numbers[model]))
    size = max(numbers.values(), default=-1) + 1
    one, other = np.array(links, dtype=np.intp).reshape(-1, 2).T
    graph = sparse.coo_array((np.ones(len(links)), (one, other)), shape=(size, size))
    _, group = sparse.csgraph.connected_components(graph, directed=False)
    return np.array([group[numbers[model]] for model in outputs.models], dtype=np.intp)


def margins(matrix: Floats, judged: Claims) -> Floats:
    """Return each claim's score less the best of the rivals': shape (claims,), NaN without any."""
    rivals = np.where(judged.rivals, matrix[judged.student], -np.inf)
    best = np.where(np.isnan(rivals), -np.inf, rivals).max(axis=1)
    own = matrix[judged.student, judged.teacher]
    found: Floats = np.where(np.isfinite(best), own - best, np.nan)
    return found
