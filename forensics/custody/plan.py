"""What a case file fixes of an analysis, and where a case was made otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field, ValidationError

from forensics.case.details.reference import LikenessDetails, TransferredDetails
from forensics.case.document import Case, CasePlan, CaseSubject
from forensics.case.evidence import Tier
from forensics.case.record import Finite, ModelText, Record
from forensics.custody.claim_answers import claim_answers
from forensics.errors import InputFileError
from forensics.evidence import load_comparators
from forensics.support.sanitise import one_line
from forensics.transcripts.transcript import Manifest, Response, Transcript
from forensics.verdicts.measurable import TIERS
from forensics.verdicts.tier_readings import LIKENESS, TRANSFERRED

_SHOWN = 80
_EARLY = "Collected before the plan was frozen"


class PlannedSubject(Record):
    """A model as it was named; `identity` is what its backend knew of it without asking it.

    A transcript has its file's sha256 instead, and a cohort's model that of the cohort.
    """

    spec: ModelText
    released: str = ""
    identity: dict[str, Any] | None = None
    sha256: str | None = None


class PlannedSuite(Record):
    """The prompts; `chosen` is what the suite was asked for by, `prompts` how many are left.

    `every` says that none was left out because no cohort weighs it, as before any was.
    """

    chosen: ModelText | None = None
    name: ModelText
    version: str
    sha256: str
    prompts: int
    category: tuple[ModelText, ...] = ()
    limit: int | None = None
    every: bool = True


class PlannedCohort(Record):
    """The cohort likeness is judged against; `chosen` is its name or file."""

    chosen: ModelText
    name: ModelText
    sha256: str


class PlannedGeneration(Record):
    """How answers are drawn, see `backends.base.GenerationSettings`."""

    temperature: Finite = Field(ge=0, le=5)
    max_tokens: int | None = Field(ge=1)
    samples: int = Field(ge=1)
    seed: int
    system_prompt: ModelText | None


class PlannedBackend(Record):
    """What of a local model's set-up can change an answer."""

    dtype: Literal["float32", "bfloat16"]
    batch_size: int = Field(ge=1)


class Thresholds(Record):
    """Limits that decide how numbers are read; `log10_lr` is the planner's own, if any."""

    min_prompts: int
    copy_min_chars: int
    copy_min_identical: int
    copy_min_share: Finite
    log10_lr: Finite | None = None


class Planned(Record):
    """The settings of a case file, see `CasePlan.settings`.

    Without a suite, two transcripts are compared on every prompt both answered; without tiers,
    whatever can be had is measured. `transferred` is the sha256 of the calibration that judges
    where no cohort does; None where nothing was to be calibrated.
    """

    version: str
    known: PlannedSubject
    questioned: PlannedSubject
    suite: PlannedSuite | None = None
    generation: PlannedGeneration
    backend: PlannedBackend
    comparators: tuple[str, ...]
    tiers: tuple[Tier, ...] = ()
    all_embeddings: bool = True  # as it was before plans said so
    controls: tuple[PlannedSubject, ...] = ()
    bases: tuple[PlannedSubject, ...] = ()
    cohort: PlannedCohort | None = None
    transferred: str | None = None
    thresholds: Thresholds


def planned(plan: CasePlan) -> Planned:
    """Return the settings that a plan froze.

    Raises:
        InputFileError: they are not of the form that `case init` writes.
    """
    try:
        return Planned.model_validate(plan.settings.written())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InputFileError(
            f"case file {plan.path}: settings.{where}: {first['msg']}; make it with `case init`"
        ) from error


def thresholds(log10_lr: float | None = None) -> Thresholds:
    """Return this program's own thresholds, and the log10 LR that the planner names."""
    from forensics.evidence.comparator import MIN_PROMPTS
    from forensics.verdicts.copy_tripwire import MIN_CHARS, MIN_IDENTICAL, MIN_SHARE

    return Thresholds(
        min_prompts=MIN_PROMPTS,
        copy_min_chars=MIN_CHARS,
        copy_min_identical=MIN_IDENTICAL,
        copy_min_share=MIN_SHARE,
        log10_lr=log10_lr,
    )


def with_deviations(case: Case, plan: CasePlan, transcripts: Sequence[Transcript | None]) -> Case:
    """Return the case with its plan, its claims answered, and what was done otherwise than planned.

    Args:
        case: the case as it was made.
        plan: the plan of the case file.
        transcripts: of the known and the questioned subject; None of a cohort's model.
    """
    deviations = tuple(_deviations(case, plan, planned(plan), transcripts))
    answers = claim_answers(plan.claims, case.verdict.answers, case.evidence)
    update = {"deviations": deviations, "answers": answers}
    return case.model_copy(update={"plan": plan.model_copy(update=update)})


