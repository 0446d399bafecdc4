"""What a metered call is charged: by its reply, or the most it can be where nobody knows."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from forensics.errors import BackendError
from forensics.subjects.backends.backend import BackendOptions, GenerationSettings, Request
from forensics.subjects.backends.metering import BudgetReachedError, Charge
from forensics.subjects.backends.openai import OpenAIBackend
from forensics.subjects.subject import parse_subject
from forensics.suites.suite import Message, Prompt
from tests.loopback import Reply, chat_reply, error_reply

PROMPT = Prompt("p", (Message("user", "Say yes, é."),))
MOST = Charge(1, 12 + 64, 50)


@dataclass
class Till:
    """A meter that notes what it is told, and allows so many calls."""

    allowed: int = 100
    reserved: list[Charge] = field(default_factory=list)
    settled: dict[int, Charge] = field(default_factory=dict)

    async def reserve(self, most: Charge) -> int:
        if len(self.reserved) >= self.allowed:
            raise BudgetReachedError("no more")
        self.reserved.append(most)
        return len(self.reserved) - 1

    def settle(self, ticket: int, spent: Charge) -> None:
        assert ticket not in self.settled
        self.settled[ticket] = spent


def _ask(url: str, till: Till, calls: int = 1, **settings) -> list:
    backend = OpenAIBackend(parse_subject(f"openai:m@{url}"), BackendOptions(concurrency=1))
    backend.meter = till
    backend.retry_wait_initial = 0.01
    backend.timeout_attempts = 1
    answers: list = []
    requests = [Request(PROMPT, sample, 50, f"k{sample}") for sample in range(calls)]
    backend.answer(requests, GenerationSettings(**settings), answers.append)
    return answers


def _with_usage(**usage: object) -> Reply:
    reply = chat_reply("yes")
    assert isinstance(reply.body, dict)
    return Reply({**reply.body, "usage": usage})


@pytest.mark.parametrize(
    ("reply", "spent"),
    [
        (_with_usage(prompt_tokens=9, completion_tokens=2), Charge(1, 9, 2)),
        (_with_usage(prompt_tokens=9, completion_tokens=2, total_tokens=31), Charge(1, 9, 22)),
        (_with_usage(prompt_tokens=9, completion_tokens=70), Charge(1, 9, 70)),
        (_with_usage(prompt_tokens=9), MOST),
        (_with_usage(prompt_tokens=-1, completion_tokens=2), MOST),
        (_with_usage(prompt_tokens=True, completion_tokens="2"), MOST),
        (_with_usage(), MOST),
    ],
)
def test_a_call_is_charged_what_its_reply_says(loopback, reply: Reply, spent: Charge) -> None:
    till = Till()
    assert _ask(loopback([reply]).url, till)[0].text == "yes"
    assert (till.reserved, till.settled) == ([MOST], {0: spent})


def test_a_system_prompt_counts(loopback) -> None:
    till = Till()
    _ask(loopback([chat_reply("yes")]).url, till, system_prompt="Be brief.")
    assert till.reserved == [Charge(1, 12 + 64 + 9 + 64, 50)]


def test_each_repeated_request_is_reserved_and_a_refusal_costs_no_tokens(loopback) -> None:
    till = Till()
    busy = error_reply(429, "busy", {"Retry-After": "0"})
    server = loopback([busy, busy, _with_usage(prompt_tokens=5, completion_tokens=1)])
    assert _ask(server.url, till)[0].text == "yes"
    assert till.reserved == [MOST] * 3
    assert list(till.settled.values()) == [Charge(1), Charge(1), Charge(1, 5, 1)]


def test_a_lost_reply_counts_as_the_most_and_an_unreached_server_as_nothing(loopback) -> None:
    till = Till()
    lost = loopback([Reply(drop=True), _with_usage(prompt_tokens=5, completion_tokens=1)])
    _ask(lost.url, till)
    assert till.settled[0] == MOST
    unreached = Till()
    with pytest.raises(BackendError, match="cannot reach"):
        _ask("http://127.0.0.1:9/v1", unreached)
    assert set(unreached.settled.values()) == {Charge()}


def test_a_budget_that_is_reached_ends_the_run_and_keeps_what_came(loopback) -> None:
    till, answers = Till(allowed=2), []
    server = loopback([chat_reply("yes")])
    backend = OpenAIBackend(parse_subject(f"openai:m@{server.url}"), BackendOptions(concurrency=1))
    backend.meter = till
    requests = [Request(PROMPT, sample, 50, f"k{sample}") for sample in range(5)]
    with pytest.raises(BudgetReachedError):
        backend.answer(requests, GenerationSettings(), answers.append)
    assert len(answers) == len(server.calls) == 2
