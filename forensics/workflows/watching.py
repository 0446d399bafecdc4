"""One look at a watched endpoint: a few calls, and what they prove with all calls before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forensics.errors import BackendError, InputFileError, UsageError
from forensics.evidence.watching.watch_report import WatchReport
from forensics.policy.drift import TEMPERATURE_REFUSED, read_baseline
from forensics.subjects.backends import open_backend
from forensics.subjects.backends.backend import Backend, Request, request_key
from forensics.suites.suite import Prompt
from forensics.support.clock import now
from forensics.support.version import VERSION
from forensics.transcripts.transcript import Response, Transcript
from forensics.workflows.asking_again import again
from forensics.workflows.asks import Ask, announce
from forensics.workflows.callbacks import Progress
from forensics.workflows.resolving import ResolvedSubject
from forensics.workflows.settings import Asking, WatchSettings
from forensics.workflows.watch_state import WatchCall, WatchHead, WatchState

if TYPE_CHECKING:
    from forensics.evidence.watching.bets import Draw
    from forensics.evidence.watching.watch_reference import WatchReference
    from forensics.evidence.watching.watch_standing import WatchStanding

DEFAULT_LEVEL = 0.01
_SAVE = "save one with forensics baseline save --watch"
_COUNTED = ("ok", "truncated")


@dataclass(frozen=True)
class Watch:
    """What a look is made with: prompts by hash, and how and of whom they are asked."""

    subject: ResolvedSubject
    baseline: Transcript
    reference: WatchReference
    prompts: Mapping[str, Prompt]
    asking: Asking
    backend: Backend
    settings: WatchSettings

    @property
    def first_sample(self) -> int:
        """The number of the first new draw: no seed of the baseline is used again."""
        return max(response.sample for response in self.baseline.responses) + 1

    @property
    def head(self) -> WatchHead:
        """What a watch that begins now writes first."""
        level = self.settings.level or DEFAULT_LEVEL
        identity = dict(self.backend.identity())
        return WatchHead(self.baseline.sha256, identity, level, now(), VERSION)

    def requests(self, first: int, count: int) -> dict[str, tuple[int, Request]]:
        """Return calls by their key, with their numbers."""
        generation, identity = self.asking.generation, self.backend.identity()
        made = {}
        for call in range(first, first + count):
            prompt = self.prompts[self.reference.prompt_of(call).sha256]
            sample = self.first_sample + call
            key = request_key(identity, generation, prompt, sample)
            made[key] = (call, Request(prompt, sample, generation.tokens_for(prompt), key))
        return made


def prepare_watch(subject: ResolvedSubject, settings: WatchSettings) -> Watch:
    """Read the baseline and check that it can be watched; nobody is asked.

    Raises:
        InputFileError: the baseline is damaged, or cannot tell a change.
        UsageError: the subject cannot be asked.
    """
    from forensics.evidence.watching.watch_reference import learn

    if not subject.is_live:
        raise UsageError(f"{subject.subject.spec} cannot be asked; name a model or an endpoint")
    baseline = read_baseline(settings.baseline, settings.asking.allow_broken)
    draws = _stored_draws(baseline)
    reference = learn(draws, baseline.sha256)
    _check_reference(baseline, draws, reference)
    asking, suite = again(baseline, settings.asking)
    prompts = {prompt.sha256: prompt for prompt in suite.prompts}
    backend = open_backend(subject.subject, asking.backend)
    return Watch(subject, baseline, reference, prompts, asking, backend, settings)


def _stored_draws(baseline: Transcript) -> dict[str, list[str]]:
    draws: dict[str, list[str]] = {}
    for response in sorted(baseline.responses, key=lambda r: r.sample):
        if response.status in _COUNTED:
            draws.setdefault(response.prompt.sha256, []).append(response.text)
    return draws


def _check_reference(
    baseline: Transcript, draws: Mapping[str, Sequence[str]], reference: WatchReference
) -> None:
    from forensics.evidence.watching.watch_reference import MIN_PROMPTS, MIN_SAMPLES

    path = baseline.path
    if sum(len(texts) >= MIN_SAMPLES for texts in draws.values()) < MIN_PROMPTS:
        raise InputFileError(
            f"{path} cannot be watched: at least {MIN_PROMPTS} prompts with {MIN_SAMPLES} answers "
            f"each are needed; {_SAVE}"
        )
    texts = [text for answers in draws.values() for text in answers]
    if 2 * sum(not text.strip() for text in texts) > len(texts):
        raise InputFileError(
            f"{path} cannot be watched: most answers are empty; raise --max-tokens and {_SAVE}"
        )
    if all(len(set(answers)) == 1 for answers in draws.values()):
        raise InputFileError(
            f"{path} cannot be watched: its answers never vary (temperature 0, or a cache), so "
            f"asking again tells nothing new; {_SAVE}, or use forensics baseline compare"
        )
    if len(reference.prompts) < MIN_PROMPTS:
        raise InputFileError(
            f"{path} cannot be watched: answers to {len(reference.prompts)} prompts repeat often "
            f"enough, {MIN_PROMPTS} are needed; save one with a lower --temperature"
        )


def would_look(watch: Watch) -> list[Ask]:
    """Return what a look asks at most; nothing is asked."""
    requests = [request for _, request in watch.requests(0, watch.settings.calls).values()]
    size = sum(
        len(message.content.encode("utf-8", "surrogatepass")) + 64
        for request in requests
        for message in request.prompt.messages
    )
    tokens = sum(request.max_tokens for request in requests)
    subject = watch.subject.subject
    wired = subject.kind not in ("hf", "gguf", "demo")
    return [Ask(subject.spec, "one look", len(requests), tokens, size, wired)]


@contextmanager
def look(watch: Watch, progress: Progress) -> Iterator[WatchReport]:
    """Make one look; give what it reports, and note afterwards that this was reported.

    A finding that nobody got to read is thus reported as new by the next look.

    Raises:
        UsageError: another look is under way, or the state is of another watch.
        InputFileError: the state is damaged, or the baseline was changed since.
        BackendError: no call was answered, or the endpoint takes other settings than it did.
    """
    with WatchState(watch.settings.state) as state:
        _check_head(watch, state)
        done = len(state.calls)
        if not state.reported:
            failure = _ask(watch, state, progress)
        report = _report(watch, state, done)
        if not state.reported and report.verdict == "same" and failure:
            raise failure
        yield report
        if report.exit_code:
            state.mark_reported(now())


def _check_head(watch: Watch, state: WatchState) -> None:
    if state.head is None:
        state.begin(watch.head)
        return
    path, head = state.path, state.head
    if head.baseline_sha256 != watch.baseline.sha256:
        raise InputFileError(
            f"{watch.baseline.path} was changed since {path} began; restore it, or move {path} "
            "away to begin a new watch"
        )
    if dict(head.identity) != dict(watch.backend.identity()):
        raise UsageError(
            f"{path} watches another subject or address than {watch.subject.subject.spec}; name "
            "another file with --state"
        )
    if watch.settings.level not in (None, head.level):
        raise UsageError(
            f"{path} began with --level {head.level:g}, which cannot be changed on the way; leave "
            "it out, or move the file away to begin a new watch"
        )


def _ask(watch: Watch, state: WatchState, progress: Progress) -> BackendError | None:
    """Make the look's calls, a few at a time, until the limit is crossed."""
    left = watch.settings.calls
    name = watch.subject.subject.name
    asked: list[WatchCall] = []
    if _standing(watch, state).crossed:
        return None  # a look was killed between its last call and its report
    with progress.answers(name, left, 0) as tick:
        while left:
            batch = min(left, watch.asking.backend.concurrency)
            before = len(state.calls)
            try:
                _ask_batch(watch, state, batch, tick)
            except BackendError as error:
                return error
            asked += state.calls[before:]
            left -= batch
            if _standing(watch, state).crossed:
                return None
    if asked and not any(call.counted for call in asked):
        return BackendError(
            f"{watch.subject.subject.spec}: none of {len(asked)} calls was answered "
            f"({asked[0].status}); nothing was counted"
        )
    return None


