"""The public API: what `import forensics` gives, one door for each verb.

Each function turns its arguments into settings and calls what the command line calls. Nothing is
printed: whoever wants to follow a run gives `progress`, a function that is called with
`ProgressEvent`s (`progress=print` shows each on a line). Failures are those of `forensics.errors`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from forensics.workflows import arguments
from forensics.workflows.arguments import AnyPath, HowAsked, HowReached

if TYPE_CHECKING:
    from forensics.case.document import Case
    from forensics.case.evidence import Tier
    from forensics.cohorts.cohort import Cohort
    from forensics.cohorts.trace import Trace
    from forensics.evaluation.evaluation import Evaluation
    from forensics.policy.outcomes import CheckResult
    from forensics.transcripts.transcript import Transcript
    from forensics.workflows.arguments import AnyCohort, AnySubject, Callback


def compare(
    known: AnySubject,
    questioned: AnySubject,
    *,
    only: str | Iterable[str] = (),
    without: str | Iterable[str] = (),
    tiers: Tier | Iterable[Tier] = (),
    controls: AnyPath | Iterable[AnyPath] = (),
    cohort: AnyCohort | None = None,
    known_released: str | None = None,
    questioned_released: str | None = None,
    bases: AnyPath | Iterable[AnyPath] = (),
    progress: Callback | None = None,
    **how: Unpack[HowAsked],
) -> Case:
    """Compare two models on the same prompts.

    Answers that are missing are collected first, and kept; two transcripts are compared on all
    prompts that they share.

    Args:
        known: the known subject: a transcript's path, a model's folder or file, a subject such as
            `hf:org/name` or `openai:model@http://host/v1`, or answers that were read.
        questioned: the questioned subject, likewise.
        only: run only these comparators.
        without: leave these comparators out.
        tiers: measure only these of `text`, `logprobs`, `tokenizer` and `weights`.
        controls: local models, related to neither, to read token probabilities against.
        cohort: judge similarity against it: a name, a file, one that was read, or `none`; by
            default the one that answered these prompts.
        known_released: when the known model was released, `YYYY-MM`.
        questioned_released: when the questioned model was released, `YYYY-MM`.
        bases: the questioned model's own pasts, to tell whether it changed towards the known one.
        progress: is called with what is done.
        **how: see `HowAsked` and `HowReached`.

    Returns:
        The case. What could not be measured is in it, with the reason.

    Raises:
        UsageError: an argument means nothing.
        InputFileError: a transcript, cohort or model's file is damaged.
        BackendError: a model or endpoint cannot be asked.
        MissingDependencyError: nothing that was asked for can be measured in this installation.
    """
    from forensics.support.months import check_month
    from forensics.verdicts.left_out import left_out
    from forensics.workflows.comparing import compared
    from forensics.workflows.resolving import resolve_pair
    from forensics.workflows.settings import Analysis, CompareSettings

    prompts, asking, endpoints = arguments.how_asked(**how)
    settings = CompareSettings(
        prompts=prompts,
        asking=asking,
        endpoints=endpoints,
        analysis=Analysis(
            only=arguments.names(only),
            without=arguments.names(without),
            tiers=arguments.tiers(tiers),
            controls=arguments.names(controls),
            cohort=arguments.cohort_name(cohort),
            known_released=check_month(known_released, "known_released"),
            questioned_released=check_month(questioned_released, "questioned_released"),
            bases=arguments.names(bases),
        ),
        spending=arguments.spending(**how),
        command=arguments.command("compare"),
    )
    reporting = arguments.progress(progress)
    names = arguments.subject(known), arguments.subject(questioned)
    pair = resolve_pair(*names, settings, reporting, arguments.read_already(cohort))
    case, _ = compared(pair, settings, reporting)
    for line in left_out(case.evidence):
        reporting.note(line)
    return case


def trace(
    subject: AnySubject,
    *,
    cohort: AnyCohort | None = None,
    released: str | None = None,
    bases: AnyPath | Iterable[AnyPath] = (),
    progress: Callback | None = None,
    **how: Unpack[HowAsked],
) -> Trace:
    """Rank a cohort's models by how likely a subject is related to each.

    Args:
        subject: a transcript, a model of the cohort (`cohort:NAME`), or any subject that can be
            asked the cohort's suite; see `compare`.
        cohort: to search: a name, a file, or one that was read; by default the one that has the
            model or answered the prompts.
        released: when the subject was released, `YYYY-MM`.
        bases: the subject's own pasts, to search for models that it changed towards.
        progress: is called with what is done.
        **how: see `HowAsked` and `HowReached`; without a suite the cohort's is asked.

    Returns:
        The candidates, the likeliest first, and what may be said of them.

    Raises:
        UsageError: an argument means nothing, or the cohort's suite cannot be asked.
        InputFileError: a transcript or cohort cannot be read.
        BackendError: the subject cannot be asked.
    """
    from forensics.support.months import check_month
    from forensics.workflows.settings import TraceSettings
    from forensics.workflows.tracing import traced

    # Most cohorts answered once, and a search does not ask whether two models are one.
    once: HowAsked = {"samples": 1, "temperature": 0.0}
    prompts, asking, endpoints = arguments.how_asked(**(once | how))
    settings = TraceSettings(
        prompts=prompts,
        asking=asking,
        endpoints=endpoints,
        cohort=arguments.cohort_name(cohort),
        released=check_month(released, "released"),
        bases=arguments.names(bases),
        spending=arguments.spending(**how),
    )
    given = arguments.read_already(cohort)
    return traced(arguments.subject(subject), settings, arguments.progress(progress), given)


def check(
    subject: AnySubject,
    policy: AnyPath | None = None,
    *,
    card: AnyPath | None = None,
    strict: bool = False,
    progress: Callback | None = None,
    **how: Unpack[HowReached],
) -> CheckResult:
    """Hold a subject against a policy: does what is declared agree with what is measured?

    Args:
        subject: see `compare`.
        policy: a policy file; by default `forensics.toml`, or `pyproject.toml`, of this folder.
        card: a model card, or a folder with one, to read besides the subject's own files.
        strict: whether what could not be decided fails.
        progress: is called with what is done.
        **how: see `HowReached`; what is asked, and how, the policy says.

    Returns:
        The outcome of every rule, the cases they rest on, and the exit code of `forensics check`.

    Raises:
        UsageError: the policy asks for something impossible, or for more than its budget.
        InputFileError: the policy, or a file that it names, cannot be read.
    """
    from forensics.policy.reading import find_policy, read_policy
    from forensics.verdicts.left_out import notes
    from forensics.workflows.checking import check as checked
    from forensics.workflows.policy_run import prepare
    from forensics.workflows.settings import CheckSettings

    asking, endpoints = arguments.how_reached(**how)
    settings = CheckSettings(
        asking, endpoints, arguments.path(card), strict, arguments.command("check")
    )
    reporting = arguments.progress(progress)
    file = read_policy(find_policy(arguments.path(policy)))
    run = prepare(file, arguments.subject(subject), settings, reporting)
    result = checked(run, reporting, settings.card, settings.strict)
    for line in notes(result.cases):
        reporting.note(line)
    return result


def probe(
    subject: AnyPath,
    *,
    output: AnyPath | None = None,
    progress: Callback | None = None,
    **how: Unpack[HowAsked],
) -> Transcript:
    """Ask a subject the prompts of a suite, and keep the answers.

    Asked again, only what is missing is asked.

    Args:
        subject: a model or endpoint, see `compare`.
        output: the transcript's file; by default named by who answers, in the folder `transcripts`
            if it is given, else here.
        progress: is called with what is done.
        **how: see `HowAsked` and `HowReached`; the suite is `core` by default.

    Returns:
        All its answers to these prompts.

    Raises:
        UsageError: an argument means nothing, or the file holds other answers.
        BackendError: the subject cannot be asked, or more than half of the calls failed; what was
            answered is kept.
    """
    from forensics.workflows.asks import check_spending
    from forensics.workflows.budget import of_plan
    from forensics.workflows.probing import check_answered, would_probe
    from forensics.workflows.probing import probe as probed
    from forensics.workflows.resolving import resolve_subject
    from forensics.workflows.settings import ProbeSettings

    prompts, asking, endpoints = arguments.how_asked(**how)
    folder = asking.folder if "transcripts" in how else Path()
    asking = replace(asking, folder=folder, allow_broken=True)
    reporting = arguments.progress(progress)
    asked = resolve_subject(os.fspath(subject), endpoints, reporting)
    settings = ProbeSettings(
        prompts,
        asking,
        endpoints,
        output=arguments.path(output),
        spending=arguments.spending(**how),
    )
    calls = would_probe(asked, settings).calls
    check_spending([of_plan(asked, "answers", calls)], settings.spending)
    transcript = probed(asked, settings, reporting)
    check_answered(asked.spec, transcript)
    return transcript


def import_outputs(
    path: AnyPath,
    output: AnyPath | None = None,
    *,
    format: str | None = None,
    prompts: AnyPath | None = None,
    strict: bool = False,
    progress: Callback | None = None,
) -> list[Transcript]:
    """Read another tool's file, or every known one of a folder, as transcripts.

    Args:
        path: a table (parquet, CSV, JSONL with model, prompt_id, prompt, output) or another tool's
            output, see `forensics import --list-formats`.
        output: folder to write the transcripts to, a file per model; None writes nothing.
        format: name of the format; None detects it.
        prompts: file with the prompts, for formats that keep them apart.
        strict: refuse a file of which a record cannot be read.
        progress: is called with what was left out, skipped or joined.

    Returns:
        A transcript per model. One that was written nowhere has no `path`.

    Raises:
        InputFileError: a file cannot be read, or its format is not known.
        UsageError: no such format, or a file in `output` would be overwritten that is no import.
        OutputError: `output` cannot be written.
    """
    from forensics.transcripts.transcript import read_transcript as read
    from forensics.workflows.importing import ImportSettings, imported

    settings = ImportSettings(format, arguments.path(prompts), strict)
    reporting = arguments.progress(progress)
    if output is not None:
        return [
            read(written) for written in imported(Path(path), Path(output), settings, reporting)
        ]
    with tempfile.TemporaryDirectory() as folder:
        paths = imported(Path(path), Path(folder), settings, reporting)
        return [replace(read(written), path=None) for written in paths]


def evaluate(
    outputs: AnyPath | Iterable[AnyPath],
    *,
    models: AnyPath,
    pairs: AnyPath | None = None,
    steps: AnyPath | None = None,
    prompts: int | None = None,
    cohort_size: int | None = None,
    seed: int = 0,
    transferred: bool = False,
    progress: Callback | None = None,
) -> Evaluation:
    """Measure how often similarity misleads, on outputs of models with known lineage.

    Args:
        outputs: tables (parquet, CSV, JSONL with model, prompt_id, prompt, output) or transcripts.
        models: CSV of the models and their lineage.
        pairs: CSV of labelled pairs.
        steps: CSV of models beside their own past: `model`, `base`, `teacher_developer`.
        prompts: how many prompts to use, drawn by `seed`; None takes all.
        cohort_size: at most how many reference models, drawn by `seed`; None takes all.
        seed: of both draws.
        transferred: judge every pair by lines fitted on other prompts, too.
        progress: is called with what is done.

    Returns:
        Error rates by hypothesis and relation; `figures` is what `forensics evaluate --json` holds.

    Raises:
        UsageError: an argument means nothing.
        InputFileError: a file cannot be read, or the models share no prompt.
    """
    from forensics.workflows.evaluating import evaluated
    from forensics.workflows.settings import EvaluateSettings

    arguments.check_least(prompts=prompts, cohort_size=cohort_size)
    settings = EvaluateSettings(
        None if pairs is None else Path(pairs), Path(models), prompts, cohort_size, seed,
        transferred=transferred, steps=None if steps is None else Path(steps),
    )  # fmt: skip
    return evaluated(
        [Path(name) for name in arguments.names(outputs)], settings, arguments.progress(progress)
    )


def read_transcript(path: AnyPath) -> Transcript:
    """Read a transcript; `broken` says where its hash chain shows a change.

    Args:
        path: its file.

    Raises:
        InputFileError: it cannot be read or is no transcript.
    """
    from forensics.transcripts.transcript import read_transcript as read

    return read(Path(path))


def read_case(path: AnyPath) -> Case:
    """Read a case that `forensics compare --json`, of this or an earlier version, wrote.

    Args:
        path: its file.

    Raises:
        InputFileError: it cannot be read or is no case.
    """
    from forensics.case.document import read_case as read

    return read(Path(path))


def read_cohort(name_or_path: AnyPath) -> Cohort:
    """Read a cohort: one with a name, such as `alpaca-eval`, or a file.

    Args:
        name_or_path: its name, or its file.

    Raises:
        UsageError: there is no such cohort.
        InputFileError: the file is no cohort that this version reads.
    """
    from forensics.cohorts.finding import find_cohort

    return find_cohort(os.fspath(name_or_path))
