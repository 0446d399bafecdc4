"""What a check will ask, counted before anything is asked, and held to its policy's budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from forensics.cohorts.cohort import Cohort
from forensics.errors import UsageError
from forensics.examination.collect import Plan, plan, transcript_name
from forensics.examination.endpoint_probabilities import plan_probabilities
from forensics.examination.examined import PROBABILITIES, Need
from forensics.examination.first_token_probabilities import open_first_tokens
from forensics.examination.local_probabilities import open_passages
from forensics.examination.probability_values import LOCAL_KINDS
from forensics.examination.token_counting import plan_counts
from forensics.examination.token_probabilities import MAX_ANSWERS
from forensics.policy.model import Budget
from forensics.subjects.backends import open_backend
from forensics.subjects.subject import Subject
from forensics.suites.references import with_texts
from forensics.suites.suite import Suite
from forensics.workflows.asking_again import again
from forensics.workflows.observing import control_asking, controls_answer
from forensics.workflows.obtaining import needed
from forensics.workflows.policy_run import PolicyRun, ResolvedReference
from forensics.workflows.resolving import ResolvedSubject, suite_for
from forensics.workflows.settings import Asking

Sides = Sequence[ResolvedSubject]
_OF_CONTROLS = "answers of controls"


@dataclass(frozen=True)
class Ask:
    """What one model will be asked: prompts to answer, or texts to score, and what for.

    What is on file already is not asked again and not counted; nor is a call that an endpoint
    refuses and that is repeated.
    """

    model: str
    what: str
    calls: int
    output_tokens: int


def asks(run: PolicyRun) -> list[Ask]:
    """Return what a check will ask of which model, at most; what no comparator needs is not."""
    counter = _Counter(run)
    counted = [*counter.answers(), *counter.token_counts(), *counter.control_answers()]
    counted += [*counter.scored_texts(), *counter.echoed_texts(), *counter.drift()]
    return [one for one in counted if one.calls]


def check_budget(budget: Budget, found: Sequence[Ask]) -> None:
    """Refuse a check that would ask more than its policy allows.

    Args:
        budget: the policy's.
        found: see `asks`.

    Raises:
        UsageError: it would; the message has the figures.
    """
    calls = sum(one.calls for one in found)
    tokens = sum(one.output_tokens for one in found)
    if budget.max_calls is not None and calls > budget.max_calls:
        raise UsageError(
            f"this check would make {calls} calls{_shares(found)}, and budget.max_calls is "
            f"{budget.max_calls}; lower limit or samples, leave out tiers, or raise it"
        )
    if budget.max_output_tokens is not None and tokens > budget.max_output_tokens:
        raise UsageError(
            f"this check may ask for {tokens} answer tokens, and budget.max_output_tokens is "
            f"{budget.max_output_tokens}; lower limit, samples or max_tokens, or raise it"
        )


def _shares(found: Sequence[Ask]) -> str:
    """Return how many calls are for what, where they are for several things."""
    sums: dict[str, int] = {}
    for one in found:
        sums[one.what] = sums.get(one.what, 0) + one.calls
    if len(sums) < 2:
        return ""
    return f" ({', '.join(f'{calls} for {what}' for what, calls in sums.items())})"


def described(found: Sequence[Ask]) -> list[str]:
    """Return what will be asked in lines, the sum last."""
    calls, tokens = (sum(getattr(one, name) for one in found) for name in _FIGURES)
    return [
        *(
            f"{one.model}: {one.calls} calls for {one.what}, at most {one.output_tokens} answer "
            "tokens"
            for one in found
        ),
        f"{calls} calls in all, at most {tokens} answer tokens",
    ]


_FIGURES = ("calls", "output_tokens")


@dataclass(frozen=True)
class _Counter:
    run: PolicyRun

    @property
    def needs(self) -> frozenset[Need]:
        return needed(self.run.comparators)

    @property
    def asking(self) -> Asking:
        return self.run.settings.asking

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
            by_answers = reference.cohort is not None or "cohort" in _kinds(both)
            if not ("answers" in self.needs or by_answers):
                continue
            live = [side for side in both if side.is_live]
            if live:
                suite = self._suite(both, reference.cohort)
                yield from ((side.subject, suite) for side in live)

    def _pair(self, reference: ResolvedReference) -> Sides:
        sides = (reference.model, self.run.subject)
        return [side for side in sides if side is not None]

    def _suite(self, sides: Sides, cohort: Cohort | None = None) -> Suite:
        members = [side for side in sides if side.subject.kind == "cohort"]
        if cohort is not None:
            return self.run.suite.of_cohort(cohort)
        if members:
            return self.run.suite.of_cohort(members[0].home)
        return suite_for(sides, self.run.suite)[1]

    def token_counts(self) -> Iterator[Ask]:
        """Count the prompts that tell an endpoint's tokenizer, where that tier was asked for."""
        if "token_counts" not in self.needs or "tokenizer" not in self.run.policy.tiers:
            return
        seen: set[str] = set()
        for endpoint in self._endpoints():
            identity = open_backend(endpoint, self.asking.backend).identity()
            _, todo = plan_counts(endpoint, identity, self.asking.folder)
            yield _ask(endpoint, "token counts", todo, seen)

    def _endpoints(self) -> Iterable[Subject]:
        compared = (side.subject for pair in self._compared() for side in pair)
        return {one.spec: one for one in compared if one.kind == "openai"}.values()

    def _compared(self) -> Iterator[Sides]:
        """Yield the pairs that comparators see: of a cohort's model they have numbers only."""
        pairs = (self._pair(one) for one in self.run.references if one.model is not None)
        return (pair for pair in pairs if "cohort" not in _kinds(pair))

    def _read(self) -> Iterator[Sides]:
        """Yield the pairs of which one model's token probabilities, and all controls', are read."""
        seen = {*LOCAL_KINDS, *(("openai",) if self._echoes else ())}
        if self.run.controls and self.needs & PROBABILITIES:
            yield from (pair for pair in self._compared() if _kinds(pair) & seen)

    @property
    def _echoes(self) -> bool:
        """Whether endpoints are asked for token probabilities, which takes the tier's name."""
        asked = self.run.controls and "logprobs" in self.run.policy.tiers
        return bool(asked and self.needs & PROBABILITIES)

    def echoed_texts(self) -> Iterator[Ask]:
        """Count the texts that endpoints are asked to echo; one that does not is asked for less."""
        seen: set[str] = set()
        for endpoint in self._endpoints() if self._echoes else ():
            *_, todo = plan_probabilities(endpoint, self.asking.backend, self.asking.folder)
            yield _ask(endpoint, "token probabilities", todo, seen)

    def _are_asked(self, pair: Sides) -> bool:
        asked = any({"answers", "logprobs"} <= one.needs for one in self.run.comparators)
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
            plan_probabilities(one, asking.backend, asking.folder)[2].requests
            for one in self._endpoints()
        )

    def drift(self) -> Iterator[Ask]:
        """Count the baseline's prompts: their answers are always fresh."""
        subject, baseline = self.run.subject, self.run.baseline
        if baseline is None or not subject.is_live:
            return
        asking, suite = again(baseline, self.asking)
        identity = open_backend(subject.subject, asking.backend).identity()
        todo = plan(suite, identity, asking.generation, None)
        yield _ask(subject.subject, "drift", todo, set())


def _ask(subject: Subject, what: str, todo: Plan, seen: set[str]) -> Ask:
    """Return the calls of a plan that are in no plan before it."""
    fresh = [request for request in todo.requests if request.key not in seen]
    seen.update(request.key for request in fresh)
    return Ask(subject.spec, what, len(fresh), sum(request.max_tokens for request in fresh))


def _kinds(sides: Sides) -> set[str]:
    return {side.subject.kind for side in sides}
