"""Suites: versioned lists of fixed prompts, and how a prompt is identified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple

from forensics.errors import UsageError

Role = Literal["system", "user", "assistant"]


class Message(NamedTuple):
    """One turn of a conversation."""

    role: Role
    content: str


def prompt_sha256(messages: Sequence[Message]) -> str:
    """Return the identity of a prompt: the sha256 (hex) of what is sent.

    A single user message is hashed as its UTF-8 text, so that hashes published for plain prompt
    lists match; anything longer as canonical JSON of its `[role, content]` pairs.
    """
    if len(messages) == 1 and messages[0].role == "user":
        return text_sha256(messages[0].content)
    canonical = json.dumps([list(m) for m in messages], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def text_sha256(text: str) -> str:
    """Return the sha256 (hex) of a text's UTF-8 bytes; lone surrogates are kept as they are."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Prompt:
    """One fixed question: `messages` are sent as they stand; `max_tokens` is a suggestion.

    A prompt whose text is not at hand (a referenced suite, an import without prompts) has no
    messages and is `known_as` the hash that its source published.
    """

    id: str
    messages: tuple[Message, ...]
    category: str = "uncategorised"
    language: str = "und"
    max_tokens: int | None = None
    known_as: str | None = None

    @cached_property
    def sha256(self) -> str:
        """The prompt's identity, see `prompt_sha256`."""
        return self.known_as or prompt_sha256(self.messages)

    @property
    def text(self) -> str:
        """The prompt as one readable text: a single user message bare, else with its roles."""
        if len(self.messages) == 1 and self.messages[0].role == "user":
            return self.messages[0].content
        return "\n\n".join(f"[{m.role}] {m.content}" for m in self.messages)


@dataclass(frozen=True)
class TextSource:
    """Where the texts of a referenced suite are: a file of a Hugging Face data set."""

    dataset: str
    file: str
    text_field: str


@dataclass(frozen=True)
class Suite:
    """A versioned list of prompts; `categories` maps each category to what it measures.

    `text_source` is set for a referenced suite, whose prompts are known by hash only. `usual` is
    how many prompts are asked where nobody chose any; None is all of them.
    """

    name: str
    version: str
    title: str
    prompts: tuple[Prompt, ...]
    description: str = ""
    license: str = ""
    categories: Mapping[str, str] | None = None
    text_source: TextSource | None = None
    usual: int | None = None

    @cached_property
    def sha256(self) -> str:
        """Hash over the prompts' hashes in order: the same questions give the same hash."""
        return hashlib.sha256("".join(p.sha256 for p in self.prompts).encode("ascii")).hexdigest()

    def select(self, categories: Sequence[str] = (), limit: int | None = None) -> Suite:
        """Return the suite cut to `categories` and to at most `limit` prompts.

        `limit` goes round-robin over the categories in the suite's own order, so that a small
        run still asks a little of everything.

        Raises:
            UsageError: a category the suite does not have, or nothing left.
        """
        unknown = sorted(set(categories) - {p.category for p in self.prompts})
        if unknown:
            known = ", ".join(dict.fromkeys(p.category for p in self.prompts))
            raise UsageError(f"suite {self.name!r} has no category {unknown[0]!r}; it has: {known}")
        if limit is not None and limit < 1:
            raise UsageError(f"--limit must be at least 1, not {limit}")
        chosen = [p for p in self.prompts if not categories or p.category in categories]
        if limit is not None and limit < len(chosen):
            chosen_ids = {p.id for p in _round_robin(chosen, list(self.categories or ()))[:limit]}
            chosen = [p for p in chosen if p.id in chosen_ids]
        return replace(self, prompts=tuple(chosen))


def _round_robin(prompts: Iterable[Prompt], order: Sequence[str]) -> list[Prompt]:
    queues: dict[str, list[Prompt]] = {name: [] for name in order}
    for prompt in prompts:
        queues.setdefault(prompt.category, []).append(prompt)
    longest = max((len(queue) for queue in queues.values()), default=0)
    return [queue[i] for i in range(longest) for queue in queues.values() if i < len(queue)]
