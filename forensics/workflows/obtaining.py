"""Subject → transcript, for every verb that needs answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.errors import UsageError
from forensics.examination.collect import collect, plan, transcript_name
from forensics.subjects.backends import open_backend
from forensics.subjects.backends.base import BackendOptions, GenerationSettings
from forensics.subjects.endpoints import named_subject
from forensics.subjects.subject import Subject, parse_subject
from forensics.suites.loading import load_suite
from forensics.suites.references import with_texts
from forensics.suites.suite import Suite
from forensics.transcripts.transcript import (
    Transcript,
    ad_hoc_suite,
    check_chain,
    read_transcript,
    unbroken,
)
from forensics.workflows.progress import answer_bar, note
from forensics.workflows.settings import backend_options_from, settings_from

if TYPE_CHECKING:
    from forensics.evidence.base import Comparator
    from forensics.examination.examined import Examined
    from forensics.examination.first_tokens import FirstTokens


@dataclass(frozen=True)
class Asking:
    """How subjects are asked in this run."""

    settings: GenerationSettings
    options: BackendOptions
    folder: Path
    texts: Path | None = None
    allow_broken: bool = False


def asking_from(options: dict[str, Any]) -> Asking:
    """Return how subjects are asked, from a verb's generation and backend options."""
    return Asking(
        settings_from(options),
        backend_options_from(options),
        options["folder"],
        options["suite_text"],
        bool(options.get("allow_broken")),
    )


def chosen_suite(options: dict[str, Any], default: str | None = "core") -> Suite | None:
    """Return the suite that the options choose; None when none is chosen and none is default."""
    name = options["suite_name"] or default
    if name is None:
        if options["category"] or options["limit"]:
            raise UsageError("--category and --limit need --suite here: two transcripts are given")
        return None
    return load_suite(name).select(options["category"], options["limit"])


def collect_answers(
    subject: Subject, suite: Suite, asking: Asking, path: Path | None = None
) -> Transcript:
    """Ask a subject what is still open, with a progress bar; return all its answers."""
    suite = with_texts(suite, asking.texts)
    backend = open_backend(subject, asking.options)
    identity = backend.identity()
    path = path or asking.folder / transcript_name(subject, identity, asking.settings)
    if not asking.allow_broken:
        check_chain(path)
    todo = plan(suite, identity, asking.settings, path)
    total = todo.answered + len(todo.requests)
    if todo.answered:
        note(f"{subject.name}: {todo.answered} of {total} answers are on file in {path}")
    with answer_bar(subject.name, total, todo.answered) as tick:
        answers = collect(suite, subject, backend, asking.settings, path, tick)
    return unbroken(answers, asking.allow_broken)


def obtain(subject: Subject, suite: Suite, asking: Asking) -> Transcript:
    """Read a transcript subject; collect any other."""
    if subject.kind == "transcript":
        return unbroken(read_transcript(Path(subject.target)), asking.allow_broken)
    return collect_answers(subject, suite, asking)


def examine(
    subjects: Sequence[Subject],
    suite: Suite,
    asking: Asking,
    comparators: Sequence[Comparator[Any]],
) -> list[Examined]:
    """Obtain what the comparators need of each subject; see `check_models` for what comes first."""
    from forensics.examination.examined import Examined
    from forensics.subjects.model_files.folder import model_files

    needs = frozenset[str]().union(*(one.needs for one in comparators))
    files = [
        model_files(s, asking.options.dtype) if needs - {"answers"} else None for s in subjects
    ]
    if "answers" in needs:
        transcripts = [obtain(subject, suite, asking) for subject in subjects]
    else:
        transcripts = [Transcript(subject.name, ()) for subject in subjects]
    return [Examined(*found) for found in zip(subjects, transcripts, files, strict=True)]


