"""Names → what they mean now: subjects, controls, cohorts and suites, each once in a run.

What is resolved is passed on; nobody further down reads a name again, and nobody here prints.
Cohorts are arrays: their modules are loaded by whoever wants one, as asking alone needs none.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.errors import UsageError
from forensics.subjects.endpoints import named_subject
from forensics.subjects.subject import Subject, parse_subject
from forensics.suites.loading import load_suite, suite_names
from forensics.suites.suite import Suite
from forensics.transcripts.transcript import Transcript, ad_hoc_suite, read_transcript, unbroken
from forensics.workflows.callbacks import Progress
from forensics.workflows.foreign_files import foreign_subject
from forensics.workflows.settings import WITHOUT_COHORT, CompareSettings, Endpoints, Prompts

if TYPE_CHECKING:
    from forensics.cohorts.cohort import Cohort
    from forensics.cohorts.transferred import Transferred

DEFAULT_SUITE = "core"


def resolve_subject(spec: str, endpoints: Endpoints, progress: Progress) -> Subject:
    """Parse a subject; the endpoint options win over a file of endpoints.

    Another tool's file of answers becomes a transcript in the cache.

    Raises:
        UsageError: an unknown form, or an endpoint without an address.
        InputFileError: the file of endpoints cannot be read or is not valid.
    """
    named = named_subject(spec, endpoints.file, endpoints.base_url)
    if named is None:
        return foreign_subject(spec, progress) or parse_subject(
            spec, endpoints.base_url, endpoints.api_key_env
        )
    # The file may lie in somebody else's folder: say where answers, and the key, will be sought.
    progress.note(f"endpoint {named.name} is {named.subject.base_url} ({named.file})")
    return replace(
        named.subject,
        api=endpoints.api or named.subject.api,
        api_key_env=endpoints.api_key_env or named.subject.api_key_env,
    )


@dataclass(frozen=True)
class ResolvedSubject:
    """A subject, with what is read of it at most once.

    `allow_broken` takes a transcript whose hash chain is broken, `given` are the cohorts to look
    for a cohort's model in (every known one if there are none), and `transcript` is one that was
    read already.
    """

    subject: Subject
    allow_broken: bool = False
    given: tuple[Cohort, ...] = ()
    transcript: Transcript | None = None

    @property
    def is_live(self) -> bool:
        """Whether it can be asked: it is neither a transcript nor a cohort's model."""
        return self.subject.kind not in ("transcript", "cohort")

    @cached_property
    def recorded(self) -> Transcript:
        """The answers of a transcript.

        Raises:
            InputFileError: it cannot be read, or its hash chain is broken.
        """
        read = self.transcript or read_transcript(Path(self.subject.target))
        return unbroken(read, self.allow_broken)

    @cached_property
    def home(self) -> Cohort:
        """The cohort of a cohort's model.

        Raises:
            UsageError: no cohort has that model, or several do.
        """
        from forensics.cohorts.finding import find_model

        return find_model(self.subject.target, self.given)[0]

    def model_in(self, cohort: Cohort) -> str:
        """Return the name of a cohort's model in one cohort.

        Raises:
            UsageError: it has no such model.
        """
        from forensics.cohorts.finding import find_model

        return find_model(self.subject.target, (cohort,))[1]


Named = str | Transcript  # a subject's form as the user writes it, or answers that were read


def resolve(
    name: Named,
    endpoints: Endpoints,
    allow_broken: bool,
    progress: Progress,
    given: tuple[Cohort, ...] = (),
) -> ResolvedSubject:
    """Return what a subject's name means; see `ResolvedSubject` for the arguments.

    Raises:
        UsageError, InputFileError: see `resolve_subject`.
    """
    if isinstance(name, str):
        subject = resolve_subject(name, endpoints, progress)
        return ResolvedSubject(subject, allow_broken, given)
    where = name.path or name.name
    return ResolvedSubject(Subject(where, "transcript", where), allow_broken, given, name)


