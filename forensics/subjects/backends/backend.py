"""What a backend is: it answers requests and says exactly who answered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from forensics.suites.suite import Prompt
from forensics.transcripts.transcript import Response

DEFAULT_MAX_TOKENS = 256


@dataclass(frozen=True)
class GenerationSettings:
    """How answers are drawn: the same for every prompt of a run.

    `max_tokens` caps every answer; without it each prompt's own suggestion holds.
    """

    temperature: float = 0.0
    max_tokens: int | None = None
    samples: int = 1
    seed: int = 0
    system_prompt: str | None = None

    def tokens_for(self, prompt: Prompt) -> int:
        """Return the most tokens an answer to `prompt` may have."""
        return self.max_tokens or prompt.max_tokens or DEFAULT_MAX_TOKENS


@dataclass(frozen=True)
class ServedModel:
    """A local model that a server runs for this process, and that is asked as an endpoint.

    `spec` is the subject's; `model` is how requests name it. `engine`, its `version` and the
    `precision` of the weights are recorded, the address is not: it is another one every time.
    """

    spec: str
    base_url: str
    model: str
    engine: str
    version: str
    precision: str


@dataclass(frozen=True)
class BackendOptions:
    """How a backend runs; recorded where it can change an answer (dtype, batch size, api)."""

    dtype: Literal["float32", "bfloat16"] = "float32"
    batch_size: int = 64
    concurrency: int = 8
    timeout: float = 120.0
    api: Literal["chat", "completions"] = "chat"
    served: ServedModel | None = None


@dataclass(frozen=True)
class Request:
    """One call to make: `sample` counts from 0; `key` identifies the call for resuming."""

    prompt: Prompt
    sample: int
    max_tokens: int
    key: str


Sink = Callable[[Response], None]


class Backend(Protocol):
    """Answers requests.

    `identity` says exactly who answers (kind, model, endpoint URL or file hash, template, dtype):
    it is stored in the manifest and is part of every request's key.
    """

    def identity(self) -> Mapping[str, Any]:
        """Return who answers; may load what it must to know.

        Raises:
            BackendError: the model cannot be found or loaded.
        """
        ...

    def answer(self, requests: Sequence[Request], settings: GenerationSettings, sink: Sink) -> None:
        """Answer every request and hand each response to `sink` as it arrives, in any order.

        A call that fails becomes a response with status `error`.

        Raises:
            BackendError: going on is pointless (wrong key, no quota, unreachable).
        """
        ...


def request_key(
    identity: Mapping[str, Any], settings: GenerationSettings, prompt: Prompt, sample: int
) -> str:
    """Return the sha256 (hex) that identifies a call, for resuming without repeating it."""
    generation = asdict(settings) | {"max_tokens": settings.tokens_for(prompt)}
    del generation["samples"]
    parts = [dict(identity), generation, prompt.sha256, sample]
    canonical = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