def _deviations(
    case: Case, plan: CasePlan, wanted: Planned, transcripts: Sequence[Transcript | None]
) -> Iterator[str]:
    sides = (("A", case.a, wanted.known), ("B", case.b, wanted.questioned))
    for (letter, side, subject), whole in zip(sides, transcripts, strict=True):
        transcript = _used(whole, case)
        manifests = transcript.manifests if transcript else ()
        yield from _subject(letter, side, subject, manifests)
        if subject.identity is not None:  # what is a transcript already was asked its own way
            yield from _asked(letter, manifests, wanted)
        if transcript is None:
            yield f"{_EARLY}: all answers of {letter}, a cohort's model."
            continue
        yield from _echoed(letter, subject, transcript)
        yield from _early(letter, transcript, plan.frozen_at)
    yield from _suite(case, wanted)
    yield from _analysis(case, wanted)
    versions = {case.version, *_versions(transcripts)} - {wanted.version}
    if versions:
        yield _differs("Program version", ", ".join(sorted(versions)), wanted.version)


def _used(transcript: Transcript | None, case: Case) -> Transcript | None:
    """Return the transcript cut to the answers that are in the case, where it holds answers."""
    asked = {prompt.prompt_sha256 for prompt in case.prompts}
    if transcript is None or not asked:
        return transcript
    asked_for = tuple(r for r in transcript.responses if r.prompt.sha256 in asked)
    return replace(transcript, responses=asked_for)


def _versions(transcripts: Sequence[Transcript | None]) -> Iterator[str]:
    for transcript in transcripts:
        for manifest in transcript.manifests if transcript else ():
            if manifest.provenance == "collected":
                yield manifest.version


def _subject(
    letter: str, side: CaseSubject, wanted: PlannedSubject, manifests: Sequence[Manifest]
) -> Iterator[str]:
    # A transcript of the planned model, collected by another command, is of the planned model.
    named = {manifest.subject for manifest in manifests} | {side.spec}
    if wanted.spec not in named:
        yield _differs(f"Subject {letter}", side.spec, wanted.spec)
    if wanted.sha256 is not None and side.transcript_sha256 != wanted.sha256:
        yield _differs(f"File of {letter}", side.transcript_sha256[:16], wanted.sha256[:16])
    keys: dict[str, Any] = {}
    for manifest in manifests:
        for key, value in (wanted.identity or {}).items():
            if manifest.provenance == "collected" and manifest.identity.get(key) != value:
                keys[key] = manifest.identity.get(key)
    for key, value in keys.items():
        yield _differs(f"Identity of {letter}, {key}", value, (wanted.identity or {})[key])


def _asked(letter: str, manifests: Sequence[Manifest], wanted: Planned) -> Iterator[str]:
    differing: dict[str, Any] = {}
    settings = wanted.generation.model_dump()
    for manifest in manifests:
        for key, value in settings.items():
            if key in manifest.settings and manifest.settings[key] != value:
                differing[key] = manifest.settings[key]
    for key, value in differing.items():
        yield _differs(f"Generation setting of {letter}, {key}", value, settings[key])


def _echoed(letter: str, wanted: PlannedSubject, transcript: Transcript) -> Iterator[str]:
    from forensics.subjects.backends.chat_protocol import echoed_models

    identity = wanted.identity or {}
    if identity.get("kind") != "openai":
        return
    others = [name for name in echoed_models(transcript) if name != identity.get("model")]
    if others:
        yield _differs(f"Model name that {letter} echoed", ", ".join(others), identity["model"])


def _early(letter: str, transcript: Transcript, frozen_at: str) -> Iterator[str]:
    """Say how many answers were there before the plan was, or may have been."""
    limit = _time(frozen_at)
    started = [_time(m.started_at) for m in transcript.manifests if m.provenance == "collected"]
    fallback = min((t for t in started if t), default=None)
    times = [_time(_when(response)) or fallback for response in transcript.responses]
    early = [time for time in times if time and limit and time < limit]
    if early:
        yield (
            f"{_EARLY}: {len(early)} of {len(times)} answers of "
            f"{letter}, the first at {min(early).isoformat(timespec='seconds')}."
        )
    unknown = times.count(None)
    if unknown:
        yield (
            f"When {unknown} of {len(times)} answers of {letter} were collected is not recorded: "
            "it may have been before the plan was frozen."
        )


def _when(response: Response) -> str | None:
    return response.requested_at or response.completed_at


def _time(text: str | None) -> datetime | None:
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _suite(case: Case, wanted: Planned) -> Iterator[str]:
    suite = wanted.suite
    if suite is None:
        return
    digest = case.suite.sha256
    if digest != suite.sha256:
        shown = f"{case.suite.name} (sha256 {str(digest)[:16]})"
        yield _differs("Suite", shown, f"{suite.name} (sha256 {suite.sha256[:16]})")
    if case.overlap.both != suite.prompts:
        yield _differs(
            "Prompts with usable answers of both models", case.overlap.both, suite.prompts
        )