@dataclass(frozen=True)
class CohortChoice:
    """What likeness is judged against: a cohort that was named, none, or the one that fits best.

    `nothing` says that neither a cohort nor the calibration in its place is wanted.
    """

    named: Cohort | None = None
    nothing: bool = False

    @property
    def given(self) -> tuple[Cohort, ...]:
        """The cohorts to look for a cohort's model in.

        Raises:
            UsageError: none is wanted.
        """
        if self.nothing:
            from forensics.cohorts.finding import find_cohort

            return (find_cohort(WITHOUT_COHORT),)
        return (self.named,) if self.named is not None else ()

    def for_prompts(self, prompts: Collection[str]) -> Cohort | None:
        """Return the cohort that judges answers to prompts with these hashes, None without one."""
        if self.nothing or self.named is not None:
            return self.named
        from forensics.cohorts.finding import matching_cohort

        return matching_cohort(prompts)

    def transferred(self, cohort: Cohort | None) -> Transferred | None:
        """Return the calibration for prompts that no cohort answered, or was calibrated on."""
        if self.nothing or (cohort is not None and cohort.calibration is not None):
            return None
        from forensics.cohorts.transferred import shipped

        return shipped()


def cohort_choice(name: str | None) -> CohortChoice:
    """Return what a cohort's name, or file, means.

    Raises:
        UsageError: there is no such cohort.
        InputFileError: the file is no cohort.
    """
    if name == WITHOUT_COHORT:
        return CohortChoice(nothing=True)
    if not name:
        return CohortChoice()
    from forensics.cohorts.finding import find_cohort

    return CohortChoice(find_cohort(name))


@dataclass(frozen=True)
class SuiteChoice:
    """Which prompts are asked; a suite is read when it is first needed, and once.

    Of a suite that says how many prompts are usual so many are asked where none were chosen, unless
    `usual` is false.
    """

    prompts: Prompts
    usual: bool = True

    @cached_property
    def suite(self) -> Suite:
        """The prompts of the suite that was named, or of the default one, to be asked."""
        return self._asked(load_suite(self.prompts.suite or DEFAULT_SUITE))

    @cached_property
    def given(self) -> Suite | None:
        """The prompts of the suite that was named, none left out; None without one.

        Raises:
            UsageError: prompts were chosen of no suite.
        """
        if self.prompts.suite:
            return self._cut(load_suite(self.prompts.suite))
        if self.prompts.chosen:
            raise UsageError("--category and --limit need --suite here: two transcripts are given")
        return None

    def of_cohort(self, cohort: Cohort) -> Suite:
        """Return the prompts of the suite that was named, or of the cohort's, to be asked.

        A cohort that was collected notes which shipped suite its models were asked.
        """
        if self.prompts.suite:
            return self.suite
        shipped, noted = suite_names(), cohort.provenance.get("suite")
        if cohort.name in shipped or noted not in shipped:
            return self._asked(load_suite(cohort.name))
        suite = load_suite(str(noted))
        if self.prompts.every:
            return self._cut(suite)
        answered = {prompt.sha256 for prompt in cohort.prompts}
        prompts = tuple(prompt for prompt in suite.prompts if prompt.sha256 in answered)
        return self._cut(replace(suite, prompts=prompts))

    def out_of(self, suite: Suite) -> Suite:
        """Return what was chosen out of another suite."""
        return self._cut(suite)

    def _asked(self, suite: Suite) -> Suite:
        if self.prompts.every:
            return self._cut(suite)
        from forensics.cohorts.finding import weighed

        chosen = self.prompts.category or self.prompts.limit
        if self.usual and suite.usual and not chosen:
            return weighed(suite).select(limit=suite.usual)
        return self._cut(weighed(suite))

    def _cut(self, suite: Suite) -> Suite:
        return suite.select(self.prompts.category, self.prompts.limit)


@dataclass(frozen=True)
class Pair:
    """Two subjects to compare, what they are compared by, and the questioned one's own pasts."""

    known: ResolvedSubject
    questioned: ResolvedSubject
    controls: tuple[Subject, ...]
    cohort: CohortChoice
    suite: SuiteChoice
    bases: tuple[ResolvedSubject, ...] = ()

    @property
    def sides(self) -> tuple[ResolvedSubject, ResolvedSubject]:
        """Both, the known one first."""
        return self.known, self.questioned

    @property
    def members(self) -> list[ResolvedSubject]:
        """Those of both that are a cohort's models."""
        return [side for side in self.sides if side.subject.kind == "cohort"]


