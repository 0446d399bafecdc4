"""Options → settings: the one place where what click gives becomes what workflows take."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.support.months import check_month

if TYPE_CHECKING:
    from forensics.subjects.backends.backend import BackendOptions, GenerationSettings
    from forensics.workflows.settings import (
        Analysis,
        Asking,
        CheckSettings,
        CompareSettings,
        Endpoints,
        EvaluateSettings,
        ExposureSettings,
        ProbeSettings,
        Prompts,
        Spending,
        TraceSettings,
    )

Options = Mapping[str, Any]  # by the names of the decorators in `options`


def typed_command() -> str:
    """Return the command line as it is recorded; see `command_line` for what is left out."""
    from forensics.support.secrets import command_line

    return command_line(sys.argv[1:])


def prompts(options: Options) -> Prompts:
    """Return the settings of `suite_options`."""
    from forensics.workflows.settings import Prompts

    return Prompts(
        options["suite_name"],
        tuple(options["category"]),
        options["limit"],
        bool(options.get("every")),
    )


def spending(options: Options) -> Spending:
    """Return the settings of `spending_options`; of a verb without them, no limit."""
    from forensics.workflows.settings import Price, Spending

    price = options.get("price")
    return Spending(
        options.get("max_calls"),
        options.get("max_output_tokens"),
        Price(*price) if price else None,
        hint="; --dry-run shows more",
    )


def generation(options: Options) -> GenerationSettings:
    """Return the settings of `generation_options`."""
    from forensics.subjects.backends.backend import GenerationSettings

    names = ("temperature", "max_tokens", "samples", "seed", "system_prompt")
    return GenerationSettings(**{name: options[name] for name in names})


def backend(options: Options) -> BackendOptions:
    """Return how subjects are run, of `backend_options`."""
    from forensics.subjects.backends.backend import BackendOptions

    names = ("dtype", "batch_size", "concurrency", "timeout")
    return BackendOptions(**{name: options[name] for name in names}, api=options["api"] or "chat")


def endpoints(options: Options) -> Endpoints:
    """Return where endpoints are, of `backend_options`."""
    from forensics.workflows.settings import Endpoints

    return Endpoints(
        options["base_url"], options["endpoints"], options["api_key_env"], options["api"]
    )


def asking(options: Options) -> Asking:
    """Return how subjects are asked; of a verb without some of the options, the defaults."""
    from forensics.subjects.backends.backend import GenerationSettings
    from forensics.workflows.settings import Asking

    return Asking(
        generation(options) if "samples" in options else GenerationSettings(),
        backend(options),
        options.get("folder", Path()),
        options.get("suite_text"),
        bool(options.get("allow_broken")),
    )


def analysis(options: Options) -> Analysis:
    """Return the settings of `analysis_options`.

    Raises:
        UsageError: a month that is none.
    """
    from forensics.workflows.settings import Analysis

    return Analysis(
        only=tuple(options["only"]),
        without=tuple(options["without"]),
        tiers=tuple(options["tiers"]),
        controls=tuple(options["controls"]),
        cohort=options["cohort_name"],
        known_released=check_month(options["known_released"], "--known-released"),
        questioned_released=check_month(options["questioned_released"], "--questioned-released"),
        all_embeddings=bool(options["all_embeddings"]),
        bases=tuple(options.get("bases", ())),
    )


def compare_settings(options: Options) -> CompareSettings:
    """Return the settings of `compare`, and of `case init`, which has some options less.

    Raises:
        UsageError: a month that is none.
    """
    from forensics.workflows.settings import CompareSettings

    return CompareSettings(
        prompts=prompts(options),
        asking=asking(options),
        endpoints=endpoints(options),
        analysis=analysis(options),
        spending=spending(options),
        blind=bool(options.get("blind")),
        planned=bool(options.get("case_file")),
        command=typed_command(),
    )


def trace_settings(options: Options) -> TraceSettings:
    """Return the settings of `trace`.

    Raises:
        UsageError: a month that is none.
    """
    from forensics.workflows.settings import TraceSettings

    return TraceSettings(
        prompts=prompts(options),
        asking=asking(options),
        endpoints=endpoints(options),
        spending=spending(options),
        cohort=options["cohort_name"],
        released=check_month(options["released"], "--released"),
        bases=tuple(options["bases"]),
    )


def probe_settings(options: Options) -> ProbeSettings:
    """Return the settings of `probe`, which goes on with a transcript whatever its chain says."""
    from dataclasses import replace

    from forensics.workflows.settings import ProbeSettings

    return ProbeSettings(
        prompts=prompts(options),
        asking=replace(asking(options), allow_broken=True),
        endpoints=endpoints(options),
        spending=spending(options),
        output=options["output"],
    )


def check_settings(options: Options) -> CheckSettings:
    """Return the settings of `check`."""
    from forensics.workflows.settings import CheckSettings

    return CheckSettings(
        asking=asking(options),
        endpoints=endpoints(options),
        card=options["card"],
        strict=options["strict"],
        command=typed_command(),
    )


def evaluate_settings(options: Options, models: Path) -> EvaluateSettings:
    """Return the settings of `evaluate`; what cannot be written is told before the work begins.

    Raises:
        UsageError: the cohort to fit has a name that cannot be one, or too few prompts.
    """
    from forensics.workflows.settings import EvaluateSettings

    return EvaluateSettings(
        pairs=options["pairs"],
        models=models,
        prompts=options["prompts"],
        cohort_size=options["cohort_size"],
        seed=options["seed"],
        fit=_destination(options["fit"], options["prompts"]) if options["fit"] else None,
        transferred=options["calibration"] == "transferred",
        steps=options["steps"],
    )


def _destination(name: str, prompts: int | None) -> Path:
    from forensics.cohorts.finding import destination
    from forensics.cohorts.similarity import MIN_PROMPTS
    from forensics.errors import UsageError

    if prompts is not None and prompts < MIN_PROMPTS:
        raise UsageError(f"--fit needs {MIN_PROMPTS} prompts or more, not --prompts {prompts}")
    return destination(name)


def exposure_settings(options: Options) -> ExposureSettings:
    """Return the settings of `exposure test`."""
    from forensics.workflows.settings import ExposureSettings

    return ExposureSettings(
        asking=asking(options),
        endpoints=endpoints(options),
        spending=spending(options),
        base=options["base"],
        controls=tuple(options["controls"]),
        negative_control=options["negative_control"],
        previous=options["previous"],
        design=options["design"],
        declared=options["declared"],
        statistic=options["statistic"],
        level=options["level"],
        seed=options["seed"],
        most=options["most"],
    )