def _out_of_reach(case: Case) -> frozenset[str]:
    """Return the comparators of tiers of which the case says why they could not be measured."""
    silent = {e.tier for e in case.evidence if e.status == "not_measured" and e.comparator in TIERS}
    loaded = load_comparators() if silent else []
    return frozenset(comparator.name for comparator in loaded if comparator.tier in silent)


def _analysis(case: Case, wanted: Planned) -> Iterator[str]:
    # One comparator has its tier's name, which is also what stands in for a tier out of reach.
    ran = [
        e.comparator
        for e in case.evidence
        if e.comparator not in (LIKENESS, TRANSFERRED)
        and not (e.comparator in TIERS and e.status == "not_measured")
    ]
    # A cohort's models have no text: no comparator can run, and the case says so.
    if "cohort" not in (case.a.kind, case.b.kind):
        out_of_reach = _out_of_reach(case)
        absent = [n for n in wanted.comparators if n not in ran and n not in out_of_reach]
        added = [name for name in ran if name not in wanted.comparators]
        if absent:
            yield f"Comparators planned and not run: {', '.join(absent)}."
        if added:
            yield f"Comparators run and not planned: {', '.join(added)}."
    yield from _chosen(case, wanted)
    judged = next((e for e in case.evidence if e.comparator == LIKENESS), None)
    details = judged.details if judged else None
    by = details if isinstance(details, LikenessDetails) else None
    used = (by.cohort, by.cohort_sha256) if by else (None, None)
    planned_cohort = wanted.cohort
    if used != ((planned_cohort.name, planned_cohort.sha256) if planned_cohort else (None, None)):
        shown = f"{used[0]} (sha256 {str(used[1])[:16]})" if judged else "none"
        name = planned_cohort and f"{planned_cohort.name} (sha256 {planned_cohort.sha256[:16]})"
        yield _differs("Cohort", shown, name or "none")
    yield from _calibration(case, wanted)
    if by is not None:
        months = (("A", by.released.a, wanted.known), ("B", by.released.b, wanted.questioned))
        for letter, month, side in months:
            if side.released and month != side.released:
                yield _differs(f"Release month of {letter}", month or "none", side.released)
    now = thresholds(wanted.thresholds.log10_lr).model_dump()
    for name, value in wanted.thresholds.model_dump().items():
        if now[name] != value:
            yield _differs(f"Threshold {name}", now[name], value)


def _calibration(case: Case, wanted: Planned) -> Iterator[str]:
    fused = next((e for e in case.evidence if e.comparator == TRANSFERRED), None)
    details = fused.details if fused else None
    used = details.calibration_sha256 if isinstance(details, TransferredDetails) else None
    # A cohort that judges in its place is told as such.
    if used == wanted.transferred or any(e.comparator == LIKENESS for e in case.evidence):
        return
    shown = [f"sha256 {sha256[:16]}" if sha256 else None for sha256 in (used, wanted.transferred)]
    yield _differs("Transferred calibration", *shown)


def _chosen(case: Case, wanted: Planned) -> Iterator[str]:
    """Compare what only the ledger tells: tiers, controls, pasts, and who left no transcript."""
    runs = [run.settings for run in case.ledger if run.what == "compare"]
    tiers = {tier for run in runs for tier in run.tiers}
    controls = {spec for run in runs for spec in run.controls}
    bases = {spec for run in runs for spec in run.bases}
    for what, ran, planned_names in (
        ("Tiers", tiers, set[str](wanted.tiers)),
        ("Control models", controls, {control.spec for control in wanted.controls}),
        ("Pasts of B", bases, {base.spec for base in wanted.bases}),
    ):
        if ran != planned_names:
            shown = [", ".join(sorted(names)) or None for names in (ran, planned_names)]
            yield _differs(what, *shown)
    identities = {asked.spec: asked.identity.written() for run in runs for asked in run.identities}
    named = [("A", case.a.spec, wanted.known), ("B", case.b.spec, wanted.questioned)]
    named += [
        (f"control {i}", control.spec, control) for i, control in enumerate(wanted.controls, 1)
    ]
    named += [(f"past {i} of B", base.spec, base) for i, base in enumerate(wanted.bases, 1)]
    for who, spec, subject in named:
        for key, value in (subject.identity or {}).items():
            if spec in identities and identities[spec].get(key) != value:
                yield _differs(f"Identity of {who}, {key}", identities[spec].get(key), value)


def _differs(what: str, used: Any, wanted: Any) -> str:
    return f"{what}: {_shown(used)}, where {_shown(wanted)} was planned."


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return one_line(text, _SHOWN)
