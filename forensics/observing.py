"""Obtains token probabilities: of two subjects, where their models are at hand, and of controls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from forensics.backends.base import BackendOptions
from forensics.errors import UsageError
from forensics.examined import Answer, Examined
from forensics.subjects import Subject
from forensics.suites import Message
from forensics.text_probabilities import LOCAL_KINDS, TextProbabilities, text_probabilities

# Of each subject; more would make an interval narrower, and every model must read them all.
MAX_ANSWERS = 24
Asked = list[tuple[Answer, tuple[Message, ...]]]


def check_controls(controls: Sequence[Subject]) -> None:
    """Check that controls are models whose token probabilities can be seen.

    Raises:
        UsageError: one is not a local model.
    """
    for control in controls:
        if control.kind not in LOCAL_KINDS:
            raise UsageError(
                f"--control {control.spec} is not a local model; give hf:, gguf: or demo: models"
            )


def observe(
    a: Examined,
    b: Examined,
    controls: Sequence[Subject],
    options: BackendOptions,
    progress: Callable[[str], None] | None = None,
) -> tuple[Examined, Examined]:
    """Return the subjects with what their models and the controls say of texts and answers.

    A subject whose model is not at hand stays as it is, but its answers are shown to the other
    subject's model. Without controls nothing is run: token probabilities mean nothing alone.

    Args:
        a: the known subject.
        b: the questioned subject.
        controls: local models that are no kin of either, as far as known.
        options: how local models are run.
        progress: called with the name of each model before it runs.

    Raises:
        UsageError: a control is not a local model.
        BackendError: a model cannot be loaded or gives NaN.
    """
    check_controls(controls)
    if not controls or not any(side.subject.kind in LOCAL_KINDS for side in (a, b)):
        return a, b
    asked = [*_asked(a, b), *_asked(b, a)]

    def run(subject: Subject) -> TextProbabilities:
        if progress is not None:
            progress(f"token probabilities of {subject.name}")
        return text_probabilities(subject, options, asked)

    first, second = (
        run(side.subject) if side.subject.kind in LOCAL_KINDS else None for side in (a, b)
    )
    panel = tuple(run(control) for control in controls)
    return (
        replace(a, probabilities=first, other_probabilities=second, controls=panel),
        replace(b, probabilities=second, other_probabilities=first, controls=panel),
    )


def _asked(side: Examined, other: Examined) -> Asked:
    """Return the first sample of one subject's answers, with messages, to prompts both answered."""
    shared = {answer.prompt_sha256 for answer in other.answers}
    prompts = {r.prompt.sha256: r.prompt.messages for r in side.transcript.responses}
    found: Asked = []
    for answer in side.answers:
        messages = prompts[answer.prompt_sha256]
        if answer.sample == 0 and answer.prompt_sha256 in shared and messages:
            found.append((answer, messages))
    return found[:MAX_ANSWERS]
