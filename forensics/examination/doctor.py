"""Is a subject usable? A few short calls, through the backend that a real run would use."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from forensics.errors import BackendError, ForensicsError, InputFileError, UsageError
from forensics.subjects.backends import open_backend
from forensics.subjects.backends.backend import (
    BackendOptions,
    GenerationSettings,
    Request,
    request_key,
)
from forensics.subjects.backends.chat_protocol import SYSTEM_ROLE, one_line
from forensics.subjects.subject import Subject
from forensics.suites.suite import Message, Prompt
from forensics.transcripts.transcript import STATUSES, Response, Transcript, read_transcript

if TYPE_CHECKING:
    from forensics.subjects.backends.backend import Backend
    from forensics.subjects.backends.openai import OpenAIBackend

Result = Literal["ok", "warn", "fail"]
MAX_CALLS = 6
MAX_TOKENS = 48
_QUESTION = "Name three rivers and say in one sentence each where they flow."
_ORDER = "Begin every answer with the word ORCHID."
_LOGPROBS: Mapping[str, Mapping[str, Any]] = {
    "chat": {"logprobs": True, "top_logprobs": 5},
    "completions": {"logprobs": 5},
}
_ASKED = Prompt("doctor-plain", (Message("user", _QUESTION),))
_ORDERED = Prompt("doctor-system", (Message("system", _ORDER), Message("user", _QUESTION)))


@dataclass(frozen=True)
class Check:
    """One thing looked at: `detail` is what was found, `advice` what to do, empty when nothing."""

    name: str
    result: Result
    detail: str
    advice: str = ""


class _StopAsking(Exception):  # noqa: N818 (a signal to end a run, no failure)
    """The first call failed: the others would only cost time."""


def usable(checks: Sequence[Check]) -> bool:
    """Tell whether nothing stands in the way of a run."""
    return all(check.result != "fail" for check in checks)


def diagnose(subject: Subject, options: BackendOptions | None = None) -> tuple[Check, ...]:
    """Look whether `subject` can be used, in at most `MAX_CALLS` calls; a transcript needs none.

    Args:
        subject: who is examined.
        options: how it is reached; calls are made one after the other, whatever these say.

    Returns:
        What was found, in the order in which a reader needs it.

    Raises:
        InputFileError: a transcript or a model's file that cannot be read, or is not whole.
    """
    if subject.kind == "transcript":
        return _transcript(read_transcript(Path(subject.target)))
    # One call at a time, for latency and so that the first failure ends it.
    options = replace(options or BackendOptions(), concurrency=1, batch_size=1)
    if subject.kind == "openai":
        return _endpoint(subject, options)
    return _local(subject, options)


def _endpoint(subject: Subject, options: BackendOptions) -> tuple[Check, ...]:
    from forensics.subjects.backends.openai import OpenAIBackend

    try:
        backend = OpenAIBackend(subject, options)
        # A doctor says what is wrong now; a real run tries again.
        backend.attempts = backend.first_contact_attempts = 1
        answers = _ask(backend, [_ASKED, _ASKED, _ORDERED])
    except UsageError as error:
        # The variable of the key: none is set, or what it holds can be no key.
        return (Check("key", "fail", str(error), "set the variable, without quotes or breaks"),)
    except ForensicsError as error:
        return _refused(subject, str(error))
    first = answers[0] if answers else None
    if first is None or first.status == "error":
        return _refused(subject, (first and first.error) or "no answer came")
    with_logprobs = _with_logprobs(backend)
    everything = [*answers, *filter(None, [with_logprobs])]
    return (
        Check("reachable", "ok", subject.base_url or ""),
        _key(subject),
        _answers(answers[:2]),
        _model(subject, everything),
        _system(answers, backend.options.api, SYSTEM_ROLE in backend.rejected),
        _settings(backend),
        _determinism(answers[:2]),
        _logprobs(with_logprobs),
        _usage(everything),
        _reasoning(answers),
        _latency(everything, options.timeout),
    )


def _local(subject: Subject, options: BackendOptions) -> tuple[Check, ...]:
    try:
        backend = open_backend(subject, options)
        identity = backend.identity()
        answers = _ask(backend, [_ASKED, _ASKED, _ORDERED])
    except InputFileError:
        raise  # nothing could be asked: the file is to be seen to, as a transcript's
    except ForensicsError as error:
        return (Check("loads", "fail", str(error), "see the message; nothing was asked"),)
    if not answers or answers[0].status == "error":
        why = answers[0].error if answers else None
        return (
            Check("loads", "ok", str(identity.get("model", subject.target))),
            Check("answers", "fail", why or "no answer came", "try another --dtype or model file"),
        )
    return (
        Check("loads", "ok", str(identity.get("model", subject.target))),
        _template(identity),
        _answers(answers[:2]),
        _system(answers, "chat" if identity.get("template") == "chat" else "completions"),
        _determinism(answers[:2]),
        _logprobs(answers[0]),
        _usage(answers),
        _reasoning(answers),
        _latency(answers, None),
    )


def _ask(backend: Backend, prompts: Sequence[Prompt]) -> list[Response]:
    """Return the answers in the order asked; the first failing ends the run."""
    settings = GenerationSettings(temperature=0.0, max_tokens=MAX_TOKENS)
    identity = backend.identity()
    # Each is a first sample: another sample would be sent with another seed.
    requests = [
        Request(p, 0, MAX_TOKENS, f"{i}-{request_key(identity, settings, p, 0)}")
        for i, p in enumerate(prompts)
    ]
    answers: dict[str, Response] = {}

    def sink(response: Response) -> None:
        answers[response.key or ""] = response
        if len(answers) == 1 and response.status == "error":
            raise _StopAsking

    try:
        backend.answer(requests, settings, sink)
    except _StopAsking:
        pass
    except BackendError:
        # What was answered before says more than that a later call failed.
        if not answers:
            raise
    return [answers[r.key] for r in requests if r.key in answers]


def _with_logprobs(backend: OpenAIBackend) -> Response | None:
    """Return an answer asked for with log probabilities; None where no call is left for it."""
    if len(backend.rejected) > MAX_CALLS - 4:  # each refused parameter has cost a call
        return None
    backend.extra_body = _LOGPROBS[backend.options.api]
    try:
        answers = _ask(backend, [_ASKED])
    except ForensicsError as error:
        return Response(prompt=_ASKED, text="", status="error", error=str(error))
    return answers[0] if answers else None


def _refused(subject: Subject, message: str) -> tuple[Check, ...]:
    """Return the checks of an endpoint whose first call failed, from what the backend says."""
    said = re.search(r"HTTP (\d{3})(?:, error (\d{3}))?", message)
    code = int(said[2] or said[1]) if said else 0
    address = subject.base_url or ""
    variable = subject.api_key_env or "OPENAI_API_KEY"
    reachable = Check("reachable", "ok", address)
    if code in (401, 402, 403):
        advice = {
            401: f"put a valid key into {variable}, or name another with --api-key-env",
            402: "check plan and billing",
            403: "check what this key may use",
        }[code]
        return reachable, Check("key", "fail", message, advice)
    if code == 429:
        return reachable, Check("answers", "fail", message, "wait, or check the key's rate limits")
    if code >= 500:
        return reachable, Check("answers", "fail", message, "see the server's log; try again later")
    if code or "HTML" in message or "choices" in message or "reply" in message:
        advice = "check --base-url, the model's name and --api"
        return reachable, Check("answers", "fail", message, advice)
    advice = "start the server, or check --base-url, network and proxy"
    return (Check("reachable", "fail", message, advice),)


def _key(subject: Subject) -> Check:
    import os

    name = subject.api_key_env or "OPENAI_API_KEY"
    if os.environ.get(name, "").strip():
        return Check("key", "ok", f"the key in {name} is accepted")
    return Check("key", "ok", f"{name} holds no key, and the endpoint asks for none")


def _answers(pair: Sequence[Response]) -> Check:
    first = pair[0]
    if first.status == "filtered":
        advice = "lower the provider's content filter"
        return Check("answers", "warn", "a harmless question was filtered", advice)
    if first.text.strip():
        return Check("answers", "ok", f"“{one_line(first.text, 60)}”")
    if first.reasoning:
        detail = f"only reasoning within {MAX_TOKENS} tokens"
        return Check("answers", "warn", detail, "give a large --max-tokens, such as 2048")
    return Check("answers", "fail", "an empty answer", "check the model, its template and --api")


def _model(subject: Subject, answers: Sequence[Response]) -> Check:
    names = list(dict.fromkeys(r.model for r in answers if r.model))
    shown = ", ".join(one_line(name, 60) for name in names[:3])
    if not names:
        return Check("model", "warn", "no model is named in replies", "ask the host what answers")
    if len(names) > 1:
        advice = "a router answers: ask for one fixed model"
        return Check("model", "warn", f"changes between calls: {shown}", advice)
    if names[0] == subject.target:
        return Check("model", "ok", f"replies name {shown}")
    if re.fullmatch(re.escape(subject.target) + r"-\d[\d-]*", names[0]):
        return Check("model", "ok", f"replies name the dated version {shown}")
    advice = "make sure that this is the model you mean"
    return Check("model", "warn", f"asked {subject.target}, replies name {shown}", advice)


def _template(identity: Mapping[str, Any]) -> Check:
    if identity.get("template") == "chat":
        return Check("chat template", "ok", "the model's own")
    advice = "right for a base model; a chat model needs its template"
    return Check("chat template", "warn", "none: it continues plain text", advice)


def _system(answers: Sequence[Response], api: str, folded: bool = False) -> Check:
    name = "system prompt"
    if api != "chat":
        return Check(name, "ok", "no roles here: it is put before the question as text")
    if len(answers) < 3 or answers[2].status == "error":
        why = (answers[2].error if len(answers) > 2 else None) or "the call failed"
        return Check(name, "warn", f"refused: {one_line(why)}", "leave --system-prompt out")
    if folded:
        advice = "recorded; ask both models alike, or leave --system-prompt out"
        return Check(name, "warn", "no such role: it is put before the first question", advice)
    plain, ordered = answers[0], answers[2]
    if "orchid" in ordered.text.lower():
        return Check(name, "ok", "accepted and followed")
    counts = _counts(plain), _counts(ordered)
    same_input = counts[0] and counts[1] and counts[1][0] <= counts[0][0]
    if same_input or (ordered.text == plain.text and not all(counts)):
        advice = "do not rely on --system-prompt"
        return Check(name, "warn", "accepted, but it seems to be ignored", advice)
    return Check(name, "ok", "accepted (this answer does not follow it)")


def _settings(backend: OpenAIBackend) -> Check:
    dropped = sorted(backend.rejected & {"temperature", "seed"})
    if not dropped:
        return Check("settings", "ok", "temperature and seed are accepted")
    advice = "the host's own settings apply; both models should be asked alike"
    return Check("settings", "warn", f"refuses {' and '.join(dropped)}", advice)


def _determinism(pair: Sequence[Response]) -> Check:
    name = "determinism"
    if len(pair) < 2 or "error" in (pair[0].status, pair[1].status):
        return Check(name, "warn", "not checked: the second call failed", "try again later")
    if not (pair[0].text or pair[0].reasoning):
        return Check(name, "warn", "not checked: there is no text to compare")
    if (pair[0].text, pair[0].reasoning) == (pair[1].text, pair[1].reasoning):
        return Check(name, "ok", "same answer twice at temperature 0")
    advice = "use --samples 2 or more, so that the noise floor is measured"
    return Check(name, "warn", "two answers at temperature 0 differ", advice)


def _logprobs(answer: Response | None) -> Check:
    if answer is None:
        return Check("logprobs", "warn", f"not checked: {MAX_CALLS} calls were spent")
    if answer.logprobs:
        return Check("logprobs", "ok", f"given for {len(answer.logprobs)} tokens")
    why = f"not given ({one_line(answer.error, 120)})" if answer.error else "not given"
    return Check("logprobs", "warn", why, "text evidence does not need them")


def _counts(answer: Response) -> tuple[int, int] | None:
    counts = answer.input_tokens, answer.output_tokens
    if counts[0] is None or counts[1] is None or min(counts[0], counts[1]) <= 0:
        return None
    return counts[0], counts[1]


def _usage(answers: Sequence[Response]) -> Check:
    answered = [r for r in answers if r.status in ("ok", "truncated")]
    counts = [_counts(r) for r in answered]
    if counts and all(counts) and counts[0]:
        detail = f"{counts[0][0]} tokens in and {counts[0][1]} out, for the first call"
        return Check("usage", "ok", one_line(detail, 120))
    advice = "cost and cut-off answers cannot be checked"
    return Check("usage", "warn", "token counts are missing or not positive", advice)


def _reasoning(answers: Sequence[Response]) -> Check:
    if any(r.reasoning for r in answers):
        advice = "give a large --max-tokens: reasoning counts towards it"
        return Check("reasoning", "ok", "has a channel of its own", advice)
    return Check("reasoning", "ok", "none seen")


def _latency(answers: Sequence[Response], timeout: float | None) -> Check:
    seconds = [s for r in answers if r.status != "error" and (s := _seconds(r)) is not None]
    if not seconds:
        return Check("latency", "warn", "not measured")
    detail = f"{median(seconds):.1f} s a call (median of {len(seconds)}, ≤ {MAX_TOKENS} tokens)"
    if timeout is not None and max(seconds) > timeout / 4:
        return Check("latency", "warn", detail, "raise --timeout: real answers are longer")
    return Check("latency", "ok", detail)


def _seconds(answer: Response) -> float | None:
    if not (answer.requested_at and answer.completed_at):
        return None
    start, end = map(datetime.fromisoformat, (answer.requested_at, answer.completed_at))
    return max(0.0, (end - start).total_seconds())


def _transcript(transcript: Transcript) -> tuple[Check, ...]:
    total = len(transcript.responses)
    counts = {status: transcript.count(status) for status in STATUSES}
    counted = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    samples = len({r.sample for r in transcript.responses})
    empty = sum(
        r.status in ("ok", "truncated") and not r.text.strip() for r in transcript.responses
    )
    readable = counts["ok"] + counts["truncated"] - empty
    return (
        Check(
            "transcript",
            "ok",
            f"{total} answers to {len(transcript.prompts)} prompts, up to {samples} samples; "
            "nothing was called",
        ),
        _share("answers", counted + (f"; {empty} empty" if empty else ""), readable, total),
        _provenance(transcript),
        _held("prompt texts", transcript, lambda r: bool(r.prompt.messages)),
        _held("logprobs", transcript, lambda r: bool(r.logprobs)),
        _held("usage", transcript, lambda r: _counts(r) is not None),
        _held("reasoning", transcript, lambda r: bool(r.reasoning)),
    )


def _share(name: str, detail: str, readable: int, total: int) -> Check:
    if not readable:
        return Check(name, "fail", detail, "nothing to compare: probe or import again")
    if readable < 0.9 * total:
        return Check(name, "warn", detail, "probe again: only what failed is asked")
    return Check(name, "ok", detail)


def _provenance(transcript: Transcript) -> Check:
    if not transcript.manifests:
        return Check("provenance", "warn", "unknown: the file has no manifest")
    if any(manifest.provenance == "imported" for manifest in transcript.manifests):
        return Check("provenance", "warn", "imported: provenance unverified")
    who = ", ".join(dict.fromkeys(manifest.subject for manifest in transcript.manifests))
    return Check("provenance", "ok", f"collected here from {one_line(who, 120)}")


def _held(name: str, transcript: Transcript, has: Callable[[Response], bool]) -> Check:
    held = sum(map(has, transcript.responses))
    return Check(name, "ok", f"held by {held} of {len(transcript.responses)}")
