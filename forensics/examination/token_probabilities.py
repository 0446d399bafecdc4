"""Obtains token probabilities: of two subjects, where their models are at hand, and of controls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from forensics.errors import UsageError
from forensics.examination.examined import Examined
from forensics.examination.local_probabilities import text_probabilities
from forensics.examination.probability_values import LOCAL_KINDS, TextProbabilities, answer_key
from forensics.subjects.backends.backend import BackendOptions
from forensics.subjects.subject import Subject
from forensics.suites.suite import Message, Prompt
from forensics.transcripts.answers import Answer
from forensics.transcripts.transcript import Transcript

# Of each model; more would make an interval narrower, and every model must read them all.
MAX_ANSWERS = 32
# What is read of an answer (`MAX_ANSWER_CHARS`) is seldom more tokens than this.
READ_TOKENS = 128
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
    answered: Sequence[Transcript] = (),
) -> tuple[Examined, Examined]:
    """Return the subjects with what their models and the controls say of texts and answers.

    A subject whose model is not at hand keeps what its endpoint said, if it did, and its answers
    are shown to the other subject's model. Without controls nothing is run: token probabilities
    mean nothing alone.

    Args:
        a: the known subject.
        b: the questioned subject.
        controls: local models that are no kin of either, as far as known.
        options: how local models are run.
        progress: called with the name of each model before it runs.
        answered: the controls' own answers to `shared_prompts`, in their order; without them
            controls only read.

    Raises:
        UsageError: a control is not a local model.
        BackendError: a model cannot be loaded or gives NaN.
    """
    check_controls(controls)
    if not controls or not any(can_be_seen(side) for side in (a, b)):
        return a, b
    shared = shared_prompts(a, b)
    of_a, of_b = asked_of(a, shared), asked_of(b, shared)
    replied = map(Examined, controls, answered) if answered else ()
    of_controls = [asked_of(control, shared) for control in replied]
    asked = [of_a, of_b, *of_controls]

    def seen(subject: Subject, answers: Asked) -> TextProbabilities:
        if progress is not None:
            progress(f"token probabilities of {subject.name}")
        probabilities = text_probabilities(subject, options, asked)
        return replace(probabilities, written=tuple(answer_key(answer) for answer, _ in answers))

    def seen_or_given(side: Examined, answers: Asked) -> TextProbabilities | None:
        is_local = side.subject.kind in LOCAL_KINDS
        return seen(side.subject, answers) if is_local else side.probabilities

    first, second = seen_or_given(a, of_a), seen_or_given(b, of_b)
    written = of_controls or [[]] * len(controls)  # controls that did not answer only read
    panel = tuple(
        seen(control, answers) for control, answers in zip(controls, written, strict=True)
    )
    return (
        replace(a, probabilities=first, other_probabilities=second, controls=panel),
        replace(b, probabilities=second, other_probabilities=first, controls=panel),
    )


def can_be_seen(side: Examined) -> bool:
    """Tell whether token probabilities can be had of a subject, or are there already."""
    return side.subject.kind in LOCAL_KINDS or side.probabilities is not None


def shared_prompts(*sides: Examined) -> list[Prompt]:
    """Return the first prompts that all answered and whose messages are known."""
    shared = set.intersection(*({x.prompt_sha256 for x in side.answers} for side in sides))
    known: dict[str, Prompt] = {}
    for side in reversed(sides):
        known |= side.transcript.prompts
    return [known[key] for key in sorted(shared) if known[key].messages][:MAX_ANSWERS]


def asked_of(side: Examined, prompts: Sequence[Prompt]) -> Asked:
    """Return the first sample of one subject's answers to these prompts, with messages."""
    first = {answer.prompt_sha256: answer for answer in side.answers if answer.sample == 0}
    return [(first[p.sha256], p.messages) for p in prompts if p.sha256 in first]