def resolve_pair(
    known: Named,
    questioned: Named,
    settings: CompareSettings,
    progress: Progress,
    cohort: Cohort | None = None,
) -> Pair:
    """Return what two subjects, and all that the settings name, mean now.

    Args:
        known: the known subject.
        questioned: the questioned subject.
        settings: with the names of controls, cohort and suite.
        progress: is told where a named endpoint is.
        cohort: one that was read already, instead of the one that the settings name.

    Raises:
        UsageError: a name means nothing, or a control is not a local model.
        InputFileError: the file of endpoints or a cohort cannot be read.
    """
    endpoints, allow = settings.endpoints, settings.asking.allow_broken
    first, second = (resolve(name, endpoints, allow, progress) for name in (known, questioned))
    controls = resolve_controls(settings, progress)
    choice = CohortChoice(cohort) if cohort is not None else cohort_choice(settings.analysis.cohort)
    bases = [resolve(name, endpoints, allow, progress) for name in settings.analysis.bases]
    sides = [first, second, *bases]
    if any(side.subject.kind == "cohort" for side in sides):
        first, second, *bases = (replace(side, given=choice.given) for side in sides)
    check_pasts(bases, first)
    suite = SuiteChoice(settings.prompts)
    return Pair(first, second, controls, choice, suite, tuple(bases))


def check_pasts(pasts: Sequence[ResolvedSubject], known: ResolvedSubject | None = None) -> None:
    """Make sure, before anything is asked, that a model's pasts are there and count once each.

    Args:
        pasts: a model's pasts, as named.
        known: who it may have changed towards.

    Raises:
        UsageError: a past is the known model itself, is named twice, or is in no cohort.
    """
    before: list[Subject] = []
    for past in pasts:
        subject = past.subject
        if subject.kind == "cohort":
            _ = past.home
        if known is not None and _is(subject, known.subject):
            raise UsageError(f"base {subject.spec} is the known model itself; name another past")
        if any(_is(subject, other) for other in before):
            raise UsageError(f"base {subject.spec} is named twice; name each past once")
        before.append(subject)


def _is(first: Subject, second: Subject) -> bool:
    return replace(first, spec="") == replace(second, spec="")


def resolve_controls(settings: CompareSettings, progress: Progress) -> tuple[Subject, ...]:
    """Return the local models to read token probabilities against.

    Raises:
        UsageError: one is not a local model.
    """
    from forensics.examination.token_probabilities import check_controls

    specs = settings.analysis.controls
    controls = tuple(resolve_subject(spec, settings.endpoints, progress) for spec in specs)
    check_controls(controls)
    return controls


def suite_for(sides: Sequence[ResolvedSubject], choice: SuiteChoice) -> tuple[Suite | None, Suite]:
    """Return (the suite the comparison is cut to, the suite live subjects are asked).

    Two transcripts are compared on all prompts they share unless a suite is named. A live subject
    beside a transcript is asked that transcript's own prompts, so that there is something to match.

    Raises:
        UsageError: prompts were chosen of no suite, or a transcript does not hold their text.
    """
    transcripts = [side for side in sides if side.subject.kind == "transcript"]
    if len(transcripts) == len(sides) and choice.given is not None:
        return choice.given, choice.given
    if choice.prompts.suite or not transcripts:
        return choice.suite, choice.suite
    answered = ad_hoc_suite(side.recorded for side in transcripts)
    if len(transcripts) == len(sides):
        return choice.given, answered
    askable = tuple(p for p in answered.prompts if p.messages)
    if not askable:
        raise UsageError(
            f"{transcripts[0].subject.spec} does not hold its prompts' text; name their suite "
            "with --suite"
        )
    chosen = choice.out_of(replace(answered, prompts=askable))
    return chosen, chosen
