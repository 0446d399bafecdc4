"""What would settle a question: material, commands that can succeed for these subjects, cost."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from forensics.case.document import CaseSubject, Overlap
from forensics.case.questions import NextStep
from forensics.verdicts.answering import Answered

_REPEATS = 3
_SUITE_PROMPTS = 64  # what is asked where the answers are no suite's
_OF_FILES = ("hf", "gguf", "demo")
_CALIBRATION_PROMPTS = 16


@dataclass(frozen=True)
class Asked:
    """The two subjects of a case, and the prompts that both answered."""

    a: CaseSubject
    b: CaseSubject
    overlap: Overlap

    @property
    def specs(self) -> tuple[str, str]:
        """How both models are asked again; placeholders where the answers do not tell."""
        return _spec(self.a) or "KNOWN", _spec(self.b) or "QUESTIONED"

    @property
    def have_files(self) -> bool:
        """Whether both have weight files within reach, as far as their names tell."""
        return all(spec.partition(":")[0] in _OF_FILES for spec in self.specs)


def _spec(side: CaseSubject) -> str | None:
    if side.kind == "cohort":
        return None
    if side.kind != "transcript":
        return side.spec
    subjects = [m.subject for m in side.manifests if m.provenance == "collected"]
    named = [subject for subject in subjects if ":" in subject]
    return named[-1] if named else None


def next_step(answered: Answered, asked: Asked) -> NextStep | None:
    """Return what would settle a question; None where it is settled, or nothing here can.

    Args:
        answered: what can be said of it now.
        asked: the two subjects.
    """
    if answered.question == "one_model":
        return _for_one_model(answered, asked)
    if answered.question == "close_relatives":
        return _for_relatives(answered, asked)
    if answered.question == "learned":
        return _for_learned(answered, asked)
    return None


def _for_one_model(answered: Answered, asked: Asked) -> NextStep | None:
    if answered.answer != "cannot be told":
        return None
    samples = _REPEATS if answered.reason == "one_sample" else 2 * _REPEATS
    prompts = asked.overlap.both or _SUITE_PROMPTS
    return NextStep(
        material=f"{samples} answers of each model to every prompt, drawn at temperature 0.7",
        commands=(_compare(asked, f"--samples {samples} --temperature 0.7"),),
        cost=f"{2 * samples * prompts:,} answers ({prompts:,} prompts, {samples} times, 2 models)",
    )


def _for_relatives(answered: Answered, asked: Asked) -> NextStep | None:
    if answered.reason in ("weights", "weights_unrelated", "one_model"):
        return None
    if asked.have_files or not _only_endpoints(asked):
        return NextStep(
            material="the weight files of both models",
            commands=(_compare(asked, "--tiers weights"),),
            cost="no model is asked; reading them takes minutes",
        )
    if answered.reason == "no_ratio" and asked.overlap.both < _CALIBRATION_PROMPTS:
        return NextStep(
            material=f"answers of both to {_CALIBRATION_PROMPTS} or more of the same prompts",
            commands=(_compare(asked),),
            cost=f"{2 * _SUITE_PROMPTS} answers",
        )
    return NextStep(material="the weight files of both models, from whoever holds them")


def _for_learned(answered: Answered, asked: Asked) -> NextStep | None:
    if answered.answer == "supported" or answered.reason == "of_one_model":
        return None
    if not asked.have_files:
        return NextStep(
            material="the questioned model's training data, or the log of what the known model "
            "was asked and answered"
        )
    if answered.reason in ("probabilities_silent", "shared_weights"):
        return NextStep(material="the questioned model's training data and training logs")
    return NextStep(
        material="token probabilities of both models beside unrelated control models, and weights",
        commands=(_compare(asked, "--tiers logprobs,weights --control CONTROL"),),
        cost="each model and each control reads every answer once; no new answers are needed",
    )


def _only_endpoints(asked: Asked) -> bool:
    return all(spec.partition(":")[0] == "openai" for spec in asked.specs)


def _compare(asked: Asked, options: str = "") -> str:
    names: Sequence[str] = [shlex.quote(spec) for spec in asked.specs]
    return " ".join(filter(None, ["forensics compare", *names, options]))
