"""Two examined subjects → a Case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from forensics.case.document import (
    Case,
    CasePrompt,
    CaseResponse,
    CaseSubject,
    LedgerEntry,
    Overlap,
    Relatives,
)
from forensics.case.evidence import Evidence
from forensics.case.run_records import CaseManifest, CaseSuite, LedgerSettings
from forensics.errors import ForensicsError, InsufficientError, MissingDependencyError
from forensics.evidence.comparator import Comparator, without_score
from forensics.examination.examined import Examined
from forensics.suites.suite import Prompt, Suite
from forensics.support.clock import now
from forensics.support.version import VERSION
from forensics.transcripts.transcript import Response, Transcript
from forensics.verdicts.advice import suite_advice
from forensics.verdicts.answer_records import answers_of
from forensics.verdicts.comparability import comparability_notes
from forensics.verdicts.confounds import Confounds, confounds, explained
from forensics.verdicts.copy_tripwire import copy_tripwire
from forensics.verdicts.left_out import check_any_measured, left_out
from forensics.verdicts.neighbours import neighbourhood
from forensics.verdicts.random_exhibits import with_random
from forensics.verdicts.shifting import shifted
from forensics.verdicts.verdict import changed, decide
from forensics.verdicts.verdict_wording import worded

if TYPE_CHECKING:
    from forensics.cohorts.cohort import Cohort
    from forensics.cohorts.earlier_lines import EarlierLines
    from forensics.cohorts.transferred import Transferred

NOTHING_CHOSEN = LedgerSettings()
Progress = Callable[[str], None]
Shown = Callable[[Sequence[Evidence]], object]
_SLOW = ("embedding",)  # measured when all else is shown


@dataclass(frozen=True)
class Judged:
    """What a cohort says of a pair: how alike the two are, and which of its models are."""

    likeness: Evidence
    relatives: Relatives | None


def compare(
    a: Examined,
    b: Examined,
    comparators: Sequence[Comparator[Any]],
    suite: Suite | None = None,
    command: str = "",
    progress: Progress | None = None,
    settings: LedgerSettings = NOTHING_CHOSEN,
    cohort: Cohort | None = None,
    released: tuple[str, str] = ("", ""),
    transferred: Transferred | None = None,
    shown: Shown | None = None,
    bases: Sequence[Examined] = (),
) -> Case:
    """Compare the known subject `a` with the questioned subject `b`.

    Args:
        a: the known subject.
        b: the questioned subject.
        comparators: what to measure, in the order of the report.
        suite: cuts both subjects to its prompts; None takes every prompt both answered.
        command: what the user typed, for the record.
        progress: called with the title of each comparator before it runs.
        settings: what was chosen (suite, categories, limit), for the ledger.
        cohort: to judge likeness against.
        released: `YYYY-MM` of A and B, where known.
        transferred: calibration for prompts that no cohort is calibrated for.
        shown: called with all other evidence before what takes long.
        bases: the questioned subject's own pasts, to tell what it changed.

    Raises:
        MissingDependencyError: this installation can measure nothing of what was asked for.
    """
    if suite is not None:
        a, b = restrict(a, suite), restrict(b, suite)
        bases = [restrict(base, suite) for base in bases]
    evidence, judged = measured(a, b, comparators, progress, cohort, released, shown)
    check_any_measured(comparators, evidence)
    if bases:
        evidence.append(shifted(a, b, bases, cohort, released))
    return concluded(
        a,
        b,
        evidence,
        suite,
        command,
        settings,
        cohort,
        judged=judged,
        transferred=transferred,
        released=released,
    )


def measured(
    a: Examined,
    b: Examined,
    comparators: Sequence[Comparator[Any]],
    progress: Progress | None = None,
    cohort: Cohort | None = None,
    released: tuple[str, str] = ("", ""),
    shown: Shown | None = None,
) -> tuple[list[Evidence], Judged | None]:
    """Return what each comparator found, in their order, and what a cohort says of the pair.

    Args:
        a: the known subject, cut to the prompts compared.
        b: the questioned subject, cut likewise.
        comparators: what to measure.
        progress: called with the title of each comparator before it runs.
        cohort: to judge likeness against.
        released: `YYYY-MM` of A and B, where known.
        shown: called with all other evidence before what takes long.
    """
    known = confounds(a, b)
    if cohort is not None and all(_asked_twice(side) for side in (a, b)):
        from forensics.cohorts.manner import centred_on

        comparators = centred_on(comparators, cohort)
    by_name: dict[str, Evidence] = {}

    def run(comparator: Comparator[Any]) -> None:
        if progress is not None:
            progress(comparator.title)
        by_name[comparator.name] = measure(comparator, a, b, known)

    slow = [comparator for comparator in comparators if comparator.name in _SLOW]
    for comparator in comparators:
        if comparator not in slow:
            run(comparator)
    judged = None if cohort is None else _judged(a, b, cohort, released, known)
    if slow and shown is not None:
        shown([*by_name.values(), *([judged.likeness] if judged else [])])
    for comparator in slow:
        run(comparator)
    return [by_name[comparator.name] for comparator in comparators], judged


def concluded(
    a: Examined,
    b: Examined,
    evidence: Sequence[Evidence],
    suite: Suite | None = None,
    command: str = "",
    settings: LedgerSettings = NOTHING_CHOSEN,
    cohort: Cohort | None = None,
    *,
    judged: Judged | None = None,
    transferred: Transferred | EarlierLines | None = None,
    released: tuple[str, str] = ("", ""),
) -> Case:
    """Return the case that evidence leads to, whether it was just measured or is on record.

    Args:
        a: the known subject, cut to the prompts compared.
        b: the questioned subject, cut likewise.
        evidence: what the comparators found, in the order of the report.
        suite: what the subjects were cut to; None where they were not.
        command: what the user typed, for the record.
        settings: what was chosen (suite, categories, limit), for the ledger.
        cohort: scores and exhibits are set beside its models.
        judged: what that cohort says of the pair.
        transferred: calibration for prompts that no cohort is calibrated for.
        released: `YYYY-MM` of A and B, where known.
    """
    entries = with_random(evidence, a, b)
    if cohort is not None and judged is not None:
        from forensics.cohorts.rarity import with_rarity

        entries = with_rarity(entries, a, cohort)
        if judged.likeness.status == "ok":
            entries = [_beside(entry, cohort) for entry in entries]
        entries.append(_among_its_own(judged.likeness))
    # Who leaves one of its comparators out has not asked for what rests on all of them.
    if transferred is not None and transferred.needs <= {entry.comparator for entry in entries}:
        fused = _fused(a, b, entries, transferred, released)
        if cohort is None:
            entries = [_near(entry, transferred) for entry in entries]
        entries.append(fused)
    overlap = _overlap(a, b)
    tripwire = copy_tripwire(a, b)
    decision = decide(entries, overlap, tripwire)
    known, questioned = _subject(a), _subject(b)
    return Case(
        created_at=now(),
        version=VERSION,
        command=command,
        suite=_describe(suite, a, b),
        a=known,
        b=questioned,
        overlap=overlap,
        prompts=tuple(_prompts(a, b)),
        evidence=tuple(entries),
        copy_tripwire=tripwire,
        comparability=comparability_notes(a, b),
        verdict=worded(
            decision,
            changed(a.transcript, b.transcript),
            left_out(entries),
            answers_of(decision, entries, known, questioned),
            suite_advice(released),
        ),
        relatives=judged.relatives if judged is not None else None,
        ledger=(LedgerEntry(at=now(), what="compare", settings=settings),),
    )


def _asked_twice(side: Examined) -> bool:
    return any(answer.sample for answer in side.answers)


def _judged(
    a: Examined, b: Examined, cohort: Cohort, released: tuple[str, str], known: Confounds
) -> Judged:
    from forensics.cohorts.judging import judge
    from forensics.cohorts.placed import place_examined
    from forensics.cohorts.relatives import relatives

    first, second = (
        place_examined(side, cohort, month) for side, month in zip((a, b), released, strict=True)
    )
    likeness = _with_explained(judge(first, second, cohort), known)
    return Judged(likeness, relatives(first, second, cohort))


def _beside(evidence: Evidence, cohort: Cohort) -> Evidence:
    """Set a score beside those of the cohort's own pairs."""
    if evidence.score is None:
        return evidence
    reference = cohort.reference.get(evidence.comparator)
    near = neighbourhood(evidence, reference, "matched")
    return evidence.model_copy(update={"reference": reference, "neighbourhood": near})


