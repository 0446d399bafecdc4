"""Arguments → settings: what the public API takes becomes what workflows take."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from forensics.errors import UsageError
from forensics.support.asking_defaults import SAMPLES, TEMPERATURE

if TYPE_CHECKING:
    from forensics.case.evidence import Tier
    from forensics.cohorts.cohort import Cohort
    from forensics.transcripts.transcript import Transcript
    from forensics.workflows.callbacks import Progress, ProgressEvent
    from forensics.workflows.settings import Asking, Endpoints, Prompts, Spending

    Callback = Callable[[ProgressEvent], object]
    AnyCohort = str | os.PathLike[str] | Cohort
    AnySubject = str | os.PathLike[str] | Transcript

AnyPath = str | os.PathLike[str]
_HOTTEST = 5.0
_SHORTEST = 0.1  # seconds


class HowReached(TypedDict, total=False):
    """How models and endpoints are reached and run; defaults in brackets.

    - `base_url`: address of `openai:` subjects without one.
    - `endpoints`: file of named endpoints [`forensics.toml`].
    - `api_key_env`: name of the environment variable with the key [`OPENAI_API_KEY`].
    - `api`: what endpoints speak [`chat`].
    - `dtype`: precision of local models [`float32`].
    - `batch_size`: prompts a local model answers at once [64].
    - `concurrency`: calls to an endpoint under way at once [8].
    - `timeout`: seconds an endpoint may take for one answer [120].
    - `transcripts`: folder for answers collected on the way [`transcripts`].
    - `suite_text`: local copy of the texts of a referenced suite.
    - `allow_broken`: take a transcript whose hash chain is broken [False].
    """

    base_url: str | None
    endpoints: AnyPath | None
    api_key_env: str | None
    api: Literal["chat", "completions"] | None
    dtype: Literal["float32", "bfloat16"]
    batch_size: int
    concurrency: int
    timeout: float
    transcripts: AnyPath
    suite_text: AnyPath | None
    allow_broken: bool


class HowAsked(HowReached, total=False):
    """Which prompts are asked, and how answers are drawn; defaults in brackets.

    - `suite`: a prompt suite, by name or file [the verb's own].
    - `category`: ask only these categories.
    - `limit`: ask at most so many prompts, of every category [as many as the suite says].
    - `all_prompts`: ask every prompt of a suite, also those that no cohort weighs [False].
    - `max_calls`: refuse to make more calls than this.
    - `max_output_tokens`: refuse to ask for more answer tokens than this.
    - `samples`: answers per prompt [3].
    - `temperature`: 0 is greedy [0.7].
    - `max_tokens`: cap on every answer's tokens [each prompt's own].
    - `seed`: of sampling [0].
    - `system_prompt`: sent with every request.
    """

    suite: AnyPath | None
    category: str | Iterable[str]
    limit: int | None
    all_prompts: bool
    max_calls: int | None
    max_output_tokens: int | None
    samples: int
    temperature: float
    max_tokens: int | None
    seed: int
    system_prompt: str | None


def how_asked(**how: Unpack[HowAsked]) -> tuple[Prompts, Asking, Endpoints]:
    """Return the settings that the arguments describe; the defaults are those of the settings.

    Raises:
        UsageError: one is out of its range.
        TypeError: there is no such argument.
    """
    from forensics.subjects.backends.backend import GenerationSettings
    from forensics.workflows.settings import Prompts

    _check_known(how, HowAsked)
    check_least(
        limit=how.get("limit"), samples=how.get("samples"), max_tokens=how.get("max_tokens")
    )
    _check_number("temperature", how.get("temperature", 0.0), 0.0, _HOTTEST)
    suite = how.get("suite")
    prompts = Prompts(
        os.fspath(suite) if suite is not None else None,
        names(how.get("category", ())),
        how.get("limit"),
        how.get("all_prompts", False),
    )
    usual = {"samples": SAMPLES, "temperature": TEMPERATURE}
    generation = GenerationSettings(**(usual | _of(how, GenerationSettings)))
    return prompts, replace(_asking(how), generation=generation), _endpoints(how)


def spending(**how: Unpack[HowAsked]) -> Spending:
    """Return what a run may ask, named as these arguments are.

    Raises:
        UsageError: less than nothing.
    """
    from forensics.workflows.settings import LimitNames, Spending

    calls, tokens = how.get("max_calls"), how.get("max_output_tokens")
    for name, most in (("max_calls", calls), ("max_output_tokens", tokens)):
        if most is not None and most < 0:
            raise UsageError(f"{name} is {most}; give 0 or more")
    arguments = {field.name: field.name for field in fields(LimitNames) if field.name != "run"}
    return Spending(calls, tokens, names=LimitNames(**arguments))


def how_reached(**how: Unpack[HowReached]) -> tuple[Asking, Endpoints]:
    """Return how models and endpoints are reached and run.

    Raises:
        UsageError: an argument is out of its range.
        TypeError: there is no such argument.
    """
    _check_known(how, HowReached)
    return _asking(how), _endpoints(how)


def _asking(how: Mapping[str, Any]) -> Asking:
    from forensics.subjects.backends.backend import BackendOptions
    from forensics.workflows.settings import Asking

    check_least(batch_size=how.get("batch_size"), concurrency=how.get("concurrency"))
    _check_number("timeout", how.get("timeout", 1.0), _SHORTEST, math.inf)
    _check_choice("dtype", how.get("dtype"), ("float32", "bfloat16"))
    given = _of(how, BackendOptions) | {"api": how.get("api") or "chat"}
    return Asking(
        backend=BackendOptions(**given),
        folder=Path(how.get("transcripts", "transcripts")),
        texts=path(how.get("suite_text")),
        allow_broken=how.get("allow_broken", False),
    )


def _endpoints(how: Mapping[str, Any]) -> Endpoints:
    from forensics.subjects.addresses import clean_address
    from forensics.subjects.subject import check_key_variable
    from forensics.workflows.settings import Endpoints

    _check_choice("api", how.get("api"), ("chat", "completions"))
    check_key_variable(how.get("api_key_env"))
    address = how.get("base_url")
    try:
        address = clean_address(address) if address else None
    except ValueError as error:
        raise UsageError(f"base_url: {error}") from None
    return Endpoints(address, path(how.get("endpoints")), how.get("api_key_env"), how.get("api"))


def _of(how: Mapping[str, Any], settings: type[Any]) -> dict[str, Any]:
    """Return the arguments that a dataclass of settings has a field for."""
    return {field.name: how[field.name] for field in fields(settings) if field.name in how}


def _check_known(how: Mapping[str, Any], known: type[Any]) -> None:
    unknown = sorted(how.keys() - known.__annotations__.keys())
    if unknown:
        listed = ", ".join(known.__annotations__)
        raise TypeError(f"unexpected keyword argument {unknown[0]!r}; choose from: {listed}")


def check_least(**counts: int | None) -> None:
    """Check that counts, where given, are at least 1.

    Raises:
        UsageError: one is not.
    """
    for name, count in counts.items():
        if count is not None and count < 1:
            raise UsageError(f"{name} is {count}; give at least 1")


def _check_number(name: str, value: float, low: float, high: float) -> None:
    if not (low <= value <= high) or math.isinf(value):
        most = f"a number from {low:g} to {high:g}" if high < math.inf else f"at least {low:g}"
        raise UsageError(f"{name} is {value}; give {most}")


def _check_choice(name: str, value: str | None, choices: tuple[str, ...]) -> None:
    if value is not None and value not in choices:
        raise UsageError(f"{name} is {value!r}; give one of {', '.join(choices)}")


def names(given: AnyPath | Iterable[AnyPath]) -> tuple[str, ...]:
    """Return one name, or several, as a tuple of texts."""
    if isinstance(given, str | os.PathLike):
        return (os.fspath(given),)
    return tuple(os.fspath(name) for name in given)


def tiers(given: Tier | Iterable[Tier]) -> tuple[Tier, ...]:
    """Return one tier, or several, in the order of the report.

    Raises:
        UsageError: there is no such tier.
    """
    from forensics.verdicts.measurable import TIERS

    wanted = names(given)
    for name in wanted:
        _check_choice("tiers", name, TIERS)
    return tuple(tier for tier in TIERS if tier in wanted)


def path(given: AnyPath | None) -> Path | None:
    """Return a path, where one is given."""
    return None if given is None else Path(given)


def subject(given: AnySubject) -> str | Transcript:
    """Return a subject as resolvers take it: its form as text, or its answers."""
    return os.fspath(given) if isinstance(given, str | os.PathLike) else given


def cohort_name(given: AnyCohort | None) -> str | None:
    """Return the name that is recorded of a cohort, which may have been read already."""
    if given is None:
        return None
    return os.fspath(given) if isinstance(given, str | os.PathLike) else given.name


def read_already(given: AnyCohort | None) -> Cohort | None:
    """Return a cohort that was read already, None of one that is still a name."""
    return None if given is None or isinstance(given, str | os.PathLike) else given


def progress(callback: Callback | None) -> Progress:
    """Return what a run tells its progress to."""
    from forensics.workflows.callbacks import CallingBack, Silent

    return Silent() if callback is None else CallingBack(callback)


def command(function: str) -> str:
    """Return what is recorded in place of a command line: what was chosen is in the ledger."""
    return f"forensics.{function}() in Python"
