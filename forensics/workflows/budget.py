"""What a check will ask, counted before anything is asked, and held to its policy's budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from forensics.cohorts.finding import find_cohort, find_model
from forensics.errors import UsageError
from forensics.evidence import Comparator
from forensics.examination.collect import Plan, plan, transcript_name
from forensics.examination.endpoint_probabilities import plan_probabilities
from forensics.examination.examined import PROBABILITIES, Need
from forensics.examination.first_tokens import open_first_tokens
from forensics.examination.local_probabilities import open_passages
from forensics.examination.probability_values import LOCAL_KINDS
from forensics.examination.token_counts import plan_counts
from forensics.examination.token_probabilities import MAX_ANSWERS
from forensics.policy.drift import read_baseline
from forensics.policy.model import Budget, Policy, ReferenceEntry
from forensics.subjects.backends import open_backend
from forensics.subjects.subject import Subject
from forensics.suites.loading import load_suite
from forensics.suites.references import with_texts
from forensics.suites.suite import Suite
from forensics.workflows.asking_again import again
from forensics.workflows.obtaining import (
    Asking,
    asking_from,
    control_asking,
    controls_answer,
    subject_from,
    suite_for,
)

_RECORDED = ("transcript", "cohort")


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


def asks(
    policy: Policy,
    subject: Subject,
    options: dict[str, Any],
    comparators: Sequence[Comparator[Any]],
) -> list[Ask]:
    """Return what a check will ask of which model, at most.

    Args:
        policy: with the references.
        subject: who is checked.
        options: how it is asked.
        comparators: that will run; what none of them needs is not asked.
    """
    needs = tuple(one.needs for one in comparators)
    counter = _Counter(policy, subject, options, needs)
    found = [*counter.answers(), *counter.token_counts(), *counter.control_answers()]
    found += [*counter.scored_texts(), *counter.echoed_texts(), *counter.drift()]
    return [one for one in found if one.calls]


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
    policy: Policy
    subject: Subject
    options: dict[str, Any]
    each_needs: tuple[frozenset[Need], ...]

    @property
    def needs(self) -> frozenset[Need]:
        return frozenset[Need]().union(*self.each_needs)

    @property
    def asking(self) -> Asking:
        return asking_from(self.options)

    def answers(self) -> Iterator[Ask]:
        """Count prompts to answer; a cohort is searched by answers whatever else is looked at."""
        seen: set[str] = set()
        for one, suite in self._asked():
            identity = open_backend(one, self.asking.options).identity()
            path = self.asking.folder / transcript_name(one, identity, self.asking.settings)
            told = with_texts(suite, self.asking.texts)
            yield _ask(one, "answers", plan(told, identity, self.asking.settings, path), seen)

    def _asked(self) -> Iterator[tuple[Subject, Suite]]:
        for entry in self.policy.against:
            both = self._pair(entry)
            if not ("answers" in self.needs or entry.cohort or _kinds(both) & {"cohort"}):
                continue
            live = [one for one in both if one.kind not in _RECORDED]
            if live:
                suite = self._suite(both, entry.cohort)
                yield from ((one, suite) for one in live)

    def _pair(self, entry: ReferenceEntry) -> list[Subject]:
        reference = [subject_from(entry.subject, self.options)] if entry.subject else []
        return [*reference, self.subject]

    def _suite(self, subjects: list[Subject], cohort: str | None) -> Suite:
        members = [one for one in subjects if one.kind == "cohort"]
        if not members and cohort is None:
            return suite_for(subjects, self.options)[1]
        found = find_cohort(cohort) if cohort else find_model(members[0].target)[0]
        suite = load_suite(self.options["suite_name"] or found.name)
        return suite.select(self.options["category"], self.options["limit"])

    def token_counts(self) -> Iterator[Ask]:
        """Count the prompts that tell an endpoint's tokenizer, where that tier was asked for."""
        if "token_counts" not in self.needs or "tokenizer" not in self.options["tiers"]:
            return
        seen: set[str] = set()
        for one in self._endpoints():
            identity = open_backend(one, self.asking.options).identity()
            _, todo = plan_counts(one, identity, self.asking.folder)
            yield _ask(one, "token counts", todo, seen)

    def _endpoints(self) -> Iterable[Subject]:
        compared = (one for pair in self._compared() for one in pair)
        return {one.spec: one for one in compared if one.kind == "openai"}.values()

    def _compared(self) -> Iterator[list[Subject]]:
        """Yield the pairs that comparators see: of a cohort's model they have numbers only."""
        pairs = (self._pair(entry) for entry in self.policy.against if entry.subject)
        return (pair for pair in pairs if "cohort" not in _kinds(pair))

    @property
    def controls(self) -> list[Subject]:
        return [subject_from(spec, self.options) for spec in self.options["controls"]]

    def _read(self) -> Iterator[list[Subject]]:
        """Yield the pairs of which one model's token probabilities, and all controls', are read."""
        seen = {*LOCAL_KINDS, *(("openai",) if self._echoes else ())}
        if self.controls and self.needs & PROBABILITIES:
            yield from (pair for pair in self._compared() if _kinds(pair) & seen)

    @property
    def _echoes(self) -> bool:
        """Whether endpoints are asked for token probabilities, which takes the tier's name."""
        asked = self.controls and "logprobs" in self.options["tiers"]
        return bool(asked and self.needs & PROBABILITIES)

    def echoed_texts(self) -> Iterator[Ask]:
        """Count the texts that endpoints are asked to echo; one that does not is asked for less."""
        seen: set[str] = set()
        for one in self._endpoints() if self._echoes else ():
            *_, todo = plan_probabilities(one, self.asking.options, self.asking.folder)
            yield _ask(one, "token probabilities", todo, seen)

    def _are_asked(self, pair: list[Subject]) -> bool:
        asks = any({"answers", "logprobs"} <= needs for needs in self.each_needs)
        return asks and controls_answer(pair, self.controls)

    def _shown(self, pair: list[Subject]) -> Suite:
        """Return the prompts whose answers are read, where both models answer every one."""
        suite = with_texts(self._suite(pair, None), self.asking.texts)
        first = sorted(suite.prompts, key=lambda prompt: prompt.sha256)[:MAX_ANSWERS]
        return replace(suite, prompts=tuple(first))

    def control_answers(self) -> Iterator[Ask]:
        """Count what controls answer, where there are enough of them to be asked."""
        seen: set[str] = set()
        asking = control_asking(self.asking)
        for pair in filter(self._are_asked, self._read()):
            for one in self.controls:
                identity = open_backend(one, asking.options).identity()
                path = asking.folder / transcript_name(one, identity, asking.settings)
                todo = plan(self._shown(pair), identity, asking.settings, path)
                yield _ask(one, "answers of controls", todo, seen)

    def scored_texts(self) -> Iterator[Ask]:
        """Count the texts whose token probabilities local models will be asked for."""
        texts: Counter[str] = Counter()
        begun = self._may_not_echo()
        models: dict[str, Subject] = {}
        for pair in self._read():
            writers = len(pair) + (len(self.controls) if self._are_asked(pair) else 0)
            answers = len(self._shown(pair).prompts) if "answers" in self.needs else 0
            for one in (*pair, *self.controls):
                if one.kind in LOCAL_KINDS:
                    models[one.spec] = one
                    texts[one.spec] += writers * answers
        for spec, one in models.items():
            fixed = open_passages(one, self.asking.options)
            fixed += open_first_tokens(one, self.asking.options) if begun else 0
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
            plan_probabilities(one, asking.options, asking.folder)[2].requests
            for one in self._endpoints()
        )

    def drift(self) -> Iterator[Ask]:
        """Count the baseline's prompts: their answers are always fresh."""
        rule = self.policy.rules.drift
        if rule is None or self.subject.kind in _RECORDED:
            return
        asking, suite = again(read_baseline(Path(rule.baseline)), self.options)
        identity = open_backend(self.subject, asking.options).identity()
        yield _ask(self.subject, "drift", plan(suite, identity, asking.settings, None), set())


def _ask(subject: Subject, what: str, todo: Plan, seen: set[str]) -> Ask:
    """Return the calls of a plan that are in no plan before it."""
    fresh = [request for request in todo.requests if request.key not in seen]
    seen.update(request.key for request in fresh)
    return Ask(subject.spec, what, len(fresh), sum(request.max_tokens for request in fresh))


def _kinds(subjects: Iterable[Subject]) -> set[str]:
    return {one.kind for one in subjects}
