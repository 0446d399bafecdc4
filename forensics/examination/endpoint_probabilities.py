"""Token probabilities of an endpoint: the fixed passages, echoed with their log-probabilities.

`/v1/completions` with `echo` and `logprobs` says how likely the model finds every token of a prompt
and what it expected instead: vLLM and some others do, most hosted services do not. What comes back
is brought to bytes and characters, as with a local model, so that the two compare. Where an
endpoint puts no token before a text, the first has nothing to be predicted from and is not scored.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.errors import BackendError
from forensics.examination.passages import load_passages, places
from forensics.examination.probability_values import TextProbabilities, TextScore

if TYPE_CHECKING:
    from forensics.examination.collect import Plan
    from forensics.subjects.backends.backend import BackendOptions, GenerationSettings
    from forensics.subjects.backends.openai import OpenAIBackend
    from forensics.subjects.subject import Subject
    from forensics.suites.suite import Prompt, Suite
    from forensics.transcripts.transcript import Response, Transcript

NAME = "passages"
LEAST = 24  # passages; with fewer no comparator has anything to say
# As many alternatives as a local model's are read of; some services give five at most.
_ALTERNATIVES = (20, 5)
_LONGEST_REASON = 160


def suite() -> Suite:
    """Return the passages as prompts that are to be echoed."""
    from forensics.suites.suite import Message, Prompt, Suite

    prompts = tuple(
        Prompt(
            passage.id, (Message("user", passage.text),), language=passage.language, max_tokens=1
        )
        for passage in load_passages()
    )
    return Suite(NAME, "1", "Fixed passages", prompts)


def plan_probabilities(
    subject: Subject, options: BackendOptions, folder: Path
) -> tuple[OpenAIBackend, Path, Plan]:
    """Return who is asked for the passages, where they are kept, and which calls are still open.

    Args:
        subject: an `openai:` subject; it is asked through `/completions` whatever its `api` is.
        options: how it is reached.
        folder: of transcripts; the passages have a file of their own there.
    """
    from forensics.examination.collect import plan, transcript_name
    from forensics.subjects.backends.openai import OpenAIBackend

    asked = replace(subject, api="completions")
    backend = OpenAIBackend(asked, options)
    path = folder / f"{NAME}-{transcript_name(asked, backend.identity(), _settings())}"
    return backend, path, plan(suite(), backend.identity(), _settings(), path)


def _settings() -> GenerationSettings:
    from forensics.subjects.backends.backend import GenerationSettings

    return GenerationSettings(max_tokens=1)


def ask_probabilities(
    subject: Subject,
    options: BackendOptions,
    folder: Path,
    progress: Callable[[Response], None] | None = None,
) -> TextProbabilities | str:
    """Return what an endpoint says of the passages, or why it says nothing of them.

    One passage is asked first, for many alternatives a token and then for few: an endpoint that
    does not echo it costs no more calls.

    Args:
        subject: an `openai:` subject; it is asked through `/completions` whatever its `api` is.
        options: how it is reached.
        folder: of transcripts; what was answered is kept there.
        progress: called with every answer.

    Raises:
        OutputError: the transcript cannot be written.
    """
    from forensics.examination.collect import collect

    asked = replace(subject, api="completions")
    backend, path, _ = plan_probabilities(subject, options, folder)
    passages = suite()

    def echoed(prompts: Sequence[Prompt]) -> Transcript:
        part = replace(passages, prompts=tuple(prompts))
        return collect(part, asked, backend, _settings(), path, progress)

    why = ""
    for alternatives in _ALTERNATIVES:
        backend.extra_body = {"echo": True, "logprobs": alternatives}
        try:
            first = echoed(passages.prompts[:1])
            if _scores(first):
                transcript = echoed(passages.prompts)
                return read_probabilities(subject, backend.identity(), transcript)
        except BackendError as error:
            return f"its /completions cannot be asked: {shortened(str(error))}"
        why = _why(first)
        if not any(response.error for response in first.responses):
            break  # it answered, and will answer alike
    return why


def read_probabilities(
    subject: Subject, identity: Mapping[str, Any], echoed: Transcript
) -> TextProbabilities | str:
    """Return what echoed passages say, or why they are too few.

    Args:
        subject: for its name.
        identity: of the backend that answered.
        echoed: answers to `suite`, with log-probabilities of the prompt.
    """
    scores = _scores(echoed)
    if len(scores) < LEAST:
        return f"it echoes {len(scores)} passages readably; {LEAST} are needed"
    known = hashlib.sha256(json.dumps(dict(identity), sort_keys=True).encode("ascii")).hexdigest()
    return TextProbabilities(
        name=subject.name,
        model=known,
        tokenizer=f"endpoint {known}",  # unknown, so never taken to be another's
        has_template=False,
        passages=scores,
        answers={},
    )


def _scores(echoed: Transcript) -> dict[str, TextScore]:
    texts = {passage.text: passage.id for passage in load_passages()}
    scores: dict[str, TextScore] = {}
    for response in echoed.responses:
        text = response.prompt.text
        score = echoed_score(text, response.logprobs or ()) if text in texts else None
        if score is not None:
            scores[texts[text]] = score
    return scores


def echoed_score(text: str, tokens: Sequence[Mapping[str, Any]]) -> TextScore | None:
    """Return what echoed tokens say of a text, None where they are not that text's.

    Args:
        text: what was sent.
        tokens: `token`, `logprob` and `top_logprobs` of each, the prompt's and then the answer's; a
            token that begins every text may stand before them.
    """
    for begin in (0, 1):
        ends = _ends(text, tokens[begin:])
        if ends is not None:
            return _score(text, tokens[begin : begin + len(ends)], ends)
    return None


def _ends(text: str, tokens: Sequence[Mapping[str, Any]]) -> list[int] | None:
    """Return where each token of the text ends in it, None where they do not spell it."""
    ends: list[int] = []
    at = 0
    for entry in tokens:
        token = entry.get("token")
        if not isinstance(token, str) or not token or not text.startswith(token, at):
            return None
        at += len(token)
        ends.append(at)
        if at == len(text):
            return ends
    return None


def _score(text: str, tokens: Sequence[Mapping[str, Any]], ends: list[int]) -> TextScore | None:
    first = 0 if _number(tokens[0].get("logprob")) is not None else 1
    values = [_number(entry.get("logprob")) for entry in tokens[first:]]
    if not values or any(value is None for value in values):
        return None
    wanted = set(places(text))
    following = {
        start: expected
        for start, entry in zip(ends, tokens[1:], strict=False)
        if start in wanted and (expected := most_likely(entry.get("top_logprobs"))) is not None
    }
    scored = text[ends[0] if first else 0 :]
    size = len(scored.encode("utf-8", "surrogatepass"))
    return TextScore(sum(value for value in values if value is not None), size, following)


def most_likely(alternatives: Any) -> tuple[str, str] | None:
    """Return the most likely next token, and the most likely first two characters.

    Args:
        alternatives: what an endpoint gave as `top_logprobs` of one token, well formed or not.
    """
    shares = probabilities(alternatives)
    if not shares:
        return None
    return most(shares), most(starts(shares))


def probabilities(alternatives: Any) -> dict[str, float]:
    """Return token → probability as given; empty where they are not well formed.

    Args:
        alternatives: what an endpoint gave as `top_logprobs` of one token.
    """
    if not isinstance(alternatives, list):
        return {}
    shares: dict[str, float] = {}
    for alternative in alternatives:
        if not isinstance(alternative, dict):
            return {}
        token, value = alternative.get("token"), _number(alternative.get("logprob"))
        if isinstance(token, str) and token and value is not None:
            shares[token] = math.exp(min(value, 0.0))
    return shares


def starts(shares: Mapping[str, float]) -> dict[str, float]:
    """Return the probabilities of the first two characters, from those of tokens."""
    beginnings: dict[str, float] = {}
    for token, share in shares.items():
        beginnings[token[:2]] = beginnings.get(token[:2], 0.0) + share
    return beginnings


def most(shares: Mapping[str, float]) -> str:
    """Return the text of most probability; of equals the first in order."""
    return min(shares, key=lambda text: (-shares[text], text))


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _why(transcript: Transcript) -> str:
    said = next((response.error for response in transcript.responses if response.error), None)
    if said:
        return f"its /completions cannot be asked: {shortened(said)}"
    given = any(response.logprobs for response in transcript.responses)
    what = "the prompt's" if given else "any"
    return f"it was asked to echo a text with log-probabilities and did not give {what}"


def shortened(message: str) -> str:
    from forensics.subjects.backends.chat_protocol import one_line

    return one_line(message, _LONGEST_REASON)
