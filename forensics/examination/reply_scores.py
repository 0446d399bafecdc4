"""How likely a model finds whole answers to given prompts, in nats a token.

A local model reads an answer in the place where it would have given it. An endpoint echoes prompt
and answer as one text with log-probabilities (`/v1/completions`), and the answer's tokens count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.examination.local_probabilities import model_source
from forensics.support.resources import cache_folder

if TYPE_CHECKING:
    from forensics.examination.collect import Plan
    from forensics.subjects.backends.backend import BackendOptions
    from forensics.subjects.backends.openai import OpenAIBackend
    from forensics.subjects.subject import Subject
    from forensics.suites.suite import Message, Suite
    from forensics.transcripts.transcript import Response

_BATCH = 4  # whole answers: the probabilities of a vocabulary at every place fill memory
_BREAK = "\n\n"
_RULES = "1"  # of this file; part of what a stored number means


@dataclass(frozen=True)
class LoggedReply:
    """An answer and the messages it answers."""

    messages: tuple[Message, ...]
    text: str

    @property
    def key(self) -> str:
        """What identifies it."""
        parts = json.dumps([[list(m) for m in self.messages], self.text])
        return hashlib.sha256(parts.encode("ascii")).hexdigest()


def local_reply_scores(
    subject: Subject, options: BackendOptions, replies: Sequence[LoggedReply]
) -> list[float | None]:
    """Return a local model's mean log-probability of each answer's tokens; cached.

    Args:
        subject: an `hf:`, `gguf:` or `demo:` subject.
        options: `dtype` is used.
        replies: n answers.

    Returns:
        n means in nats; None where the model cannot read an answer, see `Scorer.score_replies`.

    Raises:
        BackendError: the model cannot be found or loaded, or gives NaN.
        OutputError: the cache cannot be written.
    """
    from forensics.support.files import write_text

    source = model_source(subject, options.dtype)
    identity = json.dumps({**source.identity, "dtype": options.dtype}, sort_keys=True)
    path = _place([_RULES, identity, *(reply.key for reply in replies)])
    try:
        stored: list[float | None] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there yet, or cut off
        from forensics.examination.scorer import Scorer

        small = replace(options, batch_size=min(options.batch_size, _BATCH))
        scorer = Scorer(subject.spec, source, small)
        scores = scorer.score_replies([(reply.text, reply.messages) for reply in replies])
        stored = [None if s is None else s.log_likelihood / s.tokens for s in scores]
        write_text(path, json.dumps(stored))
    return stored


def _place(parts: Sequence[str]) -> Path:
    name = hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()
    return cache_folder("replies") / f"{name}.json"


def plan_echoes(
    subject: Subject, options: BackendOptions, folder: Path, replies: Sequence[LoggedReply]
) -> tuple[OpenAIBackend, Path, Plan]:
    """Return who is asked to echo answers, where that is kept, and which calls are still open.

    Args:
        subject: an `openai:` subject; it is asked through `/completions` whatever its `api` is.
        options: how it is reached.
        folder: of transcripts.
        replies: answers to echo.
    """
    from forensics.examination.collect import plan, transcript_name
    from forensics.subjects.backends.backend import GenerationSettings
    from forensics.subjects.backends.openai import OpenAIBackend

    asked = replace(subject, api="completions")
    backend = OpenAIBackend(asked, options)
    backend.extra_body = {"echo": True, "logprobs": 1}
    settings = GenerationSettings(max_tokens=1)
    path = folder / f"replies-{transcript_name(asked, backend.identity(), settings)}"
    return backend, path, plan(echo_suite(replies), backend.identity(), settings, path)


def echoed_reply_scores(
    subject: Subject,
    options: BackendOptions,
    folder: Path,
    replies: Sequence[LoggedReply],
    progress: Callable[[Response], None] | None = None,
) -> list[float | None]:
    """Return an endpoint's mean log-probability of each answer's tokens.

    Args:
        subject, options, folder, replies: see `plan_echoes`.
        progress: called with every response.

    Returns:
        a mean in nats for each answer; None where the endpoint did not echo it readably.

    Raises:
        BackendError: the endpoint cannot be asked.
        OutputError: the transcript cannot be written.
    """
    from forensics.examination.collect import collect
    from forensics.subjects.backends.backend import GenerationSettings

    backend, path, _ = plan_echoes(subject, options, folder, replies)
    settings = GenerationSettings(max_tokens=1)
    asked = replace(subject, api="completions")
    echoed = collect(echo_suite(replies), asked, backend, settings, path, progress)
    means = {
        response.prompt.id: response.logprobs for response in echoed.responses if response.logprobs
    }
    return [echoed_mean(_before(reply), reply.text, means.get(reply.key, ())) for reply in replies]


def echo_suite(replies: Sequence[LoggedReply]) -> Suite:
    """Return prompts with their answers as texts to echo, each once."""
    from forensics.suites.suite import Message, Prompt, Suite

    texts = {reply.key: _before(reply) + reply.text for reply in replies}
    prompts = tuple(
        Prompt(key, (Message("user", text),), max_tokens=1) for key, text in texts.items()
    )
    return Suite("replies", "1", "Logged answers", prompts)


def _before(reply: LoggedReply) -> str:
    said = [message.content for message in reply.messages]
    return _BREAK.join([*said, ""])


def echoed_mean(before: str, text: str, tokens: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the mean log-probability of the tokens that begin in `text`, which follows `before`.

    None where the tokens do not spell both; a token that begins every text may stand before them.
    """
    for begin in (0, 1):
        values = _answer_values(before + text, len(before), tokens[begin:])
        if values:
            return sum(values) / len(values)
    return None


def _answer_values(
    whole: str, start: int, tokens: Sequence[Mapping[str, Any]]
) -> list[float] | None:
    at, values = 0, []
    for entry in tokens:
        token, value = entry.get("token"), entry.get("logprob")
        if not isinstance(token, str) or not token or not whole.startswith(token, at):
            return None
        if at >= start:
            if not isinstance(value, int | float) or isinstance(value, bool) or not value <= 0:
                return None
            values.append(float(value))
        at += len(token)
        if at == len(whole):
            return values
    return None