def _ask_batch(watch: Watch, state: WatchState, count: int, tick: Any) -> None:
    requests = watch.requests(state.next_call, count)
    refused = TEMPERATURE_REFUSED in watch.baseline.manifests[0].notes
    other_settings = False

    def sink(response: Response) -> None:
        nonlocal other_settings
        call, _ = requests[response.key or ""]
        raw = response.raw if isinstance(response.raw, dict) else {}
        differs = ("temperature" in (raw.get("dropped_parameters") or ())) != refused
        counted = response.status in _COUNTED and not differs
        other_settings |= differs and response.status in _COUNTED
        state.add(
            WatchCall(
                call,
                response.prompt.sha256,
                response.text,
                response.status,
                counted,
                response.completed_at or "",
                response.model or "",
            )
        )
        tick(response)

    watch.backend.answer(
        [request for _, request in requests.values()], watch.asking.generation, sink
    )
    if other_settings:
        when = "now" if refused else "no longer"
        raise BackendError(
            f"{watch.subject.subject.spec} takes the temperature {when}, unlike when the baseline "
            "was saved; its answers were not counted: save a new baseline"
        )


def _draws(watch: Watch, state: WatchState) -> list[Draw]:
    from forensics.evidence.watching.bets import Draw

    draws: dict[int, Draw] = {}
    for call in sorted(state.calls, key=lambda c: c.call):
        prompt = watch.reference.prompt_of(call.call)
        if call.prompt_sha256 != prompt.sha256:
            raise InputFileError(
                f"{state.path}: call {call.call} asked another prompt than it should have; move "
                "the file away to begin a new watch"
            )
        if call.counted:
            draws.setdefault(call.call, Draw(call.call, prompt, call.text))
    return list(draws.values())


