"""What a subject says of logged answers: probabilities, or how near its own answers come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forensics.errors import UsageError
from forensics.evidence.exposure.exposure_record import Route
from forensics.evidence.exposure.log import LoggedPrompt
from forensics.evidence.exposure.nearness import NEARNESSES, Nearness, nearness
from forensics.examination.probability_values import LOCAL_KINDS
from forensics.examination.reply_scores import (
    LoggedReply,
    echoed_reply_scores,
    local_reply_scores,
    plan_echoes,
)
from forensics.subjects.subject import Subject
from forensics.suites.suite import Prompt, Suite
from forensics.transcripts.answers import usable_answers
from forensics.workflows.asks import Ask
from forensics.workflows.budget import of_plan, would_obtain
from forensics.workflows.callbacks import Progress
from forensics.workflows.obtaining import obtain
from forensics.workflows.resolving import ResolvedSubject
from forensics.workflows.settings import ExposureSettings

Values = list[list[float | None]]  # of every prompt its answers', None where there is none


@dataclass(frozen=True)
class Reader:
    """How values of logged answers are had of subjects in one run."""

    settings: ExposureSettings
    progress: Progress
    how: Nearness | None

    @property
    def route(self) -> Route:
        """Whether probabilities are read, or own answers."""
        return "probabilities" if self.how is None else "answers"

    def asks(self, subject: ResolvedSubject, prompts: Sequence[LoggedPrompt]) -> list[Ask]:
        """Return what an endpoint or model would be asked."""
        asking = self.settings.asking
        if self.how is not None:
            return would_obtain(subject, _suite(prompts), asking)
        if subject.subject.kind != "openai":
            return []
        _, _, todo = plan_echoes(subject.subject, asking.backend, asking.folder, _replies(prompts))
        return [of_plan(subject.subject, "logged answers", todo)] if todo.requests else []

    def values(self, subject: ResolvedSubject, prompts: Sequence[LoggedPrompt]) -> Values:
        """Return a value for every answer of every prompt.

        Raises:
            BackendError: the subject cannot be asked or loaded.
            OutputError: what it says cannot be written.
        """
        if self.how is not None:
            return self._own_answers(subject, prompts, self.how)
        replies = _replies(prompts)
        asking, name = self.settings.asking, subject.subject.name
        if subject.subject.kind in LOCAL_KINDS:
            with self.progress.step(f"{name} reads {len(replies)} answers"):
                flat = local_reply_scores(subject.subject, asking.backend, replies)
        else:
            with self.progress.answers(name, len(replies), 0) as tick:
                flat = echoed_reply_scores(
                    subject.subject, asking.backend, asking.folder, replies, tick
                )
        every = iter(flat)
        return [[next(every) for _ in prompt.answers] for prompt in prompts]

    def _own_answers(
        self, subject: ResolvedSubject, prompts: Sequence[LoggedPrompt], how: Nearness
    ) -> Values:
        transcript = obtain(subject, _suite(prompts), self.settings.asking, self.progress)
        by_prompt: dict[str, list[str]] = {}
        for answer in usable_answers(transcript.responses):
            by_prompt.setdefault(answer.prompt_sha256, []).append(answer.text)
        return [_near(prompt, by_prompt, how) for prompt in prompts]


def _near(
    prompt: LoggedPrompt, by_prompt: Mapping[str, Sequence[str]], how: Nearness
) -> list[float | None]:
    given = by_prompt.get(_asked(prompt).sha256)
    logged = [answer.text for answer in prompt.answers]
    return [*nearness(given, logged, how)] if given else [None] * len(logged)


def _asked(prompt: LoggedPrompt) -> Prompt:
    return Prompt(prompt.prompt_id, prompt.messages)


def _suite(prompts: Sequence[LoggedPrompt]) -> Suite:
    asked = {(made := _asked(prompt)).sha256: made for prompt in prompts}
    return Suite("served", "1", "Prompts of the log", tuple(asked.values()))


def _replies(prompts: Sequence[LoggedPrompt]) -> list[LoggedReply]:
    return [
        LoggedReply(prompt.messages, answer.text) for prompt in prompts for answer in prompt.answers
    ]


def reader(subject: Subject, settings: ExposureSettings, progress: Progress) -> Reader:
    """Return how a subject is read: by the statistic that was named, or the usual one of its kind.

    Models that are at hand give probabilities, and so do endpoints asked through `/completions`;
    of all others their own answers are read.

    Raises:
        UsageError: probabilities of a subject that gives none.
    """
    named = settings.statistic
    readable = subject.kind in LOCAL_KINDS or subject.kind == "openai"
    if named == "probabilities" and not readable:
        raise UsageError(f"{subject.spec} gives no token probabilities; leave --statistic out")
    if named is not None:
        return Reader(settings, progress, named if named != "probabilities" else None)
    by_completions = subject.kind == "openai" and (
        "completions" in (settings.endpoints.api, subject.api)
    )
    usual = None if subject.kind in LOCAL_KINDS or by_completions else NEARNESSES[0]
    return Reader(settings, progress, usual)