def observed(
    first: Examined,
    second: Examined,
    asking: Asking,
    comparators: Sequence[Comparator[Any]],
    options: dict[str, Any],
) -> tuple[Examined, Examined]:
    """Add what costs extra calls or runs, and so was asked for: token counts and probabilities.

    Raises:
        UsageError: a control is not a local model.
        BackendError: an endpoint or model cannot be asked.
    """
    from forensics.examination.examined import PROBABILITIES
    from forensics.examination.token_probabilities import observe
    from forensics.workflows.progress import step_spinner

    needs = frozenset[str]().union(*(one.needs for one in comparators))
    if "token_counts" in needs and "tokenizer" in (options["tiers"] or ()):
        first, second = (_counted(side, asking) for side in (first, second))
    if not needs & PROBABILITIES:
        return first, second
    controls = [subject_from(spec, options) for spec in options["controls"]]
    if controls and "logprobs" in (options["tiers"] or ()):
        first, second = (_echoed(side, asking) for side in (first, second))
        if "first_tokens" in needs:
            first, second = _begun(first, second, controls, asking)
    asks = any({"answers", "logprobs"} <= one.needs for one in comparators)
    answered = _answered(first, second, controls, asking) if asks else []
    with step_spinner() as spinner:
        task = spinner.add_task("token probabilities", total=None)
        return observe(
            first,
            second,
            controls,
            asking.options,
            lambda what: spinner.update(task, description=what),
            answered,
        )


def _answered(
    first: Examined, second: Examined, controls: Sequence[Subject], asking: Asking
) -> list[Transcript]:
    """Ask controls what both subjects answered, as far as their token probabilities are read."""
    from forensics.examination.token_probabilities import shared_prompts

    prompts = shared_prompts(first, second)
    if not prompts or not controls_answer((first.subject, second.subject), controls):
        return []
    suite = replace(ad_hoc_suite([first.transcript]), prompts=tuple(prompts))
    asking = control_asking(asking)
    return [collect_answers(control, suite, asking) for control in controls]


def controls_answer(subjects: Sequence[Subject], controls: Sequence[Subject]) -> bool:
    """Tell whether controls are asked at all.

    Too few controls to test anything with are not, nor any beside an endpoint or transcript, which
    cannot read what they would say.
    """
    from forensics.evidence.probabilities.mutual_fit import LEAST_CONTROLS
    from forensics.examination.probability_values import LOCAL_KINDS

    at_hand = all(subject.kind in LOCAL_KINDS for subject in subjects)
    return at_hand and len(controls) >= LEAST_CONTROLS


def control_asking(asking: Asking) -> Asking:
    """Return how controls are asked: once, and for no more than is read."""
    from forensics.examination.token_probabilities import READ_TOKENS

    most = min(asking.settings.max_tokens or READ_TOKENS, READ_TOKENS)
    settings = replace(asking.settings, max_tokens=most, samples=1)
    return replace(asking, settings=settings, texts=None)


def _echoed(side: Examined, asking: Asking) -> Examined:
    from forensics.examination.endpoint_probabilities import ask_probabilities, suite

    if side.subject.kind != "openai":
        return side
    with answer_bar(f"{side.name}: token probabilities", len(suite().prompts), 0) as tick:
        found = ask_probabilities(side.subject, asking.options, asking.folder, tick)
    if isinstance(found, str):
        return replace(side, unseen=found)
    return replace(side, probabilities=found)


