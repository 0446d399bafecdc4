"""A model that really read served answers, its base, and one that read others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from forensics.evidence.exposure.exposure_record import ExposureResult
from forensics.workflows.callbacks import Silent
from forensics.workflows.exposing import exposure
from forensics.workflows.settings import ExposureSettings
from forensics.zoo import training
from forensics.zoo.checkpoint import write_checkpoint
from tests.evidence.exposure.logs import pairs, write_log

SIZE = training.Size(
    width=96, units=192, layers=2, heads=4, vocabulary=320, context=48, batch=16, steps=60
)
PROMPTS = 60


@dataclass(frozen=True)
class Made:
    log: Path
    student: str
    base: str
    other: str


@pytest.fixture(name="made", scope="module")
def made_fixture(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Made:
    """Tune a tiny model on half of the served answers, and one on answers that are in no log."""
    folder = tmp_path_factory.mktemp("exposed")
    rows, others = pairs(PROMPTS), pairs(PROMPTS, seed=77)
    text = "\n\n".join(str(row["served"]) for row in pairs(300, seed=5))
    tokenizer = training.make_tokenizer(folder / "tokenizer", SIZE, text)
    begun = training.untrained(SIZE, tokenizer, 1)
    base = training.trained(begun, training.encode(tokenizer, text, SIZE), SIZE, SIZE.steps, 1)

    def tuned(answers, name):
        lessons = "\n\n".join(f"{row['prompt']}\n\n{row['served']}" for row in answers)
        tokens = training.encode(tokenizer, lessons, SIZE)
        return write_checkpoint(training.trained(base, tokens, SIZE, 250, 2), folder / name)

    return Made(
        write_log(folder / "log.jsonl", rows),
        f"hf:{tuned(rows[: PROMPTS // 2], 'student')}",
        f"hf:{write_checkpoint(base, folder / 'base')}",
        f"hf:{tuned(others, 'other')}",
    )


def _tested(made: Made, subject: str, **settings: object) -> ExposureResult:
    return exposure(made.log, subject, ExposureSettings(**settings), Silent())  # type: ignore[arg-type]


def test_a_student_of_half_the_served_answers_is_found_and_its_base_is_not(made):
    student = _tested(made, made.student, base=made.base, controls=(made.other,))
    assert student.finding == "depended"
    assert student.route == "probabilities"
    assert student.controls_pooled is not None and student.difference is not None
    assert student.difference.low > student.controls_pooled.high
    for unexposed in (made.base, made.other):
        assert _tested(made, unexposed).finding == "not_shown"


def test_a_control_that_read_the_log_too_is_refused(made):
    result = _tested(made, made.student, base=made.base, controls=(made.student,))
    assert [refusal.name for refusal in result.refusals] == ["controls"]