def _standing(watch: Watch, state: WatchState) -> WatchStanding:
    from forensics.evidence.watching.watch_standing import standing

    level = state.head.level if state.head else DEFAULT_LEVEL
    return standing(watch.reference, _draws(watch, state), level)


def _report(watch: Watch, state: WatchState, done: int) -> WatchReport:
    stands = _standing(watch, state)
    level = state.head.level if state.head else DEFAULT_LEVEL
    different = stands.crossed is not None
    asked = state.calls[done:]
    reference = watch.reference
    return WatchReport(
        subject=watch.subject.subject.spec,
        baseline=str(watch.baseline.path),
        state=str(state.path),
        verdict="different" if different else "same",
        exit_code=int(different and not state.reported),
        level=level,
        limit=1 / level,
        prompts=len(reference.prompts),
        calls=stands.draws,
        asked=len(asked),
        failed=sum(not call.counted for call in asked),
        strange=stands.strange,
        strange_expected=reference.strange / reference.tested,
        e_value=stands.e_value,
        p_value=stands.p_value,
        found_after=stands.crossed,
        reported_before=state.reported,
        share=stands.share,
        notes=tuple(_notes(watch, state, stands)),
    )


def _notes(watch: Watch, state: WatchState, stands: WatchStanding) -> Iterator[str]:
    if stands.fresh is False:
        yield (
            "the same prompt gets the same answer again and again, though answers varied in the "
            "baseline (a cache, or a fixed temperature): only first answers count"
        )
    before = sorted({r.model for r in watch.baseline.responses if r.model})
    after = sorted({call.model for call in state.calls if call.model})
    if before and after and before != after:
        yield f"the endpoint's model name was {', '.join(before)} and is {', '.join(after)}"
    if watch.baseline.broken:
        yield f"the hash chain of the baseline is broken ({watch.baseline.broken})"


def announce_look(watch: Watch, progress: Progress) -> None:
    """Say what a look will ask, and refuse what may not be.

    Raises:
        UsageError: it is more than the limits that were given.
    """
    announce(would_look(watch), watch.settings.spending, progress)
