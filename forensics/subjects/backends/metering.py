"""Calls to endpoints that are paid for: announced before they are made, settled after.

A meter holds a budget that several endpoints share. What a call may cost at most is reserved before
the call is sent, and what it came to is settled once its reply is there, so that calls under way
never exceed the budget together.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from forensics.errors import BackendError
from forensics.subjects.backends.backend import GenerationSettings, Request
from forensics.subjects.backends.chat_protocol import Reply, messages_for

_TOKENS_A_MESSAGE = 64  # what chat templates add at most; no tokenizer makes more than one a byte


class BudgetReachedError(BackendError):
    """The next call might exceed the budget, so it was not made."""


@dataclass(frozen=True)
class Charge:
    """What calls are charged: how many they are, tokens of prompts, tokens of answers."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def plus(self, other: Charge) -> Charge:
        """Return the sum."""
        return Charge(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
        )


NOTHING = Charge()


class Meter(Protocol):
    """Holds a budget; called from several threads, each with an event loop of its own."""

    async def reserve(self, most: Charge) -> int:
        """Wait until a call fits into the budget, reserve what it may cost, and return a ticket.

        Raises:
            BudgetReachedError: it does not fit, and nothing under way could make room.
        """
        ...

    def settle(self, ticket: int, spent: Charge) -> None:
        """Take what the call of a ticket came to."""
        ...


@dataclass
class Bill:
    """What one call is charged: the most it can be, until its reply says less."""

    spent: Charge

    def read(self, reply: Reply) -> None:
        """Take what a reply says: a refusal costs no tokens, one that says nothing the most."""
        if reply.status >= 400:
            self.spent = Charge(1)
            return
        usage = reply.content.get("usage") if isinstance(reply.content, dict) else None
        if not isinstance(usage, dict):
            return
        read, written = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
        if read is None or written is None:
            return
        # Some servers count reasoning in the total only.
        total = _count(usage, "total_tokens") or 0
        self.spent = Charge(1, read, max(written, total - read))


def _count(usage: dict[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if type(value) is int and 0 <= value < 2**53 else None


def most_charged(request: Request, settings: GenerationSettings) -> Charge:
    """Return the most that a call can be charged, if the endpoint keeps to its `max_tokens`."""
    messages = messages_for(request, settings)
    read = sum(
        len(message.content.encode("utf-8", "surrogatepass")) + _TOKENS_A_MESSAGE
        for message in messages
    )
    return Charge(1, read, request.max_tokens)


@asynccontextmanager
async def metered(
    meter: Meter | None, request: Request, settings: GenerationSettings
) -> AsyncIterator[Bill]:
    """Reserve a call, and settle it once the block ends; without a meter nothing is counted.

    Raises:
        BudgetReachedError: see `Meter.reserve`.
    """
    bill = Bill(most_charged(request, settings))
    if meter is None:
        yield bill
        return
    ticket = await meter.reserve(bill.spent)
    try:
        yield bill
    except BaseException as error:
        # Nobody was reached: nothing can be charged. Of any other failure nobody knows.
        if isinstance(error.__context__, httpx.ConnectError | httpx.ConnectTimeout):
            bill.spent = NOTHING
        raise
    finally:
        meter.settle(ticket, bill.spent)
