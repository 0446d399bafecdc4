"""One subject of a job → its result: what the verbs do, by the same workflows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from forensics.case.document import Case
from forensics.case.evidence import Tier
from forensics.errors import ForensicsError, UsageError
from forensics.fleet.examining import examined_files
from forensics.fleet.job_model import FleetJob
from forensics.fleet.model_server import is_served, served_model
from forensics.fleet.subject_result import (
    DoneSubject,
    ServedBy,
    SubjectDocument,
    SubjectFinding,
    SubjectResult,
)
from forensics.subjects.backends.backend import BackendOptions, GenerationSettings, ServedModel
from forensics.subjects.subject import Subject
from forensics.support.chained_file import lock
from forensics.support.quiet import why
from forensics.support.sanitise import one_line
from forensics.support.secrets import redacted
from forensics.support.slug import slug
from forensics.transcripts.transcript import Transcript
from forensics.workflows.callbacks import Silent
from forensics.workflows.settings import (
    Analysis,
    Asking,
    CheckSettings,
    CompareSettings,
    Endpoints,
    ProbeSettings,
    Prompts,
    TraceSettings,
)

COMMAND = "forensics fleet run"
_LONGEST_REASON = 500
_WAIT = 86_400.0  # seconds: another task asks the same reference, which may take long
_SERVED_TIERS: tuple[Tier, ...] = ("text", "tokenizer", "weights")

Measured = tuple[Sequence[SubjectFinding], Sequence[SubjectDocument]]


@dataclass(frozen=True)
class SubjectTask:
    """One subject and what is done to it; `scratch` keeps answers until all are there."""

    job: FleetJob
    spec: str
    key: str
    scratch: Path

    def failed(self, reason: str) -> DoneSubject:
        """Return the result that says why there is no other."""
        said = one_line(redacted(reason), _LONGEST_REASON)
        result = SubjectResult(
            key=self.key, subject=self.spec, work=self.job.work, status="failed", reason=said
        )
        return DoneSubject(result)


def done(task: SubjectTask) -> DoneSubject:
    """Do a job's work on one subject; whatever fails becomes a result that says so."""
    try:
        with _serving(task) as served:
            findings, documents = _measured(task, served)
    except ForensicsError as error:
        return task.failed(str(error))
    except Exception as error:  # one subject is never the end of a job
        return task.failed(f"internal error: {type(error).__name__}: {why(error)}")
    result = SubjectResult(
        key=task.key,
        subject=task.spec,
        work=task.job.work,
        status="done",
        served_by=_by(served),
        findings=tuple(findings),
        documents=tuple(document.name for document in documents),
    )
    return DoneSubject(result, tuple(documents))


def _by(served: ServedModel | None) -> ServedBy | None:
    if served is None:
        return None
    return ServedBy(engine=served.engine, version=served.version, precision=served.precision)


@contextmanager
def _serving(task: SubjectTask) -> Iterator[ServedModel | None]:
    """Have the subject served, if the job names a server and the work asks the model anything."""
    from forensics.workflows.resolving import resolve_subject

    if task.job.server is None or task.job.work == "examine":
        yield None
        return
    subject = resolve_subject(task.spec, _endpoints(task.job), Silent())
    if not is_served(subject):
        yield None
        return
    with served_model(task.job.server, subject) as served:
        yield served


def _measured(task: SubjectTask, served: ServedModel | None) -> Measured:
    match task.job.work:
        case "examine":
            return _examine(task)
        case "probe":
            return _probe(task, served)
        case "compare":
            return _compare(task, served)
        case "trace":
            return _trace(task, served)
        case "check":
            return _check(task, served)


def _examine(task: SubjectTask) -> Measured:
    from forensics.workflows.resolving import resolve_subject

    subject = resolve_subject(task.spec, _endpoints(task.job), Silent())
    return [examined_files(subject, task.job.asking.dtype)], []


def _probe(task: SubjectTask, served: ServedModel | None) -> Measured:
    from forensics.workflows.probing import check_answered, probe
    from forensics.workflows.resolving import resolve_subject

    subject = resolve_subject(task.spec, _endpoints(task.job), Silent())
    settings = ProbeSettings(
        _prompts(task.job),
        replace(_asking(task, served), allow_broken=True),
        _endpoints(task.job),
        output=task.scratch / f"{task.key}.jsonl",
    )
    transcript = probe(subject, settings, Silent())
    check_answered(task.spec, transcript)
    errors = transcript.count("error")
    usable = len(transcript.responses) - errors
    return [SubjectFinding(answers=usable, errors=errors)], _kept(transcript)


