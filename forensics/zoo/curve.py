"""The detection curve: how much of a teacher's text a student must have read for it to show.

Students are trained from random weights on text of which a known share is the teacher's, then tuned
further on other text. What is measured is how far a student shares the teacher's peculiarities: the
correlation, over the tokens of a fresh text, of what sets the student's losses and the teacher's
apart from those of students that read none of the teacher's text (centring as in the model map,
Oyama et al. 2025, arXiv 2502.16173). Those students differ in nothing but their random weights and
the order of their text: the spread among them is what chance does, and a share counts as detected
where the student stands out from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forensics.files import write_text
from forensics.zoo import training
from forensics.zoo.checkpoint import Checkpoint, read_checkpoint

if TYPE_CHECKING:
    import torch

CONTROLS = 5
DETECTED = 0.01
FILE = "detection_curve.csv"
_HELD_OUT = 0.1  # of the prose, which no student reads
_ROWS = 96  # of fresh text, of `context` tokens each
Floats = NDArray[np.float64]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Point:
    """One student: the teacher's share of its text, what it shares of its peculiarities."""

    share: float
    tokens: int
    shared: float
    p_value: float

    @property
    def detected(self) -> bool:
        """Whether it stands out from students that read none of the teacher's text."""
        return self.p_value < DETECTED


@dataclass(frozen=True)
class Curve:
    """All students, and what those share that read none of the teacher's text."""

    points: tuple[Point, ...]
    controls: tuple[float, ...]

    @property
    def smallest(self) -> float | None:
        """The smallest share from which on every student is detected, None where none is."""
        found = None
        for point in sorted(self.points, key=lambda one: -one.share):
            if not point.detected:
                break
            found = point.share
        return found


def detection_curve(
    folder: Path, size: training.Size, shares: Sequence[float], progress: Progress
) -> Curve:
    """Train students of the zoo's base and see which of them stand out.

    Args:
        folder: a zoo that `build_tiny` made with this size; the curve is written to it.
        size: of the students and of their training.
        shares: of the teacher's text among a student's, above 0 to 1.
        progress: called with what is made next.

    Raises:
        OutputError: the table cannot be written.
    """
    base = read_checkpoint(folder / "models" / "tiny-base")
    lab = _Lab.of(base, folder / "tokenizer", size)
    teacher, strangers = lab.losses(base), []
    for seed in range(CONTROLS):
        progress(f"control student {seed + 1} of {CONTROLS}")
        strangers.append(lab.losses(lab.student(0.0, 100 + seed)))
    controls = [_shared(one, teacher, [x for x in strangers if x is not one]) for one in strangers]
    points = []
    for number, share in enumerate(shares):
        progress(f"student of {share * 100:g} %")
        student = lab.losses(lab.student(share, 200 + number))
        shared = _shared(student, teacher, strangers)
        points.append(Point(share, round(share * size.tokens), shared, _beyond(shared, controls)))
    curve = Curve(tuple(points), tuple(controls))
    write_text(folder / FILE, _csv(curve))
    return curve


def _beyond(shared: float, controls: Sequence[float]) -> float:
    """Return the p-value of one value among others (t-test of a new observation)."""
    from scipy.stats import t

    k, spread = len(controls), float(np.std(controls, ddof=1))
    statistic = (shared - float(np.mean(controls))) / (spread * np.sqrt(1 + 1 / k))
    return float(t.sf(statistic, k - 1))


@dataclass(frozen=True)
class _Lab:
    """Texts and settings that all students share; no student reads `fresh` or `other`."""

    size: training.Size
    tokenizer: Path
    prose: torch.Tensor
    taught: torch.Tensor
    later: torch.Tensor
    fresh: torch.Tensor
    other: torch.Tensor

    @classmethod
    def of(cls, base: Checkpoint, tokenizer: Path, size: training.Size) -> _Lab:
        enough = size.tokens * 4
        prose, code = (
            training.encode(tokenizer, training.texts(kind, enough), size)
            for kind in ("prose", "code")
        )
        read = int(len(prose) * (1 - _HELD_OUT))
        rows = size.tokens // size.context // 2
        taught = training.sampled(base, prose[:: max(1, read // rows)][:rows], size.context, 40)
        fresh = training.sampled(base, prose[7 :: read // _ROWS][:_ROWS], size.context, 41)
        other = prose[read:][: _ROWS * size.context]
        return cls(size, tokenizer, prose[:read], taught, code, fresh, other)

    def student(self, share: float, seed: int) -> Checkpoint:
        size = self.size
        parts = [(self.taught, share), (self.prose, 1 - share)]
        text = training.mixed(parts, size, seed)
        start = training.untrained(size, self.tokenizer, seed)
        learned = training.trained(start, text, size, size.steps, seed)
        return training.trained(learned, self.later, size, size.tuning_steps, seed, 1e-3)

    def losses(self, model: Checkpoint) -> Floats:
        """Return the loss of every token of fresh text, the teacher's and others'."""
        import torch

        both = torch.cat([self.fresh, self.other])
        return training.losses_on(model, both, self.size).double().numpy()


def _shared(student: Floats, teacher: Floats, strangers: Sequence[Floats]) -> float:
    """Return how what sets two models apart from strangers is correlated."""
    usual = np.mean(strangers, axis=0)
    return float(np.corrcoef(student - usual, teacher - usual)[0, 1])


def _csv(curve: Curve) -> str:
    lines = ["share,tokens,shared,p_value,detected"]
    lines += [f"0,0,{shared:.5f},," for shared in curve.controls]
    lines += [
        f"{p.share:g},{p.tokens},{p.shared:.5f},{p.p_value:.3g},{int(p.detected)}"
        for p in curve.points
    ]
    return "\n".join(lines) + "\n"