def _begun(
    first: Examined, second: Examined, controls: Sequence[Subject], asking: Asking
) -> tuple[Examined, Examined]:
    """Add how models would begin answers, where one is an endpoint that echoes no texts.

    The other must be a local model: by it controls are seen to be able enough.
    """
    from forensics.examination.first_tokens import local_first_tokens
    from forensics.examination.local_probabilities import model_source
    from forensics.examination.probability_values import LOCAL_KINDS
    from forensics.workflows.progress import step_spinner

    local = next((s for s in (first, second) if s.subject.kind in LOCAL_KINDS), None)
    remote = next((s for s in (first, second) if s.unseen and _silent(s, asking)), None)
    if local is None or remote is None:
        return first, second
    if model_source(local.subject, asking.options.dtype).template is None:
        why = f"it answers through a chat template, and {local.name} has none"
        told: FirstTokens | str = why
    else:
        told = _first_tokens(remote, asking)
    if isinstance(told, str):
        told_of = replace(remote, unseen=f"{remote.unseen}; {told}")
        return (told_of, second) if remote is first else (first, told_of)
    with step_spinner() as spinner:
        spinner.add_task("first tokens of local models", total=None)
        panel = tuple(local_first_tokens(one, asking.options) for one in controls)
        own = local_first_tokens(local.subject, asking.options)
    asked = replace(remote, first_tokens=told, first_controls=panel)
    read = replace(local, first_tokens=own, first_controls=panel)
    return (asked, read) if remote is first else (read, asked)


def _silent(side: Examined, asking: Asking) -> bool:
    """Tell whether a chat endpoint echoed nothing when it was asked for the first passage."""
    from forensics.examination.endpoint_probabilities import plan_probabilities

    backend = open_backend(side.subject, asking.options)
    _, _, todo = plan_probabilities(side.subject, asking.options, asking.folder)
    return backend.identity().get("api") == "chat" and todo.answered <= 1


def _first_tokens(side: Examined, asking: Asking) -> FirstTokens | str:
    from forensics.examination.first_tokens import ask_first_tokens, suite

    with answer_bar(f"{side.name}: first tokens", len(suite().prompts), 0) as tick:
        return ask_first_tokens(side.subject, asking.options, asking.folder, tick)


def _counted(side: Examined, asking: Asking) -> Examined:
    from forensics.examination.token_counts import collect_counts, plan_counts

    if side.subject.kind != "openai":
        return side
    backend = open_backend(side.subject, asking.options)
    path, todo = plan_counts(side.subject, backend.identity(), asking.folder)
    total = todo.answered + len(todo.requests)
    with answer_bar(f"{side.name}: token counts", total, todo.answered) as tick:
        return replace(side, counted=collect_counts(side.subject, backend, path, tick))


def suite_for(subjects: list[Subject], options: dict[str, Any]) -> tuple[Suite | None, Suite]:
    """Return (the suite the comparison is cut to, the suite live subjects are asked).

    Two transcripts are compared on all prompts they share unless a suite is named. A live subject
    beside a transcript is asked that transcript's own prompts, so that there is something to match.
    """
    recorded = [s for s in subjects if s.kind == "transcript"]
    if options["suite_name"] or not recorded:
        suite = chosen_suite(options)
        assert suite is not None  # noqa: S101 (a default name was given)
        return suite, suite
    allow = bool(options.get("allow_broken"))
    found = ad_hoc_suite(unbroken(read_transcript(Path(s.target)), allow) for s in recorded)
    if len(recorded) == len(subjects):
        return chosen_suite(options, default=None), found
    askable = tuple(p for p in found.prompts if p.messages)
    if not askable:
        raise UsageError(
            f"{recorded[0].spec} does not hold its prompts' text; name their suite with --suite"
        )
    chosen = replace(found, prompts=askable).select(options["category"], options["limit"])
    return chosen, chosen


def subject_from(spec: str, options: dict[str, Any]) -> Subject:
    """Parse a subject with the endpoint options given, which win over a file of endpoints."""
    found = named_subject(spec, options["endpoints"], options["base_url"])
    if found is None:
        return parse_subject(spec, options["base_url"], options["api_key_env"])
    # The file may lie in somebody else's folder: say where answers, and the key, will be sought.
    note(f"endpoint {found.name} is {found.subject.base_url} ({found.file})")
    return replace(
        found.subject,
        api=options["api"] or found.subject.api,
        api_key_env=options["api_key_env"] or found.subject.api_key_env,
    )