def _among_its_own(likeness: Evidence) -> Evidence:
    near = neighbourhood(likeness, likeness.reference, "matched")
    return likeness.model_copy(update={"neighbourhood": near})


def _fused(
    a: Examined,
    b: Examined,
    entries: Sequence[Evidence],
    lines: Transferred | EarlierLines,
    released: tuple[str, str],
) -> Evidence:
    from forensics.cohorts.earlier_lines import EarlierLines
    from forensics.cohorts.transferring import judge_transferred

    if isinstance(lines, EarlierLines):
        return lines.judge(a, b, entries)
    return judge_transferred(a, b, entries, lines, released)


def _near(evidence: Evidence, transferred: Transferred | EarlierLines) -> Evidence:
    """Set a score beside what unrelated pairs score on other prompts."""
    near = neighbourhood(evidence, transferred.reference.get(evidence.comparator), "other")
    return evidence.model_copy(update={"neighbourhood": near})


def measure(
    comparator: Comparator[Any], a: Examined, b: Examined, known: Confounds | None = None
) -> Evidence:
    """Run one comparator; what it cannot do becomes evidence with a status and a reason.

    Args:
        comparator: what to measure.
        a: the known subject.
        b: the questioned subject.
        known: lengths and layout of the answers, to say how much of the scores they explain.
    """
    absent = sorted(comparator.needs - (a.available & b.available))
    if absent == ["answers"]:
        empty = " and ".join(
            letter for letter, side in (("A", a), ("B", b)) if "answers" not in side.available
        )
        return without_score(comparator, "insufficient", f"no usable answer of {empty}")
    if absent:
        return without_score(comparator, "not_measured", f"needs {', '.join(absent)} of both")
    try:
        evidence = comparator.compare(comparator.extract(a), comparator.extract(b))
    except MissingDependencyError as error:
        return without_score(comparator, "not_measured", str(error))
    except InsufficientError as error:
        return without_score(comparator, "insufficient", str(error))
    except ForensicsError as error:
        return without_score(comparator, "error", str(error))
    return _with_explained(evidence, known)