def _compare(task: SubjectTask, served: ServedModel | None) -> Measured:
    from forensics.workflows.comparing import compared
    from forensics.workflows.resolving import resolve_pair

    compare = task.job.compare
    assert compare is not None  # noqa: S101 (a job without is refused)
    settings = CompareSettings(
        prompts=_prompts(task.job),
        asking=_asking(task, served),
        endpoints=_endpoints(task.job),
        analysis=Analysis(
            only=compare.only,
            without=compare.without,
            tiers=compare.tiers or (_SERVED_TIERS if served else ()),
            cohort=compare.cohort,
        ),
        command=COMMAND,
    )
    findings: list[SubjectFinding] = []
    documents: list[SubjectDocument] = []
    for number, reference in enumerate(compare.references, start=1):
        pair = resolve_pair(reference, task.spec, settings, Silent())
        live = pair.known.is_live
        with _alone(task, pair.known.subject) if live else nullcontext():
            case, (_, transcript) = compared(pair, settings, Silent())
        findings.append(_of_case(case, reference))
        documents.append(SubjectDocument(f"case-{number}.json", case.to_json().encode("ascii")))
    if pair.questioned.is_live and transcript is not None and transcript.path:
        documents += _kept(transcript)
    return findings, documents


@contextmanager
def _alone(task: SubjectTask, reference: Subject) -> Iterator[None]:
    """Let no other task of this node ask a reference meanwhile: its answers lie in one file."""
    with (task.scratch / f"{slug(reference.name)}.lock").open("wb") as file:
        if not lock(file, _WAIT):
            raise UsageError(f"another task has asked {reference.spec} for a day; end it")
        yield


def _trace(task: SubjectTask, served: ServedModel | None) -> Measured:
    from forensics.workflows.tracing import trace_document, traced

    settings = TraceSettings(
        prompts=_prompts(task.job),
        asking=_asking(task, served),
        endpoints=_endpoints(task.job),
        cohort=task.job.trace.cohort,
    )
    result = traced(task.spec, settings, Silent())
    best = result.relatives[0] if result.relatives else None
    finding = SubjectFinding(
        reading=result.reading,
        candidate=best.model if best else "",
        candidate_named=best.model in result.named if best else None,
        family_wise=best.family_wise if best else None,
        log10_lr=best.log10_lr if best and result.covered else None,
    )
    text = json.dumps(trace_document(result), indent=1, allow_nan=False) + "\n"
    return [finding], [SubjectDocument("trace.json", text.encode("ascii"))]


def _check(task: SubjectTask, served: ServedModel | None) -> Measured:
    from forensics.policy.outcomes import check_to_json
    from forensics.policy.reading import read_policy
    from forensics.workflows.checking import check
    from forensics.workflows.policy_run import prepare

    against = task.job.check
    assert against is not None  # noqa: S101 (a job without is refused)
    settings = CheckSettings(
        _asking(task, served), _endpoints(task.job), strict=against.strict, command=COMMAND
    )
    run = prepare(read_policy(Path(against.policy)), task.spec, settings, Silent())
    result = check(run, Silent(), strict=against.strict)
    finding = SubjectFinding(outcome=result.status, reading=result.headline)
    document = SubjectDocument("check.json", check_to_json(result).encode("ascii"))
    return [finding], [document]


def _of_case(case: Case, reference: str) -> SubjectFinding:
    from forensics.case.details.shared_manner import MannerDetails

    said = {answer.question: answer for answer in case.verdict.answers}
    words = {question: answer.answer for question, answer in said.items()}
    kin = said.get("close_relatives")
    manner = next((e.details for e in case.evidence if isinstance(e.details, MannerDetails)), None)
    return SubjectFinding(
        reference=reference,
        one_model=words.get("one_model", ""),
        close_relatives=words.get("close_relatives", ""),
        learned=words.get("learned", ""),
        independent=words.get("independent", ""),
        calibration=case.verdict.calibration,
        log10_lr=kin.log10_lr if kin else None,
        shared_manner=manner.share if manner else None,
        reading=case.verdict.headline,
    )


def _kept(transcript: Transcript) -> list[SubjectDocument]:
    """Return a subject's own answers as a document."""
    if transcript.path is None:
        return []
    return [SubjectDocument("transcript.jsonl", Path(transcript.path).read_bytes())]


def _prompts(job: FleetJob) -> Prompts:
    return Prompts(job.asking.suite, job.asking.category, job.asking.limit)


def _endpoints(job: FleetJob) -> Endpoints:
    return Endpoints(file=Path(job.asking.endpoints) if job.asking.endpoints else None)


def _asking(task: SubjectTask, served: ServedModel | None) -> Asking:
    asking = task.job.asking
    generation = GenerationSettings(
        temperature=asking.temperature,
        max_tokens=asking.max_tokens,
        samples=asking.samples,
        seed=asking.seed,
        system_prompt=asking.system_prompt,
    )
    backend = BackendOptions(
        dtype=asking.dtype,
        batch_size=asking.batch_size,
        concurrency=asking.concurrency,
        timeout=asking.timeout,
        api=task.job.server.api if served and task.job.server else "chat",
        served=served,
    )
    return Asking(generation, backend, task.scratch)
