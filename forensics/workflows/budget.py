"""What a run will ask, counted before anything is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from forensics.case.evidence import Tier
from forensics.examination.collect import Plan, plan, transcript_name
from forensics.examination.endpoint_probabilities import plan_probabilities
from forensics.examination.examined import PROBABILITIES, Need
from forensics.examination.first_token_probabilities import open_first_tokens
from forensics.examination.local_probabilities import open_passages
from forensics.examination.probability_values import LOCAL_KINDS
from forensics.examination.token_counting import plan_counts
from forensics.examination.token_probabilities import MAX_ANSWERS
from forensics.subjects.backends import open_backend
from forensics.subjects.subject import Subject
from forensics.suites.references import with_texts
from forensics.suites.suite import Suite
from forensics.workflows.asking_again import again
from forensics.workflows.asks import Ask
from forensics.workflows.observing import control_asking, controls_answer
from forensics.workflows.obtaining import needed
from forensics.workflows.resolving import Pair, ResolvedSubject, SuiteChoice, suite_for
from forensics.workflows.settings import Asking

if TYPE_CHECKING:
    from forensics.cohorts.cohort import Cohort
    from forensics.evidence.comparator import Comparator
    from forensics.transcripts.transcript import Transcript

Sides = Sequence[ResolvedSubject]
_OF_CONTROLS = "answers of controls"


@dataclass(frozen=True)
class Run:
    """What will be asked of whom.

    The subject is compared with every reference that is a model, and its relatives are sought in
    every one that is a cohort. `bases` are the subject's own pasts, `baseline` answers that it is
    asked for once more.
    """

    subject: ResolvedSubject
    references: tuple[ResolvedSubject | Cohort, ...]
    suite: SuiteChoice
    asking: Asking
    comparators: Sequence[Comparator[Any]] = ()
    tiers: tuple[Tier, ...] = ()
    controls: tuple[Subject, ...] = ()
    baseline: Transcript | None = None
    bases: tuple[ResolvedSubject, ...] = ()


def of_pair(
    pair: Pair, asking: Asking, comparators: Sequence[Comparator[Any]], tiers: tuple[Tier, ...]
) -> Run:
    """Return what comparing a pair asks."""
    run = Run(pair.questioned, (pair.known,), pair.suite, asking, comparators, tiers)
    return replace(run, controls=pair.controls, bases=pair.bases)


def asks(run: Run) -> list[Ask]:
    """Return what a run will ask of which model, at most; what no comparator needs is not."""
    counter = _Counter(run)
    counted = [*counter.answers(), *counter.token_counts(), *counter.control_answers()]
    counted += [*counter.scored_texts(), *counter.echoed_texts(), *counter.drift()]
    return [ask for ask in counted if ask.calls]


def of_plan(subject: Subject, what: str, todo: Plan) -> Ask:
    """Return the calls of one plan."""
    return _ask(subject, what, todo, set())


def would_obtain(subject: ResolvedSubject, suite: Suite, asking: Asking) -> list[Ask]:
    """Return what `obtain` would ask; nothing is asked.

    Raises:
        UsageError, BackendError: see `obtain`.
    """
    if not subject.is_live:
        return []
    identity = open_backend(subject.subject, asking.backend).identity()
    path = asking.folder / transcript_name(subject.subject, identity, asking.generation)
    todo = plan(with_texts(suite, asking.texts), identity, asking.generation, path)
    return [of_plan(subject.subject, "answers", todo)] if todo.requests else []


def would_ask_again(subject: ResolvedSubject, baseline: Transcript, asking: Asking) -> list[Ask]:
    """Return what asking a baseline's prompts once more asks: answers on file do not count.

    Raises:
        InputFileError: the baseline does not hold its prompts' text.
        BackendError: the subject cannot be asked.
    """
    if not subject.is_live:
        return []
    asking, suite = again(baseline, asking)
    identity = open_backend(subject.subject, asking.backend).identity()
    return [of_plan(subject.subject, "drift", plan(suite, identity, asking.generation, None))]


@dataclass(frozen=True)
class _Counter:
    run: Run

    @property
    def needs(self) -> frozenset[Need]:
        return needed(self.run.comparators)

    @property
    def asking(self) -> Asking:
        return self.run.asking

    def answers(self) -> Iterator[Ask]:
        """Count prompts to answer; a cohort is searched by answers whatever else is looked at."""
        seen: set[str] = set()
        for subject, suite in self._asked():
            filled = with_texts(suite, self.asking.texts)
            yield self._answers(subject, filled, self.asking, "answers", seen)

    def _answers(
        self, subject: Subject, suite: Suite, asking: Asking, what: str, seen: set[str]
    ) -> Ask:
        identity = open_backend(subject, asking.backend).identity()
        path = asking.folder / transcript_name(subject, identity, asking.generation)
        todo = plan(suite, identity, asking.generation, path)
        return _ask(subject, what, todo, seen)

    def _asked(self) -> Iterator[tuple[Subject, Suite]]:
        for reference in self.run.references:
            both = self._pair(reference)
            cohort = None if isinstance(reference, ResolvedSubject) else reference
            by_answers = cohort is not None or "cohort" in _kinds(both)
            if not ("answers" in self.needs or by_answers):
                continue
            live = [side for side in (*both, *self.run.bases) if side.is_live]
            if live:
                suite = self._suite(both, cohort)
                yield from ((side.subject, suite) for side in live)

    def _pair(self, reference: ResolvedSubject | Cohort) -> Sides:
        model = (reference,) if isinstance(reference, ResolvedSubject) else ()
        return (*model, self.run.subject)

    def _suite(self, sides: Sides, cohort: Cohort | None = None) -> Suite:
        members = [side for side in sides if side.subject.kind == "cohort"]
        if cohort is not None:
            return self.run.suite.of_cohort(cohort)
        if members:
            return self.run.suite.of_cohort(members[0].home)
        return suite_for(sides, self.run.suite)[1]

    def token_counts(self) -> Iterator[Ask]:
        """Count the prompts that tell an endpoint's tokenizer, where that tier was asked for."""
        if "token_counts" not in self.needs or "tokenizer" not in self.run.tiers:
            return
        seen: set[str] = set()
        for endpoint in self._endpoints():
            identity = open_backend(endpoint, self.asking.backend).identity()
            _, todo = plan_counts(endpoint, identity, self.asking.folder)
            yield _ask(endpoint, "token counts", todo, seen)

    def _endpoints(self) -> Iterable[Subject]:
        compared = (side.subject for pair in self._compared() for side in pair)
        return {subject.spec: subject for subject in compared if subject.kind == "openai"}.values()

    def _compared(self) -> Iterator[Sides]:
        """Yield the pairs that comparators see: of a cohort's model they have numbers only."""
        models = (
            reference for reference in self.run.references if isinstance(reference, ResolvedSubject)
        )
        pairs = (self._pair(model) for model in models)
        return (pair for pair in pairs if "cohort" not in _kinds(pair))

    def _read(self) -> Iterator[Sides]:
        """Yield the pairs of which one model's token probabilities, and all controls', are read."""
        seen = {*LOCAL_KINDS, *(("openai",) if self._echoes else ())}
        if self.run.controls and self.needs & PROBABILITIES:
            yield from (pair for pair in self._compared() if _kinds(pair) & seen)

    @property
    def _echoes(self) -> bool:
        """Whether endpoints are asked for token probabilities, which takes the tier's name."""
        asked = self.run.controls and "logprobs" in self.run.tiers
        return bool(asked and self.needs & PROBABILITIES)

    def echoed_texts(self) -> Iterator[Ask]:
        """Count the texts that endpoints are asked to echo; one that does not is asked for less."""
        seen: set[str] = set()
        for endpoint in self._endpoints() if self._echoes else ():
            *_, todo = plan_probabilities(endpoint, self.asking.backend, self.asking.folder)
            yield _ask(endpoint, "token probabilities", todo, seen)

    def _are_asked(self, pair: Sides) -> bool:
        asked = any(
            {"answers", "logprobs"} <= comparator.needs for comparator in self.run.comparators
        )
        return asked and controls_answer([side.subject for side in pair], self.run.controls)

    def _shown(self, pair: Sides) -> Suite:
        """Return the prompts whose answers are read, where both models answer every one."""
        suite = with_texts(self._suite(pair), self.asking.texts)
        first = sorted(suite.prompts, key=lambda prompt: prompt.sha256)[:MAX_ANSWERS]
        return replace(suite, prompts=tuple(first))

    def control_answers(self) -> Iterator[Ask]:
        """Count what controls answer, where there are enough of them to be asked."""
        seen: set[str] = set()
        asking = control_asking(self.asking)
        for pair in filter(self._are_asked, self._read()):
            for control in self.run.controls:
                yield self._answers(control, self._shown(pair), asking, _OF_CONTROLS, seen)

    def scored_texts(self) -> Iterator[Ask]:
        """Count the texts whose token probabilities local models will be asked for."""
        texts: Counter[str] = Counter()
        begun = self._may_not_echo()
        models: dict[str, Subject] = {}
        controls = self.run.controls
        for pair in self._read():
            writers = len(pair) + (len(controls) if self._are_asked(pair) else 0)
            answers = len(self._shown(pair).prompts) if "answers" in self.needs else 0
            for model in (*(side.subject for side in pair), *controls):
                if model.kind in LOCAL_KINDS:
                    models[model.spec] = model
                    texts[model.spec] += writers * answers
        for spec, model in models.items():
            fixed = open_passages(model, self.asking.backend)
            fixed += open_first_tokens(model, self.asking.backend) if begun else 0
            yield Ask(spec, "token probabilities", texts[spec] + fixed, 0)

    def _may_not_echo(self) -> bool:
        """Tell whether first tokens may have to stand in for passages.

        They do where an endpoint did not echo the first passage: it then gets no more calls than
        for passages, which are counted. What local models read comes on top.
        """
        if not self._echoes or "first_tokens" not in self.needs:
            return False
        asking = self.asking
        return any(
            plan_probabilities(subject, asking.backend, asking.folder)[2].requests
            for subject in self._endpoints()
        )

    def drift(self) -> Iterator[Ask]:
        """Count the baseline's prompts: their answers are always fresh."""
        if self.run.baseline is not None:
            yield from would_ask_again(self.run.subject, self.run.baseline, self.asking)


def _ask(subject: Subject, what: str, todo: Plan, seen: set[str]) -> Ask:
    """Return the calls of a plan that are in no plan before it."""
    fresh = [request for request in todo.requests if request.key not in seen]
    seen.update(request.key for request in fresh)
    open_calls = replace(todo, requests=tuple(fresh))
    return Ask(
        subject.spec,
        what,
        len(fresh),
        open_calls.max_output_tokens,
        open_calls.max_input_tokens,
        subject.kind not in LOCAL_KINDS,
    )


def _kinds(sides: Sides) -> set[str]:
    return {side.subject.kind for side in sides}
