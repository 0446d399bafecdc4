"""How models would begin their answers: the first token each expects after a fixed prompt.

Most services give log-probabilities only of what they answer (`top_logprobs` of chat completions).
One token is asked for, and what is kept is not the one drawn but what is most likely. Local models
are read in the same place, behind their chat template. Names of tokens differ between services and
tokenizers, so the first two characters are kept, without spaces in front.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.errors import BackendError

if TYPE_CHECKING:
    from forensics.examination.probability_values import TextScore
    from forensics.subjects.backends.backend import BackendOptions, GenerationSettings
    from forensics.subjects.subject import Subject
    from forensics.suites.suite import Suite
    from forensics.transcripts.transcript import Response, Transcript

SUITE = "core"
# With those asked first no more calls than an endpoint that echoes the passages is sent.
PROMPTS = 60
LEAST = 40  # prompts; with fewer a share of agreement says little
# As many alternatives as a local model's are read of; some services give five at most.
_ALTERNATIVES = (20, 5)


@dataclass(frozen=True)
class FirstTokens:
    """The first two characters that one model expects of an answer, by prompt hash.

    `model` identifies the weights or the endpoint; `passages` are a local model's scores of the
    fixed passages, which tell how able it is; of an endpoint there are none.
    """

    name: str
    model: str
    has_template: bool
    expected: Mapping[str, str]
    passages: Mapping[str, TextScore] = field(default_factory=dict)


def suite() -> Suite:
    """Return the prompts whose first tokens are asked for."""
    from forensics.suites.loading import load_suite

    return load_suite(SUITE).select((), PROMPTS)


def _settings() -> GenerationSettings:
    from forensics.subjects.backends.backend import GenerationSettings

    return GenerationSettings(max_tokens=1)


def ask_first_tokens(
    subject: Subject,
    options: BackendOptions,
    folder: Path,
    progress: Callable[[Response], None] | None = None,
) -> FirstTokens | str:
    """Return what an endpoint expects to begin its answers with, or why that cannot be told.

    One prompt is asked first, for many alternatives and then for few: an endpoint that gives no
    log-probabilities costs no more calls.

    Args:
        subject: an `openai:` subject.
        options: how it is reached.
        folder: of transcripts; what was answered is kept there.
        progress: called with every answer.

    Raises:
        OutputError: the transcript cannot be written.
    """
    from forensics.examination.collect import collect, transcript_name
    from forensics.examination.endpoint_probabilities import shortened
    from forensics.subjects.backends.openai import OpenAIBackend

    backend = OpenAIBackend(subject, options)
    # These answers have a file of their own, so that nobody compares texts of one token.
    path = folder / f"first-tokens-{transcript_name(subject, backend.identity(), _settings())}"
    prompts = suite()
    first = replace(prompts, prompts=prompts.prompts[:1])
    why = None
    for alternatives in _ALTERNATIVES:
        backend.extra_body = {"logprobs": True, "top_logprobs": alternatives}
        try:
            answered = collect(first, subject, backend, _settings(), path, progress)
            if _expected(answered):
                transcript = collect(prompts, subject, backend, _settings(), path, progress)
                return read_first_tokens(subject, backend.identity(), transcript)
        except BackendError as error:
            return f"it cannot be asked for first tokens: {shortened(str(error))}"
        why = next((response.error for response in answered.responses if response.error), None)
        if why is None:
            return "it gives no log-probabilities of what it answers"
    return f"it cannot be asked for first tokens: {shortened(why or '')}"


def read_first_tokens(
    subject: Subject, identity: Mapping[str, Any], answered: Transcript
) -> FirstTokens | str:
    """Return what answers with log-probabilities say, or why they are too few.

    Args:
        subject: for its name.
        identity: of the backend that answered.
        answered: answers to `suite`.
    """
    expected = _expected(answered)
    if len(expected) < LEAST:
        return f"it gives log-probabilities of {len(expected)} answers; {LEAST} are needed"
    known = json.dumps(dict(identity), sort_keys=True).encode("ascii")
    return FirstTokens(subject.name, hashlib.sha256(known).hexdigest(), True, expected)


def _expected(answered: Transcript) -> dict[str, str]:
    wanted = {prompt.sha256 for prompt in suite().prompts}
    starts_by_hash = {
        response.prompt.sha256: _start(response.logprobs) for response in answered.responses
    }
    return {
        key: start for key, start in starts_by_hash.items() if start is not None and key in wanted
    }


def _start(logprobs: Any) -> str | None:
    """Return the first two characters that the first token's alternatives make most likely."""
    from forensics.examination.endpoint_probabilities import most, probabilities, starts
    from forensics.examination.probability_values import bare

    first = logprobs[0] if isinstance(logprobs, list) and logprobs else None
    shares = probabilities(first.get("top_logprobs")) if isinstance(first, dict) else {}
    per_token: dict[str, float] = {}
    for token, share in shares.items():
        per_token[bare(token)] = per_token.get(bare(token), 0.0) + share
    return most(starts(per_token)) if per_token else None


def open_first_tokens(subject: Subject, options: BackendOptions) -> int:
    """Return how many prompts a local model has yet to read: all, or none that are in the cache.

    Raises:
        BackendError: the model cannot be found.
    """
    from forensics.examination.local_probabilities import is_begun

    names = [prompt.sha256 for prompt in suite().prompts]
    return 0 if is_begun(subject, options, names) else len(names)


def local_first_tokens(subject: Subject, options: BackendOptions) -> FirstTokens:
    """Return what a local model expects to begin its answers with; cached by weights.

    Args:
        subject: an `hf:`, `gguf:` or `demo:` subject.
        options: `dtype` and `batch_size` are used.

    Raises:
        BackendError: the model cannot be found or loaded, or gives NaN.
        OutputError: the cache cannot be written.
    """
    from forensics.examination.local_probabilities import begun, text_probabilities

    read = text_probabilities(subject, options)
    expected = begun(subject, options, [(p.sha256, p.messages) for p in suite().prompts])
    return FirstTokens(read.name, read.model, read.has_template, expected, read.passages)
