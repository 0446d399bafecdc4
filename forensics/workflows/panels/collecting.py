"""Panel → answers: many models at once, within one budget, each into a transcript of its own."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from forensics.errors import ForensicsError, UsageError
from forensics.examination.collect import Plan, collect, plan, transcript_name
from forensics.subjects.backends import open_backend
from forensics.subjects.backends.metering import NOTHING, BudgetReachedError, Charge
from forensics.subjects.backends.openai import OpenAIBackend
from forensics.suites.references import with_texts
from forensics.suites.suite import Suite
from forensics.support.sanitise import one_line
from forensics.transcripts.transcript import Transcript, check_chain, read_transcript, unbroken
from forensics.workflows.panels.members import PanelMember
from forensics.workflows.panels.spending_ledger import SpendingLedger, StoppedError
from forensics.workflows.probing import check_answered

CollectedState = Literal["complete", "failed", "budget", "stopped"]
_LOOK_UP = 0.2  # seconds between two looks at whether the user interrupts
_GRACE = 3.0  # seconds for answers under way, once the user did


@dataclass(frozen=True)
class MemberPlan:
    """What is still to be asked of a model; `failure` says why nobody can know, or nothing.

    `most` is what asking it everything, from the beginning, is charged at most.
    """

    member: PanelMember
    path: Path
    calls: Plan
    failure: str = ""
    most: Charge = NOTHING

    @property
    def total(self) -> int:
        """How many answers there are once all have come."""
        return self.calls.answered + len(self.calls.requests)


@dataclass(frozen=True)
class CollectedModel:
    """What became of a model: its answers where they are complete, otherwise the reason."""

    name: str
    state: CollectedState
    reason: str = ""
    transcript: Transcript | None = None


_Models = list[CollectedModel]
_Job = Callable[[], _Models]


class PanelWatch(Protocol):
    """Whoever shows a row for each model; called from several threads."""

    def begin(self, name: str, total: int, answered: int) -> None:
        """A model is asked from now on."""
        ...

    def advance(self, name: str) -> None:
        """An answer of a model is on file."""
        ...

    def end(self, model: CollectedModel) -> None:
        """A model is done, or left out."""
        ...


def plan_members(
    members: Sequence[PanelMember], suite: Suite, folder: Path
) -> tuple[MemberPlan, ...]:
    """Return what would be asked of each model; nobody is asked."""
    return tuple(_plan(member, suite, folder) for member in members)


def _plan(member: PanelMember, suite: Suite, folder: Path) -> MemberPlan:
    nothing = Plan((), 0)
    try:
        if member.subject.kind == "transcript":
            path = Path(member.subject.target)
            answered = len(_cut(read_transcript(path), suite).responses)
            return MemberPlan(member, path, Plan((), answered))
        identity = open_backend(member.subject, member.options).identity()
        path = folder / transcript_name(member.subject, identity, member.generation)
        check_chain(path)
        whole = plan(suite, identity, member.generation, None)
        calls = plan(suite, identity, member.generation, path)
        return MemberPlan(member, path, calls, "", charged(whole))
    except ForensicsError as error:
        return MemberPlan(member, folder, nothing, one_line(str(error), 300))


def charged(calls: Plan) -> Charge:
    """Return what calls are charged at most, nothing being repeated."""
    return Charge(len(calls.requests), calls.max_input_tokens, calls.max_output_tokens)


def collect_members(
    plans: Sequence[MemberPlan],
    suite: Suite,
    ledger: SpendingLedger,
    at_once: int,
    watch: PanelWatch,
) -> tuple[CollectedModel, ...]:
    """Ask all models what is still open; a model that fails leaves the others alone.

    Args:
        plans: of the models, as `plan_members` gave them.
        suite: the prompts, with their texts.
        ledger: holds the budget; open.
        at_once: how many endpoints are asked at once. Local models are asked in turn beside them.
        watch: is told of each model.

    Returns:
        what became of each model, in their order.

    Raises:
        KeyboardInterrupt: the user interrupted; answers so far are on file.
    """
    run = _Collection(suite, ledger, watch)
    remote = [plan_ for plan_ in plans if not plan_.member.is_local]
    local = [plan_ for plan_ in plans if plan_.member.is_local]
    jobs = [run.job([entry]) for entry in remote]
    by_name = {
        model.name: model
        for models in _side_by_side(
            [run.job(local), *jobs] if local else jobs, at_once + bool(local), ledger.stop
        )
        for model in models
    }
    return tuple(by_name[entry.member.name] for entry in plans)


@dataclass(frozen=True)
class _Collection:
    suite: Suite
    ledger: SpendingLedger
    watch: PanelWatch

    def job(self, plans: Sequence[MemberPlan]) -> _Job:
        """Return what asks models one after another."""
        return lambda: [self._finished(entry) for entry in plans]

    def _finished(self, entry: MemberPlan) -> CollectedModel:
        model = self._outcome(entry)
        self.watch.end(model)
        return model

    def _outcome(self, entry: MemberPlan) -> CollectedModel:
        name = entry.member.name
        if entry.failure:
            return CollectedModel(name, "failed", entry.failure)
        self.watch.begin(name, entry.total, entry.calls.answered)
        try:
            transcript = self._answers(entry)
            check_answered(entry.member.subject.spec, transcript)
        except BudgetReachedError:
            return CollectedModel(name, "budget", "the budget is reached")
        except StoppedError as error:
            return CollectedModel(name, "stopped", str(error))
        except ForensicsError as error:
            return CollectedModel(name, "failed", one_line(str(error), 300))
        return CollectedModel(name, "complete", "", transcript)

    def _answers(self, entry: MemberPlan) -> Transcript:
        member = entry.member
        if member.subject.kind == "transcript":
            return _cut(unbroken(read_transcript(entry.path)), self.suite)
        backend = open_backend(member.subject, member.options)
        if isinstance(backend, OpenAIBackend):
            backend.meter = self.ledger.meter(member.name, member.price)
        answers = collect(
            self.suite,
            member.subject,
            backend,
            member.generation,
            entry.path,
            lambda _: self.watch.advance(member.name),
        )
        return unbroken(answers)


def _cut(transcript: Transcript, suite: Suite) -> Transcript:
    hashes = {prompt.sha256 for prompt in suite.prompts}
    answers = tuple(r for r in transcript.responses if r.prompt.sha256 in hashes)
    if not answers:
        raise UsageError(
            f"{transcript.path} answers no prompt of suite {suite.name!r}; name the suite that "
            "was asked, or leave the model out"
        )
    return replace(transcript, responses=answers)


def asked_suite(suite: Suite, texts: Path | None) -> Suite:
    """Return a suite with the texts of its prompts, of which there must be enough for a cohort.

    Raises:
        UsageError: there are too few.
        MissingDependencyError: its texts are not here.
    """
    from forensics.cohorts.similarity import MIN_PROMPTS

    if len(suite.prompts) < MIN_PROMPTS:
        raise UsageError(
            f"a cohort needs {MIN_PROMPTS} prompts, and {len(suite.prompts)} of suite "
            f"{suite.name!r} are asked; raise limit or choose more categories"
        )
    return with_texts(suite, texts)


def _side_by_side(
    jobs: Sequence[_Job], threads: int, stop: Callable[[], None]
) -> Iterator[_Models]:
    """Run jobs in threads, and yield what they return as they end.

    The threads do not keep the program alive: what they write is whole at any time.
    """
    waiting: queue.SimpleQueue[_Job] = queue.SimpleQueue()
    arrived: queue.SimpleQueue[_Models | BaseException] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    workers = [
        threading.Thread(target=_work, args=(waiting, arrived), daemon=True)
        for _ in range(min(threads, len(jobs)))
    ]
    for worker in workers:
        worker.start()
    try:
        for _ in jobs:
            yield _next(arrived)
    except BaseException:
        # Nothing new is begun, and what is under way gets a moment.
        stop()
        _drop(waiting)
        end = time.monotonic() + _GRACE
        for worker in workers:
            worker.join(max(0.0, end - time.monotonic()))
        raise


def _work(
    waiting: queue.SimpleQueue[_Job], arrived: queue.SimpleQueue[_Models | BaseException]
) -> None:
    while True:
        try:
            job = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            arrived.put(job())
        except BaseException as error:
            arrived.put(error)


def _next(arrived: queue.SimpleQueue[_Models | BaseException]) -> _Models:
    while True:
        try:
            models = arrived.get(timeout=_LOOK_UP)
        except queue.Empty:
            continue
        if isinstance(models, BaseException):
            raise models
        return models


def _drop(waiting: queue.SimpleQueue[_Job]) -> None:
    with suppress(queue.Empty):
        while True:
            waiting.get_nowait()
