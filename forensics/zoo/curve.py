"""The detection curve: how much of a teacher's text a student must have read for it to show.

A teacher is trained on the prose that all have read and on a language reference that nobody else
has. Students are trained from random weights on prose of which a known share is replaced by what
the teacher wrote, then tuned further on prose that nobody read before. Controls are trained as
students are, without a word of the teacher's, and so are the unrelated ones of share 0, who tell
how often nothing shows as something. Every student is then compared with the teacher as
`forensics compare` does it: answers to prompts of the suite `core`, token probabilities beside the
controls', weights.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from forensics.errors import InputFileError
from forensics.support.files import write_text
from forensics.verdicts.decision import Kin
from forensics.verdicts.tier_readings import read_tiers
from forensics.zoo import training
from forensics.zoo.checkpoint import Checkpoint, write_checkpoint

if TYPE_CHECKING:
    import torch

    from forensics.case.evidence import Evidence
    from forensics.examination.examined import Examined

SHARES = (0.0, 0.001, 0.01, 0.1, 0.3, 1.0)
FILE = "detection_curve.csv"
_PROMPTS = 36  # some answers of so small a model are blank
_MAX_TOKENS = 128
_TEMPERATURE = 0.8  # the most likely words of a model this small are blanks
_OWN = 0.5  # of the teacher's text
_TUNING_RATE = 1e-3
_CHARACTERS_PER_TOKEN = 5
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Design:
    """What is trained: students of every share (0 are unrelated), controls, from which seed on."""

    shares: Sequence[float] = SHARES
    students: int = 2
    controls: int = 6
    seed: int = 1


# For a zoo: an impression, no rates.
ONE_EACH = Design((0.0, 0.001, 0.01, 0.1, 1.0), students=1, controls=8)


@dataclass(frozen=True)
class Point:
    """One student: the teacher's share of its text, and what the comparison with it says.

    `effect` and `p_value` are mutual fit's (bits a byte); `weights` and `behaviour` what the tiers
    say as the verdict reads them.
    """

    seed: int
    share: float
    tokens: int
    effect: float | None
    p_value: float | None
    weights: Kin
    behaviour: Kin


def detection_curve(
    folder: Path, tokenizer: Path, size: training.Size, design: Design, progress: Progress
) -> tuple[Point, ...]:
    """Train a teacher, controls and students, compare, and write the table `FILE`.

    Args:
        folder: to write models, answers and the table to.
        tokenizer: folder of the tokenizer that all share.
        size: of the models and of their training.
        design: what to train.
        progress: called with what is made next.

    Raises:
        OutputError: something cannot be written.
        BackendError: a model gives NaN.
    """
    lab = _Lab(folder, tokenizer, size, design.seed)
    progress("the teacher")
    teacher = lab.teacher()
    written = lab.written(teacher)
    known = lab.asked("teacher", teacher)
    panel = []
    for number in range(design.controls):
        progress(f"control {number + 1} of {design.controls}")
        panel.append(lab.asked(f"control-{number + 1}", lab.student(written, 0.0, 100 + number)))
    points = []
    for place, share in enumerate(design.shares):
        for number in range(design.students):
            name = f"student-{share * 100:g}-{number + 1}"
            progress(name)
            made = lab.student(written, share, 200 + 50 * place + number)
            evidence = lab.compared(known, lab.asked(name, made), panel)
            points.append(_point(design.seed, share, round(share * size.tokens), evidence))
    write_text(folder / FILE, as_csv(points))
    return tuple(points)


def _point(seed: int, share: float, tokens: int, evidence: Sequence[Evidence]) -> Point:
    weights, behaviour = read_tiers(evidence)
    fit = next(entry for entry in evidence if entry.comparator == "mutual_fit")
    return Point(seed, share, tokens, fit.score, fit.p_value, weights.kin, behaviour.kin)


@dataclass(frozen=True)
class _Lab:
    """Texts, settings and a folder that all of one seed share."""

    folder: Path
    tokenizer: Path
    size: training.Size
    seed: int

    @cached_property
    def texts(self) -> dict[str, torch.Tensor]:
        """Tokens of prose, of further prose to tune on, and of the teacher's own matter."""
        size = self.size
        twice = replace(size, tokens=2 * size.tokens)
        prose = training.texts("prose", 2 * _CHARACTERS_PER_TOKEN * size.tokens)
        both = training.encode(self.tokenizer, prose, twice)
        teachers_matter = training.texts("reference", _CHARACTERS_PER_TOKEN * size.tokens)
        return {
            "prose": both[: size.tokens],
            "further": both[size.tokens :],
            "reference": training.encode(self.tokenizer, teachers_matter, size),
        }

    def teacher(self) -> Checkpoint:
        parts = [(self.texts["reference"], _OWN), (self.texts["prose"], 1 - _OWN)]
        return self._trained(parts, self._number(1))

    def written(self, teacher: Checkpoint) -> torch.Tensor:
        """Return what the teacher writes, half as many tokens as a student reads."""
        rows = max(1, self.size.tokens // self.size.context // 2)
        parts = [(self.texts["reference"], _OWN), (self.texts["prose"], 1 - _OWN)]
        starts = training.mixed(parts, self.size, self._number(2))
        starts = starts[:: max(1, len(starts) // rows)][:rows]
        return training.sampled(teacher, starts, self.size.context, self._number(3))

    def student(self, written: torch.Tensor, share: float, number: int) -> Checkpoint:
        parts = [(written, share), (self.texts["prose"], 1 - share)]
        learned = self._trained(parts, self._number(number))
        return training.trained(
            learned,
            self.texts["further"],
            self.size,
            self.size.tuning_steps,
            self._number(number),
            _TUNING_RATE,
        )

    def _trained(self, parts: Sequence[tuple[torch.Tensor, float]], seed: int) -> Checkpoint:
        size = self.size
        start = training.untrained(size, self.tokenizer, seed)
        return training.trained(start, training.mixed(parts, size, seed), size, size.steps, seed)

    def _number(self, number: int) -> int:
        return 1000 * self.seed + number

    def kept(self, name: str, made: Checkpoint) -> str:
        """Write a model; return what it is called as a subject."""
        return f"hf:{write_checkpoint(made, self.folder / 'models' / name)}"

    def asked(self, name: str, made: Checkpoint) -> Examined:
        """Write a model and collect its answers."""
        from forensics.examination.collect import collect
        from forensics.examination.examined import Examined
        from forensics.subjects.backends import open_backend
        from forensics.subjects.backends.backend import BackendOptions, GenerationSettings
        from forensics.subjects.model_files.folder import model_files
        from forensics.subjects.subject import parse_subject
        from forensics.suites.loading import load_suite

        subject = parse_subject(self.kept(name, made))
        settings = GenerationSettings(temperature=_TEMPERATURE, max_tokens=_MAX_TOKENS)
        suite = load_suite("core").select((), _PROMPTS)
        backend = open_backend(subject, BackendOptions())
        path = self.folder / "transcripts" / f"{name}.jsonl"
        transcript = collect(suite, subject, backend, settings, path)
        return Examined(subject, transcript, model_files(subject))

    def compared(
        self, known: Examined, other: Examined, panel: Sequence[Examined]
    ) -> list[Evidence]:
        """Return what token probabilities and weights say of a pair."""
        from forensics.evidence import load_comparators
        from forensics.examination.token_probabilities import observe
        from forensics.subjects.backends.backend import BackendOptions
        from forensics.verdicts.compare import measure
        from forensics.verdicts.measurable import of_tiers

        first, second = observe(
            known,
            other,
            [control.subject for control in panel],
            BackendOptions(),
            answered=[control.transcript for control in panel],
        )
        tests = of_tiers(load_comparators(), ("logprobs", "weights"))
        return [measure(test, first, second) for test in tests]


def as_csv(points: Sequence[Point]) -> str:
    """Return the points as a table."""
    text = StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Point)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(point) for point in points)
    return text.getvalue()


def read_points(path: Path) -> tuple[Point, ...]:
    """Read a table that `detection_curve` wrote.

    Raises:
        InputFileError: it is missing or not such a table.
    """
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return tuple(_read(csv.DictReader(stream)))
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputFileError(f"{path}: not a table of a detection curve ({error})") from error


def _read(rows: Any) -> Iterator[Point]:
    for row in rows:
        effect, p_value = (
            float(row[name]) if row[name] else None for name in ("effect", "p_value")
        )
        weights, behaviour = row["weights"], row["behaviour"]
        if not {weights, behaviour} <= set(get_args(Kin)):
            raise ValueError(f"{weights}, {behaviour}")
        yield Point(
            int(row["seed"]),
            float(row["share"]),
            int(row["tokens"]),
            effect,
            p_value,
            weights,
            behaviour,
        )