def _with_explained(evidence: Evidence, known: Confounds | None) -> Evidence:
    share = explained(evidence, known) if known is not None else None
    return evidence.model_copy(update={"explained_by_length_and_formatting": share})


def restrict(side: Examined, suite: Suite) -> Examined:
    """Return the subject cut to the suite's prompts, with the suite's ids and categories."""
    known = {prompt.sha256: prompt for prompt in suite.prompts}
    responses = tuple(
        replace(response, prompt=_named(known[response.prompt.sha256], response.prompt))
        for response in side.transcript.responses
        if response.prompt.sha256 in known
    )
    return replace(side, transcript=replace(side.transcript, responses=responses))


def _named(prompt: Prompt, recorded: Prompt) -> Prompt:
    # A referenced suite knows hashes only: the text is then what the transcript recorded.
    return prompt if prompt.messages else replace(prompt, messages=recorded.messages)


def _overlap(a: Examined, b: Examined) -> Overlap:
    first, second = ({x.prompt_sha256 for x in side.answers} for side in (a, b))
    return Overlap(a=len(first), b=len(second), both=len(first & second))


def _describe(suite: Suite | None, a: Examined, b: Examined) -> CaseSuite:
    if suite is not None:
        return CaseSuite(name=suite.name, version=suite.version, sha256=suite.sha256)
    described = [dict(m.suite) for side in (a, b) for m in side.transcript.manifests]
    if described and all(description == described[0] for description in described):
        return CaseSuite.model_validate(described[0])
    return CaseSuite(name="ad-hoc", version="1", sha256=None)


def _subject(side: Examined) -> CaseSubject:
    transcript = side.transcript
    provenance: Literal["collected", "imported", "unknown"] = (
        transcript.manifests[0].provenance if transcript.manifests else "unknown"
    )
    return CaseSubject(
        spec=side.subject.spec,
        name=side.name,
        kind=side.subject.kind,
        provenance=provenance,
        transcript_sha256=transcript.sha256,
        transcript_path=transcript.path,
        answers=len(side.answers),
        empty=_blank(transcript),
        errors=transcript.count("error"),
        filtered=transcript.count("filtered"),
        truncated=transcript.count("truncated"),
        samples=max((r.sample for r in transcript.responses), default=0) + 1,
        manifests=tuple(CaseManifest.model_validate(m.to_json()) for m in transcript.manifests),
        warnings=transcript.warnings,
    )


def _blank(transcript: Transcript) -> int:
    return sum(r.status in ("ok", "truncated") and not r.text.strip() for r in transcript.responses)


def _prompts(a: Examined, b: Examined) -> list[CasePrompt]:
    first, second = _by_prompt(a.transcript), _by_prompt(b.transcript)
    return [
        CasePrompt(
            prompt_sha256=digest,
            prompt_id=prompt.id,
            prompt=prompt.text,
            category=prompt.category,
            language=prompt.language,
            a=_responses(first[digest][1]),
            b=_responses(second[digest][1]),
        )
        for digest, (prompt, _) in first.items()
        if digest in second
    ]


def _by_prompt(transcript: Transcript) -> dict[str, tuple[Prompt, list[Response]]]:
    groups: dict[str, tuple[Prompt, list[Response]]] = {}
    for response in sorted(transcript.responses, key=lambda r: (r.prompt.id, r.sample)):
        groups.setdefault(response.prompt.sha256, (response.prompt, []))[1].append(response)
    return groups


def _responses(responses: Sequence[Response]) -> tuple[CaseResponse, ...]:
    return tuple(
        CaseResponse(sample=r.sample, text=r.text, status=r.status, reasoning=r.reasoning)
        for r in responses
    )
