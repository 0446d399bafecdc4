"""A log of served and withheld answers as values, and what its header attests."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from forensics.suites.suite import Message

Design = Literal["split_before_serving", "sampled_again_later"]
AssignedBy = Literal["random", "date", "author", "topic", "quality", "user_choice"]


class LogHeader(BaseModel):
    """What whoever kept the log attests of it; `exposure split` writes one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    design: Design = Field(
        description="Whether one of several answers was drawn to be served, or the withheld ones "
        "were sampled again later."
    )
    assigned_by: AssignedBy = Field(
        default="random", description="What decided which answers were served."
    )
    declared_prompts: int | None = Field(
        default=None, ge=1, description="How many logged prompts the test was planned for."
    )
    weights: str = Field(default="", description="Which weights answered both times.")
    system_prompt: str = Field(default="", description="Its hash or text, the same both times.")
    tools: str = Field(default="", description="Which tools were offered both times, or none.")
    decoding: str = Field(default="", description="Sampling settings, the same both times.")
    served_filters: str = Field(
        default="", description="Best-of-n, filters and limits that served answers passed."
    )
    withheld_filters: str = Field(default="", description="Those that withheld answers passed.")
    independent_calls: bool = Field(
        default=True, description="Every answer is a call of its own: no cache, no shared seed."
    )
    withheld_on_served_prefix: bool = Field(
        default=False, description="Later turns of conversations have withheld answers too."
    )
    split_seed: int | None = Field(default=None, description="Seed of `exposure split`.")


@dataclass(frozen=True)
class LoggedAnswer:
    """One answer as it was served, or would have been."""

    text: str
    served: bool
    finish_reason: str = ""
    sampled_at: datetime | None = None
    public: bool = False
    cached: bool = False
    seed: str = ""


@dataclass(frozen=True)
class LoggedPrompt:
    """A prompt and its answers; `account` is a hash and is never shown.

    `batch` is the number of the batch in which it arrived in a log that grows, 0 in all others.
    """

    prompt_id: str
    messages: tuple[Message, ...]
    answers: tuple[LoggedAnswer, ...]
    conversation: str = ""
    turn: int = 0
    account: str = ""
    batch: int = 0

    @property
    def served(self) -> tuple[LoggedAnswer, ...]:
        """Answers that somebody got."""
        return tuple(answer for answer in self.answers if answer.served)

    @property
    def withheld(self) -> tuple[LoggedAnswer, ...]:
        """Answers that nobody got."""
        return tuple(answer for answer in self.answers if not answer.served)

    @property
    def text(self) -> str:
        """The prompt as one text."""
        if len(self.messages) == 1:
            return self.messages[0].content
        return "\n\n".join(f"[{m.role}] {m.content}" for m in self.messages)

    @property
    def key(self) -> str:
        """What orders prompts: a hash of the name, which no answer decides."""
        return order_key(self.prompt_id)

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands in a log: what arrived earlier first, and within a batch by its key."""
        return self.batch, self.key


def order_key(prompt_id: str) -> str:
    """Return the hash that orders prompts."""
    return hashlib.sha256(prompt_id.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class ServedLog:
    """What was read of a log: its prompts in the order of their places, and how many it has."""

    header: LogHeader
    prompts: tuple[LoggedPrompt, ...]
    logged: int
    sha256: str
